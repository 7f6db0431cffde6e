"""Forms of browsers with a policy: what S3 takes, and what the policy forbids or fails to say."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.stand_in import names
from local.stand_in.signatures import Scope, signing_key
from tests.stand_in.server_process import Reply, Server, send

KEY = "videos/me/one.mp4"
BOUNDARY = "a-boundary"
FILE = b"the file"


@dataclass
class Form:
    """A form that S3 takes as it is; the tests break it."""

    conditions: list[object] = field(
        default_factory=lambda: [
            {"bucket": names.VIDEO_BUCKET},
            ["starts-with", "$key", "videos/"],
            ["content-length-range", 1, 1024],
        ]
    )
    fields: dict[str, str] = field(default_factory=lambda: {"key": KEY})
    expiration: object = ""
    policy: dict[str, Any] | None = None
    secret_key: str = names.SECRET_KEY
    file_name: str = "one.mp4"

    def send(self, server: Server, file: bytes = FILE) -> Reply:
        """Sign the policy and post everything."""
        now = datetime.now(UTC)
        scope = Scope(access_key=names.ACCESS_KEY, date=f"{now:%Y%m%d}", region=names.REGION, service="s3")
        signed = {
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": f"{scope.access_key}/{scope.text}",
            "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
        }
        expiration = self.expiration or f"{now + timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}.000Z"
        conditions = [*self.conditions, *({name: value} for name, value in signed.items())]
        document = {"expiration": expiration, "conditions": conditions} if self.policy is None else self.policy
        policy = base64.b64encode(json.dumps(document).encode()).decode()
        signature = hmac.new(signing_key(scope, self.secret_key), policy.encode(), hashlib.sha256).hexdigest()
        fields = {**self.fields, **signed, "policy": policy, "x-amz-signature": signature}
        return send("POST", f"{server.url}/{server.bucket}", self._body(fields, file), self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}

    def _body(self, fields: dict[str, str], file: bytes) -> bytes:
        pieces = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        head = f'Content-Disposition: form-data; name="file"; filename="{self.file_name}"\r\n'
        return (
            "".join(pieces).encode()
            + f"--{BOUNDARY}\r\n{head}\r\n".encode()
            + file
            + f"\r\n--{BOUNDARY}--\r\n".encode()
        )


def test_a_form_within_its_policy_becomes_an_object(server: Server) -> None:
    reply = Form().send(server)
    assert (reply.status, reply.body) == (204, b"")
    got = server.s3.get_object(Bucket=server.bucket, Key=KEY)
    assert (got["Body"].read(), got["ETag"]) == (FILE, reply.headers["etag"])


def test_a_forms_metadata_beyond_ascii_is_answered_as_mail_writes_it(server: Server) -> None:
    zhe = "\N{CYRILLIC SMALL LETTER ZHE}"
    fields = {"key": KEY, "x-amz-meta-name": zhe, "Content-Disposition": zhe}
    conditions = [*Form().conditions, {"x-amz-meta-name": zhe}, {"Content-Disposition": zhe}]
    assert Form(conditions, fields).send(server).status == 204
    head = send("GET", server.presign("get_object", Key=KEY)).headers
    assert (
        head["x-amz-meta-name"] == f"=?UTF-8?B?{base64.b64encode(zhe.encode().decode('latin-1').encode()).decode()}?="
    )
    assert head["content-disposition"].encode("latin-1").decode() == zhe


@pytest.mark.parametrize(("wanted", "status"), [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204)])
def test_a_form_is_answered_with_the_status_it_asks_for(wanted: str, status: int, server: Server) -> None:
    form = Form(fields={"key": KEY, "success_action_status": wanted})
    form.conditions.append(["starts-with", "$success_action_status", ""])
    reply = form.send(server)
    assert reply.status == status
    assert (b"<Key>" + KEY.encode() + b"</Key>" in reply.body) == (status == 201)


def test_a_form_leads_its_browser_on(server: Server) -> None:
    form = Form(fields={"key": KEY, "success_action_redirect": "http://example.org/done"})
    form.conditions.append(["starts-with", "$success_action_redirect", "http://example.org/"])
    reply = form.send(server)
    etag = server.s3.head_object(Bucket=server.bucket, Key=KEY)["ETag"].strip('"')
    assert reply.status == 303
    expected = f"http://example.org/done?bucket={server.bucket}&key=videos%2Fme%2Fone.mp4&etag=%22{etag}%22"
    assert reply.headers["location"] == expected


def test_a_key_takes_in_the_name_of_the_file(server: Server) -> None:
    assert Form(fields={"key": "videos/${filename}"}, file_name="two.mp4").send(server).status == 204
    assert server.s3.get_object(Bucket=server.bucket, Key="videos/two.mp4")["Body"].read() == FILE


def test_names_of_fields_and_conditions_are_the_same_in_any_case(server: Server) -> None:
    form = Form(fields={"kEy": KEY, "cOnTent-tYpe": "video/mp4", "X-Amz-Meta-Foo": "Bar"})
    form.conditions += [["eq", "$CONTENT-TYPE", "video/mp4"], {"x-amz-meta-foo": "Bar"}]
    assert form.send(server).status == 204
    head = server.s3.head_object(Bucket=server.bucket, Key=KEY)
    assert (head["ContentType"], head["Metadata"]) == ("video/mp4", {"foo": "Bar"})


@pytest.mark.parametrize("size_bytes", [1, 1024])
def test_a_file_of_either_bound_is_taken(size_bytes: int, server: Server) -> None:
    assert Form().send(server, b"x" * size_bytes).status == 204


@pytest.mark.parametrize(("size_bytes", "code"), [(0, "EntityTooSmall"), (1025, "EntityTooLarge")])
def test_a_file_outside_of_its_bounds_is_refused_and_not_kept(size_bytes: int, code: str, server: Server) -> None:
    reply = Form().send(server, b"x" * size_bytes)
    assert (reply.status, reply.code) == (400, code)
    assert "Versions" not in server.s3.list_object_versions(Bucket=server.bucket)


@pytest.mark.parametrize(
    "expiration",
    [
        "2100-01-01",
        "2100-01-01T00:00:00",
        "2100-01-01 00:00:00Z",
        "2100-01-01T00:00:00+00:00",
        "2100-13-01T00:00:00Z",
        "21000101T000000Z",
        "4102444800",
        "tomorrow",
        4102444800,
    ],
)
def test_an_expiration_of_another_form_is_refused(expiration: object, server: Server) -> None:
    reply = Form(expiration=expiration).send(server)
    assert (reply.status, reply.code) == (400, "InvalidPolicyDocument")


@pytest.mark.parametrize("expiration", ["2100-01-01T00:00:00Z", "2100-01-01T00:00:00.000Z"])
def test_an_expiration_is_a_time_in_utc(expiration: str, server: Server) -> None:
    assert Form(expiration=expiration).send(server).status == 204


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"expiration": "2100-01-01T00:00:00Z"},
        {"conditions": []},
        {"expiration": "2100-01-01T00:00:00Z", "conditions": {}},
        {"expiration": "2100-01-01T00:00:00Z", "conditions": [["near", "$key", "x"]]},
        {"expiration": "2100-01-01T00:00:00Z", "conditions": [["content-length-range", 0]]},
        {"expiration": "2100-01-01T00:00:00Z", "conditions": [["content-length-range", -1, 9]]},
        {"expiration": "2100-01-01T00:00:00Z", "conditions": [{}]},
    ],
    ids=json.dumps,
)
def test_a_policy_of_another_form_is_refused(policy: dict[str, Any], server: Server) -> None:
    reply = Form(policy=policy).send(server)
    assert (reply.status, reply.code) == (400, "InvalidPolicyDocument")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        (Form(expiration="2001-01-01T00:00:00Z"), 403, "AccessDenied"),
        (Form(secret_key="guessed"), 403, "SignatureDoesNotMatch"),
        (Form(fields={"key": "elsewhere"}), 403, "AccessDenied"),
        (Form(fields={"key": KEY, "x-amz-meta-extra": "1"}), 403, "AccessDenied"),
        (Form(fields={}), 400, "InvalidArgument"),
        (Form(conditions=[{"bucket": "another"}, ["starts-with", "$key", ""]]), 403, "AccessDenied"),
        (Form(conditions=[{"bucket": names.VIDEO_BUCKET}]), 403, "AccessDenied"),
    ],
    ids=["expired", "forged", "another key", "a field too many", "no key", "another bucket", "no word of the key"],
)
def test_a_form_outside_of_its_policy_is_refused(form: Form, status: int, code: str, server: Server) -> None:
    reply = form.send(server)
    assert (reply.status, reply.code) == (status, code), reply.body


@pytest.mark.parametrize(("acl", "status"), [("private", 204), ("public-ready", 400)])
def test_a_form_names_a_canned_acl_that_there_is(acl: str, status: int, server: Server) -> None:
    form = Form(fields={"key": KEY, "acl": acl})
    form.conditions.append({"acl": acl})
    reply = form.send(server)
    assert (reply.status, reply.code) == (status, "" if status == 204 else "InvalidArgument")


def test_fields_to_be_ignored_need_no_condition(server: Server) -> None:
    assert Form(fields={"key": KEY, "x-ignore-foo": "bar"}).send(server).status == 204


def test_a_form_without_its_kms_algorithm_is_refused(server: Server) -> None:
    name = "x-amz-server-side-encryption-aws-kms-key-id"
    form = Form(fields={"key": KEY, name: names.DATA_KEY_ALIAS})
    form.conditions.append({name: names.DATA_KEY_ALIAS})
    assert (form.send(server).status, form.send(server).code) == (400, "InvalidArgument")
