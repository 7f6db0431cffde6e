"""Malformed HTTP requests: each is answered in the API's error shape, with CORS headers."""

import pytest
import requests

from local.platform import LocalPlatform
from tests.end_to_end.malformed_http import MALFORMED, RawResponse, send_raw


def assert_refused(answer: RawResponse, status: int, code: str) -> None:
    assert (answer.status, answer.error["code"]) == (status, code)
    assert set(answer.error) == {"code", "message", "details", "requestId"}
    assert answer.error["requestId"] == answer.headers["x-amzn-requestid"]
    assert answer.headers["access-control-allow-origin"]
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_request_is_answered_in_the_one_shape(platform: LocalPlatform, kind: str) -> None:
    sent, status, code = MALFORMED[kind]
    assert_refused(send_raw(platform.site_url, sent), status, code)


@pytest.mark.parametrize("path", ["/" + "x" * 5000, "/api/" + "x" * 5000, "/a%00b", "/%zz", "/%", "/%ff%fe", "/../etc"])
def test_an_address_that_is_none_of_ours_is_unknown(platform: LocalPlatform, path: str) -> None:
    answer = send_raw(platform.site_url, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert answer.status == 404
    assert answer.error["code"] in {"page_not_found", "route_not_found"}
    assert answer.headers["access-control-allow-origin"]


@pytest.mark.parametrize("path", ["//elsewhere/health", "/health%3Fa=b", "/health%23a", "//%5B"])
def test_a_part_of_the_path_is_never_taken_for_something_else(platform: LocalPlatform, path: str) -> None:
    answer = send_raw(platform.site_url, f"GET /api{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    found = (answer.status, answer.error["code"])
    assert found == (404, "route_not_found")


def test_a_route_is_found_in_every_spelling(platform: LocalPlatform) -> None:
    answer = send_raw(platform.site_url, b"GET /api/%68ealth HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.status == 200


@pytest.mark.parametrize("path", ["/", "/index.html", "/config.json", "/nothing"])
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "OPTIONS", "BREW"])
def test_the_page_is_only_to_be_read(platform: LocalPlatform, method: str, path: str) -> None:
    answer = requests.request(method, f"{platform.site_url}{path}", timeout=30)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.json()["error"]["code"] == "method_not_allowed"


def test_a_connection_goes_on_after_a_refusal_that_was_a_request(platform: LocalPlatform) -> None:
    sent = b"BREW /api/videos HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    then = b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = send_raw(platform.site_url, sent + then)
    assert answer.status == 405
