"""Single objects as S3 serves them: conditions, ETags, encryption, headers of the answer, copies."""

import hashlib
from typing import Any

import pytest

from local.stand_in import names
from tests.stand_in.s3_answers import make_plain_bucket, refusal, unchecked_s3
from tests.stand_in.server_process import MIB, Server, send

KEY = "k"
BODY = b"abc"
EARLIER, LATER = "Sat, 29 Oct 1994 19:43:31 GMT", "Fri, 29 Oct 2100 19:43:31 GMT"


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ({"IfMatch": "own"}, 200),
        ({"IfMatch": "*"}, 200),
        ({"IfMatch": '"other"'}, 412),
        ({"IfNoneMatch": "own"}, 304),
        ({"IfNoneMatch": '"other"'}, 200),
        ({"IfModifiedSince": EARLIER}, 200),
        ({"IfModifiedSince": LATER}, 304),
        ({"IfUnmodifiedSince": EARLIER}, 412),
        ({"IfUnmodifiedSince": LATER}, 200),
        ({"IfMatch": "own", "IfUnmodifiedSince": EARLIER}, 200),
        ({"IfNoneMatch": "own", "IfModifiedSince": EARLIER}, 304),
        ({"IfNoneMatch": '"other"', "IfModifiedSince": LATER}, 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_read_is_answered_as_its_conditions_demand(
    operation: str, conditions: dict[str, str], status: int, server: Server
) -> None:
    etag = server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)["ETag"]
    asked = {name: etag if value == "own" else value for name, value in conditions.items()}

    def call() -> Any:
        return getattr(server.s3, operation)(Bucket=server.bucket, Key=KEY, **asked)

    if status == 200:
        assert call()["ContentLength"] == len(BODY)
    else:
        code = "PreconditionFailed" if status == 412 and operation == "get_object" else str(status)
        assert refusal(call) == (status, code)


@pytest.mark.parametrize(
    ("conditions", "status", "code"),
    [
        ({"IfMatch": '"other"'}, 412, "PreconditionFailed"),
        ({"IfNoneMatch": "*"}, 412, "PreconditionFailed"),
        ({"IfNoneMatch": '"other"'}, 501, "NotImplemented"),
    ],
    ids=str,
)
def test_a_write_whose_condition_does_not_hold_changes_nothing(
    conditions: dict[str, str], status: int, code: str, server: Server
) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    call = {"Bucket": server.bucket, "Key": KEY, "Body": b"new", **conditions}
    assert refusal(lambda: server.s3.put_object(**call)) == (status, code)
    assert server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read() == BODY


def test_a_write_over_an_etag_needs_the_object_to_be_there(server: Server) -> None:
    call = {"Bucket": server.bucket, "Key": "never", "Body": BODY, "IfMatch": '"any"'}
    assert refusal(lambda: server.s3.put_object(**call)) == (404, "NoSuchKey")


def test_without_kms_an_etag_is_the_md5_of_the_bytes(server: Server) -> None:
    bucket = make_plain_bucket(server)
    put = server.s3.put_object(Bucket=bucket, Key=KEY, Body=BODY)
    assert put["ETag"] == f'"{_md5(BODY)}"'
    copied = server.s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": KEY})
    assert copied["CopyObjectResult"]["ETag"] == put["ETag"]
    # The bucket encrypts by KMS unless the request names S3's own key.
    asked = server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ServerSideEncryption="AES256")
    assert asked["ETag"] == put["ETag"]


def test_without_kms_the_etag_of_an_upload_is_the_md5_of_its_parts_md5s(server: Server) -> None:
    bucket = make_plain_bucket(server)
    parts = [b"a" * 5 * MIB, b"b"]
    upload_id = server.s3.create_multipart_upload(Bucket=bucket, Key=KEY)["UploadId"]
    where = {"Bucket": bucket, "Key": KEY, "UploadId": upload_id}
    listed: list[dict[str, Any]] = []
    for number, part in enumerate(parts, 1):
        answer = server.s3.upload_part(**where, PartNumber=number, Body=part)
        assert answer["ETag"] == f'"{_md5(part)}"'
        listed.append({"PartNumber": number, "ETag": answer["ETag"]})
    done = server.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": listed})
    digests = b"".join(bytes.fromhex(_md5(part)) for part in parts)
    assert done["ETag"] == f'"{_md5(digests)}-2"'


def test_under_kms_no_etag_is_the_md5_of_the_bytes(server: Server) -> None:
    etags = [server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)["ETag"] for _ in range(2)]
    assert etags[0] != etags[1]
    assert f'"{_md5(BODY)}"' not in etags


