"""Refusals that moto lacks: the stand-in refuses as S3 does, with status and error code.

Each case runs against both. `moto` holds bare moto's answer, so that a moto that has learnt to refuse is noticed.
"""

import base64
import hashlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.stand_in.server_process import MIB, Reply, Server, send, status_of

KEY = "videos/someone/one.mp4"
BODY = b"x" * 1000
OCTETS = {"Content-Type": "application/octet-stream"}
WRONG_CRC64 = "AAAAAAAAAAA="


@dataclass(frozen=True)
class Refusal:
    """One request that S3 refuses: how it is made, what S3 says, what bare moto says."""

    name: str
    attempt: Callable[[Server], Reply]
    status: int
    code: str
    moto: int


def _client(call: Callable[[], Any]) -> Reply:
    try:
        answer = call()
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        return Reply(status_of(error), {}, f"<Error><Code>{code}</Code></Error>".encode())
    return Reply(answer["ResponseMetadata"]["HTTPStatusCode"], {}, b"")


def _presigned_put(server: Server, **parameters: Any) -> str:
    return server.presign("put_object", Key=KEY, **parameters)


def wrong_signature(server: Server) -> Reply:
    url = _presigned_put(server)
    head, _, signature = url.rpartition("X-Amz-Signature=")
    return send("PUT", f"{head}X-Amz-Signature={'0' * len(signature)}", BODY, OCTETS)


def expired_url(server: Server) -> Reply:
    url = _presigned_put(server, seconds=1)
    if server.has_controls:
        server.control("POST", "clock", {"offsetSeconds": 5})
    else:
        time.sleep(2)
    return send("PUT", url, BODY, OCTETS)


def other_key(server: Server) -> Reply:
    return send("PUT", _presigned_put(server).replace("one.mp4", "two.mp4"), BODY, OCTETS)


def other_method(server: Server) -> Reply:
    send("PUT", _presigned_put(server), BODY, OCTETS)
    return send("DELETE", _presigned_put(server), b"", OCTETS)


def other_part_number(server: Server) -> Reply:
    upload_id = server.upload(KEY, [])
    url = server.presign("upload_part", Key=KEY, UploadId=upload_id, PartNumber=1)
    return send("PUT", url.replace("partNumber=1", "partNumber=2"), BODY, OCTETS)


def tampered_header(server: Server) -> Reply:
    url = _presigned_put(server, Metadata={"owner": "me"})
    return send("PUT", url, BODY, {**OCTETS, "x-amz-meta-owner": "you"})


def other_length(server: Server) -> Reply:
    return send("PUT", _presigned_put(server, ContentLength=len(BODY)), BODY + b"y", OCTETS)


def unsigned_checksum(server: Server) -> Reply:
    crc = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    return send("PUT", _presigned_put(server), BODY, {**OCTETS, "x-amz-checksum-crc32": crc})


def unsigned_metadata(server: Server) -> Reply:
    return send("PUT", _presigned_put(server), BODY, {**OCTETS, "x-amz-meta-admin": "yes"})


def wrong_secret(server: Server) -> Reply:
    client = server.client("s3", secret_key="guessed")
    return _client(lambda: client.put_object(Bucket=server.bucket, Key=KEY, Body=BODY))


def unknown_access_key(server: Server) -> Reply:
    return send("PUT", _presigned_put(server).replace("Credential=local", "Credential=nobody"), BODY, OCTETS)


def other_region(server: Server) -> Reply:
    return send("PUT", _presigned_put(server).replace("eu-central-1", "us-east-1"), BODY, OCTETS)


def too_long_a_life(server: Server) -> Reply:
    return send("PUT", _presigned_put(server, seconds=8 * 24 * 3600), BODY, OCTETS)


def other_payload(server: Server) -> Reply:
    """A header-signed request whose body is exchanged on the way."""
    sent: dict[str, Any] = {}
    client = server.client("s3")

    def keep(request: Any, **_: Any) -> None:
        sent.update(url=request.url, headers=dict(request.headers))

    client.meta.events.register_first("before-send.s3.PutObject", keep)
    try:
        client.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    finally:
        client.meta.events.unregister("before-send.s3.PutObject", keep)
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value) for name, value in sent["headers"].items()
    }
    return send("PUT", sent["url"], BODY[:-1] + b"y", headers)


