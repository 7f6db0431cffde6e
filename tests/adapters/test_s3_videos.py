"""Completion requests to S3: the size and checksum to verify, and the meaning of each refusal."""

from collections.abc import Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.adapters.s3_videos import S3Videos
from chalicelib.core.errors import (
    ChecksumMismatchError,
    PartMismatchError,
    PartTooSmallError,
    SizeMismatchError,
)
from chalicelib.core.ports import ObjectExistsError, OutcomeUnknownError, StorageBusyError, UploadGoneError

BUCKET = "videos"
KEY = "videos/owner/0"
CHECKSUM = "AAAAAAAAAAA="
COMPLETION = {
    "Bucket": BUCKET,
    "Key": KEY,
    "UploadId": "upload-1",
    "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": '"a"'}, {"PartNumber": 2, "ETag": '"b"'}]},
    "MpuObjectSize": 7,
    "IfNoneMatch": "*",
}


@pytest.fixture
def s3() -> Iterator[Stubber]:
    make: Any = boto3.client
    client = make("s3", region_name="eu-central-1", aws_access_key_id="A", aws_secret_access_key="S")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def videos(s3: Stubber) -> S3Videos:
    client = cast("Any", s3.client)
    return S3Videos(s3=client, bucket=BUCKET, data_key_arn="arn:key", patient_s3=lambda: client)


def complete(s3: Stubber, checksum: str | None = None) -> None:
    videos(s3).complete_multipart_upload(KEY, "upload-1", [(1, '"a"'), (2, '"b"')], 7, checksum)


@pytest.mark.parametrize("checksum", [None, CHECKSUM])
def test_a_completion_overwrites_nothing_and_names_the_size_and_checksum_of_the_file(
    s3: Stubber, checksum: str | None
) -> None:
    of_the_file = {"ChecksumCRC64NVME": checksum, "ChecksumType": "FULL_OBJECT"} if checksum else {}
    s3.add_response("complete_multipart_upload", {}, {**COMPLETION, **of_the_file})
    complete(s3, checksum)


def test_an_upload_is_begun_under_our_key_with_a_checksum_of_the_whole_file(s3: Stubber) -> None:
    s3.add_response(
        "create_multipart_upload",
        {"UploadId": "upload-1"},
        {
            "Bucket": BUCKET,
            "Key": KEY,
            "ContentType": "video/mp4",
            "ContentDisposition": "attachment",
            "ServerSideEncryption": "aws:kms",
            "SSEKMSKeyId": "arn:key",
            "BucketKeyEnabled": True,
            "ChecksumAlgorithm": "CRC64NVME",
            "ChecksumType": "FULL_OBJECT",
        },
    )
    assert videos(s3).create_multipart_upload(KEY, "video/mp4", "attachment") == "upload-1"


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (404, "NoSuchUpload", "", UploadGoneError),
        (412, "PreconditionFailed", "", ObjectExistsError),
        (400, "InvalidPart", "", PartMismatchError),
        (400, "InvalidPartOrder", "", PartMismatchError),
        (400, "EntityTooSmall", "", PartTooSmallError),
        (400, "BadDigest", "", ChecksumMismatchError),
        (
            400,
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header does not match the size",
            SizeMismatchError,
        ),
        (400, "InvalidRequest", "Checksum Type mismatch occurred", ChecksumMismatchError),
        (503, "SlowDown", "", StorageBusyError),
        (409, "ConditionalRequestConflict", "", OutcomeUnknownError),
        (500, "InternalError", "", OutcomeUnknownError),
    ],
)
def test_every_refusal_of_a_completion_has_its_meaning(
    s3: Stubber, status: int, code: str, message: str, meaning: type[Exception]
) -> None:
    s3.add_client_error("complete_multipart_upload", code, message, http_status_code=status)
    with pytest.raises(meaning):
        complete(s3)


def test_a_refusal_that_means_nothing_to_the_core_is_raised_as_it_is(s3: Stubber) -> None:
    s3.add_client_error("complete_multipart_upload", "AccessDenied", http_status_code=403)
    with pytest.raises(s3.client.exceptions.ClientError):
        complete(s3)
