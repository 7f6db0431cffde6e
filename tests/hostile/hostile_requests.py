"""One hostile request per seed, as bytes: the same seed gives the same request, but for the tokens in it."""

import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

USER_POSTS = ("/multipart/init", "/upload", "/progress", "/links")
TOKEN_POSTS = ("/multipart/parts", "/multipart/complete", "/multipart/abort")
LINK_POSTS = ("/link/multipart/init",)
GETS = ("/videos", "/uploads", "/multipart/parts", "/health", "/videos/{videoId}", "/links", "/link")
FIELDS = (
    *("fileName", "contentType", "sizeBytes", "parts", "partNumber", "etag", "checksumCRC64NVME", "uploadId"),
    *("title", "note", "validSeconds", "maxVideos", "maxBytes", "uploaderName", "reference", "onBehalfOf"),
    *("fileKey", "events", "event", "videoId", "at", "owner", "__proto__", "constructor", "", "\x00", "x" * 300),
)
NUMBERS = (0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**400), 1e308, 0.1, -0.0)
TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\r\nSet-Cookie: a=b",
        "../../etc/passwd",
        "%00",
        "film.mp4",
        "video/mp4",
        "😀" * 255,
        "a" * 256,
    ),
    *("\u202e4pm.exe", "'; DROP TABLE videos;--", "<script>alert(1)</script>", "${jndi:ldap://x}", "\ud800"),
    *("{{7*7}}", "a" * 100_000, "\\" * 1000, "é" * 255, "NaN", "null", "true", "-1", "1e9"),
)
PIECES = (
    *(
        "..",
        ".",
        "",
        "%2e%2e",
        "%2F",
        "%5c",
        "%00",
        "%",
        "%zz",
        "%ff",
        "%C0%AF",
        "%25252e",
        ";a=b",
        "*",
        "~",
        "a" * 300,
    ),
    *(
        "api",
        "videos",
        "uploads",
        "multipart",
        "init",
        "parts",
        "assets",
        "index.html",
        "config.json",
        ".git",
        "status",
    ),
    *("a" * 5000, "é", "\\", "|", "'", '"', "{}", "[", "]", "@", ":80", "//", "?", "#", "&", "f" * 28),
)
METHODS = (
    *("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "BREW", "get", "PROPFIND"),
    *("X" * 33, "G ET", "", "\x00", "GET\t", "__class__", "__init__", "error", "é"),
)
HEADERS = (
    *("Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 0x10", "Content-Length: 1 1"),
    *("Content-Length: 5\r\nContent-Length: 6", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"),
    *("Transfer-Encoding : chunked", "Expect: 100-continue", "Expect: everything", "Connection: upgrade", "Cookie: a"),
    *("Host: evil.example", "Host:", "Host: localhost:99999", "Host: localhost\r\nHost: evil.example", "Upgrade: h2c"),
    *("Accept: */*", "Origin: null", "Origin: https://evil.example", "X-Forwarded-For: 127.0.0.1", "Accept:"),
    *("X-Forwarded-Host: evil.example", "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin", ": empty"),
    *("Content-Type: multipart/form-data; boundary=", "Content-Type: message/rfc822", "Content-Type: \xff"),
    *("Range: bytes=0-18446744073709551615", "Content-Encoding: gzip", "If-None-Match: *", "X-Correlation-Id: \x00"),
    *("X-Amz-Cf-Id: " + "x" * 5000, "X-B: " + "b" * 19_000, "\r\n".join(["X-C: c"] * 101), "a_b: c", "X-D: \x7f"),
    *(" folded", "no colon", "X-A: \r"),
)


@dataclass(frozen=True)
class Identity:
    """Tokens that the platform takes: refusals by the token alone would hide what lies behind it.

    spare_upload_token: of the upload that may be aborted.
    """

    access_token: str
    upload_token: str
    spare_upload_token: str
    link_token: str
    video_id: str


@dataclass(frozen=True)
class HostileRequest:
    seed: int
    kind: str
    sent: bytes


def hostile_request(seed: int, identity: Identity) -> HostileRequest:
    rng = random.Random(seed)
    kind = rng.choice(tuple(_KINDS))
    return HostileRequest(seed, kind, _KINDS[kind](rng, identity))


def _request(
    method: str, target: str, token: str = "", body: bytes | None = None, more_headers: tuple[str, ...] = ()
) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body is not None else []
    return "\r\n".join([*lines, *more_headers, "", ""]).encode("utf-8", "surrogatepass") + (body or b"")


def _post(rng: random.Random, identity: Identity, body: bytes, more_headers: tuple[str, ...] = ()) -> bytes:
    path = rng.choice(USER_POSTS + TOKEN_POSTS + LINK_POSTS)
    token = identity.upload_token if path in TOKEN_POSTS else identity.access_token
    token = identity.spare_upload_token if path == "/multipart/abort" else token
    token = identity.link_token if path in LINK_POSTS else token
    return _request("POST", f"/api{path}", token, body, more_headers)


def _value(rng: random.Random, depth: int = 0) -> Any:
    choice = rng.randrange(8 if depth < 4 else 4)
    match choice:
        case 0:
            return rng.choice(NUMBERS)
        case 1 | 2:
            return rng.choice(TEXTS)
        case 3:
            return rng.choice((None, True, False))
        case 4 | 5:
            return [_value(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 3)))]
        case _:
            return {rng.choice(FIELDS): _value(rng, depth + 1) for _ in range(rng.choice((0, 1, 2, 5)))}


