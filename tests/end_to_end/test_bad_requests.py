"""Every bad input gets its code: never a 500, never a traceback, always one shape with CORS headers."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.platform import LocalPlatform
from tests.end_to_end.actors import Person, make_person
from tests.end_to_end.refusals import TOKEN_ROUTES, USER_ROUTES, assert_error, forged

GOOD: dict[str, Any] = {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 100}


@dataclass
class Raw:
    """An answer to bytes that no honest client would send."""

    platform: LocalPlatform
    token: str

    def send(self, method: str, path: str, body: bytes | None = None, token: str | None = None) -> requests.Response:
        return requests.request(
            method,
            f"{self.platform.site_url}/api{path}",
            data=body,
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"},
            timeout=30,
        )


@pytest.fixture(scope="module")
def one_person(platform: LocalPlatform) -> Person:
    return make_person(platform)


@pytest.fixture(scope="module")
def raw(platform: LocalPlatform, one_person: Person) -> Raw:
    return Raw(platform, one_person.access_token)


@pytest.fixture(scope="module")
def upload_token(one_person: Person) -> str:
    return one_person.start(12 * 2**20)["uploadToken"]


JSON_CASES = [
    (b"", "invalid_json"),
    (b"{", "invalid_json"),
    (b"[]", "invalid_json"),
    (b'"text"', "invalid_json"),
    (b"null", "invalid_json"),
    (b"\xff\xfe", "invalid_json"),
    (b'{"fileName": "a.mp4", "fileName": "b.mp4"}', "invalid_json"),
    (b'{"sizeBytes": NaN}', "invalid_json"),
    (b'{"sizeBytes": Infinity}', "invalid_json"),
    (b'{"fileName": "\\ud800.mp4"}', "invalid_json"),
    (b"[" * 100_000 + b"]" * 100_000, "invalid_json"),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "invalid_json"),
    (b'{"sizeBytes": ' + b"9" * 5000 + b"}", "invalid_json"),
    (b'{"a": 1} trailing', "invalid_json"),
    (b"{}", "invalid_request"),
]


@pytest.mark.parametrize(("body", "code"), JSON_CASES, ids=lambda value: str(value)[:24])
def test_what_is_not_one_clean_json_object_is_refused(raw: Raw, body: bytes, code: str) -> None:
    for path in ("/multipart/init", "/upload"):
        assert_error(raw.send("POST", path, body), 400, code)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "nonsense"])
def test_what_a_client_calls_its_body_does_not_matter(platform: LocalPlatform, raw: Raw, content_type: str) -> None:
    headers = {"Authorization": f"Bearer {raw.token}", "Content-Type": content_type}
    url = f"{platform.site_url}/api/multipart/init"
    assert_error(requests.post(url, data=b"text", headers=headers, timeout=30), 400, "invalid_json")


@pytest.mark.parametrize("size_bytes", [2**20 + 1, 10 * 2**20 + 1])
def test_a_body_too_large_is_refused_by_the_function_or_the_gateway(raw: Raw, size_bytes: int) -> None:
    assert_error(raw.send("POST", "/multipart/init", b" " * size_bytes), 413, "request_too_large")


INIT_CASES: list[tuple[dict[str, Any], int, str, str | None]] = [
    ({"sizeBytes": 0}, 400, "empty_file", None),
    ({"sizeBytes": -1}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": 1.5}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": "100"}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": True}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": None}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": 2**70}, 400, "invalid_request", "sizeBytes"),
    ({"sizeBytes": 50 * 2**40}, 413, "file_too_large", None),
    ({"fileName": ""}, 400, "invalid_request", "fileName"),
    ({"fileName": 7}, 400, "invalid_request", "fileName"),
    ({"fileName": "a" * 252 + ".mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "../../etc/passwd.mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "C:\\film.mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "new\nline.mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "nul\x00.mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "gnp.\u202e4pm.mp4"}, 400, "invalid_request", "fileName"),
    ({"fileName": "film"}, 415, "unsupported_video_type", None),
    ({"fileName": "film.exe"}, 415, "unsupported_video_type", None),
    ({"fileName": "film.mov"}, 415, "unsupported_video_type", None),
    ({"contentType": "text/plain"}, 415, "unsupported_video_type", None),
    ({"contentType": "video/mp4; codecs=x"}, 415, "unsupported_video_type", None),
    ({"contentType": []}, 400, "invalid_request", "contentType"),
    ({"owner": "somebody-else"}, 400, "invalid_request", "owner"),
]


@pytest.mark.parametrize(("change", "status", "code", "field"), INIT_CASES, ids=lambda value: str(value)[:40])
def test_a_wrong_field_is_named(raw: Raw, change: dict[str, Any], status: int, code: str, field: str | None) -> None:
    answer = raw.send("POST", "/multipart/init", json.dumps({**GOOD, **change}).encode())
    error = assert_error(answer, status, code)
    if field:
        assert [problem["field"] for problem in error["details"]["problems"]] == [field]


def test_all_problems_are_named_at_once(raw: Raw) -> None:
    answer = raw.send("POST", "/multipart/init", b'{"fileName": 1, "contentType": 2, "sizeBytes": "x", "more": 4}')
    error = assert_error(answer, 400, "invalid_request")
    assert [problem["field"] for problem in error["details"]["problems"]] == [
        "fileName",
        "contentType",
        "sizeBytes",
        "more",
    ]


def test_names_in_any_script_are_fine(raw: Raw, one_person: Person) -> None:
    for name in ("Ferien in Zürich.mp4", "映画.MP4", "🎬 take 2.mp4", "e\u0301te\u0301.mp4"):
        answer = raw.send("POST", "/multipart/init", json.dumps({**GOOD, "fileName": name}).encode())
        assert answer.status_code == 201, answer.text
        one_person.call("POST", "/multipart/abort", {}, answer.json()["uploadToken"])


SIGN_CASES: list[tuple[Any, str]] = [
    ({}, "invalid_request"),
    ({"parts": []}, "invalid_request"),
    ({"parts": {}}, "invalid_request"),
    ({"parts": [1]}, "invalid_request"),
    ({"parts": [{"partNumber": 0}]}, "invalid_request"),
    ({"parts": [{"partNumber": 4}]}, "invalid_request"),
    ({"parts": [{"partNumber": 10_001}]}, "invalid_request"),
    ({"parts": [{"partNumber": "1"}]}, "invalid_request"),
    ({"parts": [{"partNumber": 1, "checksumCRC64NVME": "short"}]}, "invalid_request"),
    ({"parts": [{"partNumber": 1, "checksumCRC64NVME": 5}]}, "invalid_request"),
    ({"parts": [{"partNumber": 1, "url": "x"}]}, "invalid_request"),
    ({"parts": [{"partNumber": 1}] * 501}, "invalid_request"),
]


@pytest.mark.parametrize(("body", "code"), SIGN_CASES, ids=lambda value: str(value)[:40])
def test_a_wrong_wish_for_urls_is_refused(raw: Raw, upload_token: str, body: Any, code: str) -> None:
    answer = raw.send("POST", "/multipart/parts", json.dumps(body).encode(), upload_token)
    assert_error(answer, 400, code)


COMPLETE_CASES: list[tuple[Any, int, str]] = [
    ({}, 400, "invalid_request"),
    ({"parts": []}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1}]}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": ""}]}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": "ü"}]}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": "x" * 200}]}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": "x"}, {"partNumber": 1, "etag": "y"}]}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": "x"}]}, 400, "parts_incomplete"),
    ({"parts": [{"partNumber": n, "etag": "x"} for n in range(1, 5)]}, 400, "size_mismatch"),
    ({"parts": [{"partNumber": n, "etag": "x"} for n in range(1, 4)]}, 400, "part_mismatch"),
    ({"parts": [{"partNumber": 1, "etag": "x"}], "checksumCRC64NVME": "AAA="}, 400, "invalid_request"),
    ({"parts": [{"partNumber": 1, "etag": "x"}], "uploadId": "other"}, 404, "upload_not_found"),
    ({"parts": [{"partNumber": 1, "etag": "x"}], "fileKey": "videos/a/b"}, 404, "upload_not_found"),
    ({"parts": [{"partNumber": 1, "etag": "x"}], "uploadId": 5}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("body", "status", "code"), COMPLETE_CASES, ids=lambda value: str(value)[:40])
def test_a_wrong_completion_is_refused_and_leaves_the_upload_open(
    raw: Raw, upload_token: str, body: Any, status: int, code: str
) -> None:
    answer = raw.send("POST", "/multipart/complete", json.dumps(body).encode(), upload_token)
    assert_error(answer, status, code)
    held = raw.send("GET", "/multipart/parts", None, upload_token)
    assert held.json()["state"] == "uploading"


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "limit=-1", "limit=%00", "limit=99999999999999"])
def test_a_wrong_page_size_is_refused(raw: Raw, query: str) -> None:
    assert_error(raw.send("GET", f"/videos?{query}"), 400, "invalid_request")


@pytest.mark.parametrize("cursor", ["x", "../..", "g" * 28, "%00", "%F0%9F%8E%AC"])
def test_a_made_up_cursor_is_refused(raw: Raw, cursor: str) -> None:
    assert_error(raw.send("GET", f"/videos?cursor={cursor}"), 400, "invalid_request")


@pytest.mark.parametrize("video_id", ["x", "f" * 28, "F" * 28, "%2e%2e", "%2F", "a%00b", "%F0%9F%8E%AC", "x" * 3000])
def test_an_unknown_video_is_unknown_however_it_is_spelled(raw: Raw, video_id: str) -> None:
    for method in ("GET", "DELETE"):
        answer = raw.send(method, f"/videos/{video_id}")
        assert_error(answer, 404, "video_not_found")


@pytest.mark.parametrize("path", ["/", "/nothing", "/videos/a/b", "/multipart", "/multipart/init/x", "//", "/%00"])
def test_an_unknown_address_is_unknown(raw: Raw, path: str) -> None:
    assert_error(raw.send("GET", path), 404, "route_not_found")


@pytest.mark.parametrize(("method", "path"), [("GET", "/multipart/init"), ("PUT", "/videos"), ("DELETE", "/health")])
def test_an_unknown_method_is_not_allowed(raw: Raw, method: str, path: str) -> None:
    answer = raw.send(method, path)
    assert_error(answer, 405, "method_not_allowed")
    allowed = answer.headers["Allow"].split(", ")
    assert "OPTIONS" in allowed
    assert method not in allowed


@pytest.mark.parametrize(("method", "path"), USER_ROUTES + TOKEN_ROUTES)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic dXNlcjpwYXNz"])
def test_no_route_opens_without_a_token(platform: LocalPlatform, method: str, path: str, header: str | None) -> None:
    headers = {"Authorization": header} if header is not None else {}
    answer = requests.request(method, f"{platform.site_url}/api{path}", headers=headers, timeout=30)
    assert_error(answer, 401, "unauthorized")


@pytest.mark.parametrize("kind", ["unsigned", "signed by its public key", "signed by somebody else", "changed"])
def test_a_forged_access_token_opens_nothing(platform: LocalPlatform, raw: Raw, kind: str) -> None:
    for method, path in USER_ROUTES:
        assert_error(raw.send(method, path, b"{}", forged(platform, raw.token, kind)), 401, "unauthorized")


def test_an_id_token_is_not_an_access_token(platform: LocalPlatform, raw: Raw) -> None:
    tokens = platform.sign_in.issue_tokens("id-token@example.com")
    assert tokens.id_token
    answer = raw.send("GET", "/videos", None, tokens.id_token)
    assert answer.status_code in {401, 403}


def test_scopes_open_only_what_they_name(platform: LocalPlatform, raw: Raw) -> None:
    read_only = platform.sign_in.issue_tokens("reader@example.com", scopes=["video-upload/read"]).access_token
    assert raw.send("GET", "/videos", None, read_only).status_code == 200
    assert_error(raw.send("POST", "/multipart/init", json.dumps(GOOD).encode(), read_only), 403, "forbidden")
    assert_error(raw.send("POST", "/progress", b"{}", read_only), 403, "forbidden")
    read_and_write = platform.sign_in.issue_tokens("reader@example.com").access_token
    assert raw.send("POST", "/multipart/init", json.dumps(GOOD).encode(), read_and_write).status_code == 201
    for token, may_write in ((read_only, False), (read_and_write, True)):
        (listed,) = raw.send("GET", "/uploads", None, token).json()["uploads"]
        assert ("uploadToken" in listed) == may_write, "reading never yields a right to write"
        assert listed["receivedBytes"] == 0
    nothing = platform.sign_in.issue_tokens("nobody@example.com", scopes=["openid"]).access_token
    assert_error(raw.send("GET", "/videos", None, nothing), 403, "forbidden")


def test_one_kind_of_token_does_not_pass_for_the_other(raw: Raw, upload_token: str) -> None:
    for method, path in USER_ROUTES:
        assert_error(raw.send(method, path, b"{}", upload_token), 401, "unauthorized")
    for method, path in TOKEN_ROUTES:
        assert_error(raw.send(method, path, b"{}"), 401, "unauthorized")


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/multipart/init", "/upload", "/multipart/parts", "/multipart/complete", "/progress"]),
    st.one_of(
        st.binary(max_size=200),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["fileName", "contentType", "sizeBytes", "parts", "partNumber", "etag", "x"]), inner
                )
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_no_body_whatever_gives_a_500(raw: Raw, upload_token: str, path: str, body: bytes) -> None:
    token = None if path in {"/multipart/init", "/upload"} else upload_token
    answer = raw.send("POST", path, body, token)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert answer.json()["error"]["code"]


def test_a_preflight_is_answered_for_every_route(platform: LocalPlatform) -> None:
    for method, path in USER_ROUTES + TOKEN_ROUTES:
        answer = requests.options(
            f"{platform.site_url}/api{path}",
            headers={"Origin": "http://127.0.0.1:8000", "Access-Control-Request-Method": method},
            timeout=30,
        )
        assert answer.status_code == 200
        assert method in answer.headers["Access-Control-Allow-Methods"].split(",")
        assert {"Authorization", "Content-Type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(","))
