"""The outside world in memory, as strict as S3 where the core depends on it."""

import base64
import functools
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from awscrt import checksums
from msgspec import to_builtins

from chalicelib.contract.views import video_message
from chalicelib.core.errors import ChecksumMismatchError, PartMismatchError, PartTooSmallError, SizeMismatchError
from chalicelib.core.json_values import JsonObject
from chalicelib.core.metric_catalogue import OWN_METRICS
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import (
    HttpAnswer,
    ListedKey,
    ListedVideo,
    ObjectExistsError,
    PresignedPost,
    StoredPart,
    StoredRecord,
    StoredVideo,
    UnchangedError,
    UploadGoneError,
)
from chalicelib.core.video_events import VideoEvent


class FakeClock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def pass_time(self, **span: float) -> None:
        self.moment += timedelta(**span)


class FakeMetadata:
    """Conditional writes decided under one lock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.objects: dict[str, tuple[bytes, str, datetime]] = {}
        self.retired: set[str] = set()
        self._clock = clock
        self._lock = threading.Lock()
        self._writes = 0

    def get(self, key: str) -> StoredRecord | None:
        stored = self.objects.get(key)
        return StoredRecord(stored[0], stored[1]) if stored else None

    def get_newer(self, key: str, etag: str) -> StoredRecord | None:
        stored = self.objects.get(key)
        if stored and stored[1] == etag:
            raise UnchangedError
        return StoredRecord(stored[0], stored[1]) if stored else None

    def put_if_new(self, key: str, body: bytes) -> bool:
        with self._lock:
            if key in self.objects:
                return False
            self._write(key, body)
            return True

    def put_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        with self._lock:
            stored = self.objects.get(key)
            if stored is None or stored[1] != etag:
                return None
            return self._write(key, body)

    def retire_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        if written := self.put_if_unchanged(key, body, etag):
            self.retired.add(key)
        return written

    def put(self, key: str, body: bytes, content_type: str) -> None:
        with self._lock:
            self._write(key, body)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def list_keys(self, prefix: str, start_after: str = "") -> Iterator[ListedKey]:
        listed = [key for key in self.objects if key.startswith(prefix) and key > start_after]
        # As S3 does within a page, also of what is deleted meanwhile.
        yield from [ListedKey(key, self.objects[key][2]) for key in sorted(listed)]

    def _write(self, key: str, body: bytes) -> str:
        self._writes += 1
        etag = f'"{self._writes}"'
        self.objects[key] = (body, etag, self._clock())
        return etag


@dataclass
class FakeUpload:
    key: str
    parts: dict[int, bytes] = field(default_factory=dict)
    stored_at: dict[int, datetime] = field(default_factory=dict)


@dataclass
class FakeVersion:
    version_id: str
    body: bytes
    stored_at: datetime
    tags: dict[str, str] = field(default_factory=dict)


class FakeVideos:
    """before_complete: called before a completion takes effect; may raise what S3 raises, or block."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.uploads: dict[str, FakeUpload] = {}
        self.versions: dict[str, list[FakeVersion]] = defaultdict(list)
        self.hidden: set[str] = set()
        self.completions = 0
        self.before_complete: Callable[[], None] = lambda: None
        self.after_complete: Callable[[], None] = lambda: None
        self._clock = clock
        self._lock = threading.Lock()
        self._ids = 0

    def next_id(self, kind: str) -> str:
        self._ids += 1
        return f"{kind}-{self._ids}"

    def put_part(self, upload_id: str, part_number: int, body: bytes) -> str:
        """Store a part, as a client does with a presigned URL. Raises UploadGoneError."""
        with self._lock:
            if upload_id not in self.uploads:
                raise UploadGoneError
            self.uploads[upload_id].parts[part_number] = body
            self.uploads[upload_id].stored_at[part_number] = self._clock()
            return _etag(body)

    def put_object(self, key: str, body: bytes) -> str:
        version = FakeVersion(self.next_id("version"), body, self._clock())
        self.versions[key].append(version)
        self.hidden.discard(key)
        return version.version_id

    def create_multipart_upload(self, key: str, content_type: str, content_disposition: str) -> str:
        upload_id = self.next_id("upload")
        self.uploads[upload_id] = FakeUpload(key)
        return upload_id

    def list_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        if upload_id not in self.uploads:
            raise UploadGoneError
        upload = self.uploads[upload_id]
        return [
            StoredPart(number, len(body), _etag(body), None, upload.stored_at[number])
            for number, body in sorted(upload.parts.items())
        ]

    def complete_multipart_upload(
        self, key: str, upload_id: str, parts: Sequence[tuple[int, str]], size_bytes: int, checksum: str | None
    ) -> None:
        self.before_complete()
        with self._lock:
            if upload_id not in self.uploads:
                raise UploadGoneError
            stored = self.uploads[upload_id].parts
            if any(number not in stored or _etag(stored[number]) != etag for number, etag in parts):
                raise PartMismatchError
            bodies = [stored[number] for number, _ in parts]
            if any(len(body) < MIN_PART_BYTES for body in bodies[:-1]):
                raise PartTooSmallError(min_part_bytes=MIN_PART_BYTES)
            whole = _joined(tuple(bodies))
            if len(whole) != size_bytes:
                raise SizeMismatchError(size_bytes=size_bytes)
            if checksum not in {None, crc64nvme(whole)}:
                raise ChecksumMismatchError
            if self.versions[key] and key not in self.hidden:
                raise ObjectExistsError
            del self.uploads[upload_id]
            self.put_object(key, whole)
            self.completions += 1
        self.after_complete()

    def abort_multipart_upload(self, key: str, upload_id: str) -> None:
        with self._lock:
            self.uploads.pop(upload_id, None)

    def list_upload_ids(self, key: str) -> list[str]:
        return [upload_id for upload_id, upload in self.uploads.items() if upload.key == key]

    def head(self, key: str, version_id: str | None = None) -> StoredVideo | None:
        version = self._find(key, version_id)
        if version is None:
            return None
        return StoredVideo(len(version.body), version.version_id, crc64nvme(version.body), _etag(version.body))

    def list_videos(self, prefix: str, start_after: str = "") -> Iterator[ListedVideo]:
        for key in sorted(self.versions):
            if key.startswith(prefix) and key > start_after and (version := self._find(key, None)):
                yield ListedVideo(key, len(version.body), version.stored_at)

    def read_range(self, key: str, version_id: str, start: int, end_exclusive: int) -> bytes:
        version = self._find(key, version_id)
        assert version
        return version.body[start:end_exclusive]

    def set_verdict(self, key: str, version_id: str, verdict: str) -> None:
        version = self._find(key, version_id)
        assert version
        version.tags = {"verdict": verdict}

    def delete(self, key: str) -> None:
        if self.versions[key]:
            self.hidden.add(key)

    def delete_version(self, key: str, version_id: str) -> None:
        self.versions[key] = [version for version in self.versions[key] if version.version_id != version_id]

    def presign_post(
        self, key: str, content_type: str, content_disposition: str, *, size_bytes: int, ttl_seconds: int
    ) -> PresignedPost:
        return PresignedPost("http://s3.test", {"key": key, "Content-Type": content_type})

    def visible(self, key: str) -> bytes | None:
        version = self._find(key, None)
        return version.body if version else None

    def _find(self, key: str, version_id: str | None) -> FakeVersion | None:
        if version_id is None:
            return None if key in self.hidden or not self.versions[key] else self.versions[key][-1]
        return next((version for version in self.versions[key] if version.version_id == version_id), None)


