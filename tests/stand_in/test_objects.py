"""Objects and uploads through boto3: what works, and what S3 computes by itself."""

import base64
import io
import os
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from awscrt.checksums import crc64nvme
from botocore.exceptions import ClientError

from local.stand_in import names
from tests.stand_in.server_process import MIB, Server, send, status_of, wait_for

ODD_KEY = "videos/me/a b+ü&=%41~(1)*'!.mp4"


def crc64(data: bytes) -> str:
    return base64.b64encode(crc64nvme(data).to_bytes(8, "big")).decode()


def test_an_object_comes_back_as_it_was_put(server: Server) -> None:
    body = os.urandom(3 * MIB)
    put = server.s3.put_object(
        Bucket=server.bucket,
        Key=ODD_KEY,
        Body=body,
        ContentType="video/mp4",
        ContentDisposition="inline",
        Metadata={"owner": "me"},
        Tagging="verdict=accepted&a=b%20c",
    )
    got = server.s3.get_object(Bucket=server.bucket, Key=ODD_KEY)
    assert got["Body"].read() == body
    assert (got["ContentType"], got["ContentDisposition"]) == ("video/mp4", "inline")
    assert got["Metadata"] == {"owner": "me"}
    assert got["ETag"] == put["ETag"]
    assert got["VersionId"] == put["VersionId"]
    assert got["ServerSideEncryption"] == "aws:kms"
    assert got["SSEKMSKeyId"].startswith("arn:aws:kms:eu-central-1:")
    tags = server.s3.get_object_tagging(Bucket=server.bucket, Key=ODD_KEY)["TagSet"]
    assert tags == [{"Key": "verdict", "Value": "accepted"}, {"Key": "a", "Value": "b c"}]


@pytest.mark.parametrize(
    ("header", "expected", "content_range"),
    [
        ("bytes=0-4", slice(0, 5), "bytes 0-4/1000"),
        ("bytes=990-", slice(990, 1000), "bytes 990-999/1000"),
        ("bytes=-10", slice(990, 1000), "bytes 990-999/1000"),
        ("bytes=0-5000", slice(0, 1000), "bytes 0-999/1000"),
        ("bytes=999-999", slice(999, 1000), "bytes 999-999/1000"),
    ],
)
def test_a_range_is_answered_with_206(header: str, expected: slice, content_range: str, server: Server) -> None:
    body = os.urandom(1000)
    server.s3.put_object(Bucket=server.bucket, Key="k", Body=body)
    got = server.s3.get_object(Bucket=server.bucket, Key="k", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["ContentRange"] == content_range
    assert got["Body"].read() == body[expected]


def test_a_range_beyond_the_end_is_416_and_a_malformed_range_is_ignored(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"abc")
    with pytest.raises(ClientError) as refused:
        server.s3.get_object(Bucket=server.bucket, Key="k", Range="bytes=3-")
    assert refused.value.response.get("Error", {}).get("Code") == "InvalidRange"
    for header in ("bytes=2-1", "lines=1-2", "bytes=0-0,2-2"):
        got = server.s3.get_object(Bucket=server.bucket, Key="k", Range=header)
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert got["Body"].read() == b"abc"


def test_a_range_across_parts_is_cut_from_the_right_files(server: Server) -> None:
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), os.urandom(1000)]
    server.complete("k", server.upload("k", parts))
    whole = b"".join(parts)
    start, stop = 5 * MIB - 3, 10 * MIB + 7
    got = server.s3.get_object(Bucket=server.bucket, Key="k", Range=f"bytes={start}-{stop - 1}")
    assert got["Body"].read() == whole[start:stop]
    assert server.s3.get_object(Bucket=server.bucket, Key="k")["Body"].read() == whole
    second = server.s3.get_object(Bucket=server.bucket, Key="k", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (parts[1], 3)


def test_deleting_hides_a_key_and_its_versions_remain(server: Server) -> None:
    first = server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"1")["VersionId"]
    second = server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"2")["VersionId"]
    marker = server.s3.delete_object(Bucket=server.bucket, Key="k")
    assert marker["DeleteMarker"]
    with pytest.raises(server.s3.exceptions.NoSuchKey):
        server.s3.get_object(Bucket=server.bucket, Key="k")
    assert server.s3.list_objects_v2(Bucket=server.bucket)["KeyCount"] == 0
    assert server.s3.get_object(Bucket=server.bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    # If-None-Match succeeds over a delete marker.
    third = server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"3", IfNoneMatch="*")["VersionId"]
    listed = server.s3.list_object_versions(Bucket=server.bucket)
    assert [version.get("VersionId") for version in listed.get("Versions", [])] == [third, second, first]
    server.s3.delete_object(Bucket=server.bucket, Key="k", VersionId=third)
    server.s3.delete_object(Bucket=server.bucket, Key="k", VersionId=marker["VersionId"])
    assert server.s3.get_object(Bucket=server.bucket, Key="k")["Body"].read() == b"2"
    answer = server.s3.delete_objects(
        Bucket=server.bucket,
        Delete={"Objects": [{"Key": "k", "VersionId": first}, {"Key": "k", "VersionId": second}]},
    )
    assert len(answer.get("Deleted", [])) == 2
    assert "Versions" not in server.s3.list_object_versions(Bucket=server.bucket)


