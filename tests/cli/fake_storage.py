"""S3's side of a multipart upload, as strict as S3 is with presigned part URLs; parts lie on disk."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from awscrt.checksums import crc64nvme

from video_upload.checksums import encode_crc64nvme

PartFault = Literal["expired", "slow_down", "dropped", "dropped_answer", "corrupted", "bad_request"]
BLOCK_BYTES = 256 * 1024


@dataclass(frozen=True)
class Grant:
    """Scope of one signature: this part, this length, these headers, until its expiry."""

    upload_id: str
    part_number: int
    size_bytes: int
    checksum: str | None
    expires_at: float


@dataclass(frozen=True)
class HeldPart:
    etag: str
    crc64nvme: int
    size_bytes: int
    path: Path


@dataclass(frozen=True)
class PartResponse:
    status: int
    code: str = ""
    etag: str = ""
    hang_up: bool = False


@dataclass
class FakeStorage:
    """Parts by upload and number.

    part_faults: what goes wrong with a part, one entry for each attempt.
    seconds_per_part: how long S3 takes over each part.
    wants_checksums: whether parts without a checksum are refused, as MinIO and LocalStack do.
    shows_checksums: whether the list of parts names their checksums.
    connections: open ones that have carried a part.
    """

    folder: Path
    part_faults: dict[int, list[PartFault]] = field(default_factory=dict[int, list[PartFault]])
    seconds_per_part: float = 0.0
    shows_checksums: bool = True
    wants_checksums: bool = False
    puts: Counter[int] = field(default_factory=Counter[int])
    stores: Counter[int] = field(default_factory=Counter[int])
    most_at_once: int = 0
    connections: int = 0
    most_connections: int = 0
    grants: dict[str, Grant] = field(default_factory=dict[str, Grant])
    uploads: dict[str, dict[int, HeldPart]] = field(default_factory=dict[str, dict[int, HeldPart]])
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count_connection(self, change: int) -> None:
        with self._lock:
            self.connections += change
            self.most_connections = max(self.most_connections, self.connections)

    def create(self) -> str:
        upload_id = secrets.token_hex(8)
        (self.folder / upload_id).mkdir(parents=True)
        self.uploads[upload_id] = {}
        return upload_id

    def sign(self, upload_id: str, part_number: int, size_bytes: int, checksum: str | None, seconds: float) -> str:
        signature = secrets.token_hex(16)
        self.grants[signature] = Grant(upload_id, part_number, size_bytes, checksum, time.time() + seconds)
        return f"/s3/videos/it%20is?partNumber={part_number}&uploadId={upload_id}&X-Amz-Signature={signature}"

    def put(self, query: dict[str, str], headers: dict[str, str], read: Callable[[int], bytes]) -> PartResponse:
        """Take a part. headers: names in lower case."""
        grant = self.grants.get(query.get("X-Amz-Signature", ""))
        if grant is None or (query.get("uploadId"), query.get("partNumber")) != (
            grant.upload_id,
            str(grant.part_number),
        ):
            return PartResponse(403, "SignatureDoesNotMatch", hang_up=True)
        with self._lock:
            self.puts[grant.part_number] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            faults = self.part_faults.get(grant.part_number, [])
            fault = faults.pop(0) if faults else None
        try:
            return self._refusal(grant, headers, fault) or self._take(grant, headers, fault, read)
        finally:
            with self._lock:
                self._at_once -= 1

    def _refusal(self, grant: Grant, headers: dict[str, str], fault: PartFault | None) -> PartResponse | None:
        """S3 refuses from the headers alone and does not read the body."""
        amazons = {name: value for name, value in headers.items() if name.startswith("x-amz-")}
        signed = {"x-amz-checksum-crc64nvme": grant.checksum} if grant.checksum else {}
        answer = None
        if fault == "expired" or time.time() > grant.expires_at or amazons != signed:
            answer = 403, "AccessDenied"
        elif fault == "bad_request":
            answer = 400, "InvalidArgument"
        elif fault == "slow_down":
            answer = 503, "SlowDown"
        elif "transfer-encoding" in headers:
            answer = 501, "NotImplemented"
        elif headers.get("content-length") != str(grant.size_bytes):
            answer = 403, "SignatureDoesNotMatch"
        elif self.wants_checksums and not grant.checksum:
            answer = 400, "InvalidRequest"
        elif grant.upload_id not in self.uploads:
            answer = 404, "NoSuchUpload"
        return PartResponse(*answer, hang_up=True) if answer else None

    def _take(
        self, grant: Grant, headers: dict[str, str], fault: PartFault | None, read: Callable[[int], bytes]
    ) -> PartResponse:
        path = self.folder / grant.upload_id / f"{grant.part_number}.{secrets.token_hex(4)}"
        remaining, checksum, md5 = grant.size_bytes, 0, hashlib.md5(usedforsecurity=False)
        stop_at = grant.size_bytes // 2 if fault == "dropped" else 0
        with path.open("wb") as file:
            while remaining > stop_at:
                block = read(min(BLOCK_BYTES, remaining))
                if not block:
                    return PartResponse(400, "IncompleteBody", hang_up=True)
                remaining -= len(block)
                if fault == "corrupted":
                    block = bytes([block[0] ^ 1]) + block[1:]
                file.write(block)
                checksum = crc64nvme(block, checksum)
                md5.update(block)
        if fault == "dropped":
            return PartResponse(0, hang_up=True)
        time.sleep(self.seconds_per_part)
        if grant.checksum and encode_crc64nvme(checksum) != grant.checksum:
            return PartResponse(400, "BadDigest")
        held = HeldPart(f'"{md5.hexdigest()}"', checksum, grant.size_bytes, path)
        with self._lock:
            if grant.upload_id not in self.uploads:
                return PartResponse(404, "NoSuchUpload")
            self.uploads[grant.upload_id][grant.part_number] = held
            self.stores[grant.part_number] += 1
        return PartResponse(0, hang_up=True) if fault == "dropped_answer" else PartResponse(200, etag=held.etag)

    def checksum(self, upload_id: str) -> str:
        """Checksum of the whole object, from its bytes."""
        checksum = 0
        for _, part in sorted(self.uploads[upload_id].items()):
            checksum = crc64nvme(part.path.read_bytes(), checksum)
        return encode_crc64nvme(checksum)

    def content(self, upload_id: str) -> bytes:
        return b"".join(part.path.read_bytes() for _, part in sorted(self.uploads[upload_id].items()))

    def settle(self) -> None:
        """Wait until the parts of clients that hung up are stored or dropped."""
        while self._at_once:
            time.sleep(0.01)

    def sha256(self, upload_id: str) -> str:
        """Digest of the bytes on disk, in the order of the parts."""
        digest = hashlib.sha256()
        for _, part in sorted(self.uploads[upload_id].items()):
            digest.update(part.path.read_bytes())
        return digest.hexdigest()
