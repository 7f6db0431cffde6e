"""Renditions in the video bucket: the objects that the platform writes itself."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True)
class S3Renditions:
    """data_key_arn: named on every object that the functions create; the bucket policy refuses another."""

    s3: "S3Client"
    bucket: str
    data_key_arn: str

    def begin(self, key: str, content_type: str) -> str:
        answer = self.s3.create_multipart_upload(
            Bucket=self.bucket,
            Key=key,
            ContentType=content_type,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self.data_key_arn,
            BucketKeyEnabled=True,
        )
        return answer["UploadId"]

    def put_part(self, key: str, upload_id: str, part_number: int, body: bytes) -> str:
        answer = self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=part_number, Body=body)
        return answer["ETag"]

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> str:
        answer = self.s3.complete_multipart_upload(
            Bucket=self.bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]},
        )
        return answer["VersionId"]

    def abort(self, key: str, upload_id: str) -> None:
        with suppress(self.s3.exceptions.NoSuchUpload):
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