def test_a_copy_keeps_or_replaces_metadata_and_tags(server: Server) -> None:
    server.complete("from", server.upload("from", [b"a" * 5 * MIB, b"b"], Metadata={"x": "1"}, Tagging="t=1"))
    source: Any = {"Bucket": server.bucket, "Key": "from"}
    server.s3.copy_object(Bucket=names.METADATA_BUCKET, Key="to", CopySource=source)
    kept = server.s3.get_object(Bucket=names.METADATA_BUCKET, Key="to")
    assert (kept["Metadata"], kept["ContentLength"]) == ({"x": "1"}, 5 * MIB + 1)
    assert kept["Body"].read().endswith(b"ab")
    server.s3.copy_object(
        Bucket=server.bucket,
        Key="from",
        CopySource=source,
        Metadata={"y": "2"},
        MetadataDirective="REPLACE",
        Tagging="t=2",
        TaggingDirective="REPLACE",
    )
    replaced = server.s3.head_object(Bucket=server.bucket, Key="from")
    assert replaced["Metadata"] == {"y": "2"}
    tags = server.s3.get_object_tagging(Bucket=server.bucket, Key="from")["TagSet"]
    assert tags == [{"Key": "t", "Value": "2"}]


def test_put_object_tagging_replaces_the_whole_set(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"", Tagging="a=1")
    server.s3.put_object_tagging(
        Bucket=server.bucket, Key="k", Tagging={"TagSet": [{"Key": "verdict", "Value": "accepted"}]}
    )
    assert server.s3.get_object_tagging(Bucket=server.bucket, Key="k")["TagSet"] == [
        {"Key": "verdict", "Value": "accepted"}
    ]


def test_listing_pages_in_key_order_from_where_it_was_told(server: Server) -> None:
    keys = sorted([f"open/{number:04}" for number in range(25)] + [ODD_KEY, "open/ü", "zebra"])
    for key in keys:
        server.s3.put_object(Bucket=server.bucket, Key=key, Body=b"")
    pages = server.s3.get_paginator("list_objects_v2").paginate(Bucket=server.bucket, PaginationConfig={"PageSize": 4})
    assert [entry.get("Key") for page in pages for entry in page.get("Contents", [])] == keys
    after = server.s3.list_objects_v2(Bucket=server.bucket, Prefix="open/", StartAfter="open/0022")
    assert [entry.get("Key") for entry in after.get("Contents", [])] == ["open/0023", "open/0024", "open/ü"]
    grouped = server.s3.list_objects_v2(Bucket=server.bucket, Delimiter="/", MaxKeys=2)
    assert [entry.get("Prefix") for entry in grouped.get("CommonPrefixes", [])] == ["open/", "videos/"]
    rest = server.s3.list_objects_v2(
        Bucket=server.bucket, Delimiter="/", ContinuationToken=grouped["NextContinuationToken"]
    )
    assert [entry.get("Key") for entry in rest.get("Contents", [])] == ["zebra"]