def _json_body(rng: random.Random, identity: Identity) -> bytes:
    nearly_good: dict[str, Any] = rng.choice(
        (
            {"fileName": "film.mp4", "contentType": "video/mp4", "sizeBytes": 100},
            {"parts": [{"partNumber": 1, "etag": "x"}]},
            {"parts": [{"partNumber": 1}]},
            {"events": [{"event": "upload_started"}]},
            {},
        )
    )
    for _ in range(rng.randrange(4)):
        nearly_good[rng.choice([*nearly_good, *FIELDS])] = _value(rng)
    return _post(rng, identity, json.dumps(nearly_good).encode())


def _odd_body(rng: random.Random, identity: Identity) -> bytes:
    body = rng.choice(
        (
            lambda: b"[" * rng.choice((100, 10_000, 500_000)),
            lambda: b'{"a":' * rng.choice((100, 100_000)),
            lambda: b'{"a": 1, "a": 2}',
            lambda: b'{"sizeBytes": ' + rng.choice((b"NaN", b"1e999", b"9" * 5000, b"-", b"01", b"Infinity")) + b"}",
            lambda: json.dumps({f"field {number}": number for number in range(rng.choice((100, 60_000)))}).encode(),
            lambda: json.dumps(
                {"parts": [{"partNumber": number} for number in range(rng.choice((501, 20_000)))]}
            ).encode(),
            lambda: json.dumps({"events": [{}] * rng.choice((1, 1000))}).encode(),
            lambda: b'{"fileName": "\\ud83d.mp4"}',
            lambda: rng.randbytes(rng.choice((1, 50, 5000))),
            lambda: b"\xef\xbb\xbf{}",
            lambda: "{}".encode("utf-16"),
            lambda: b"a" * (2**20 + rng.choice((0, 1))),
        )
    )()
    return _post(rng, identity, body)


def _headers(rng: random.Random, identity: Identity) -> bytes:
    more = tuple(rng.choice(HEADERS) for _ in range(rng.choice((1, 1, 2, 4))))
    if rng.random() < 0.5:
        return _post(rng, identity, b"{}", more)
    return _request(rng.choice(METHODS[:7]), f"/api{rng.choice(GETS)}", identity.access_token, None, more)


def _address(rng: random.Random, identity: Identity) -> bytes:
    path = "/".join(rng.choice(PIECES) for _ in range(rng.choice((1, 2, 3, 6))))
    prefix = rng.choice(("/api/", "/", "/api/videos/", "/api/multipart/", "", "http://localhost/", "//"))
    return _request(rng.choice(METHODS[:7]), prefix + path, identity.access_token)


def _query(rng: random.Random, identity: Identity) -> bytes:
    def parameter() -> str:
        name = rng.choice(("limit", "cursor", "limit", "cursor", "x", "", "limit[]", "a" * 2000))
        value = rng.choice(
            (*map(str, NUMBERS[:6]), "1" * 5000, "000000001000", "%00", "%zz", "+1", "٣", "a&b", "%F0%9F")
        )
        return f"{name}={value}"

    query = rng.choice("&;?").join(parameter() for _ in range(rng.choice((1, 1, 2, 40))))
    path = rng.choice(GETS).replace("{videoId}", identity.video_id)
    return _request("GET", f"/api{path}?{query}", identity.access_token)


def _token(rng: random.Random, identity: Identity) -> bytes:
    # One that was changed may still be good.
    token = _mutated_token(rng, rng.choice((identity.access_token, identity.spare_upload_token, identity.link_token)))
    path = rng.choice((*GETS, *USER_POSTS, *TOKEN_POSTS, *LINK_POSTS)).replace("{videoId}", identity.video_id)
    method = "GET" if path in GETS else "POST"
    return _request(method, f"/api{path}", token, b"{}" if method == "POST" else None)


def _mutated_token(rng: random.Random, token: str) -> str:
    def coded(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    parts = token.split(".")
    at = rng.randrange(len(token))
    header = {"alg": rng.choice(("none", "HS256", "RS256", "", None, 7)), "kid": rng.choice((*TEXTS[:8], 5, None))}
    return rng.choice(
        (
            token[:at] + rng.choice("AZaz09-_.=+/é\t") + token[at + 1 :],
            token[:at],
            token * rng.choice((2, 3, 8)),
            ".".join(rng.sample(parts, len(parts))),
            ".".join([coded(header), *parts[1:]]),
            ".".join([parts[0], coded(_value(rng))[:8000], *parts[2:]]),
            rng.choice(("", ".", "..", "...", "a.b.c", "\xff", "null", "Bearer", "e30.e30.e30", "=" * 3000)),
        )
    )


def _method(rng: random.Random, identity: Identity) -> bytes:
    target = rng.choice((*(f"/api{path}" for path in (*GETS, *USER_POSTS)), "/", "/config.json", "*", "/index.html"))
    return _request(rng.choice(METHODS), target, identity.access_token, rng.choice((None, b"{}", b"x" * 100_000)))


def _raw(rng: random.Random, identity: Identity) -> bytes:
    if rng.random() < 0.2:
        return rng.randbytes(rng.choice((1, 2, 16, 300, 70_000)))
    sent = bytearray(_json_body(rng, identity)[:3000])
    for _ in range(rng.choice((1, 2, 5, 20))):
        at = rng.randrange(len(sent) or 1)
        match rng.randrange(4):
            case 0:
                sent[at : at + 1] = rng.randbytes(1)
            case 1:
                del sent[at : at + rng.choice((1, 1, 10))]
            case 2:
                sent[at:at] = rng.choice((b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"\r\n\r\n", b"\xff"))
            case _:
                sent[at:at] = sent[at : at + 30]
    return bytes(sent) or b"\n"


_KINDS: dict[str, Callable[[random.Random, Identity], bytes]] = {
    "JSON body": _json_body,
    "odd body": _odd_body,
    "headers": _headers,
    "address": _address,
    "query": _query,
    "token": _token,
    "method": _method,
    "raw bytes": _raw,
}