def anonymous_write(server: Server) -> Reply:
    return send("PUT", f"{server.url}/{server.bucket}/videos/{uuid4()}.mp4", BODY, OCTETS)


def anonymous_read(server: Server) -> Reply:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    return send("GET", f"{server.url}/{server.bucket}/{KEY}")


def anonymous_listing(server: Server) -> Reply:
    return send("GET", f"{server.url}/{server.bucket}?list-type=2")


def anonymous_bucket(server: Server) -> Reply:
    return send("PUT", f"{server.url}/somebody-elses-bucket")


def signature_version_2(server: Server) -> Reply:
    url = f"{server.url}/{server.bucket}/{KEY}?AWSAccessKeyId=local&Signature=abc%3D&Expires=4102444800"
    return send("PUT", url, BODY, OCTETS)


def wrong_crc32(server: Server) -> Reply:
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ChecksumCRC32="AAAAAA=="))


def wrong_crc64nvme(server: Server) -> Reply:
    return _client(
        lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ChecksumCRC64NVME=WRONG_CRC64)
    )


def wrong_sha256(server: Server) -> Reply:
    wrong = base64.b64encode(hashlib.sha256(b"something else").digest()).decode()
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ChecksumSHA256=wrong))


def malformed_checksum(server: Server) -> Reply:
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ChecksumCRC64NVME="AAAAAA=="))


def wrong_content_md5(server: Server) -> Reply:
    wrong = base64.b64encode(hashlib.md5(b"something else", usedforsecurity=False).digest()).decode()
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, ContentMD5=wrong))


def _part(server: Server, number: int = 1, upload_id: str | None = None, **parameters: Any) -> Reply:
    chosen = upload_id or server.upload(KEY, [], ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    return _client(
        lambda: server.s3.upload_part(
            Bucket=server.bucket, Key=KEY, UploadId=chosen, PartNumber=number, Body=BODY, **parameters
        )
    )


def wrong_crc64nvme_of_a_part(server: Server) -> Reply:
    return _part(server, ChecksumCRC64NVME=WRONG_CRC64)


def wrong_content_md5_of_a_part(server: Server) -> Reply:
    wrong = base64.b64encode(hashlib.md5(b"something else", usedforsecurity=False).digest()).decode()
    return _part(server, ContentMD5=wrong)


def other_algorithm_of_a_part(server: Server) -> Reply:
    crc = base64.b64encode(zlib.crc32(BODY).to_bytes(4, "big")).decode()
    return _part(server, ChecksumCRC32=crc)


def part_0(server: Server) -> Reply:
    return _part(server, number=0)


def part_10001(server: Server) -> Reply:
    return _part(server, number=10_001)


def part_of_an_unknown_upload(server: Server) -> Reply:
    return _part(server, upload_id="unknown")


def part_of_a_finished_upload(server: Server) -> Reply:
    upload_id = server.upload(KEY, [BODY])
    server.complete(KEY, upload_id)
    return _part(server, upload_id=upload_id)


def part_of_an_upload_of_another_key(server: Server) -> Reply:
    return _part(server, upload_id=server.upload("videos/other.mp4", []))


def _completion(server: Server, parts: list[bytes], **parameters: Any) -> Reply:
    upload_id = server.upload(KEY, parts, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    if "numbers" in parameters:
        listed = {part["PartNumber"]: part for part in server.listed(KEY, upload_id)}
        parameters["MultipartUpload"] = {"Parts": [listed[number] for number in parameters.pop("numbers")]}
    return _client(lambda: server.complete(KEY, upload_id, **parameters))


def parts_out_of_order(server: Server) -> Reply:
    return _completion(server, [b"a" * 5 * MIB, b"b" * 5 * MIB], numbers=[2, 1])


def a_part_twice(server: Server) -> Reply:
    return _completion(server, [b"a" * 5 * MIB], numbers=[1, 1])


def missing_part(server: Server) -> Reply:
    return _completion(server, [BODY], MultipartUpload={"Parts": [{"PartNumber": 2, "ETag": '"abc"'}]})


def foreign_etag(server: Server) -> Reply:
    return _completion(server, [BODY], MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": f'"{"0" * 32}"'}]})


def no_parts(server: Server) -> Reply:
    return _completion(server, [BODY], MultipartUpload={"Parts": []})


def small_part_before_the_last(server: Server) -> Reply:
    return _completion(server, [b"a" * (5 * MIB - 1), BODY])


def wrong_object_size(server: Server) -> Reply:
    return _completion(server, [BODY], MpuObjectSize=len(BODY) + 1)


def wrong_whole_checksum(server: Server) -> Reply:
    return _completion(server, [BODY], ChecksumCRC64NVME=WRONG_CRC64)


def wrong_checksum_type(server: Server) -> Reply:
    return _completion(server, [BODY], ChecksumType="COMPOSITE")


def completion_of_a_finished_upload(server: Server) -> Reply:
    upload_id = server.upload(KEY, [BODY])
    listed = server.listed(KEY, upload_id)
    server.complete(KEY, upload_id)
    return _client(lambda: server.complete(KEY, upload_id, MultipartUpload={"Parts": listed}))


def completion_over_an_existing_key(server: Server) -> Reply:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    return _completion(server, [BODY], IfNoneMatch="*")


def abort_of_an_unknown_upload(server: Server) -> Reply:
    return _client(lambda: server.s3.abort_multipart_upload(Bucket=server.bucket, Key=KEY, UploadId="unknown"))


def put_over_an_existing_key(server: Server) -> Reply:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, IfNoneMatch="*"))


def put_over_another_etag(server: Server) -> Reply:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    return _client(lambda: server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY, IfMatch='"other"'))


