"""The fake platform's port: requests in, its answers out."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.cli.fake_platform import FakePlatform, Refusal
from tests.cli.fake_storage import FakeStorage


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: the client would wait 40 ms for the second
    platform: FakePlatform

    def _send(self, status: int, body: bytes, headers: dict[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        """End the connection as a dead peer does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    has_carried_parts = False

    def finish(self) -> None:
        if self.has_carried_parts:
            self.platform.storage.count_connection(-1)
        super().finish()

    def do_PUT(self) -> None:
        if not self.has_carried_parts:
            self.has_carried_parts = True
            self.platform.storage.count_connection(1)
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.platform.correlation_ids_of_parts.append(headers.get("x-correlation-id", ""))
        answer = self.platform.storage.put(query, headers, self.rfile.read)
        self.close_connection = answer.hang_up
        if answer.status == 0:
            self._reset()
            return
        body = f"<Error><Code>{answer.code}</Code></Error>".encode() if answer.status != 200 else b""
        close = {"Connection": "close"} if answer.hang_up else {}
        self._send(answer.status, body, {**close, **({"ETag": answer.etag} if answer.etag else {})})

    def _download(self, video_id: str, signature: int) -> None:
        downloads = self.platform.downloads
        downloads.asked.append((self.headers.get("Range"), self.headers.get("If-Match"), self.headers["Authorization"]))
        if signature <= downloads.ended_signatures:
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>", {})
            return
        start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        content = self.platform.storage.content(self.platform.uploads[video_id].upload_id)[start:]
        sent = content[: downloads.cut_after_bytes.pop(0)] if downloads.cut_after_bytes else content
        if len(sent) < len(content):
            self.close_connection = True
            downloads.ended_signatures = self.platform.playback_urls
        self._send(206, sent, {"ETag": '"whole"'}, len(content))

    def _any(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "GET" and url.path.startswith("/s3/"):
            self._download(url.path.removeprefix("/s3/"), int(query["X-Amz-Signature"].partition("-")[2]))
            return
        if not url.path.startswith("/api/"):
            status, body, headers = self.platform.sign_in.answer(
                self.command, url.path, query, data, self.platform.url, self.headers.get("Authorization", "")
            )
            self._send(status, body, headers)
            return
        path = url.path.removeprefix("/api")
        self.platform.calls.append(f"{self.command} {path}")
        self.platform.correlation_ids.append(self.headers.get("X-Correlation-Id", ""))
        faults = self.platform.api_faults.get(path)
        fault = faults.pop(0) if faults else None
        if fault and fault[0] == 0:
            self._reset()
            return
        bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if fault and fault[0] > 0:
                raise Refusal(fault[0], fault[1])
            status, answer, headers = self.platform.answer(
                self.command, path, query, bearer, json.loads(data) if data else None
            )
        except Refusal as refusal:
            error = {"code": refusal.code, "message": f"It is {refusal.code}.", "details": refusal.details}
            status, answer = refusal.status, {"error": {**error, "requestId": "request-1"}}
            headers = fault[2] if fault else {}
        if fault and fault[0] == -1:
            self._reset()
            return
        content = json.dumps(answer).encode()
        if fault and fault[0] == -3:
            content = b"<!doctype html><p>Accept the terms of this network."
        if fault and fault[0] == -2:
            self.close_connection = True
            self._send(status, content[: len(content) // 2], {"Content-Type": "application/json"}, len(content))
            return
        self._send(status, content, {"Content-Type": "application/json", **headers})

    do_GET = do_POST = do_PATCH = do_DELETE = _any  # noqa: N815 - the names http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """The tests speak for themselves."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


def start_fake_platform(folder: Path) -> tuple[FakePlatform, Callable[[], None]]:
    """The platform, listening, and how to stop it."""
    platform = FakePlatform(storage=FakeStorage(folder))
    port, stop = _serve(platform, None)
    platform.url = platform.parts_url = f"http://127.0.0.1:{port}"
    return platform, stop


def serve_parts_over_tls(platform: FakePlatform, tls: ssl.SSLContext) -> Callable[[], None]:
    """Make part URLs https from now on; return a function that stops the server."""
    port, stop = _serve(platform, tls)
    platform.parts_url = f"https://127.0.0.1:{port}"
    return stop


def _serve(platform: FakePlatform, tls: ssl.SSLContext | None) -> tuple[int, Callable[[], None]]:
    handler = type("Handler", (_Handler,), {"platform": platform})
    server = _Server(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server.server_port, stop
