"""The retention policy: how long a video stays, and what the next step towards its deletion is.

A video is deleted only if its warning was sent at least the warning time ago, whatever its age: a stage that turns
retention on today deletes nothing before that.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from chalicelib.core.video_record import State, VideoRecord


class Step(Enum):
    KEEP = auto()
    WARN = auto()
    DELETE = auto()


@dataclass(frozen=True)
class Expiry:
    """expires_at: the earliest deletion. is_near: whether the warning was given."""

    expires_at: datetime
    is_near: bool


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """stays: how long a ready video stays, zero for ever. warning: how long before its deletion the warning is sent."""

    stays: timedelta
    warning: timedelta

    @property
    def is_on(self) -> bool:
        return self.stays > timedelta(0)

    def expiry(self, record: VideoRecord, now: datetime) -> Expiry | None:
        """Return the expiry of a video; None if retention does not delete it."""
        due = self._due(record)
        if due is None:
            return None
        if record.deletes_at and _is_warned_of(record, due):
            return Expiry(record.deletes_at, is_near=True)
        return Expiry(max(due, now + self.warning), is_near=False)

    def next_step(self, record: VideoRecord, now: datetime, on_since: datetime) -> Step:
        """on_since: since when retention has been on. Earlier warnings do not count."""
        due = self._due(record)
        if due is None or now < due - self.warning:
            return Step.KEEP
        if not self.is_warned(record, on_since) or record.warning_sent_at is None or record.deletes_at is None:
            return Step.WARN
        is_over = now >= max(record.deletes_at, record.warning_sent_at + self.warning)
        return Step.DELETE if is_over else Step.KEEP

    def is_warned(self, record: VideoRecord, on_since: datetime) -> bool:
        """Check whether there is a valid warning, sent or not."""
        due = self._due(record)
        is_of_now = record.warned_at is not None and record.warned_at >= on_since
        return is_of_now and due is not None and _is_warned_of(record, due)

    def warned(self, record: VideoRecord, now: datetime) -> VideoRecord:
        """The record with a warning that has not been sent yet."""
        due = self._due(record) or now
        return record.noted(warned_at=now, warning_sent_at=None, deletes_at=max(due, now + self.warning))

    def _due(self, record: VideoRecord) -> datetime | None:
        if not self.is_on or record.state is not State.READY:
            return None
        return (record.restored_at or record.completed_at or record.created_at) + self.stays


FOR_EVER = RetentionPolicy(stays=timedelta(0), warning=timedelta(0))


def _is_warned_of(record: VideoRecord, due: datetime) -> bool:
    """Check whether the warning is still valid: a longer retention cancels it."""
    return record.deletes_at is not None and record.deletes_at >= due
