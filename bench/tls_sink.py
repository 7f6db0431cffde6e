"""A fast S3 over TLS that drops the bytes of parts, and the API for our command: `python -m bench.tls_sink`.

It keeps no part and checks no signature. Uploads are cut and completed as S3 does, so that every client plays its whole
protocol. `GET /received` answers how many bytes of parts and objects came.
"""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.child_process import READY, end_with_parent
from tests.cli.fake_platform import FakePlatform, Refusal
from tests.cli.fake_storage import FakeStorage, HeldPart

BUFFER_BYTES = 256 * 1024
MIB = 2**20
PART_BYTES = 5 * MIB
ETAG = '"9b2cf535f27731c974343645a3985328-1"'
XML = {"Content-Type": "application/xml"}
JSON = {"Content-Type": "application/json"}
ACCESS_TOKEN = "access-1"  # noqa: S105 - of the stand-in alone

Answer = tuple[int, bytes, Mapping[str, str]]


class Storage(FakeStorage):
    """The fake platform's S3, which holds lengths in place of bytes and believes the client's checksum."""

    def create(self) -> str:
        upload_id = secrets.token_hex(8)
        self.uploads[upload_id] = {}
        return upload_id

    def sign(self, upload_id: str, part_number: int, size_bytes: int, checksum: str | None, seconds: float) -> str:
        return f"/videos/video?partNumber={part_number}&uploadId={upload_id}&X-Amz-Signature={secrets.token_hex(32)}"

    def checksum(self, upload_id: str) -> str:
        return believed.get(upload_id, "")


believed: dict[str, str] = {}
"""By upload: the checksum of the file, as its client tells it."""


@dataclass
class Sink:
    """Arrived bytes and open uploads of all clients together."""

    platform: FakePlatform
    received_bytes: int = 0
    object_bytes: dict[str, int] = field(default_factory=dict[str, int])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes, dropped_bytes: int) -> Answer:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if url.path.startswith("/api/"):
            return self._api(method, url.path.removeprefix("/api"), query, headers, body)
        if url.path == "/received":
            return 200, json.dumps({"bytes": self.received_bytes}).encode(), JSON
        return self._s3(method, url.path, query, dropped_bytes)

    def _s3(self, method: str, path: str, query: Mapping[str, str], dropped_bytes: int) -> Answer:
        uploads = self.platform.storage.uploads
        upload_id = query.get("uploadId", "")
        if method == "PUT":
            with self.lock:
                self.received_bytes += dropped_bytes
            if upload_id:
                uploads[upload_id][int(query["partNumber"])] = HeldPart(ETAG, 0, dropped_bytes, Path())
            else:
                self.object_bytes[path] = dropped_bytes
            return 200, b"", {"ETag": ETAG}
        bucket, _, key = path.lstrip("/").partition("/")
        names = f"<Bucket>{bucket}</Bucket><Key>{key}</Key>"
        if method == "POST" and not upload_id:
            result = f"<InitiateMultipartUploadResult>{names}<UploadId>{self.platform.storage.create()}</UploadId>"
            return 200, f"{result}</InitiateMultipartUploadResult>".encode(), XML
        if method == "POST":
            self.object_bytes[path] = sum(part.size_bytes for part in uploads.pop(upload_id).values())
            result = f"<CompleteMultipartUploadResult>{names}<ETag>{ETAG}</ETag></CompleteMultipartUploadResult>"
            return 200, result.encode(), XML
        if method == "HEAD" and path in self.object_bytes:
            # rclone looks at what it has uploaded.
            times = {"Last-Modified": "Fri, 27 Nov 2026 12:00:00 GMT", "ETag": ETAG}
            return 200, b"", {**times, "Content-Length": str(self.object_bytes[path])}
        if method == "HEAD":
            return 404, b"", {"Content-Length": "0"}
        return 200, f"<ListBucketResult><Name>{bucket}</Name></ListBucketResult>".encode(), XML

    def _api(self, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], body: bytes) -> Answer:
        asked: Any = json.loads(body) if body else None
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        with self.lock:
            if path == "/multipart/complete":
                (upload,) = (one for one in self.platform.uploads.values() if one.token == bearer)
                believed[upload.upload_id] = asked["checksumCRC64NVME"]
            try:
                status, answer, more = self.platform.answer(method, path, query, bearer, asked)
            except Refusal as refusal:
                error = {"code": refusal.code, "message": refusal.code, "details": refusal.details, "requestId": "r"}
                status, answer, more = refusal.status, {"error": error}, {}
        return status, json.dumps(answer).encode(), {**JSON, **more}


class Connection:
    """One client's connection; for one thread."""

    def __init__(self, sock: ssl.SSLSocket, sink: Sink) -> None:
        self._socket = sock
        self._sink = sink
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._start = self._end = 0

    def serve(self) -> None:
        while head := self._head():
            request, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = request.split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            if headers.get("expect", "").lower() == "100-continue":
                self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            is_kept = method == "POST"
            kept = bytearray()
            dropped_bytes = self._body(headers, kept if is_kept else None)
            status, body, more = self._sink.answer(method, target, headers, bytes(kept), dropped_bytes)
            self._send(method, status, body, more)

    def _head(self) -> bytes:
        head = bytearray()
        while not head.endswith(b"\r\n\r\n"):
            line = self._line()
            if not line:
                return b""
            head += line
        return bytes(head[:-4])

    def _line(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n"):
            if self._start == self._end and not self._fill():
                return b""
            found = bytes(self._buffer[self._start : self._end]).find(b"\n")
            stop = self._end if found < 0 else self._start + found + 1
            line += self._buffer[self._start : stop]
            self._start = stop
        return bytes(line)

    def _fill(self) -> int:
        self._start, self._end = 0, self._socket.recv_into(self._buffer)
        return self._end

    def _body(self, headers: Mapping[str, str], kept: bytearray | None) -> int:
        if "chunked" not in headers.get("transfer-encoding", ""):
            return self._take(int(headers.get("content-length") or 0), kept)
        taken_bytes = 0
        while size := int(self._line().split(b";")[0], 16):
            taken_bytes += self._take(size, kept)
            self._line()
        while self._line().strip():
            pass  # trailers
        return int(headers.get("x-amz-decoded-content-length") or taken_bytes)

    def _take(self, count: int, kept: bytearray | None) -> int:
        left = count
        while left:
            if self._start == self._end and not self._fill():
                raise ConnectionError
            taken = min(left, self._end - self._start)
            if kept is not None:
                kept += self._buffer[self._start : self._start + taken]
            self._start += taken
            left -= taken
        return count

    def _send(self, method: str, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        sent = {"x-amz-request-id": "0", "Content-Length": str(len(body)), **headers}
        lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in sent.items())]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._socket.sendall(head if method == "HEAD" else head + body)


def serve(listener: socket.socket, tls: ssl.SSLContext, sink: Sink) -> None:
    def work(plain: socket.socket) -> None:
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with tls.wrap_socket(plain, server_side=True) as secured:
                Connection(secured, sink).serve()
        except OSError:
            return  # the client hung up

    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return  # it was closed
        threading.Thread(target=work, args=(plain,), daemon=True).start()


def main() -> None:
    certificate = Path(sys.argv[1])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    platform = FakePlatform(storage=Storage(certificate.parent), part_size_bytes=PART_BYTES, first_page=100)
    platform.url = platform.parts_url = address
    platform.sign_in.access_tokens.add(ACCESS_TOKEN)
    end_with_parent(listener.close)
    print(f"{READY}{address}", flush=True)
    serve(listener, tls, Sink(platform))


if __name__ == "__main__":
    main()
