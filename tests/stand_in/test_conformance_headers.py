"""Headers as S3 reads and answers them: the time of a signature, and text that is not ASCII."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.stand_in import names
from local.stand_in.signatures import Scope, signing_key
from tests.stand_in.server_process import Reply, Server, send

KEY = "videos/me/one.mp4"
BODY = b"a body"
UNSIGNED = "UNSIGNED-PAYLOAD"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def put_signed(server: Server, moment: datetime, dates: dict[str, str]) -> Reply:
    """Put an object by a signature of this moment, which only these headers tell."""
    headers = {**dates, "host": urlsplit(server.url).netloc, "x-amz-content-sha256": UNSIGNED}
    signed = sorted(headers)
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed)
    canonical = "\n".join(["PUT", f"/{server.bucket}/{KEY}", "", lines, ";".join(signed), UNSIGNED])
    timestamp = f"{moment:%Y%m%dT%H%M%SZ}"
    scope = Scope(access_key=names.ACCESS_KEY, date=timestamp[:8], region=names.REGION, service="s3")
    text = f"AWS4-HMAC-SHA256\n{timestamp}\n{scope.text}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(signing_key(scope), text.encode(), hashlib.sha256).hexdigest()
    credential = f"{scope.access_key}/{scope.text}"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={';'.join(signed)}, Signature={signature}"
    return send("PUT", f"{server.url}/{server.bucket}/{KEY}", BODY, {**headers, "Authorization": authorization})


def as_http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def as_iso(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


@pytest.mark.parametrize("ahead_minutes", [0, -14, 14, -16, 16])
@pytest.mark.parametrize("name", ["date", "x-amz-date"])
@pytest.mark.parametrize("form", [as_http, as_iso], ids=["as HTTP", "as ISO 8601"])
def test_a_signature_tells_its_time_by_either_header_in_either_form(
    form: Any, name: str, ahead_minutes: int, server: Server
) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=ahead_minutes)
    reply = put_signed(server, moment, {name: form(moment)})
    too_far = abs(ahead_minutes) > 15
    assert (reply.status, reply.code) == ((403, "RequestTimeTooSkewed") if too_far else (200, ""))


def test_the_own_header_of_the_time_outweighs_the_one_of_http(server: Server) -> None:
    now = datetime.now(UTC)
    assert put_signed(server, now, {"date": as_http(NOON), "x-amz-date": as_iso(now)}).status == 200
    assert put_signed(server, NOON, {"date": as_http(now), "x-amz-date": as_iso(NOON)}).code == "RequestTimeTooSkewed"


@pytest.mark.parametrize("dates", [{}, {"date": "yesterday"}, {"x-amz-date": "2026-01-31"}], ids=str)
def test_a_signature_without_a_time_is_refused(dates: dict[str, str], server: Server) -> None:
    reply = put_signed(server, datetime.now(UTC), dates)
    assert (reply.status, reply.code) == (403, "AccessDenied")


def put_with_headers(server: Server, **headers: str) -> None:
    """Put an object with headers that botocore itself would not take, signed as the bytes that they are sent as."""

    def add(params: dict[str, Any], **_: Any) -> None:
        params["headers"].update({name.replace("_", "-"): text for name, text in headers.items()})

    events = server.s3.meta.events
    events.register("before-call.s3.PutObject", add)
    try:
        server.s3.put_object(Bucket=server.bucket, Key=KEY, Body=BODY)
    finally:
        events.unregister("before-call.s3.PutObject", add)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        ("AMAZONS3", "AMAZONS3"),
        # Its bytes are taken for ISO 8859-1.
        ("\N{LATIN SMALL LETTER E WITH ACUTE}", "=?UTF-8?B?w4PCqQ==?="),
        ("=?UTF-8?B?w4PCqQ==?=", "=?UTF-8?B?w4PCqQ==?="),
    ],
)
@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_metadata_beyond_ascii_is_taken_and_answered_as_mail_writes_it(
    operation: str, sent: str, answered: str, server: Server
) -> None:
    put_with_headers(server, x_amz_meta_name=sent)
    assert getattr(server.s3, operation)(Bucket=server.bucket, Key=KEY)["Metadata"] == {"name": answered}


def test_a_content_header_beyond_ascii_is_answered_in_the_bytes_it_came_in(server: Server) -> None:
    disposition = 'attachment; filename="\N{CYRILLIC SMALL LETTER ZHE}.mp4"'
    put_with_headers(server, Content_Disposition=disposition)
    reply = send("GET", server.presign("get_object", Key=KEY))
    assert reply.headers["content-disposition"].encode("latin-1").decode() == disposition
    overridden = send("GET", server.presign("get_object", Key=KEY, ResponseContentDisposition=disposition))
    assert overridden.headers["content-disposition"].encode("latin-1").decode() == disposition
