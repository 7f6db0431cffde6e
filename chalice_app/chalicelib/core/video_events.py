"""Events of a video, of which subscribers are notified."""

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.core.video_record import OPEN_STATES, State, VideoRecord


class EventType(StrEnum):
    """Types of events. A new one also needs its line in `contract/responses.py`."""

    READY = "video.ready"
    REJECTED = "video.rejected"
    FAILED = "video.failed"
    DELETED = "video.deleted"
    EXPIRING = "video.expiring"
    RENDITION_READY = "video.rendition_ready"
    RENDITION_FAILED = "video.rendition_failed"


_OF_STATE = {
    State.READY: EventType.READY,
    State.REJECTED: EventType.REJECTED,
    State.EXPIRED: EventType.FAILED,
    State.DELETED: EventType.DELETED,
}
"""Aborted uploads are not announced: the owner asked for the abort."""


class VideoEvent(NamedTuple):
    """One event of one video, derived from its record."""

    type: EventType
    record: VideoRecord
    occurred_at: datetime

    @property
    def id(self) -> str:
        """Id of the event, the same in each announcement, so that a receiver can drop repetitions."""
        known = f"{self.record.owner}/{self.record.video_id}/{self.type}/{self.occurred_at.isoformat()}"
        return f"evt_{hashlib.sha256(known.encode()).hexdigest()[:32]}"


def owed_event(record: VideoRecord) -> VideoEvent | None:
    """Return the event of the record's state, if subscribers have not been notified of it."""
    if record.notified_at is not None:
        return None
    given_up = record.is_given_up and record.state in OPEN_STATES
    event_type = EventType.FAILED if given_up else _OF_STATE.get(record.state)
    return VideoEvent(type=event_type, record=record, occurred_at=record.updated_at) if event_type else None


def owed_warning(record: VideoRecord) -> VideoEvent | None:
    """Return the warning before retention deletes the video, if subscribers have not been notified of it."""
    if record.state is not State.READY or record.warned_at is None or record.warning_sent_at is not None:
        return None
    return VideoEvent(type=EventType.EXPIRING, record=record, occurred_at=record.warned_at)


def owed_rendition_event(record: VideoRecord) -> VideoEvent | None:
    """Return the outcome of a ready video's rendition, if subscribers have not been notified of it."""
    rendition = record.rendition
    if record.state is not State.READY or rendition is None or rendition.is_pending or rendition.told_at:
        return None
    event_type = EventType.RENDITION_READY if rendition.is_ready else EventType.RENDITION_FAILED
    return VideoEvent(type=event_type, record=record, occurred_at=rendition.changed_at or record.updated_at)