@pytest.mark.parametrize(
    "asked",
    [
        {"SSEKMSKeyId": names.DATA_KEY_ALIAS},
        {"SSEKMSKeyId": names.DATA_KEY_ALIAS, "ServerSideEncryption": "AES256"},
        {"SSEKMSEncryptionContext": "e30="},
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload", "copy_object"])
def test_a_kms_key_without_its_algorithm_is_refused(operation: str, asked: dict[str, str], server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)
    source = {"CopySource": f"{server.bucket}/source"} if operation == "copy_object" else {}
    call = {"Bucket": server.bucket, "Key": KEY, **source, **asked}
    assert refusal(lambda: getattr(server.s3, operation)(**call)) == (400, "InvalidArgument")


@pytest.mark.parametrize(
    "header",
    ["x-amz-server-side-encryption: aws:kms", "x-amz-server-side-encryption-aws-kms-key-id: k"],
)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_a_read_that_asks_for_encryption_is_refused(operation: str, header: str, server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    name, _, value = header.partition(": ")
    events = server.s3.meta.events
    event = "before-sign.s3." + ("GetObject" if operation == "get_object" else "HeadObject")

    def add(request: Any, **_: Any) -> None:
        request.headers[name] = value

    events.register(event, add)
    try:
        status, _ = refusal(lambda: getattr(server.s3, operation)(Bucket=server.bucket, Key=KEY))
    finally:
        events.unregister(event, add)
    assert status == 400


def test_a_customers_key_is_refused_where_there_is_no_tls(server: Server) -> None:
    key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "0" * 32}
    for operation, body in (("put_object", {"Body": BODY}), ("create_multipart_upload", {})):
        call = {"Bucket": server.bucket, "Key": KEY, **key, **body}
        assert refusal(lambda call=call, name=operation: getattr(unchecked_s3(server), name)(**call)) == (
            400,
            "InvalidRequest",
        )


@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload", "copy_object"])
def test_a_canned_acl_that_there_is_not_is_refused(operation: str, server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)
    source = {"CopySource": f"{server.bucket}/source"} if operation == "copy_object" else {}
    call = {"Bucket": server.bucket, "Key": KEY, "ACL": "public-ready", **source}
    assert refusal(lambda: getattr(unchecked_s3(server), operation)(**call)) == (400, "InvalidArgument")


OVERRIDES = {
    "ResponseCacheControl": ("Cache-Control", "no-cache"),
    "ResponseContentDisposition": ("Content-Disposition", 'attachment; filename="a b.mp4"'),
    "ResponseContentEncoding": ("Content-Encoding", "aaa"),
    "ResponseContentLanguage": ("Content-Language", "esperanto"),
    "ResponseContentType": ("Content-Type", "foo/bar"),
    "ResponseExpires": ("Expires", EARLIER),
}


@pytest.mark.parametrize("parameter", OVERRIDES)
def test_a_signed_read_says_which_headers_it_wants(parameter: str, server: Server) -> None:
    name, value = OVERRIDES[parameter]
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    wanted: dict[str, Any] = {parameter: value}
    reply = send("GET", server.presign("get_object", Key=KEY, **wanted))
    assert (reply.status, reply.body, reply.headers[name.lower()]) == (200, BODY, value)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("CacheControl", "public, max-age=14400"),
        ("ContentDisposition", "attachment"),
        ("ContentEncoding", "gzip"),
        ("ContentLanguage", "de"),
        ("ContentType", "text/plain; charset=utf-8"),
        ("WebsiteRedirectLocation", "/elsewhere"),
        ("StorageClass", "STANDARD_IA"),
    ],
)
def test_a_header_given_at_the_write_comes_back_at_each_read(header: str, value: str, server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, **{header: value})
    for operation in ("get_object", "head_object"):
        assert getattr(server.s3, operation)(Bucket=server.bucket, Key=KEY)[header] == value


def test_an_object_without_a_type_is_a_stream_of_bytes(server: Server) -> None:
    reply = send("PUT", server.presign("put_object", Key=KEY), BODY)
    assert reply.status == 200
    assert server.s3.head_object(Bucket=server.bucket, Key=KEY)["ContentType"] == "binary/octet-stream"


@pytest.mark.parametrize(("size_bytes", "is_refused"), [(2048, False), (2049, True)])
def test_metadata_of_an_object_fits_into_two_kilobytes(size_bytes: int, is_refused: bool, server: Server) -> None:
    metadata = {"n": "v" * (size_bytes - len("n"))}
    call = {"Bucket": server.bucket, "Key": KEY, "Body": BODY, "Metadata": metadata}
    if is_refused:
        assert refusal(lambda: server.s3.put_object(**call)) == (400, "MetadataTooLarge")
    else:
        server.s3.put_object(**call)
        assert server.s3.head_object(Bucket=server.bucket, Key=KEY)["Metadata"] == metadata


