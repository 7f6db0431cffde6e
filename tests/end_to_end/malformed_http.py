"""Bytes that are no HTTP request, sent as they are."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


def _post(headers: bytes, body: bytes = b"{}") -> bytes:
    return b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + body


def _get(headers: bytes, address: bytes = b"/api/videos", method: bytes = b"GET") -> bytes:
    return method + b" " + address + b" HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n"


_NOT_HTTP: dict[str, bytes] = {
    "two lengths": _post(b"Content-Length: 2\r\nContent-Length: 2"),
    "two different lengths": _post(b"Content-Length: 2\r\nContent-Length: 40"),
    "two lengths in one": _post(b"Content-Length: 2, 2"),
    "a length of 5,000 digits": _post(b"Content-Length: " + b"9" * 5000),
    "a negative length": _post(b"Content-Length: -1"),
    "a length with a sign": _post(b"Content-Length: +2"),
    "an empty length": _post(b"Content-Length:"),
    "a length and an encoding": _post(b"Content-Length: 2\r\nTransfer-Encoding: chunked", b"0\r\n\r\n"),
    "a header without a colon": _post(b"nothing\r\nContent-Length: 2"),
    "a blank before the colon": _post(b"Content-Length : 2"),
    "a folded header": _get(b"X-Long: one\r\n two\r\n"),
    "a bare carriage return": _get(b"X-A: b\rContent-Length: 2\r\n"),
    "NUL in a header": _get(b"Authorization: Bearer \0\r\n"),
    "NUL in the address": _get(b"", b"/api/videos/\0"),
    "blanks in the address": _get(b"", b"/api/a b c"),
    "a method that is none": _get(b"", method=b"G\x01T"),
    "an endless method": _get(b"", method=b"A" * 5000),
    "HTTP/0.9": b"GET /api/videos\r\n",
    "a form in HTTP/0.9": b"POST /api/videos\r\n",
    "HTTP/2": b"GET /api/videos HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version of many digits": b"GET / HTTP/1." + b"1" * 5000 + b"\r\n\r\n",
    "an empty line": b"\r\n",
    "a control character": b"\x1f",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}
_WITHOUT_LENGTH: dict[str, bytes] = {
    "chunks": _post(b"Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n"),
    "broken chunks": _post(b"Transfer-Encoding: chunked", b"zz\r\n{}"),
}
_TOO_LONG: dict[str, bytes] = {
    "an address of 9,000 bytes": _get(b"", b"/api/videos?cursor=" + b"x" * 9000),
    "an address of 100,000 bytes": _get(b"", b"/" + b"x" * 100_000),
}
_TOO_LARGE: dict[str, bytes] = {
    "a flood of headers": _get(b"X-A: b\r\n" * 3000),
    "one header of 30,000 bytes": _get(b"Authorization: Bearer " + b"x" * 30_000 + b"\r\n"),
    "one header of a megabyte": _get(b"Cookie: " + b"x" * 2**20 + b"\r\n"),
}

MALFORMED: dict[str, tuple[bytes, int, str]] = {
    name: (sent, status, code)
    for kind, status, code in (
        (_NOT_HTTP, 400, "malformed_request"),
        (_WITHOUT_LENGTH, 411, "length_required"),
        (_TOO_LONG, 414, "address_too_long"),
        (_TOO_LARGE, 431, "headers_too_large"),
    )
    for name, sent in kind.items()
}


@dataclass(frozen=True)
class RawResponse:
    """headers: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]


def send_raw(url: str, sent: bytes, timeout_seconds: float = 20, most_bytes: int = 2**21) -> RawResponse:
    """Send the bytes, end the sending, read to the end. Raises ValueError when what comes back is no answer."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 80), timeout_seconds) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            # Refused before all was sent: the answer is still there.
            pass
        while len(received) < most_bytes and (piece := connection.recv(65536)):
            received += piece
    received = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, separator, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    if not separator or version != "HTTP/1.1":
        raise ValueError(f"no HTTP answer: {received[:200]!r}")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    return RawResponse(int(status[:3]), headers, body[: int(length)] if length else body)
