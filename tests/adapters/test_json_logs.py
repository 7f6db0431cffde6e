"""Log lines: one JSON object each, with what a query asks for and nothing that opens a door."""

import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.adapters.json_logs import REDACTED, install_json_logs, redacted
from chalicelib.core.log_context import about_upload, invocation

log = logging.getLogger("chalicelib.tests")

TOKEN = "eyJraWQiOiJsb2NhbCIsIm93bmVyIjoiYSJ9.s1gn4ture_of-it"
POLICY = "eyJleHBpcmF0aW9uIjogIjIwMjYtMDEtMzFUMTI6MDA6MDBaIn0="


@pytest.fixture(autouse=True)
def json_logs() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("chalicelib")
    before = root.handlers[:], root.level, own.level
    install_json_logs(stage="dev", version="1.2")
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level, own.level = before


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_a_line_tells_where_when_and_about_what(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation(request_id="r-1", function="janitor"):
        about_upload(video_id="v-1")
        log.info("upload %s", "expired", extra={"sizeBytes": 7})
    line = printed(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "INFO",
        "message": "upload expired",
        "logger": "chalicelib.tests",
        "stage": "dev",
        "version": "1.2",
        "requestId": "r-1",
        "function": "janitor",
        "videoId": "v-1",
        "sizeBytes": 7,
    }


def test_an_exception_stays_on_the_line_that_tells_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise OSError("the wire\nis cut")
    except OSError:
        log.exception("cannot sweep")
    told = printed(capsys)["exception"]
    assert (told["type"], told["message"]) == ("OSError", "the wire\nis cut")
    assert "test_json_logs.py" in told["stackTrace"]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=0a1b2c&partNumber=1", "0a1b2c"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Security-Token=IQoJb3%2FJpZ2luX2Vj&a=1", "IQoJb3"),
        ("{'x-amz-signature': '0a1b2c3d', 'x-amz-security-token': 'IQoJb3JpZ2lu'}", "IQoJb3JpZ2lu"),
        ('{"x-amz-signature": "0a1b2c3d"}', "0a1b2c3d"),
        ("https://d.cloudfront.net/k?Expires=1&Signature=Zm9vYmFy~-_&Key-Pair-Id=K1", "Zm9vYmFy"),
        (f"refused {TOKEN} again", "s1gn4ture"),
        (f"refused {TOKEN} again", "eyJraWQi"),
        (f"policy={POLICY}", POLICY),
        ("next=https%3A%2F%2Fb.example%2Fk%3Fa%3D1%26X-Amz-Signature%3D0a1b2c", "0a1b2c"),
        ("next=https%3A%2F%2Fd.example%2Fk%3FExpires%3D1%26Signature%3DZm9vYmFy", "Zm9vYmFy"),
        (f"body=%7B%22token%22%3A%22{TOKEN}%22%7D", "s1gn4ture"),
        (rf"b'one\n{TOKEN}'", "s1gn4ture"),
        ("{b'x-amz-security-token': b'IQoJb3JpZ2lu'}", "IQoJb3JpZ2lu"),
        ("Authorization: Basic d2hvOndoYXQ=", "d2hvOndoYXQ"),
        ("no mail for %22ada.lovelace%40example.com%22", "lovelace"),
        ("Authorization: Bearer opaque-but-precious", "opaque-but-precious"),
        ("no mail for ada.lovelace+videos@mail.example.co.uk today", "lovelace"),
    ],
)
@pytest.mark.parametrize("place", ["message", "argument", "extra", "object", "exception"])
def test_a_secret_that_slips_in_is_taken_out(
    capsys: pytest.CaptureFixture[str], text: str, secret: str, *, place: str
) -> None:
    match place:
        case "message":
            log.warning(text)
        case "argument":
            log.warning("failed: %s", OSError(text))
        case "extra":
            log.warning("failed", extra={"reason": text})
        case "object":
            log.warning("failed", extra={"reason": OSError(text)})
        case _:
            try:
                raise OSError(text)
            except OSError:
                log.exception("failed")
    line = capsys.readouterr().out
    assert secret not in line
    assert REDACTED in line
    json.loads(line)


@pytest.mark.parametrize("repeated", ["a", "a.", "a@", "eyJ", "signature ", "bearer ", "a%40"])
def test_a_long_text_is_searched_in_no_time(repeated: str) -> None:
    began = time.process_time()
    redacted(repeated * (200_000 // len(repeated)))
    assert time.process_time() - began < 5


def test_ids_are_no_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    text = "videos/0f9a/fe5dfb676c467bd5529825477314 upload VXBsb2FkIElEIGZvciBlbHZpbmcncyBteS1tb3ZpZS5tMnRz"
    log.warning("%s", text)
    assert printed(capsys)["message"] == text


def test_the_handlers_that_were_there_are_replaced_and_not_joined(capsys: pytest.CaptureFixture[str]) -> None:
    """A root handler like the one that Lambda's runtime installs before any of our code runs."""
    logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
    install_json_logs(stage="dev", version="1.2")
    log.info("once")
    assert printed(capsys)["message"] == "once"


def test_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("botocore.credentials").info("Found credentials in environment variables.")
    logging.getLogger("botocore.retries").warning("slow")
    assert printed(capsys)["logger"] == "botocore.retries"
