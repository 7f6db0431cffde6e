"""An HTTP proxy on loopback that writes down what goes through: whole requests over HTTP, tunnels by CONNECT."""

from __future__ import annotations

import base64
import http.client
import select
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

USER, PASSWORD = "clerk", "p@ss"
CREDENTIALS = f"{USER}:p%40ss@"


@dataclass
class LoggingProxy:
    """log: method and host of each request, or of each tunnel. tunnel_bytes: what clients sent through tunnels."""

    wants_password: bool = False
    port: int = 0
    log: list[str] = field(default_factory=list[str])
    tunnel_bytes: int = 0

    def count(self, method: str) -> int:
        return sum(line.startswith(f"{method} ") for line in self.log)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: LoggingProxy

    def _is_let_through(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if not self.proxy.wants_password or self.headers.get("Proxy-Authorization") == expected:
            return True
        self.send_error(407)
        self.close_connection = True
        return False

    def do_CONNECT(self) -> None:
        if not self._is_let_through():
            return
        self.proxy.log.append(f"CONNECT {self.path}")
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as target:
            self.send_response(200)
            self.end_headers()
            self._pipe(target)
        self.close_connection = True

    def _pipe(self, target: socket.socket) -> None:
        client = self.connection
        while True:
            if isinstance(client, ssl.SSLSocket) and client.pending():
                ready = [client]
            else:
                ready, _, _ = select.select([client, target], [], [], 10)
            for end in ready:
                try:
                    block = end.recv(65536)
                except OSError:
                    block = b""
                if not block:
                    return
                if end is client:
                    self.proxy.tunnel_bytes += len(block)
                (target if end is client else client).sendall(block)

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._is_let_through():
            return
        url = urlsplit(self.path)
        self.proxy.log.append(f"{self.command} {url.netloc}")
        target = http.client.HTTPConnection(url.netloc, timeout=30)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        target.request(self.command, self.path.partition(url.netloc)[2], body, headers)
        answer = target.getresponse()
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        target.close()

    do_GET = do_POST = do_PUT = _forward  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The log is the proxy's own."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news."""


@contextmanager
def logging_proxy(tls: ssl.SSLContext | None = None, *, wants_password: bool = False) -> Generator[LoggingProxy]:
    """tls: to be spoken to over TLS."""
    proxy = LoggingProxy(wants_password)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    proxy.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
