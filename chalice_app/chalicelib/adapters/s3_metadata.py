"""The metadata bucket: small objects, conditional writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from chalicelib.adapters.client_errors import CONFLICTS, error_code
from chalicelib.core.ports import ListedKey, StoredRecord, UnchangedError

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_s3.client import S3Client


TOMBSTONE_TAG = "lifetime=tombstone"
"""Tag that the metadata bucket's lifecycle rule looks for."""

_NOT_MODIFIED = "304"
"""Without a body, S3's answer names no code: botocore takes the status for it."""

_LOST_RACE = {"PreconditionFailed", *CONFLICTS, "NoSuchKey"}
"""NoSuchKey: it was deleted since it was read (S3 User Guide, "Conditional write behavior")."""


@dataclass(frozen=True)
class S3Metadata:
    """Encryption is the bucket's default: the objects carry no header of their own."""

    s3: "S3Client"
    bucket: str

    def get(self, key: str) -> StoredRecord | None:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        except self.s3.exceptions.NoSuchKey:
            return None
        return StoredRecord(answer["Body"].read(), answer["ETag"])

    def get_newer(self, key: str, etag: str) -> StoredRecord | None:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=key, IfNoneMatch=etag)
        except self.s3.exceptions.NoSuchKey:
            return None
        except ClientError as error:
            if error_code(error) == _NOT_MODIFIED:
                raise UnchangedError from error
            raise
        return StoredRecord(answer["Body"].read(), answer["ETag"])

    def put_if_new(self, key: str, body: bytes) -> bool:
        try:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", IfNoneMatch="*")
        except ClientError as error:
            _require_lost_race(error)
            return False
        return True

    def put_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        return self._replace(key, body, etag, tagging="")

    def retire_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        return self._replace(key, body, etag, tagging=TOMBSTONE_TAG)

    def _replace(self, key: str, body: bytes, etag: str, tagging: str) -> str | None:
        tags: Any = {"Tagging": tagging} if tagging else {}
        try:
            answer = self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=body, ContentType="application/json", IfMatch=etag, **tags
            )
        except ClientError as error:
            _require_lost_race(error)
            return None
        return answer["ETag"]

    def put(self, key: str, body: bytes, content_type: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def list_keys(self, prefix: str, start_after: str = "") -> Iterator[ListedKey]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=start_after
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield ListedKey(entry["Key"], entry["LastModified"])  # pyrefly: ignore[not-required-key-access]


def _require_lost_race(error: ClientError) -> None:
    """Raise any other error."""
    if error_code(error) not in _LOST_RACE:
        raise error
