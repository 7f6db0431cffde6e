"""The stand-in's bucket as the benches of pages use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config

from local.stand_in import names


class Store:
    """The stand-in's bucket as its operator sees it, past all lines."""

    def __init__(self, url: str, *, seen_as: str) -> None:
        self._s3 = _client(url)
        self._signer = _client(seen_as)

    def held_bytes(self, prefix: str) -> int:
        """Objects, and parts of open uploads."""
        bucket = names.VIDEO_BUCKET
        objects = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        uploads = self._s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
        parts = (
            part["Size"]
            for upload in uploads
            for part in self._s3.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]).get(
                "Parts", []
            )
        )
        return sum(each["Size"] for each in objects) + sum(parts)

    def empty(self, prefix: str) -> None:
        """Delete all versions of all objects, and abort all uploads."""
        bucket = names.VIDEO_BUCKET
        listed = self._s3.list_object_versions(Bucket=bucket, Prefix=prefix)
        for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
            self._s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
        for upload in self._s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", []):
            self._s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    def allow(self, origins: Sequence[str]) -> None:
        rule = {
            "AllowedOrigins": [*origins],
            "AllowedMethods": ["GET", "PUT", "POST", "DELETE"],
            "AllowedHeaders": ["*"],
            "ExposeHeaders": ["ETag", "Location"],
        }
        self._s3.put_bucket_cors(Bucket=names.VIDEO_BUCKET, CORSConfiguration={"CORSRules": [rule]})

    def sign(self, asked: dict[str, Any]) -> str:
        """Presign one request of Uppy's."""
        method, upload_id, part = asked["method"], asked.get("uploadId"), asked.get("partNumber")
        operation = {
            ("PUT", True, True): "upload_part",
            ("GET", True, False): "list_parts",
            ("POST", False, False): "create_multipart_upload",
            ("POST", True, False): "complete_multipart_upload",
            ("DELETE", True, False): "abort_multipart_upload",
        }[method, bool(upload_id), bool(part)]
        given = {"Bucket": names.VIDEO_BUCKET, "Key": f"uppy/{asked['key']}"}
        given |= {"UploadId": upload_id} if upload_id else {}
        given |= {"PartNumber": part} if part else {}
        return self._signer.generate_presigned_url(operation, Params=given, ExpiresIn=900)


def _client(url: str) -> Any:
    make: Any = boto3.client
    return make(
        "s3",
        endpoint_url=url,
        region_name=names.REGION,
        aws_access_key_id=names.ACCESS_KEY,
        aws_secret_access_key=names.SECRET_KEY,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