@dataclass
class FakeRenditions:
    """Writes into the video bucket what the platform makes itself."""

    videos: FakeVideos

    def begin(self, key: str, content_type: str) -> str:
        return self.videos.create_multipart_upload(key, content_type, "")

    def put_part(self, key: str, upload_id: str, part_number: int, body: bytes) -> str:
        return self.videos.put_part(upload_id, part_number, body)

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> str:
        stored = self.videos.uploads.pop(upload_id).parts
        return self.videos.put_object(key, b"".join(stored[number] for number, _ in parts))

    def abort(self, key: str, upload_id: str) -> None:
        self.videos.uploads.pop(upload_id, None)


class FakeMac:
    """HMAC under keys by kid; the first one signs."""

    def __init__(self, **keys: bytes) -> None:
        self.keys = keys or {"k1": b"secret"}
        self.verifications = 0

    @property
    def current_kid(self) -> str:
        return next(iter(self.keys))

    def generate(self, message: bytes) -> bytes:
        return hmac.digest(self.keys[self.current_kid], message, "sha256")

    def verify(self, kid: str, message: bytes, mac: bytes) -> bool:
        self.verifications += 1
        return kid in self.keys and hmac.compare_digest(hmac.digest(self.keys[kid], message, "sha256"), mac)


@dataclass
class FakeNotifier:
    fails: bool = False
    messages: list[JsonObject] = field(default_factory=list)

    def announce(self, event: VideoEvent) -> None:
        if self.fails:
            raise ConnectionError(event.id)
        self.messages.append(to_builtins(video_message(event)))

    def publish(self, message: bytes) -> None:
        """Publish as the topic does."""
        if self.fails:
            raise ConnectionError
        self.messages.append(json.loads(message))