def test_s3_computes_crc64nvme_of_parts_and_of_the_whole(server: Server) -> None:
    parts = [os.urandom(5 * MIB), os.urandom(5 * MIB), os.urandom(77)]
    upload_id = server.upload(ODD_KEY, [], ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    for number, part in enumerate(parts, 1):
        url = server.presign("upload_part", Key=ODD_KEY, UploadId=upload_id, PartNumber=number)
        reply = send("PUT", url, part)
        assert reply.headers["x-amz-checksum-crc64nvme"] == crc64(part)
    page = server.s3.list_parts(Bucket=server.bucket, Key=ODD_KEY, UploadId=upload_id)
    assert [part.get("ChecksumCRC64NVME") for part in page.get("Parts", [])] == [crc64(part) for part in parts]
    assert (page["ChecksumAlgorithm"], page["ChecksumType"]) == ("CRC64NVME", "FULL_OBJECT")
    whole = crc64(b"".join(parts))
    done = server.complete(
        ODD_KEY,
        upload_id,
        ChecksumCRC64NVME=whole,
        ChecksumType="FULL_OBJECT",
        MpuObjectSize=10 * MIB + 77,
    )
    assert (done["ChecksumCRC64NVME"], done["ChecksumType"]) == (whole, "FULL_OBJECT")
    head = server.s3.head_object(Bucket=server.bucket, Key=ODD_KEY, ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (whole, "FULL_OBJECT")
    assert head["ContentLength"] == 10 * MIB + 77
    assert "ChecksumCRC64NVME" not in server.s3.head_object(Bucket=server.bucket, Key=ODD_KEY)


def test_a_failed_completion_leaves_the_upload_open_for_the_part_that_differs(server: Server) -> None:
    good, bad = b"a" * 5 * MIB, b"b" * 100
    upload_id = server.upload("k", [good, bad], ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    wanted = crc64(good + b"c" * 100)
    with pytest.raises(ClientError, match="BadDigest"):
        server.complete("k", upload_id, ChecksumCRC64NVME=wanted)
    server.s3.upload_part(Bucket=server.bucket, Key="k", UploadId=upload_id, PartNumber=2, Body=b"c" * 100)
    server.complete("k", upload_id, ChecksumCRC64NVME=wanted)


def test_composite_checksums_are_checksums_of_the_parts_checksums(server: Server) -> None:
    upload_id = server.upload("k", [], ChecksumAlgorithm="SHA256")
    listed: list[dict[str, Any]] = []
    for number, part in enumerate([b"a" * 5 * MIB, b"b"], 1):
        answer = server.s3.upload_part(
            Bucket=server.bucket,
            Key="k",
            UploadId=upload_id,
            PartNumber=number,
            Body=part,
            ChecksumAlgorithm="SHA256",
        )
        listed.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": answer["ChecksumSHA256"]})
    without = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
    with pytest.raises(ClientError, match="must include"):
        server.complete("k", upload_id, MultipartUpload={"Parts": without})
    done = server.complete("k", upload_id, MultipartUpload={"Parts": listed})
    assert done["ChecksumSHA256"].endswith("=-2")
    assert done["ChecksumType"] == "COMPOSITE"


def test_boto3_as_it_comes_uploads_and_downloads_a_large_file(server: Server) -> None:
    client = boto3.Session(
        aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=names.SECRET_KEY, region_name=names.REGION
    ).client("s3", endpoint_url=server.url)
    body = os.urandom(20 * MIB + 5)
    client.upload_fileobj(io.BytesIO(body), server.bucket, "k")
    received = io.BytesIO()
    client.download_fileobj(server.bucket, "k", received)
    assert received.getvalue() == body


def test_aws_chunked_bodies_with_trailing_checksums_are_unframed_and_verified(server: Server) -> None:
    crc = base64.b64encode(zlib.crc32(b"hello world").to_bytes(4, "big")).decode()
    for value, status in ((crc, 200), ("AAAAAA==", 400)):
        reply = _send_chunked(
            server, b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % value.encode()
        )
        assert reply == status
    assert server.s3.get_object(Bucket=server.bucket, Key="k")["Body"].read() == b"hello world"


def _send_chunked(server: Server, framed: bytes) -> int:
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "11",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "content-encoding": "aws-chunked",
    }
    url = f"{server.url}/{server.bucket}/k"
    request = AWSRequest("PUT", url, headers=headers, data=framed)
    request.context["payload_signing_enabled"] = False

    class Auth(S3SigV4Auth):
        def payload(self, request: Any) -> str:
            return "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    Auth(Credentials(names.ACCESS_KEY, names.SECRET_KEY), "s3", names.REGION).add_auth(request)
    return send("PUT", url, framed, dict(request.headers.items())).status


def test_parts_and_uploads_are_listed_in_pages(server: Server) -> None:
    upload_id = server.upload("videos/k", [b"x"] * 7)
    pages = server.s3.get_paginator("list_parts").paginate(
        Bucket=server.bucket, Key="videos/k", UploadId=upload_id, PaginationConfig={"PageSize": 3}
    )
    assert [part.get("PartNumber") for page in pages for part in page.get("Parts", [])] == [1, 2, 3, 4, 5, 6, 7]
    others = [server.upload(f"videos/{number}", []) for number in range(3)]
    same_key = server.upload("videos/0", [])
    server.upload("elsewhere", [])
    uploads = server.s3.get_paginator("list_multipart_uploads").paginate(
        Bucket=server.bucket, Prefix="videos/", PaginationConfig={"PageSize": 2}
    )
    found = [upload.get("UploadId") for page in uploads for upload in page.get("Uploads", [])]
    assert found == [others[0], same_key, others[1], others[2], upload_id]
    server.s3.abort_multipart_upload(Bucket=server.bucket, Key="videos/k", UploadId=upload_id)
    assert len(server.s3.list_multipart_uploads(Bucket=server.bucket, Prefix="videos/").get("Uploads", [])) == 4


@pytest.mark.parametrize("conditions", [{"IfNoneMatch": "*"}, {"IfMatch": "current"}])
def test_exactly_one_of_many_simultaneous_conditional_writes_succeeds(
    conditions: dict[str, str], server: Server
) -> None:
    if "IfMatch" in conditions:
        conditions = {"IfMatch": server.s3.put_object(Bucket=server.bucket, Key="k", Body=b"")["ETag"]}
    barrier = threading.Barrier(16)

    def write(number: int) -> int:
        barrier.wait()
        try:
            server.s3.put_object(Bucket=server.bucket, Key="k", Body=str(number).encode(), **conditions)
        except ClientError as error:
            return status_of(error)
        return 200

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(write, range(16)))
    assert sorted(statuses) == [200] + [412] * 15


def test_exactly_one_of_many_simultaneous_completions_succeeds(server: Server) -> None:
    upload_id = server.upload("videos/k", [b"x"])
    listed = server.listed("videos/k", upload_id)

    def complete(_: int) -> int:
        try:
            server.complete("videos/k", upload_id, MultipartUpload={"Parts": listed})
        except ClientError as error:
            return status_of(error)
        return 200

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(complete, range(8)))
    assert sorted(statuses) == [200] + [404] * 7
    assert len(server.events()) == 1