def unknown_kms_key(server: Server) -> Reply:
    return _client(
        lambda: server.s3.put_object(
            Bucket=server.bucket, Key=KEY, Body=BODY, ServerSideEncryption="aws:kms", SSEKMSKeyId="alias/nobodys"
        )
    )


REFUSALS = [
    Refusal("a wrong signature", wrong_signature, 403, "SignatureDoesNotMatch", 200),
    Refusal("an expired URL", expired_url, 403, "AccessDenied", 200),
    Refusal("a URL for another key", other_key, 403, "SignatureDoesNotMatch", 200),
    Refusal("a URL for another method", other_method, 403, "SignatureDoesNotMatch", 204),
    Refusal("a URL for another part number", other_part_number, 403, "SignatureDoesNotMatch", 200),
    Refusal("a signed header changed", tampered_header, 403, "SignatureDoesNotMatch", 200),
    Refusal("a length other than the signed one", other_length, 403, "SignatureDoesNotMatch", 200),
    Refusal("a checksum header nobody signed", unsigned_checksum, 403, "AccessDenied", 200),
    Refusal("a metadata header nobody signed", unsigned_metadata, 403, "AccessDenied", 200),
    Refusal("a wrong secret", wrong_secret, 403, "SignatureDoesNotMatch", 200),
    Refusal("an unknown access key", unknown_access_key, 403, "InvalidAccessKeyId", 200),
    Refusal("a signature for another region", other_region, 400, "AuthorizationQueryParametersError", 200),
    Refusal("a URL that lives over a week", too_long_a_life, 400, "AuthorizationQueryParametersError", 200),
    Refusal("a body other than the signed one", other_payload, 400, "XAmzContentSHA256Mismatch", 200),
    Refusal("a write without credentials", anonymous_write, 403, "AccessDenied", 200),
    Refusal("a read without credentials", anonymous_read, 403, "AccessDenied", 403),
    Refusal("a listing without credentials", anonymous_listing, 403, "AccessDenied", 200),
    Refusal("a bucket made without credentials", anonymous_bucket, 403, "AccessDenied", 200),
    Refusal("signature version 2", signature_version_2, 400, "InvalidRequest", 200),
    Refusal("a wrong CRC32", wrong_crc32, 400, "BadDigest", 200),
    Refusal("a wrong CRC64NVME", wrong_crc64nvme, 400, "BadDigest", 200),
    Refusal("a wrong SHA256", wrong_sha256, 400, "BadDigest", 200),
    Refusal("a checksum of the wrong length", malformed_checksum, 400, "InvalidRequest", 200),
    Refusal("a wrong Content-MD5", wrong_content_md5, 400, "BadDigest", 200),
    Refusal("a part's wrong CRC64NVME", wrong_crc64nvme_of_a_part, 400, "BadDigest", 200),
    Refusal("a part's wrong Content-MD5", wrong_content_md5_of_a_part, 400, "BadDigest", 200),
    Refusal("a part's checksum of another algorithm", other_algorithm_of_a_part, 400, "InvalidRequest", 200),
    Refusal("part number 0", part_0, 400, "InvalidArgument", 404),
    Refusal("part number 10,001", part_10001, 400, "InvalidArgument", 400),
    Refusal("a part of an unknown upload", part_of_an_unknown_upload, 404, "NoSuchUpload", 500),
    Refusal("a part of a finished upload", part_of_a_finished_upload, 404, "NoSuchUpload", 500),
    Refusal("a part of another key's upload", part_of_an_upload_of_another_key, 404, "NoSuchUpload", 200),
    Refusal("parts out of order", parts_out_of_order, 400, "InvalidPartOrder", 200),
    Refusal("a part listed twice", a_part_twice, 400, "InvalidPartOrder", 200),
    Refusal("a part that never came", missing_part, 400, "InvalidPart", 400),
    Refusal("a part with a foreign ETag", foreign_etag, 400, "InvalidPart", 400),
    Refusal("a completion without parts", no_parts, 400, "MalformedXML", 400),
    Refusal("a small part before the last", small_part_before_the_last, 400, "EntityTooSmall", 400),
    Refusal("a wrong MpuObjectSize", wrong_object_size, 400, "InvalidRequest", 200),
    Refusal("a wrong checksum of the whole", wrong_whole_checksum, 400, "BadDigest", 200),
    Refusal("a checksum of the other type", wrong_checksum_type, 400, "InvalidRequest", 200),
    Refusal("completing a finished upload", completion_of_a_finished_upload, 404, "NoSuchUpload", 404),
    Refusal("completing over an existing key", completion_over_an_existing_key, 412, "PreconditionFailed", 412),
    Refusal("aborting an unknown upload", abort_of_an_unknown_upload, 404, "NoSuchUpload", 404),
    Refusal("If-None-Match over an existing key", put_over_an_existing_key, 412, "PreconditionFailed", 412),
    Refusal("If-Match with another ETag", put_over_another_etag, 412, "PreconditionFailed", 412),
    Refusal("an unknown KMS key", unknown_kms_key, 400, "KMS.NotFoundException", 200),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_the_stand_in_refuses_what_bare_moto_lets_through(refusal: Refusal, server: Server, bare_moto: Server) -> None:
    moto = refusal.attempt(bare_moto)
    assert moto.status == refusal.moto, "bare moto has changed its mind"
    reply = refusal.attempt(server)
    assert (reply.status, reply.code) == (refusal.status, refusal.code), reply.body.decode()


def test_an_unsigned_header_is_named(server: Server) -> None:
    reply = unsigned_metadata(server)
    assert b"There were headers present in the request which were not signed" in reply.body
    assert b"<HeadersNotSigned>x-amz-meta-admin</HeadersNotSigned>" in reply.body


@pytest.mark.parametrize(
    "attempt",
    [wrong_crc32, wrong_content_md5, other_payload, wrong_sha256, put_over_another_etag],
    ids=lambda attempt: attempt.__name__,
)
def test_a_refused_body_leaves_the_object_as_it_was(attempt: Callable[[Server], Reply], server: Server) -> None:
    server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=b"before")
    assert attempt(server).status in (400, 412)
    newest = server.s3.get_object(Bucket=server.bucket, Key=KEY)["Body"].read()
    # The exchanged body and the conditional write each follow a good one of the same content.
    assert newest == (BODY if attempt in (other_payload, put_over_another_etag) else b"before")


def test_a_url_that_is_not_tampered_with_works_until_it_expires(server: Server) -> None:
    url = _presigned_put(server, ContentLength=len(BODY), seconds=60)
    assert send("PUT", url, BODY, OCTETS).status == 200
    server.control("POST", "clock", {"offsetSeconds": 55})
    assert send("PUT", url, BODY, OCTETS).status == 200
    server.control("POST", "clock", {"offsetSeconds": 70})
    reply = send("PUT", url, BODY, OCTETS)
    assert (reply.status, reply.code) == (403, "AccessDenied")
    assert b"Request has expired" in reply.body
