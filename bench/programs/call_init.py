"""Call the function multipart init, warm, with S3 and KMS in memory: `call_init.py ours|boto3 start|page CALLS`.

The last line printed is the CPU seconds of one call, the median of all. `boto3` is the same function, whose part URLs
boto3's presigner signs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.core.part_urls import PartUrls, SignedPart
from chalicelib.core.video_record import VideoRecord
from chalicelib.wiring import Services, services, utc_now
from tests.fakes import FakeMac, FakeMetadata, FakeVideos

WARMING_CALLS = 3
MIB = 2**20
OWNER = "2b1f7c1e-5a54-4a3b-9f0e-7d2a3c4b5d6e"
PARTS = {"start": 100, "page": 500}


@dataclass(frozen=True)
class Boto3PartUrls(PartUrls):
    """Part URLs by boto3's presigner, each with the part's length signed in."""

    s3: Any
    bucket: str

    def for_parts(
        self, record: VideoRecord, upload_id: str, checksums_by_part: Mapping[int, str | None]
    ) -> tuple[list[SignedPart], datetime]:
        moment = self.now()
        signed = [
            SignedPart(number, self._sign(record, upload_id, number), record.plan.part_bytes(number), {})
            for number in checksums_by_part
        ]
        return signed, moment + timedelta(seconds=self.ttl_seconds)

    def _sign(self, record: VideoRecord, upload_id: str, number: int) -> str:
        part = {"PartNumber": number, "ContentLength": record.plan.part_bytes(number)}
        upload = {"Bucket": self.bucket, "Key": record.ref.file_key, "UploadId": upload_id}
        return self.s3.generate_presigned_url("upload_part", Params={**upload, **part}, ExpiresIn=self.ttl_seconds)


class Context:
    aws_request_id = "bench"


@dataclass(frozen=True)
class Function:
    """The function over buckets in memory."""

    services: Services
    metadata: FakeMetadata
    videos: FakeVideos
    handler: Callable[[dict[str, Any], Context], dict[str, Any]]

    def call(self, path: str, authorizer: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        """The body of the answer, and the CPU seconds that it took."""
        event = {
            "requestContext": {
                "httpMethod": "POST",
                "resourcePath": path,
                "requestId": "bench",
                "authorizer": authorizer,
            },
            "headers": {"Content-Type": "application/json", "Host": "api.example.org"},
            "multiValueHeaders": {"Content-Type": ["application/json"]},
            "pathParameters": {},
            "multiValueQueryStringParameters": None,
            "stageVariables": None,
            "isBase64Encoded": False,
            "body": json.dumps(body),
        }
        began = time.process_time()
        answer = self.handler(event, Context())
        spent = time.process_time() - began
        assert answer["statusCode"] in {200, 201}, answer["body"]
        return json.loads(answer["body"]), spent

    def start(self) -> float:
        self.metadata.objects.clear()
        self.videos.uploads.clear()
        body, spent = self._start(PARTS["start"])
        assert len(body["presignedUrls"]) == PARTS["start"]
        return spent

    def page(self, upload: Mapping[str, Any]) -> float:
        parts = [{"partNumber": number} for number in range(1, PARTS["page"] + 1)]
        body, spent = self.call("/multipart/parts", upload, {"parts": parts})
        assert len(body["presignedUrls"]) == PARTS["page"]
        return spent

    def upload_of(self, part_count: int) -> dict[str, str]:
        """An open upload, as the authorizer tells the function of it."""
        body, _ = self._start(part_count)
        token = self.services.tokens.verify(body["uploadToken"])
        names = {"kid": token.kid, "owner": token.owner, "videoId": token.video_id}
        return {**names, "fileKey": token.file_key, "uploadId": token.upload_id, "expiry": str(token.expiry)}

    def _start(self, part_count: int) -> tuple[dict[str, Any], float]:
        client = self.services.environment.user_pool_client_ids.split(",")[0]
        claims = {"sub": OWNER, "token_use": "access", "client_id": client, "scope": "video-upload/write"}
        video = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": part_count * 5 * MIB}
        return self.call("/multipart/init", {"claims": claims}, video)


def function(signer: str) -> Function:
    import app  # noqa: PLC0415 - reads the environment

    made = services()
    metadata, videos = FakeMetadata(utc_now), FakeVideos(utc_now)
    # Replaces the wiring's clients of S3 and KMS. All else is as in the function.
    made.__dict__.update({"_metadata": metadata, "_videos": videos, "_mac": FakeMac()})
    if signer == "boto3":
        own = made._part_urls
        make: Any = boto3.client
        s3 = make("s3", config=Config(signature_version="s3v4", request_checksum_calculation="when_required"))
        bucket = made.environment.video_bucket
        made.__dict__["_part_urls"] = Boto3PartUrls(**vars(own), s3=s3, bucket=bucket)
    return Function(made, metadata, videos, app.app)


def main() -> None:
    signer, work, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
    called = function(signer)
    if work == "page":
        upload = called.upload_of(PARTS["page"])
        spent = [called.page(upload) for _ in range(WARMING_CALLS + calls)]
    else:
        spent = [called.start() for _ in range(WARMING_CALLS + calls)]
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), f"\n{median(spent[WARMING_CALLS:])}\n".encode())


if __name__ == "__main__":
    main()