@dataclass
class FakeOutside:
    """Receiver, bus, secrets and queue of the delivery of notifications, in one.

    status: what the receiver answers; an error is raised.
    """

    status: int | Exception = 200
    retry_after_seconds: int | None = None
    posted: list[str] = field(default_factory=list[str])
    put_types: list[str] = field(default_factory=list[str])
    hidden: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def of(self, destination: str) -> Sequence[str]:
        return [f"whsec_{base64.b64encode(destination.encode().ljust(24)).decode()}"]

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        self.posted.append(url)
        if isinstance(self.status, Exception):
            raise self.status
        return HttpAnswer(self.status, self.retry_after_seconds)

    def put(self, *, event_type: str, occurred_at: datetime, detail: str) -> None:
        self.put_types.append(event_type)

    def hide(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        self.hidden.append((receipt_handle, seconds))


@dataclass
class FakeTrigger:
    triggered: list[tuple[str, str]] = field(default_factory=list)

    def trigger(self, file_key: str, version_id: str, size_bytes: int) -> None:
        self.triggered.append((file_key, version_id))


@dataclass
class FakeScanner:
    """fails: raises on each request, as GuardDuty does for a bucket without a plan."""

    requested: list[tuple[str, str]] = field(default_factory=list)
    fails: bool = False

    def request_scan(self, file_key: str, version_id: str) -> None:
        if self.fails:
            raise ConnectionError
        self.requested.append((file_key, version_id))


@dataclass
class FakeScaling:
    moments: list[datetime] = field(default_factory=list[datetime])

    def count_since(self, moment: datetime) -> int:
        return sum(each >= moment for each in self.moments)


@dataclass
class FakeBill:
    """A dollar a day. fails: as Cost Explorer does where nobody has opened it yet."""

    asked: list[tuple[date, date]] = field(default_factory=list[tuple[date, date]])
    fails: bool = False

    def cost_usd(self, first: date, end_exclusive: date) -> float:
        self.asked.append((first, end_exclusive))
        if self.fails:
            raise PermissionError
        return float((end_exclusive - first).days)


@dataclass
class FakeMeter:
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def record(self, **values: float) -> None:
        for name, value in values.items():
            assert name in OWN_METRICS
            self.values[name].append(value)


@functools.lru_cache(maxsize=4)
def _joined(bodies: tuple[bytes, ...]) -> bytes:
    return b"".join(bodies)


@functools.lru_cache(maxsize=16)
def _etag(body: bytes) -> str:
    return f'"{base64.b16encode(hashlib.md5(body, usedforsecurity=False).digest()).decode().lower()}"'


@functools.lru_cache(maxsize=16)
def crc64nvme(body: bytes) -> str:
    """The checksum that S3 keeps of a whole object."""
    return base64.b64encode(checksums.crc64nvme(body).to_bytes(8, "big")).decode()
