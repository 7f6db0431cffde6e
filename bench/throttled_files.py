"""HTTP server of a folder's files, as slow as an object store: a wait before each response, and a shared bandwidth.

`python -m bench.throttled_files FOLDER` prints its port. `GET /counts` answers the requests and bytes since the last
such call.
"""

import argparse
import json
import re
import socket
import sys
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WAIT_SECONDS = 0.030
BYTES_PER_SECOND = 80_000_000
_BLOCK_BYTES = 64 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Line:
    """Bandwidth that all connections share, and what went over it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0
        self._requests = self._bytes = 0

    def request(self) -> None:
        with self._lock:
            self._requests += 1
        time.sleep(WAIT_SECONDS)

    def pass_on(self, size_bytes: int) -> None:
        with self._lock:
            self._bytes += size_bytes
            self._free_at = max(self._free_at, time.monotonic()) + size_bytes / BYTES_PER_SECOND
            wait_seconds = self._free_at - time.monotonic()
        if wait_seconds > 0:
            time.sleep(wait_seconds)

    def take_counts(self) -> dict[str, int]:
        with self._lock:
            counts = {"requests": self._requests, "bytes": self._bytes}
            self._requests = self._bytes = 0
        return counts


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, folder: Path, line: Line, *connection: object) -> None:
        self._folder, self._line = folder, line
        super().__init__(*connection)  # pyrefly: ignore[bad-argument-type] - what the server passes

    def setup(self) -> None:
        # Bytes that a client never reads must not go into a large buffer.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BLOCK_BYTES)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        if self.path == "/counts":
            body = json.dumps(self._line.take_counts()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self._line.request()
        with (self._folder / Path(self.path).name).open("rb") as file:
            size_bytes = file.seek(0, 2)
            asked = _RANGE.fullmatch(self.headers.get("Range", ""))
            start = int(asked[1]) if asked else 0
            end = min(int(asked[2]) + 1, size_bytes) if asked and asked[2] else size_bytes
            self.send_response(206 if asked else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(end - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size_bytes}")
            self.end_headers()
            file.seek(start)
            while start < end and (block := file.read(min(_BLOCK_BYTES, end - start))):
                self._line.pass_on(len(block))
                self.wfile.write(block)
                start += len(block)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it
        """Say nothing: requests are counted."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients close the connection once they know enough."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    handler = partial(_Handler, parser.parse_args().folder, Line())
    server = _Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()  # until the bench is gone


if __name__ == "__main__":
    main()
