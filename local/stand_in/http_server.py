"""HTTP/1.1 on loopback: a thread per connection, bodies straight from the socket, connections kept.

werkzeug's server closes every connection after its answer; waitress writes every body to a temporary file before the
application sees its first byte, which then writes it a second time.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingTCPServer
from typing import Any, cast
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from chalicelib.local_http import FAILED, MISDIRECTED, Refusal, StrictRequestHandler

HOST = "127.0.0.1"
OWN_NAMES = frozenset({HOST, "localhost"})
IDLE_SECONDS = 600
MAX_SKIPPED_BYTES = 64 * 1024**2  # the rest of a refused body that is still read, so that the client hears the answer
_SKIP_BYTES = 256 * 1024

_log = logging.getLogger(__name__)


class AnswerLostError(Exception):
    """Raised by an application that wants the connection to break instead of an answer."""


RefusalAnswer = tuple[list[tuple[str, str]], bytes]
"""Headers and body."""


def _in_plain_words(refusal: Refusal) -> RefusalAnswer:
    return [("Content-Type", "text/plain")], f"{refusal.message}\n".encode()


class HttpServer(ThreadingTCPServer):
    """Serves one WSGI application on loopback; port 0 takes a free one.

    name: of the header `Server`. answer_refusal: how what is no request is answered.
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
        answer_refusal: Callable[[Refusal], RefusalAnswer] = _in_plain_words,
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.application = application
        self.name = name
        self.answer_refusal = answer_refusal
        self.port = int(cast("tuple[str, int]", self.server_address)[1])
        self.is_closing = False
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()

    def add_connection(self, connection: socket.socket) -> None:
        """A client came."""
        with self._connections_lock:
            self._connections.add(connection)

    def forget_connection(self, connection: socket.socket) -> None:
        """A client is gone."""
        with self._connections_lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Take no more connections and cut the ones there are."""
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

    def handle_error(self, request: Any, client_address: Any) -> None:  # socketserver's own signature
        """A client that goes away in the middle is no news; anything else is."""
        if not self.is_closing and not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            _log.exception("a connection failed")


class _Body:
    """The body of one request, which ends where Content-Length says; `100 Continue` is sent when it is first read."""

    def __init__(self, handler: "_Handler", size_bytes: int) -> None:
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


class _Handler(StrictRequestHandler):
    timeout = IDLE_SECONDS
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = cast("HttpServer", self.server)
        server.add_connection(self.connection)
        try:
            super().handle()
        finally:
            server.forget_connection(self.connection)

    def handle_expect_100(self) -> bool:
        # Not yet: a request that is refused by its headers need not send its body.
        self._owes_continue = True
        return True

    def send_continue(self) -> None:
        """Ask for the body, once, if the client waits to be asked."""
        if self._owes_continue:
            self._owes_continue = False
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    def parse_request(self) -> bool:
        self._owes_continue = False
        return super().parse_request()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's signature)
        """The request log tells more."""

    def refuse(self, refusal: Refusal) -> None:
        headers, body = cast("HttpServer", self.server).answer_refusal(refusal)
        headers = [*headers, ("Content-Length", str(len(body)))]
        self._write(f"{refusal.status.value} {refusal.status.phrase}", headers, [body])

    def respond(self) -> None:
        if self.headers.get("Host", HOST).partition(":")[0].lower() not in OWN_NAMES:
            # A foreign page whose name has come to mean loopback would be of our origin.
            self.turn_away(MISDIRECTED)
            return
        body = _Body(self, self.content_length)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> Any:
            started.append((status, headers))

        try:
            server = cast("HttpServer", self.server)
            pieces = server.application(self._environ(body), cast("Any", start_response))
        except AnswerLostError:
            self.close_connection = True
            return
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            _log.exception("the application failed")
            self.turn_away(FAILED)
            return
        status, headers = started[-1]
        # Whoever waits to be asked may send the body or not: such a connection cannot be kept.
        if (self._owes_continue and body.remaining_bytes) or not self._skip(body):
            self.close_connection = True
        try:
            self._write(status, headers, pieces)
        finally:
            # WSGI (PEP 3333) has the server close what it was given: a file, for one.
            if close := getattr(pieces, "close", None):
                close()

    def _skip(self, body: _Body) -> bool:
        if body.remaining_bytes > MAX_SKIPPED_BYTES:
            return False
        while body.remaining_bytes:
            if not body.read(_SKIP_BYTES):
                return False
        return True

    def _write(self, status: str, headers: list[tuple[str, str]], pieces: Iterable[bytes]) -> None:
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
        }
        for name, value in self.headers.items():
            # An underscore cannot be told from a hyphen afterwards.
            if "_" in name:
                continue
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
        return environ