@pytest.mark.parametrize(
    ("conditions", "is_refused"),
    [
        ({"CopySourceIfMatch": "own"}, False),
        ({"CopySourceIfMatch": '"other"'}, True),
        ({"CopySourceIfNoneMatch": '"other"'}, False),
        ({"CopySourceIfNoneMatch": "own"}, True),
        ({"CopySourceIfModifiedSince": EARLIER}, False),
        ({"CopySourceIfModifiedSince": LATER}, True),
        ({"CopySourceIfUnmodifiedSince": LATER}, False),
        ({"CopySourceIfUnmodifiedSince": EARLIER}, True),
        ({"CopySourceIfMatch": "own", "CopySourceIfUnmodifiedSince": EARLIER}, False),
    ],
    ids=str,
)
@pytest.mark.parametrize("operation", ["copy_object", "upload_part_copy"])
def test_a_copy_is_made_as_its_conditions_demand(
    operation: str, conditions: dict[str, str], is_refused: bool, server: Server
) -> None:
    etag = server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)["ETag"]
    asked = {name: etag if value == "own" else value for name, value in conditions.items()}
    call: dict[str, Any] = {"Bucket": server.bucket, "Key": KEY, "CopySource": f"{server.bucket}/source", **asked}
    if operation == "upload_part_copy":
        call |= {"UploadId": server.upload(KEY, []), "PartNumber": 1}
    if is_refused:
        assert refusal(lambda: getattr(server.s3, operation)(**call)) == (412, "PreconditionFailed")
    else:
        getattr(server.s3, operation)(**call)


@pytest.mark.parametrize(
    ("source", "status", "code"),
    [
        ("no-slash", 400, "InvalidArgument"),
        ("nobodys/k", 404, "NoSuchBucket"),
        (f"{names.VIDEO_BUCKET}/never", 404, "NoSuchKey"),
        (f"{names.VIDEO_BUCKET}/source?versionId=never", 404, "NoSuchVersion"),
    ],
)
@pytest.mark.parametrize("operation", ["copy_object", "upload_part_copy"])
def test_a_source_that_is_not_there_cannot_be_copied(
    operation: str, source: str, status: int, code: str, server: Server
) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)
    call: dict[str, Any] = {"Bucket": server.bucket, "Key": KEY, "CopySource": source}
    if operation == "upload_part_copy":
        call |= {"UploadId": server.upload(KEY, []), "PartNumber": 1}
    assert refusal(lambda: getattr(unchecked_s3(server), operation)(**call)) == (status, code)


def test_a_delete_marker_cannot_be_copied(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key="source", Body=BODY)
    marker = server.s3.delete_object(Bucket=server.bucket, Key="source")["VersionId"]
    call = {"Bucket": server.bucket, "Key": KEY}
    source = {"Bucket": server.bucket, "Key": "source"}
    assert refusal(lambda: server.s3.copy_object(**call, CopySource=source)) == (404, "NoSuchKey")
    by_id = {**source, "VersionId": marker}
    assert refusal(lambda: server.s3.copy_object(**call, CopySource=by_id)) == (400, "InvalidRequest")


def test_an_older_version_is_brought_back_by_copying_it_onto_its_key(server: Server) -> None:
    old = server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"old", Metadata={"m": "1"})["VersionId"]
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"new")
    answer = server.s3.copy_object(
        Bucket=server.bucket, Key=KEY, CopySource={"Bucket": server.bucket, "Key": KEY, "VersionId": old}
    )
    assert answer["CopySourceVersionId"] == old
    got = server.s3.get_object(Bucket=server.bucket, Key=KEY)
    assert (got["Body"].read(), got["Metadata"], got["VersionId"]) == (b"old", {"m": "1"}, answer["VersionId"])


def test_a_copy_onto_itself_must_change_something(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, Metadata={"m": "1"})
    call = {"Bucket": server.bucket, "Key": KEY, "CopySource": f"{server.bucket}/{KEY}"}
    assert refusal(lambda: server.s3.copy_object(**call)) == (400, "InvalidRequest")
    server.s3.copy_object(**call, StorageClass="STANDARD_IA")
    head = server.s3.head_object(Bucket=server.bucket, Key=KEY)
    assert (head["StorageClass"], head["Metadata"]) == ("STANDARD_IA", {"m": "1"})
    server.s3.copy_object(**call, MetadataDirective="REPLACE", Metadata={"m": "2"})
    assert server.s3.head_object(Bucket=server.bucket, Key=KEY)["Metadata"] == {"m": "2"}


def test_an_empty_object_is_an_object(server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"")
    server.s3.copy_object(Bucket=server.bucket, Key="copy", CopySource=f"{server.bucket}/{KEY}")
    for key in (KEY, "copy"):
        got = server.s3.get_object(Bucket=server.bucket, Key=key)
        assert (got["Body"].read(), got["ContentLength"]) == (b"", 0)
    call = {"Bucket": server.bucket, "Key": KEY, "Range": "bytes=0-0"}
    assert refusal(lambda: server.s3.get_object(**call)) == (416, "InvalidRange")
