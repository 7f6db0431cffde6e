"""The video bucket: written by the clients, checked by the platform."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.adapters.client_errors import BUSY, CONFLICTS, error_code, error_message, error_status
from chalicelib.core.errors import (
    ChecksumMismatchError,
    PartMismatchError,
    PartTooSmallError,
    SizeMismatchError,
)
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import (
    ListedVideo,
    ObjectExistsError,
    OutcomeUnknownError,
    PresignedPost,
    StorageBusyError,
    StoredPart,
    StoredVideo,
    UploadGoneError,
)

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_s3.client import S3Client


_NOT_THERE = {"404", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed"}
"""HEAD on a delete marker's version answers MethodNotAllowed."""


@dataclass(frozen=True)
class S3Videos:
    """data_key_arn: named on every object that the functions create; the bucket policy refuses another.
    patient_s3: makes the client for calls that may take minutes, at the first of them.
    """

    s3: "S3Client"
    bucket: str
    data_key_arn: str
    patient_s3: "Callable[[], S3Client]"

    def create_multipart_upload(self, key: str, content_type: str, content_disposition: str) -> str:
        answer = self.s3.create_multipart_upload(
            Bucket=self.bucket,
            Key=key,
            ContentType=content_type,
            ContentDisposition=content_disposition,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=self.data_key_arn,
            BucketKeyEnabled=True,
            ChecksumAlgorithm="CRC64NVME",
            ChecksumType="FULL_OBJECT",
        )
        return answer["UploadId"]

    def list_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        pages = self.s3.get_paginator("list_parts").paginate(Bucket=self.bucket, Key=key, UploadId=upload_id)
        try:
            # Every field is there in S3's answer; the stubs hold all of them for optional.
            return [_stored_part(entry) for page in pages for entry in page.get("Parts", [])]
        except self.s3.exceptions.NoSuchUpload as error:
            raise UploadGoneError from error

    def complete_multipart_upload(
        self, key: str, upload_id: str, parts: Sequence[tuple[int, str]], size_bytes: int, checksum: str | None
    ) -> None:
        whole_file: Any = {"ChecksumCRC64NVME": checksum, "ChecksumType": "FULL_OBJECT"} if checksum else {}
        try:
            self.patient_s3().complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in parts]},
                MpuObjectSize=size_bytes,
                IfNoneMatch="*",
                **whole_file,
            )
        except ClientError as error:
            _refused(error, size_bytes)
        except BotoCoreError as error:
            raise OutcomeUnknownError from error

    def abort_multipart_upload(self, key: str, upload_id: str) -> None:
        try:
            self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
            # A part under way while it was aborted may still land: S3 API, AbortMultipartUpload.
            while self.list_parts(key, upload_id):
                self.s3.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except (self.s3.exceptions.NoSuchUpload, UploadGoneError):
            return

    def list_upload_ids(self, key: str) -> list[str]:
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=key)
        return [
            upload["UploadId"]  # pyrefly: ignore[not-required-key-access]
            for page in pages
            for upload in page.get("Uploads", [])
            if upload.get("Key") == key
        ]

    def head(self, key: str, version_id: str | None = None) -> StoredVideo | None:
        version: Any = {"VersionId": version_id} if version_id else {}
        try:
            answer = self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED", **version)
        except ClientError as error:
            if error_code(error) in _NOT_THERE:
                return None
            raise
        return StoredVideo(
            answer["ContentLength"], answer["VersionId"], answer.get("ChecksumCRC64NVME"), answer["ETag"]
        )

    def list_videos(self, prefix: str, start_after: str = "") -> Iterator[ListedVideo]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix, StartAfter=start_after
        )
        for page in pages:
            for entry in page.get("Contents", []):
                yield ListedVideo(
                    entry["Key"],  # pyrefly: ignore[not-required-key-access]
                    entry["Size"],  # pyrefly: ignore[not-required-key-access]
                    entry["LastModified"],  # pyrefly: ignore[not-required-key-access]
                )

    def read_range(self, key: str, version_id: str, start: int, end_exclusive: int) -> bytes:
        answer = self.s3.get_object(
            Bucket=self.bucket, Key=key, VersionId=version_id, Range=f"bytes={start}-{end_exclusive - 1}"
        )
        return answer["Body"].read()

    def set_verdict(self, key: str, version_id: str, verdict: str) -> None:
        self.s3.put_object_tagging(
            Bucket=self.bucket,
            Key=key,
            VersionId=version_id,
            Tagging={"TagSet": [{"Key": "verdict", "Value": verdict}]},
        )

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def delete_version(self, key: str, version_id: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version_id)

    def presign_post(
        self, key: str, content_type: str, content_disposition: str, *, size_bytes: int, ttl_seconds: int
    ) -> PresignedPost:
        fixed = {
            "Content-Type": content_type,
            "Content-Disposition": content_disposition,
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": self.data_key_arn,
            "x-amz-server-side-encryption-bucket-key-enabled": "true",
        }
        post = self.s3.generate_presigned_post(
            self.bucket,
            key,
            Fields=dict(fixed),
            Conditions=[
                *({name: value} for name, value in fixed.items()),
                ["content-length-range", size_bytes, size_bytes],
            ],
            ExpiresIn=ttl_seconds,
        )
        return PresignedPost(post["url"], post["fields"])


def _stored_part(entry: Any) -> StoredPart:
    return StoredPart(
        entry["PartNumber"], entry["Size"], entry["ETag"], entry.get("ChecksumCRC64NVME"), entry["LastModified"]
    )


def _refused(error: ClientError, size_bytes: int) -> NoReturn:
    code, message = error_code(error), error_message(error)
    match code:
        case "NoSuchUpload":
            raise UploadGoneError from error
        case "PreconditionFailed":
            raise ObjectExistsError from error
        case "InvalidPart" | "InvalidPartOrder":
            raise PartMismatchError from error
        case "EntityTooSmall":
            raise PartTooSmallError(min_part_bytes=MIN_PART_BYTES) from error
        case "BadDigest":
            raise ChecksumMismatchError from error
        case "InvalidRequest" if "size" in message.lower():
            raise SizeMismatchError(size_bytes=size_bytes) from error
        case "InvalidRequest":
            raise ChecksumMismatchError from error
        case _ if code in BUSY:
            raise StorageBusyError from error
        case _ if code in CONFLICTS or error_status(error) >= 500:
            # An earlier completion may be under way: that can take S3 minutes.
            raise OutcomeUnknownError from error
        case _:
            raise error
