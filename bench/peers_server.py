"""Server of the peers' pages: their files, a signer for S3 requests, and a resumable endpoint.

The endpoint answers as Google Cloud Storage documents for resumable uploads: 308 with the range that it holds, 200 for
the last byte; of a request that breaks off it keeps whole multiples of 256 KiB; bytes that it holds are not replaced.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from local.stand_in import checksums

QUANTUM_BYTES = 256 * 1024
BLOCK_BYTES = 256 * 1024
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Sign = Callable[[dict[str, Any]], str]


class PeersServer(ThreadingHTTPServer):
    """held: bytes of each resumable upload from its start on."""

    daemon_threads = True

    def __init__(self, pages: Path) -> None:
        self.held: dict[str, int] = {}
        self.sign: Sign = lambda request: ""
        self.lock = threading.Lock()

        class Handler(_Handler):
            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments, directory=str(pages))

        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is the bench's own doing."""


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _peers(self) -> PeersServer:
        assert isinstance(self.server, PeersServer)
        return self.server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, {"Content-Type": "application/json"}, json.dumps({"url": self._peers.sign(asked)}).encode())

    def do_PUT(self) -> None:
        found = CONTENT_RANGE.fullmatch(self.headers.get("Content-Range", ""))
        if found is None:
            self._answer(400, {})
            return
        start, end, total = (int(number) for number in found.groups())
        with self._peers.lock:
            held = self._peers.held.setdefault(self.path, 0)
        if start > held:
            self._answer(308, _range(held))
            return
        arrived = 0
        length = end - start + 1
        try:
            # The stand-in does the same with a part: it computes the checksum and writes it to disk.
            checksum = checksums.start(checksums.DEFAULT_ALGORITHM)
            with tempfile.TemporaryFile(buffering=0) as body:
                while arrived < length and (block := self.rfile.read1(min(BLOCK_BYTES, length - arrived))):
                    checksum.update(block)
                    body.write(block)
                    arrived += len(block)
        finally:
            whole = start + arrived if arrived == length else (start + arrived) // QUANTUM_BYTES * QUANTUM_BYTES
            with self._peers.lock:
                held = self._peers.held[self.path] = max(self._peers.held[self.path], whole)
        if arrived < length:
            self.close_connection = True
        elif held == total:
            self._answer(200, {})
        else:
            self._answer(308, _range(held))

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Requests are no output of the bench."""


def _range(held_bytes: int) -> dict[str, str]:
    return {"Range": f"bytes=0-{held_bytes - 1}"} if held_bytes else {}


@contextmanager
def serving_peers(pages: Path) -> Generator[PeersServer]:
    server = PeersServer(pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
