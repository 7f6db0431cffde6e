"""Requests of the local HTTP servers: a malformed one gets an error in words and reaches no application.

BaseHTTPRequestHandler takes the first of two lengths, joins folded headers, drops all headers after a line that is none
and closes the connection on an unknown method with a page of HTML. Never loaded in Lambda.
"""

import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import LineTooLong
from http.server import BaseHTTPRequestHandler
from io import BufferedIOBase
from typing import Any, cast

MAX_ADDRESS_BYTES = 8192  # CloudFront quotas, "Maximum length of a URL"
MAX_HEADERS_BYTES = 20_480  # CloudFront quotas, "Maximum length of a request …, including headers and query strings"
MAX_HEADERS = 100  # http.client's own limit

_NAME_CHAR = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"  # RFC 9110, section 5.6.2, "Tokens"
_METHOD = re.compile(_NAME_CHAR + "{1,32}")
_TARGET = re.compile(r"[\x21-\x7e\x80-\xff]+")
_HEADER_LINE = re.compile((_NAME_CHAR + r"+:[\t\x20-\x7e\x80-\xff]*\r?\n|\r?\n").encode("latin-1"))
_LENGTH = re.compile(r"[0-9]{1,15}")
_VERSIONS = frozenset({"HTTP/1.0", "HTTP/1.1"})

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Refusal:
    """Reason for refusing a malformed request. code, message: as in the API's errors."""

    status: HTTPStatus
    code: str
    message: str


def malformed(reason: str) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "malformed_request", f"This is not an HTTP request: {reason}.")


ADDRESS_TOO_LONG = Refusal(
    HTTPStatus.REQUEST_URI_TOO_LONG, "address_too_long", f"An address may have at most {MAX_ADDRESS_BYTES} bytes."
)
HEADERS_TOO_LARGE = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    f"The headers may be at most {MAX_HEADERS} and have at most {MAX_HEADERS_BYTES} bytes together.",
)
LENGTH_REQUIRED = Refusal(HTTPStatus.LENGTH_REQUIRED, "length_required", "A body needs its Content-Length here.")
MISDIRECTED = Refusal(
    HTTPStatus.MISDIRECTED_REQUEST, "misdirected_request", "Only 127.0.0.1 and localhost are served here."
)
FAILED = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong.")


class StrictRequestHandler(BaseHTTPRequestHandler):
    """Calls `respond` for each well-formed request, whatever its method, and `refuse` for everything else."""

    protocol_version = "HTTP/1.1"
    raw_requestline = b""
    content_length = 0

    def respond(self) -> None:
        raise NotImplementedError

    def refuse(self, refusal: Refusal) -> None:
        """Write the answer; the connection closes after it."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Callable[[], None]:
        # How the base class looks a method up: none is unknown here.
        if name.startswith("do_"):
            return self.respond
        raise AttributeError(name)

    def parse_request(self) -> bool:
        self.content_length = 0
        if not self.raw_requestline.decode("latin-1").split():
            # The base class says nothing to a line of blanks, to which it counts control characters.
            self.command = self.requestline = ""
            self.turn_away(malformed("its first line is empty"))
            return False
        connection, head = self.rfile, _Head(self.rfile)
        self.rfile = cast("Any", head)
        try:
            is_parsed = super().parse_request()
        finally:
            self.rfile = connection
        if not is_parsed:
            return False
        if refusal := self._problem(head):
            self.turn_away(refusal)
            return False
        self.content_length = int(self.headers.get("Content-Length", "0"))
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer the base class's own refusals."""
        if code == HTTPStatus.REQUEST_URI_TOO_LONG:
            self.turn_away(ADDRESS_TOO_LONG)
        elif code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
            self.turn_away(HEADERS_TOO_LARGE)
        else:
            self.turn_away(malformed("its first line is none of HTTP/1.1"))

    def turn_away(self, refusal: Refusal) -> None:
        """Refuse, and close so that the client hears why."""
        self.close_connection = True
        # The base class writes no status and no headers in answer to HTTP/0.9.
        self.request_version = self.protocol_version
        self.refuse(refusal)
        self.wfile.flush()
        self._linger()

    def _linger(self) -> None:
        """Take what is still on its way: closing a socket with unread bytes resets it, and the answer is lost."""
        deadline = time.monotonic() + _LINGER_SECONDS
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv(_LINGER_BYTES):
                    return
        except OSError:
            # The client is gone, or sends on for ever.
            return

    def _problem(self, head: "_Head") -> Refusal | None:
        lengths = self.headers.get_all("Content-Length", [])
        problems = (
            (self.request_version not in _VERSIONS, malformed("only HTTP/1.0 and HTTP/1.1 are spoken here")),
            (not _METHOD.fullmatch(self.command), malformed("its method is none")),
            (not _TARGET.fullmatch(self.path), malformed("its address holds control characters")),
            (len(self.path) > MAX_ADDRESS_BYTES, ADDRESS_TOO_LONG),
            (head.is_malformed, malformed("one of its headers is none")),
            (len(lengths) > 1, malformed("it has more than one Content-Length")),
            (not all(map(_LENGTH.fullmatch, lengths)), malformed("its Content-Length is not a number of bytes")),
            ("Transfer-Encoding" in self.headers and lengths, malformed("its body has a length and an encoding")),
            ("Transfer-Encoding" in self.headers, LENGTH_REQUIRED),
        )
        return next((refusal for is_so, refusal in problems if is_so), None)


class _HeadTooLongError(LineTooLong):
    """All headers together; the base class knows one line's length."""

    def __init__(self) -> None:
        super().__init__("header")


class _Head:
    """The header lines on their way to the parser, which forgives what two servers could read differently."""

    def __init__(self, connection: BufferedIOBase) -> None:
        self._connection = connection
        self._size_bytes = 0
        self.is_malformed = False

    def readline(self, size_bytes: int) -> bytes:
        """Raises _HeadTooLongError."""
        line = self._connection.readline(size_bytes)
        self._size_bytes += len(line)
        if self._size_bytes > MAX_HEADERS_BYTES:
            raise _HeadTooLongError
        if not _HEADER_LINE.fullmatch(line):
            self.is_malformed = True
        return line
