"""The record of one video: its data, and the state transitions that it allows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self, cast

from chalicelib.core.json_values import JsonObject, camel_case
from chalicelib.core.labels import Labels
from chalicelib.core.part_plan import PartPlan
from chalicelib.core.rendition import Rendition
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef


class State(StrEnum):
    UPLOADING = "uploading"
    COMPLETING = "completing"
    PROCESSING = "processing"
    READY = "ready"
    REJECTED = "rejected"
    ABORTED = "aborted"
    EXPIRED = "expired"
    DELETED = "deleted"


NEXT_STATES: dict[State, frozenset[State]] = {
    State.UPLOADING: frozenset(
        {State.COMPLETING, State.PROCESSING, State.READY, State.REJECTED, State.ABORTED, State.EXPIRED, State.DELETED}
    ),
    # Back to uploading when S3 refuses the parts.
    State.COMPLETING: frozenset(
        {State.UPLOADING, State.PROCESSING, State.READY, State.REJECTED, State.EXPIRED, State.DELETED}
    ),
    State.PROCESSING: frozenset({State.READY, State.REJECTED, State.DELETED}),
    # Only for malware that a late scan finds.
    State.READY: frozenset({State.REJECTED, State.DELETED}),
    State.REJECTED: frozenset({State.DELETED}),
    State.ABORTED: frozenset({State.DELETED}),
    State.EXPIRED: frozenset({State.DELETED}),
    State.DELETED: frozenset(),
}
"""Final states: no late event or response can leave them."""

OPEN_STATES = frozenset({State.UPLOADING, State.COMPLETING, State.PROCESSING})
"""States that count against the user's caps and that the janitor looks after."""

STORED_STATES = frozenset({State.PROCESSING, State.READY, State.REJECTED})
"""States after S3 has the whole file."""


GONE_STATES = frozenset({State.ABORTED, State.EXPIRED, State.DELETED})
"""States of a tombstone, which is kept only for late events."""

MAX_PROCESSING_RETRIES = 12
"""More than two hours. After that an operator has to act: the gauge `uploads_stuck_count` raises the alarm."""


class Deleter(StrEnum):
    """The party that deleted a video."""

    OWNER = "owner"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"
    RETENTION = "retention"


