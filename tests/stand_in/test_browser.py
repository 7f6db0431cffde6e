"""S3 for a page in the browser: CORS by the bucket's rules, and forms by their policy."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from local.stand_in.signatures import Scope, signing_key
from tests.stand_in.server_process import Reply, Server, send

SITE = {"Origin": "http://127.0.0.1:8000"}
STRANGER = {"Origin": "http://evil.example"}
KEY = "videos/me/one.mp4"
FILE = b"some video"


def test_a_preflight_from_the_site_is_allowed_and_from_elsewhere_refused(server: Server) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type,x-amz-meta-a"}
    url = f"{server.url}/{server.bucket}/{KEY}"
    allowed = send("OPTIONS", url, headers={**SITE, **asked})
    assert allowed.status == 200
    assert allowed.headers["access-control-allow-origin"] == SITE["Origin"]
    assert allowed.headers["access-control-allow-headers"] == "content-type, x-amz-meta-a"
    assert "PUT" in allowed.headers["access-control-allow-methods"]
    assert "Origin" in allowed.headers["vary"]
    for headers in ({**STRANGER, **asked}, {**SITE, "Access-Control-Request-Method": "DELETE"}):
        refused = send("OPTIONS", url, headers=headers)
        assert (refused.status, refused.code) == (403, "AccessForbidden")
        assert "access-control-allow-origin" not in refused.headers
    assert (
        send("OPTIONS", url.replace(server.bucket, "video-upload-local-metadata"), headers={**SITE, **asked}).status
        == 403
    )


def test_the_answer_itself_is_readable_for_the_site_alone(server: Server) -> None:
    put = server.presign("put_object", Key=KEY)
    get = server.presign("get_object", Key=KEY)
    for method, url in (("PUT", put), ("GET", get)):
        readable = send(method, url, FILE if method == "PUT" else b"", SITE)
        assert readable.status == 200
        assert readable.headers["access-control-allow-origin"] == SITE["Origin"]
        assert "ETag" in readable.headers["access-control-expose-headers"]
        assert "access-control-allow-origin" not in send(method, url, headers=STRANGER).headers
    refused = send("GET", get.replace("one.mp4", "two.mp4"), headers=SITE)
    assert refused.status == 403
    assert refused.headers["access-control-allow-origin"] == SITE["Origin"]


def _post(server: Server, fields: dict[str, str], file: bytes = FILE) -> Reply:
    boundary = "----form"
    pieces = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\nContent-Type: a/b\r\n\r\n'
    body = "".join([*pieces, head]).encode() + file + f"\r\n--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **SITE}
    return send("POST", f"{server.url}/{server.bucket}", body, headers)


def _form(server: Server, **changes: str) -> dict[str, str]:
    form: dict[str, Any] = server.s3.generate_presigned_post(
        server.bucket,
        KEY,
        Fields={"Content-Type": "video/mp4", "x-amz-server-side-encryption": "aws:kms", "x-amz-meta-owner": "me"},
        Conditions=[
            {"Content-Type": "video/mp4"},
            {"x-amz-server-side-encryption": "aws:kms"},
            ["starts-with", "$x-amz-meta-owner", "m"],
            ["content-length-range", len(FILE), len(FILE)],
        ],
        ExpiresIn=60,
    )
    return {**form["fields"], **changes}


def test_a_form_that_keeps_to_its_policy_is_stored_and_announced(server: Server) -> None:
    reply = _post(server, _form(server))
    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == SITE["Origin"]
    got = server.s3.get_object(Bucket=server.bucket, Key=KEY)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (FILE, "video/mp4", {"owner": "me"})
    assert got["ETag"] == reply.headers["etag"]
    assert [event["Records"][0]["eventName"] for event in server.events()] == ["ObjectCreated:Post"]


@pytest.mark.parametrize(
    ("changes", "file", "status", "code"),
    [
        ({"key": "videos/you/one.mp4"}, FILE, 403, "AccessDenied"),
        ({"Content-Type": "text/html"}, FILE, 403, "AccessDenied"),
        ({"x-amz-server-side-encryption": "AES256"}, FILE, 403, "AccessDenied"),
        ({"x-amz-meta-owner": "you"}, FILE, 403, "AccessDenied"),
        ({"x-amz-meta-extra": "1"}, FILE, 403, "AccessDenied"),
        ({}, FILE + b"x", 400, "EntityTooLarge"),
        ({}, FILE[:-1], 400, "EntityTooSmall"),
        ({"x-amz-signature": "0" * 64}, FILE, 403, "SignatureDoesNotMatch"),
        ({"AWSAccessKeyId": "local", "signature": "x"}, FILE, 400, "InvalidRequest"),
    ],
    ids=["key", "type", "encryption", "prefix", "extra field", "too large", "too small", "forged", "version 2"],
)
def test_a_form_that_breaks_its_policy_is_refused(
    *, changes: dict[str, str], file: bytes, status: int, code: str, server: Server, bare_moto: Server
) -> None:
    assert _post(bare_moto, _form(bare_moto, **changes), file).status == 204, "bare moto has changed its mind"
    reply = _post(server, _form(server, **changes), file)
    assert (reply.status, reply.code) == (status, code), reply.body.decode()
    assert server.s3.list_objects_v2(Bucket=server.bucket)["KeyCount"] == 0


def test_a_form_without_a_policy_and_one_past_its_time_are_refused(server: Server) -> None:
    without = _post(server, {"key": KEY})
    assert (without.status, without.code) == (403, "AccessDenied")
    form = _form(server)
    server.control("POST", "clock", {"offsetSeconds": 61})
    late = _post(server, form)
    assert (late.status, late.code) == (403, "AccessDenied")
    assert b"Policy expired" in late.body


def test_a_form_that_asks_for_201_gets_the_place_in_xml(server: Server) -> None:
    conditions = [{"bucket": server.bucket}, {"key": KEY}, ["eq", "$success_action_status", "201"]]
    names = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-date": "20260101T000000Z"}
    names["x-amz-credential"] = "local/20260101/eu-central-1/s3/aws4_request"
    document = {"expiration": "2099-01-01T00:00:00Z", "conditions": [*conditions, *({k: v} for k, v in names.items())]}
    policy = base64.b64encode(json.dumps(document).encode()).decode()
    key = signing_key(Scope(access_key="local", date="20260101", region="eu-central-1", service="s3"))
    signature = hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()
    fields = {"key": KEY, "success_action_status": "201", **names, "policy": policy, "x-amz-signature": signature}
    reply = _post(server, fields)
    assert reply.status == 201
    assert f"<Key>{KEY}</Key>".encode() in reply.body
