"""Sign the part URLs that a job on the standard input asks for: `sign_part_urls.py ours|boto3|obstore`.

Prints the CPU seconds of signing alone, imports and clients left out, and a digest of the URLs.
"""

from __future__ import annotations

import gc
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Sign = Callable[[str, int], list[str]]
"""Signs the parts 1 to n of an upload to a key."""
WARMING_PARTS = 20


@dataclass(frozen=True, kw_only=True)
class Job:
    """Uploads of one signer to one bucket. moment: ISO time."""

    count: int
    part_bytes: int
    access_key: str
    secret_key: str
    session_token: str
    region: str
    bucket: str
    key: str
    upload_id: str
    expires_seconds: int
    moment: str

    @property
    def signed_at(self) -> datetime:
        return datetime.fromisoformat(self.moment)


def ours(job: Job) -> Sign:
    from chalicelib.core.sigv4 import BucketAddress, Credentials, PartToSign, SigningScope, presign_parts  # noqa: PLC0415

    credentials = Credentials(job.access_key, job.secret_key, job.session_token)
    address = BucketAddress(f"https://{job.bucket}.s3.{job.region}.amazonaws.com")

    def sign(key: str, count: int) -> list[str]:
        scope = SigningScope(credentials, job.region, "s3", job.signed_at)
        parts = [PartToSign(number, job.part_bytes, {}) for number in range(1, count + 1)]
        return presign_parts(
            scope, address, parts, key=key, upload_id=job.upload_id, expires_seconds=job.expires_seconds
        )

    return sign


def boto3(job: Job) -> Sign:
    import boto3 as peer  # noqa: PLC0415
    import botocore.auth  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    clock: Any = botocore.auth
    clock.get_current_datetime = lambda *_: job.signed_at.replace(tzinfo=None)
    make: Any = peer.client
    client = make(
        "s3",
        region_name=job.region,
        aws_access_key_id=job.access_key,
        aws_secret_access_key=job.secret_key,
        aws_session_token=job.session_token,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "virtual"},
            request_checksum_calculation="when_required",
        ),
    )

    def sign(key: str, count: int) -> list[str]:
        fixed = {"Bucket": job.bucket, "Key": key, "UploadId": job.upload_id, "ContentLength": job.part_bytes}
        return [
            client.generate_presigned_url(
                "upload_part", Params={**fixed, "PartNumber": number}, ExpiresIn=job.expires_seconds
            )
            for number in range(1, count + 1)
        ]

    return sign


def obstore(job: Job) -> Sign:
    """Signed PUTs of whole objects: its signer knows neither parts nor lengths, which spares it work."""
    import obstore as peer  # noqa: PLC0415 # pyrefly: ignore[missing-import] - in the peers' environment
    from obstore.store import S3Store  # noqa: PLC0415 # pyrefly: ignore[missing-import] - in the peers' environment

    store = S3Store(
        job.bucket,
        region=job.region,
        access_key_id=job.access_key,
        secret_access_key=job.secret_key,
        session_token=job.session_token,
    )
    lasting = timedelta(seconds=job.expires_seconds)
    return lambda key, count: list(peer.sign(store, "PUT", [key] * count, lasting))


def digest(urls: list[str]) -> str:
    """Digest of the URLs, with the parameters of each in the order of their names."""
    known = hashlib.sha256()
    for url in urls:
        path, _, query = url.partition("?")
        known.update(f"{path}?{'&'.join(sorted(query.split('&')))}\n".encode())
    return known.hexdigest()


def main() -> None:
    job = Job(**json.load(sys.stdin))
    sign = {"ours": ours, "boto3": boto3, "obstore": obstore}[sys.argv[1]](job)
    sign(f"{job.key}-before", WARMING_PARTS)
    gc.collect()
    began = time.process_time()
    urls = sign(job.key, job.count)
    spent = time.process_time() - began
    print(json.dumps({"cpu_seconds": spent, "count": len(urls), "digest": digest(urls)}))


if __name__ == "__main__":
    main()
