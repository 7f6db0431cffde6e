"""HTTP/1.1 on loopback: a thread per connection, bodies streamed from the socket, persistent connections.

werkzeug's server closes every connection after a response; waitress writes every body to a temporary file before the
application sees its first byte and writes it again.
"""

import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any, cast
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

HOST = "127.0.0.1"
OWN_NAMES = frozenset({HOST, "localhost"})
IDLE_SECONDS = 600
CONNECTION = "stand_in.connection"
"""Key of the socket in the WSGI environment, by which a late response checks for the client."""

MAX_SKIPPED_BYTES = (
    64 * 1024**2
)  # bytes of a refused body that are still read, so that the client receives the response
_SKIP_BYTES = 256 * 1024
_LINGER_SECONDS = 2.0
_LENGTH = re.compile(r"[0-9]{1,15}")

_HEADER_DEFECTS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)
_METHOD = re.compile(r"[A-Z]{1,32}")
_TARGET = re.compile(r"[\x21-\x7e\x80-\xff]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2, "Tokens"
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

# Amazon S3 API Reference, "Error responses", except for the name of the host.
_REFUSALS = {
    HTTPStatus.LENGTH_REQUIRED: (411, "MissingContentLength", "You must provide the Content-Length HTTP header."),
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        400,
        "RequestHeaderSectionTooLarge",
        "Your request header and query parameter section exceeds the maximum allowed size.",
    ),
    HTTPStatus.MISDIRECTED_REQUEST: (421, "MisdirectedRequest", "Only 127.0.0.1 and localhost are served here."),
    HTTPStatus.INTERNAL_SERVER_ERROR: (500, "InternalError", "We encountered an internal error. Please try again."),
}
_MALFORMED = (400, "BadRequest", "An error occurred when parsing the HTTP request.")

_log = logging.getLogger(__name__)


class ResponseLostError(Exception):
    """Raised by an application to break the connection instead of responding."""