def test_one_event_is_raised_per_upload_with_the_key_coded_as_s3_does(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="videos/a b/ü+.mp4", Body=b"abc")
    done = server.complete("videos/m", server.upload("videos/m", [b"x" * 5 * MIB, b"y"]))
    server.s3.put_object(Bucket=server.bucket, Key="posters/p.jpg", Body=b"")
    records = [record for event in server.events() for record in event["Records"]]
    assert [record["eventName"] for record in records] == ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload"]
    put, multipart = (record["s3"]["object"] for record in records)
    assert (put["key"], put["size"]) == ("videos/a+b/%C3%BC%2B.mp4", 3)
    assert multipart["versionId"] == done["VersionId"]
    assert multipart["eTag"] == done["ETag"].strip('"')
    assert multipart["size"] == 5 * MIB + 1
    assert multipart["sequencer"] > put["sequencer"]


def test_a_failed_event_reaches_the_dead_letter_queue_after_three_receives(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="videos/poison", Body=b"")
    url = names.queue_url(server.url, names.EVENTS_QUEUE)
    attributes = server.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert attributes.get("Attributes", {}).get("VisibilityTimeout") == "60"
    for _ in range(3):
        (message,) = server.sqs.receive_message(QueueUrl=url)["Messages"]
        server.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""), VisibilityTimeout=0
        )
    wait_for(lambda: "Messages" not in server.sqs.receive_message(QueueUrl=url))
    assert len(server.events(names.FAILED_EVENTS_QUEUE)) == 1
