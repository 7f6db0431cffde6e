"""Ports: the interfaces to the outside world that adapters implement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # the upload authorizer knows no records
    from chalicelib.core.video_events import VideoEvent

Clock = Callable[[], datetime]


class StoredRecord(NamedTuple):
    """etag: opaque, only for conditional writes."""

    body: bytes
    etag: str


class ListedKey(NamedTuple):
    key: str
    last_modified: datetime


class MetadataBucket(Protocol):
    """Small objects with conditional writes: the platform's only database."""

    def get(self, key: str) -> StoredRecord | None: ...

    def get_newer(self, key: str, etag: str) -> StoredRecord | None:
        """Read an object. Raises UnchangedError if it still has this ETag."""
        ...

    def put_if_new(self, key: str, body: bytes) -> bool:
        """Create an object. False if the key exists already."""
        ...

    def put_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        """Replace an object. Returns the new ETag, None if another call wrote in between."""
        ...

    def retire_if_unchanged(self, key: str, body: bytes, etag: str) -> str | None:
        """Write a record for the last time: a lifecycle rule removes it once no late event can come."""
        ...

    def put(self, key: str, body: bytes, content_type: str) -> None: ...

    def delete(self, key: str) -> None: ...

    def list_keys(self, prefix: str, start_after: str = "") -> Iterator[ListedKey]:
        """Keys in ascending order, all pages, lazily."""
        ...


class StoredObject(NamedTuple):
    """version_id: None if the event names none; the newest version then counts."""

    file_key: str
    version_id: str | None


class QueuedMessage(NamedTuple):
    """One receipt of a message. receive_count: 1 the first time."""

    message_id: str
    receipt_handle: str
    queue_arn: str
    body: str
    receive_count: int


class StoredPart(NamedTuple):
    """checksum_crc64nvme: S3's base64 form, None if S3 did not compute one."""

    part_number: int
    size_bytes: int
    etag: str
    checksum_crc64nvme: str | None
    last_modified: datetime


class StoredVideo(NamedTuple):
    """One version of an object in the video bucket."""

    size_bytes: int
    version_id: str
    checksum_crc64nvme: str | None
    etag: str


class ListedVideo(NamedTuple):
    """The current version of an object in the video bucket.

    last_modified: of an upload in parts, when it began (S3 User Guide, "Object metadata").
    """

    file_key: str
    size_bytes: int
    last_modified: datetime


class UploadGoneError(Exception):
    """S3 does not know this uploadId: completed, aborted, or never there."""


class ObjectExistsError(Exception):
    """The key already has an object: an earlier completion succeeded, and its response was lost."""


class UnchangedError(Exception):
    """The caller already has this version of the object."""


class StorageBusyError(Exception):
    """S3 refused temporarily (SlowDown, 5xx): nothing was done."""


class OutcomeUnknownError(Exception):
    """The connection ended before S3 answered, or another call does the same: it may or may not have been done."""


class CredentialsMissingError(Exception):
    """Neither the environment nor an AWS profile holds credentials."""


class VideoBucket(Protocol):
    """The objects that clients write; method names are S3's."""

    def create_multipart_upload(self, key: str, content_type: str, content_disposition: str) -> str:
        """The uploadId."""
        ...

    def list_parts(self, key: str, upload_id: str) -> list[StoredPart]:
        """The parts that S3 holds, from all pages of its listing. Raises UploadGoneError."""
        ...

    def complete_multipart_upload(
        self, key: str, upload_id: str, parts: Sequence[tuple[int, str]], size_bytes: int, checksum: str | None
    ) -> None:
        """Raises UploadGoneError, ObjectExistsError, StorageBusyError, OutcomeUnknownError and
        the leaves of CompletionRefusedError. May take minutes."""
        ...

    def abort_multipart_upload(self, key: str, upload_id: str) -> None:
        """Abort an upload until no part is left; an unknown upload is no error."""
        ...

    def list_upload_ids(self, key: str) -> list[str]:
        """Unfinished uploads of exactly this key."""
        ...

    def head(self, key: str, version_id: str | None = None) -> StoredVideo | None: ...

    def list_videos(self, prefix: str, start_after: str = "") -> Iterator[ListedVideo]:
        """Objects in ascending order, all pages, lazily; without those hidden by a delete marker."""
        ...

    def read_range(self, key: str, version_id: str, start: int, end_exclusive: int) -> bytes: ...

    def set_verdict(self, key: str, version_id: str, verdict: str) -> None: ...

    def delete(self, key: str) -> None:
        """Hide an object behind a delete marker."""
        ...

    def delete_version(self, key: str, version_id: str) -> None: ...


class PresignedPost(NamedTuple):
    url: str
    fields: Mapping[str, str]


class PostSigner(Protocol):
    def presign_post(
        self, key: str, content_type: str, content_disposition: str, *, size_bytes: int, ttl_seconds: int
    ) -> PresignedPost: ...


class Mac(Protocol):
    """A keyed MAC whose keys never leave KMS."""

    @property
    def current_kid(self) -> str: ...

    def generate(self, message: bytes) -> bytes: ...

    def verify(self, kid: str, message: bytes, mac: bytes) -> bool:
        """False also for an unknown kid."""
        ...


class Signer(Protocol):
    def sign(self, message: bytes) -> bytes:
        """An ECDSA signature over SHA-256, DER."""
        ...


class Notifier(Protocol):
    """Tells the notification topic's subscribers what happened to a video."""

    def announce(self, event: VideoEvent) -> None: ...


class Topic(Protocol):
    """The notification topic itself, for a message that is already serialised."""

    def publish(self, message: bytes) -> None: ...


class HttpAnswer(NamedTuple):
    """retry_after_seconds: None if the response has no such header, or one with a date."""

    status: int
    retry_after_seconds: int | None


class WebhookPoster(Protocol):
    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Send to the public internet only, and follow no redirect. Raises NotDeliveredError if there is no
        response."""
        ...


class WebhookSecrets(Protocol):
    def of(self, destination: str) -> Sequence[str]:
        """The current secret and, during a rotation, the previous one. Raises NotDeliveredError if there is none."""
        ...


class EventBus(Protocol):
    def put(self, *, event_type: str, occurred_at: datetime, detail: str) -> None:
        """Raises NotDeliveredError."""
        ...


class RetryQueue(Protocol):
    def hide(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        """Let a received message be delivered again after this time."""
        ...


class ProcessingTrigger(Protocol):
    """Starts processing asynchronously, in place of a lost S3 event."""

    def trigger(self, file_key: str, version_id: str, size_bytes: int) -> None: ...


class MalwareScanner(Protocol):
    """Scans one version of a video on demand; the verdict comes as an event."""

    def request_scan(self, file_key: str, version_id: str) -> None: ...


class ScalingHistory(Protocol):
    """Changes that Application Auto Scaling made to the functions' provisioned capacity."""

    def count_since(self, moment: datetime) -> int: ...


class Bill(Protocol):
    """The costs of this stage."""

    def cost_usd(self, first: date, end_exclusive: date) -> float: ...


class Meter(Protocol):
    """A meter that writes one log line per call. Keywords are the names of core/metric_catalogue.py:
    `uploads_ready_count=1`."""

    def record(self, **values: float) -> None: ...