class IllegalTransitionError(Exception):
    """A transition that NEXT_STATES does not allow: a defect, never a caller's fault."""

    def __init__(self, video_id: str, state: State, wanted: State) -> None:
        self.video_id, self.state, self.wanted = video_id, state, wanted
        super().__init__(f"{video_id}: {state} → {wanted}")


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Reason for rejecting a video. code: as in the API's table of rejections."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class VideoRecord:
    """upload_id: None for an upload in one request. media: the API's `media` object once known.

    correlation_id: of the upload in all logs, from the client to the verdict; None in records of version 0.1.
    notified_at: when subscribers were notified of its state, None before that. deleted_by: None also in tombstones
    of version 0.1.
    has_parts: whether S3 was seen to hold a part of it. reservation_released_at: when its reservation was released
    because it had no part, None while it holds one. was_released: whether that ever happened.
    title, description, tags: labels that its owner gave; none in records of version 0.1.
    link_id, uploader_name, reference, on_behalf_of: its origin; None in records of version 0.1.
    restored_at: when an operator last brought it back. warned_at: when the warning before its deletion by retention was
    given. deletes_at: the earliest deletion, as that warning names it. warning_sent_at: when subscribers were notified.
    revision: incremented by each write; 0 in records of version 0.1.
    etag: of the object that holds the record; empty for a record that was changed and not written yet.
    announced_revision: newest revision that the writing call has announced to the index, if any. Neither this nor the
    etag is stored, and a changed record has neither.
    scans: malware verdicts by version. awaits_scan_since: when the inspection accepted the version, if only its malware
    verdict is missing. scan_requests: how often the janitor asked for a scan.
    rendition: the copy that browsers play; None if none is needed, and in records of version 0.1.
    """

    owner: str
    video_id: str
    file_name: str
    content_type: str
    size_bytes: int
    part_size_bytes: int
    upload_id: str | None
    state: State
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    checksum_crc64nvme: str | None = None
    completion_started_at: datetime | None = None
    completed_at: datetime | None = None
    processing_retries: int = 0
    version_id: str | None = None
    media: JsonObject | None = None
    rejection: Rejection | None = None
    notified_at: datetime | None = None
    deleted_by: Deleter | None = None
    correlation_id: str | None = None
    has_parts: bool = False
    was_released: bool = False
    reservation_released_at: datetime | None = None
    restored_at: datetime | None = None
    warned_at: datetime | None = None
    warning_sent_at: datetime | None = None
    deletes_at: datetime | None = None
    scans: Mapping[str, str] = field(default_factory=dict[str, str])
    awaits_scan_since: datetime | None = None
    scan_requests: int = 0
    rendition: Rendition | None = None
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    link_id: str | None = None
    uploader_name: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None
    revision: int = 0
    # `replace` does not copy fields that are no argument.
    etag: str = field(default="", init=False, compare=False, repr=False)
    announced_revision: int = field(default=0, init=False, compare=False, repr=False)

    @classmethod
    def begun(
        cls,
        ref: VideoRef,
        request: StartUpload,
        *,
        part_size_bytes: int,
        upload_id: str | None,
        now: datetime,
        ttl: timedelta,
        correlation_id: str | None = None,
    ) -> Self:
        """Make the first record of an accepted upload."""
        return cls(
            owner=ref.owner,
            video_id=ref.video_id,
            file_name=request.file_name,
            content_type=request.content_type,
            size_bytes=request.size_bytes,
            part_size_bytes=part_size_bytes,
            upload_id=upload_id,
            state=State.UPLOADING,
            created_at=now,
            updated_at=now,
            expires_at=now + ttl,
            correlation_id=correlation_id,
            revision=1,
            **request.labels._asdict(),
            **request.origin._asdict(),
        )

    @property
    def labels(self) -> Labels:
        return Labels(title=self.title, description=self.description, tags=self.tags)

    @property
    def ref(self) -> VideoRef:
        return VideoRef(self.owner, self.video_id)

    @property
    def plan(self) -> PartPlan:
        return PartPlan(self.size_bytes, self.part_size_bytes)

    @property
    def may_have_marker(self) -> bool:
        """True if there may be a marker beside its reservation."""
        return self.upload_id is None or self.was_released or self.rendition is not None

    @property
    def awaits_rendition(self) -> bool:
        return self.state is State.READY and self.rendition is not None and self.rendition.is_pending

    @property
    def may_be_converting(self) -> bool:
        """True if a job may still write a rendition, whatever the video's state."""
        rendition = self.rendition
        return rendition is not None and rendition.is_converted and rendition.is_pending and rendition.attempts > 0

    @property
    def is_reserved(self) -> bool:
        """True if it is open and its reservation was not released."""
        return self.state in OPEN_STATES and self.reservation_released_at is None

    @property
    def takes_a_use(self) -> bool:
        """True if it counts against its upload link: it is open and holds a reservation, or it was completed."""
        return self.link_id is not None and (self.is_reserved or self.completed_at is not None)

    @property
    def is_given_up(self) -> bool:
        """True once no retry of the processing is left, which a count beyond the last retry marks."""
        return self.processing_retries > MAX_PROCESSING_RETRIES

    def may_arrive_again(self, now: datetime) -> bool:
        """Return whether its form may still be sent, again or late."""
        return self.upload_id is None and now < self.expires_at

    def moved_to(self, state: State, now: datetime, **changes: Any) -> Self:
        """The record in its next state, not announced yet. Raises IllegalTransitionError."""
        if state not in NEXT_STATES[self.state]:
            raise IllegalTransitionError(self.video_id, self.state, state)
        return replace(self, state=state, updated_at=now, notified_at=None, **changes)

    def deleted(self, by: Deleter, now: datetime) -> Self:
        """The record as a tombstone. Raises IllegalTransitionError."""
        return self.moved_to(State.DELETED, now, deleted_by=by)

    def labelled(self, labels: Labels) -> Self:
        """The record with other labels. Its times stay, since the janitor measures the duration of a state by them."""
        return self.noted(**labels._asdict())

    def restored(self, now: datetime, *, version_id: str, scans: Mapping[str, str]) -> Self:
        """The record before its deletion, as an operator restores it. Nothing is announced yet, and all waits begin
        again.

        A video that was ready is processed again: malware may have been found meanwhile, or the stage may scan now. Its
        rendition is made again.
        scans: verdicts that the tombstone kept.
        """
        was_ready = self.state is State.READY
        return replace(
            self,
            state=State.PROCESSING if was_ready else self.state,
            awaits_scan_since=now if was_ready else self.awaits_scan_since,
            version_id=self.version_id or (version_id if was_ready else None),
            scans=scans,
            updated_at=now,
            restored_at=now,
            processing_retries=0,
            scan_requests=0,
            rendition=None,
            notified_at=None,
            warned_at=None,
            warning_sent_at=None,
            deletes_at=None,
        )

    def noted(self, **changes: Any) -> Self:
        """The record in the same state, with other fields changed."""
        return replace(self, **changes)

    def stored_as(self, etag: str, announced_revision: int = 0) -> Self:
        """The record as it was read from an object, with the etag that the next write needs."""
        stored = replace(self)
        object.__setattr__(stored, "etag", etag)
        object.__setattr__(stored, "announced_revision", announced_revision)
        return stored

    def to_fields(self) -> JsonObject:
        """The record's stored fields, before they become text."""
        return {stored: _plain(getattr(self, name)) for name, stored in _STORED_NAMES.items()}

    def to_json(self) -> bytes:
        return json.dumps(self.to_fields(), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """Raises ValueError for anything but a record."""
        try:
            return cls._from_fields(json.loads(body))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(repr(error)) from error

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Self:
        rejection = fields.pop("rejection")
        values: dict[str, Any] = {name: fields[stored] for name, stored in _STORED_NAMES.items() if stored in fields}
        for name in _TIMES:
            values[name] = datetime.fromisoformat(values[name]) if values.get(name) else None
        values["state"] = State(fields["state"])
        values["deleted_by"] = Deleter(values["deleted_by"]) if values.get("deleted_by") else None
        values["tags"] = tuple(fields.get("tags", ()))
        values["rendition"] = Rendition.from_json(fields["rendition"]) if fields.get("rendition") else None
        values["rejection"] = Rejection(**rejection) if rejection else None
        return cls(**values)


_STORED_NAMES = {name: camel_case(name) for name, each in VideoRecord.__dataclass_fields__.items() if each.init}
_TIMES = (
    "created_at",
    "updated_at",
    "expires_at",
    "completion_started_at",
    "completed_at",
    "notified_at",
    "reservation_released_at",
    "awaits_scan_since",
    "restored_at",
    "warned_at",
    "warning_sent_at",
    "deletes_at",
)


def _plain(value: Any) -> Any:
    # Not dataclasses.asdict, whose deep copies took most of the time of a write.
    match value:
        case datetime():
            return value.isoformat()
        case Rejection():
            return {"code": value.code, "message": value.message}
        case Rendition():
            return value.to_json()
        case tuple():
            return list(cast("tuple[Any, ...]", value))
        case _:
            return value


def api_time(moment: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