class HttpServer(ThreadingTCPServer):
    """A server of one WSGI application on loopback; port 0 picks a free one.

    name: of the header `Server`. handler: reads requests and refuses malformed ones.
    """

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 4096

    def __init__(
        self,
        application: WSGIApplication,
        port: int,
        name: str,
        handler: "type[RequestHandler] | None" = None,
    ) -> None:
        super().__init__((HOST, port), handler or RequestHandler)
        self.application = application
        self.name = name
        self.port = int(cast("tuple[str, int]", self.server_address)[1])
        self.is_closing = False
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def add_connection(self, connection: socket.socket) -> None:
        """Count a new connection."""
        with self._connections_lock:
            self._connections.add(connection)

    def forget_connection(self, connection: socket.socket) -> None:
        """A client has disconnected."""
        with self._connections_lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Stop accepting connections, and close the open ones."""
        self.is_closing = True
        self.shutdown()
        self.server_close()
        with self._connections_lock:
            open_connections = list(self._connections)
        for connection in open_connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The client was faster.
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:  # socketserver's signature
        """Log an error, unless the client has just disconnected."""
        if not self.is_closing and not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            _log.exception("a connection failed")


class _Body:
    """The body of one request, limited by Content-Length. The first read sends `100 Continue`."""

    def __init__(self, handler: "RequestHandler", size_bytes: int) -> None:
        self._handler = handler
        self.remaining_bytes = size_bytes

    def read(self, size_bytes: int = -1) -> bytes:
        wanted = self.remaining_bytes if size_bytes < 0 else min(size_bytes, self.remaining_bytes)
        if wanted == 0:
            return b""
        self._handler.send_continue()
        return self._count(self._handler.rfile.read(wanted))

    def readline(self, size_bytes: int = -1) -> bytes:
        wanted = self.remaining_bytes if size_bytes < 0 else min(size_bytes, self.remaining_bytes)
        if wanted == 0:
            return b""
        self._handler.send_continue()
        return self._count(self._handler.rfile.readline(wanted))

    def readlines(self, _hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> "_Body":
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def _count(self, data: bytes) -> bytes:
        self.remaining_bytes -= len(data)
        return data


class RequestHandler(BaseHTTPRequestHandler):
    """One connection. A malformed request is refused as S3 refuses it, and ends the connection."""

    protocol_version = "HTTP/1.1"
    raw_requestline = b""
    content_length = 0
    timeout = IDLE_SECONDS
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up methods by this attribute: none is unknown here.
        if name.startswith("do_"):
            return self.respond
        raise AttributeError(name)

    def handle(self) -> None:
        server = cast("HttpServer", self.server)
        server.add_connection(self.connection)
        try:
            super().handle()
        finally:
            server.forget_connection(self.connection)

    def handle_expect_100(self) -> bool:
        # Not yet: a client whose headers are refused need not send the body.
        self._owes_continue = True
        return True

    def send_continue(self) -> None:
        """Send `100 Continue` once, if the client waits for it."""
        if self._owes_continue:
            self._owes_continue = False
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    def parse_request(self) -> bool:
        self._owes_continue = False
        if not self.raw_requestline.decode("latin-1").split():
            # The base class does not respond to a line of blanks or control characters.
            self.command = self.requestline = ""
            self.give_up(HTTPStatus.BAD_REQUEST)
            return False
        return super().parse_request() and self.check_request()

    def check_request(self) -> bool:
        """Read the length of the body; False for a request that was refused."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers and not lengths:
            self.give_up(HTTPStatus.LENGTH_REQUIRED)
        elif "Transfer-Encoding" in self.headers or len(lengths) > 1 or not self._is_well_formed(lengths):
            self.give_up(HTTPStatus.BAD_REQUEST)
        else:
            self.content_length = int(lengths[0]) if lengths else 0
            return True
        return False

    def _is_well_formed(self, lengths: list[str]) -> bool:
        return (
            self.request_version in ("HTTP/1.0", "HTTP/1.1")
            and bool(_METHOD.fullmatch(self.command) and _TARGET.fullmatch(self.path))
            # The parser also reports the missing parts of a multipart body, which it never sees.
            and not any(isinstance(defect, _HEADER_DEFECTS) for defect in self.headers.defects)
            and all(_HEADER_NAME.fullmatch(name) for name in self.headers)
            and all(_HEADER_VALUE.fullmatch(value) for value in self.headers.values())
            and all(_LENGTH.fullmatch(length) for length in lengths)
        )

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse requests that the base class cannot parse."""
        self.give_up(HTTPStatus(code))

    def give_up(self, status: HTTPStatus) -> None:
        """Refuse the request, and close the connection so that the client receives the reason."""
        self.close_connection = True
        # The base class writes no status and no headers in answer to HTTP/0.9.
        self.request_version = self.protocol_version
        self.command = self.command or ""
        number, code, message = _REFUSALS.get(status, _MALFORMED)
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
        headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        self.write(f"{number} {HTTPStatus(number).phrase}", headers, [body])
        self._linger()

    def _linger(self) -> None:
        # Closing a socket with unread bytes resets it, which loses the response.
        deadline = time.monotonic() + _LINGER_SECONDS
        try:
            self.connection.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.connection.settimeout(left)
                if not self.connection.recv(_SKIP_BYTES):
                    return
        except OSError:
            # The client is gone, or does not stop sending.
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's signature)
        """Do nothing: the request log contains more."""

    def respond(self) -> None:
        """Answer one well-formed request by the application."""
        if self.headers.get("Host", HOST).partition(":")[0].lower() not in OWN_NAMES:
            # Against DNS rebinding: a foreign page whose name resolves to loopback would have our origin.
            self.give_up(HTTPStatus.MISDIRECTED_REQUEST)
            return
        body = _Body(self, self.content_length)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
            started.append((status, headers))

        try:
            server = cast("HttpServer", self.server)
            pieces = server.application(self._environ(body), cast("Any", start_response))
        except ResponseLostError:
            self.close_connection = True
            return
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            _log.exception("the application failed")
            self.give_up(HTTPStatus.INTERNAL_SERVER_ERROR)
            return
        status, headers = started[-1]
        # A client that waits for `100 Continue` may send the body or not: such a connection cannot be kept.
        if (self._owes_continue and body.remaining_bytes) or not self._skip(body):
            self.close_connection = True
        try:
            self.write(status, headers, pieces)
        finally:
            # WSGI (PEP 3333) requires the server to close the iterable, such as a file.
            if close := getattr(pieces, "close", None):
                close()

    def _skip(self, body: _Body) -> bool:
        if body.remaining_bytes > MAX_SKIPPED_BYTES:
            return False
        while body.remaining_bytes:
            if not body.read(_SKIP_BYTES):
                return False
        return True

    def write(self, status: str, headers: list[tuple[str, str]], pieces: Iterable[bytes]) -> None:
        """Send an answer."""
        code, _, phrase = status.partition(" ")
        names = {name.lower() for name, _ in headers}
        has_body = self.command != "HEAD" and int(code) not in (204, 304)
        if has_body and "content-length" not in names:
            pieces = [b"".join(pieces)]
            headers = [*headers, ("Content-Length", str(len(pieces[0])))]
        self.send_response_only(int(code), phrase)
        for name, value in headers:
            if name.lower() not in ("connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Server", cast("HttpServer", self.server).name)
        self.send_header("Date", self.date_time_string())
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body:
            for piece in pieces:
                self.wfile.write(piece)
        self.wfile.flush()

    def _environ(self, body: _Body) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "SERVER_NAME": HOST,
            "SERVER_PORT": str(cast("HttpServer", self.server).port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": HOST,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            CONNECTION: self.connection,
        }
        for name, value in self.headers.items():
            # WSGI does not distinguish underscores from hyphens.
            if "_" in name:
                continue
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ
