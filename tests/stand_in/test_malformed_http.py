"""Malformed HTTP requests: each gets one of S3's errors, and no connection ends in a traceback."""

import re

import pytest

from tests.end_to_end.malformed_http import MALFORMED, send_raw
from tests.stand_in.server_process import Server

TAKEN = {"one header of 30,000 bytes", "a bare carriage return"}
CODES = {400: "BadRequest", 411: "MissingContentLength", 431: "RequestHeaderSectionTooLarge"}


@pytest.mark.parametrize(
    "kind", [kind for kind, (_, status, _) in MALFORMED.items() if status in CODES and kind not in TAKEN]
)
def test_a_malformed_request_is_refused_as_s3_does(kind: str, server: Server) -> None:
    sent, status, _ = MALFORMED[kind]
    answer = send_raw(server.url, sent)
    assert (answer.status, answer.headers["connection"]) == (411 if status == 411 else 400, "close")
    assert re.findall(b"<Code>(.*)</Code>", answer.body) == [CODES[status].encode()]
    assert server.s3.list_buckets()["Buckets"]


def test_an_address_may_be_as_long_as_a_signed_url_with_many_headers(server: Server) -> None:
    answer = send_raw(server.url, MALFORMED["an address of 9,000 bytes"][0])
    assert (answer.status, b"<Code>AccessDenied</Code>" in answer.body) == (403, True)
