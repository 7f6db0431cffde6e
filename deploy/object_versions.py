"""Contents of a versioned bucket by key, including hidden versions and unfinished uploads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, kw_only=True)
class ObjectVersion:
    """size_bytes: None for a delete marker."""

    key: str
    version_id: str
    modified_at: datetime
    size_bytes: int | None
    is_latest: bool

    @property
    def is_delete_marker(self) -> bool:
        return self.size_bytes is None


@dataclass(frozen=True)
class KeyHistory:
    """bodies: newest first. delete_markers: the newest hides older bodies."""

    bodies: tuple[ObjectVersion, ...]
    delete_markers: tuple[ObjectVersion, ...]

    @property
    def is_hidden(self) -> bool:
        """Return whether a delete marker hides an object."""
        return bool(self.bodies) and any(marker.is_latest for marker in self.delete_markers)


def history_of(s3: S3Client, bucket: str, key: str) -> KeyHistory:
    """History of exactly this key. S3 lists versions newest first (S3 API reference, ListObjectVersions)."""
    found = [version for version in versions_under(s3, bucket, key) if version.key == key]
    return KeyHistory(
        tuple(version for version in found if not version.is_delete_marker),
        tuple(version for version in found if version.is_delete_marker),
    )


def versions_under(s3: S3Client, bucket: str, prefix: str) -> Iterator[ObjectVersion]:
    """All versions and delete markers of all keys under a prefix."""
    # S3's response has all fields; the stubs declare them optional.
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        bodies = ((entry, entry.get("Size", 0)) for entry in page.get("Versions", []))
        markers = ((entry, None) for entry in page.get("DeleteMarkers", []))
        for entry, size_bytes in chain(bodies, markers):
            yield ObjectVersion(
                key=entry["Key"],  # pyrefly: ignore[not-required-key-access]
                version_id=entry["VersionId"],  # pyrefly: ignore[not-required-key-access]
                modified_at=entry["LastModified"],  # pyrefly: ignore[not-required-key-access]
                size_bytes=size_bytes,
                is_latest=entry.get("IsLatest", False),
            )


def unfinished_under(s3: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Key and uploadId of every multipart upload that S3 holds open under a prefix."""
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for upload in page.get("Uploads", []):
            yield upload.get("Key", ""), upload.get("UploadId", "")
