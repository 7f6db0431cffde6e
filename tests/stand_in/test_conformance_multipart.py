"""Multipart uploads as S3 takes them: copied parts, checksums of any algorithm, pages, ends that come twice."""

import base64
import hashlib
from typing import Any

import pytest
from awscrt import checksums as crt

from tests.stand_in.s3_answers import boto3_as_it_comes, refusal
from tests.stand_in.server_process import MIB, Server

KEY = "k"
BODY = b"0123456789"


def _open(server: Server, **parameters: Any) -> dict[str, Any]:
    return {"Bucket": server.bucket, "Key": KEY, "UploadId": server.upload(KEY, [], **parameters)}


def _digest(algorithm: str, data: bytes) -> str:
    crcs = {"CRC32": (crt.crc32, 4), "CRC32C": (crt.crc32c, 4), "CRC64NVME": (crt.crc64nvme, 8)}
    if algorithm in crcs:
        function, size_bytes = crcs[algorithm]
        return base64.b64encode(function(data, 0).to_bytes(size_bytes, "big")).decode()
    return base64.b64encode(hashlib.new(algorithm.lower(), data, usedforsecurity=False).digest()).decode()


ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_upload_without_an_algorithm_takes_parts_with_any(algorithm: str, server: Server) -> None:
    upload = _open(server)
    name, value = f"Checksum{algorithm}", _digest(algorithm, BODY)
    part = server.s3.upload_part(**upload, PartNumber=1, Body=BODY, **{name: value})
    assert part[name] == value
    wrong = {name: _digest(algorithm, b"other")}
    assert refusal(lambda: server.s3.upload_part(**upload, PartNumber=2, Body=BODY, **wrong)) == (400, "BadDigest")
    done = server.complete(KEY, upload["UploadId"])
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (_digest("CRC64NVME", BODY), "FULL_OBJECT")


def test_boto3_as_it_comes_feeds_an_upload_without_an_algorithm(server: Server) -> None:
    upload = _open(server)
    part = boto3_as_it_comes(server).upload_part(**upload, PartNumber=1, Body=BODY)
    assert part["ChecksumCRC32"] == _digest("CRC32", BODY)
    server.complete(KEY, upload["UploadId"])
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == BODY


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_single_object_is_held_against_a_checksum_of_any_algorithm(algorithm: str, server: Server) -> None:
    name, value = f"Checksum{algorithm}", _digest(algorithm, BODY)
    put = server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, **{name: value})
    head = server.s3.head_object(Bucket=server.bucket, Key=KEY, ChecksumMode="ENABLED")
    assert (put[name], head[name], head["ChecksumType"]) == (value, value, "FULL_OBJECT")
    wrong = {name: _digest(algorithm, b"other")}
    call = {"Bucket": server.bucket, "Key": KEY, "Body": BODY, **wrong}
    assert refusal(lambda: server.s3.put_object(**call)) == (400, "BadDigest")


@pytest.mark.parametrize(("asked", "part"), [({}, BODY), ({"CopySourceRange": "bytes=2-4"}, b"234")], ids=str)
def test_a_part_is_copied_from_an_object_or_a_range_of_it(asked: dict[str, str], part: bytes, server: Server) -> None:
    version = server.s3.put_object(Bucket=server.bucket, Key="a b+ü", Body=BODY)["VersionId"]
    upload = _open(server)
    source = {"Bucket": server.bucket, "Key": "a b+ü", "VersionId": version}
    copied = server.s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, **asked)
    assert copied["CopySourceVersionId"] == version
    (listed,) = server.s3.list_parts(**upload)["Parts"]
    assert (listed["ETag"], listed["Size"]) == (copied["CopyPartResult"]["ETag"], len(part))
    server.complete(KEY, upload["UploadId"])
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == part


def test_a_range_across_parts_is_copied_into_a_part(server: Server) -> None:
    whole = b"a" * 5 * MIB + b"bcd"
    server.complete("source", server.upload("source", [whole[: 5 * MIB], whole[5 * MIB :]]))
    upload = _open(server)
    asked = {"CopySource": f"{server.bucket}/source", "CopySourceRange": f"bytes={5 * MIB - 2}-{5 * MIB + 1}"}
    server.s3.upload_part_copy(**upload, PartNumber=1, **asked)
    server.complete(KEY, upload["UploadId"])
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == b"aabc"


@pytest.mark.parametrize(
    "asked", ["0-2", "bytes=0", "bytes=-2", "bytes=2-", "bytes=hello-world", "bytes=0-1,3-4", "bytes=4-2", "bytes=0-10"]
)
def test_a_source_range_is_two_offsets_within_the_source(asked: str, server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)
    upload = _open(server)
    call = {**upload, "PartNumber": 1, "CopySource": f"{server.bucket}/source", "CopySourceRange": asked}
    assert refusal(lambda: server.s3.upload_part_copy(**call)) == (400, "InvalidArgument")
    assert "Parts" not in server.s3.list_parts(**upload)


def test_a_part_sent_again_takes_the_place_of_the_one_before(server: Server) -> None:
    upload = _open(server)
    first = server.s3.upload_part(**upload, PartNumber=1, Body=b"old")["ETag"]
    server.s3.upload_part(**upload, PartNumber=1, Body=b"new")
    stale = {"Parts": [{"PartNumber": 1, "ETag": first}]}
    assert refusal(lambda: server.complete(KEY, upload["UploadId"], MultipartUpload=stale)) == (400, "InvalidPart")
    server.complete(KEY, upload["UploadId"])
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == b"new"


def test_numbers_of_parts_may_have_gaps_and_parts_left_out_are_dropped(server: Server) -> None:
    upload = _open(server)
    for number in (2, 7, 10_000):
        server.s3.upload_part(**upload, PartNumber=number, Body=str(number).encode())
    listed = [part for part in server.listed(KEY, upload["UploadId"]) if part["PartNumber"] == 7]
    server.complete(KEY, upload["UploadId"], MultipartUpload={"Parts": listed})
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == b"7"


@pytest.mark.parametrize("operation", ["list_parts", "abort_multipart_upload"])
@pytest.mark.parametrize("is_completed", [True, False])
def test_an_upload_that_ended_is_gone(operation: str, is_completed: bool, server: Server) -> None:
    upload = _open(server)
    server.s3.upload_part(**upload, PartNumber=1, Body=BODY)
    if is_completed:
        server.complete(KEY, upload["UploadId"])
    else:
        server.s3.abort_multipart_upload(**upload)
    assert refusal(lambda: getattr(server.s3, operation)(**upload)) == (404, "NoSuchUpload")


def test_uploads_are_listed_on_behind_one_that_was_aborted(server: Server) -> None:
    uploads = [server.upload(KEY, []) for _ in range(3)]
    first = server.s3.list_multipart_uploads(Bucket=server.bucket, MaxUploads=1)
    marker = {"KeyMarker": first["NextKeyMarker"], "UploadIdMarker": first["NextUploadIdMarker"]}
    assert marker == {"KeyMarker": KEY, "UploadIdMarker": uploads[0]}
    server.s3.abort_multipart_upload(Bucket=server.bucket, Key=KEY, UploadId=uploads[0])
    rest = server.s3.list_multipart_uploads(Bucket=server.bucket, **marker)
    assert [upload["UploadId"] for upload in rest["Uploads"]] == uploads[1:]
