"""URLs that let a client send one part, for a few minutes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.core.ports import Clock
from chalicelib.core.sigv4 import BucketAddress, Credentials, PartToSign, SigningScope, presign_parts
from chalicelib.core.video_record import VideoRecord

CHECKSUM_HEADER = "x-amz-checksum-crc64nvme"


class SignedPart(NamedTuple):
    part_number: int
    url: str
    size_bytes: int
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class PartUrls:
    """A signer that uses the function's current credentials: a URL expires with their session."""

    video_address: BucketAddress
    region: str
    credentials: Callable[[], Credentials]
    ttl_seconds: int
    now: Clock

    def for_parts(
        self, record: VideoRecord, upload_id: str, checksums_by_part: Mapping[int, str | None]
    ) -> tuple[list[SignedPart], datetime]:
        """Return a URL for each key of `checksums_by_part`, and when they expire. A checksum is signed in."""
        scope = SigningScope(self.credentials(), self.region, "s3", self.now())
        plan = record.plan
        parts = [
            PartToSign(number, plan.part_bytes(number), {CHECKSUM_HEADER: checksum} if checksum else {})
            for number, checksum in checksums_by_part.items()
        ]
        urls = presign_parts(
            scope,
            self.video_address,
            parts,
            key=record.ref.file_key,
            upload_id=upload_id,
            expires_seconds=self.ttl_seconds,
        )
        signed = [
            SignedPart(part.part_number, url, part.size_bytes, part.headers)
            for part, url in zip(parts, urls, strict=True)
        ]
        return signed, scope.moment + timedelta(seconds=self.ttl_seconds)
