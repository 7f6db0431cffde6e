"""Rendition of a video: a copy that every browser plays, for an original that some do not play."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from chalicelib.core.json_values import JsonObject

MAX_ATTEMPTS = 5


class RenditionState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


class Failure(StrEnum):
    """Reason why a video has no rendition. `unanswered`: no attempt finished."""

    NOT_CONVERTIBLE = "not_convertible"
    UNANSWERED = "unanswered"


class JobEnd(StrEnum):
    """End of a conversion, before its result is inspected. `lost`: its end was never seen."""

    COMPLETE = "complete"
    FAILED = "failed"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """changed_at: when the last attempt began, or its end. attempts: those begun. takes: attempts to accept a
    conversion's result; 0 in records from before they were counted separately.

    is_converted: whether an external service encodes its streams. job_id, job_end: of that conversion.

    size_bytes, version_id: of its object, once it is ready. told_at: when subscribers were notified of its end.
    """

    state: RenditionState = RenditionState.PENDING
    changed_at: datetime | None = None
    attempts: int = 0
    takes: int = 0
    size_bytes: int | None = None
    version_id: str | None = None
    failure: Failure | None = None
    told_at: datetime | None = None
    is_converted: bool = False
    job_id: str | None = None
    job_end: JobEnd | None = None

    @property
    def is_pending(self) -> bool:
        return self.state is RenditionState.PENDING

    @property
    def is_ready(self) -> bool:
        return self.state is RenditionState.READY

    @property
    def has_failed(self) -> bool:
        return self.state is RenditionState.FAILED

    @property
    def needs_care(self) -> bool:
        """True until it has ended and subscribers were notified."""
        return self.is_pending or self.told_at is None

    def begun_again(self, now: datetime) -> Self:
        return replace(self, attempts=self.attempts + 1, changed_at=now, job_id=None, job_end=None)

    def taken_again(self, now: datetime) -> Self:
        """The rendition with one more attempt to accept its job's result."""
        return replace(self, takes=self.takes + 1, changed_at=now)

    def has_job(self, job_id: str) -> Self:
        return replace(self, job_id=job_id)

    def job_ended(self, end: JobEnd) -> Self:
        return replace(self, job_end=end)

    def made(self, now: datetime, *, size_bytes: int, version_id: str) -> Self:
        return replace(
            self, state=RenditionState.READY, changed_at=now, size_bytes=size_bytes, version_id=version_id, told_at=None
        )

    def failed(self, now: datetime, failure: Failure) -> Self:
        return replace(self, state=RenditionState.FAILED, changed_at=now, failure=failure, told_at=None)

    def told(self, now: datetime) -> Self:
        return replace(self, told_at=now)

    def to_json(self) -> JsonObject:
        return {
            "state": self.state.value,
            "changedAt": self.changed_at.isoformat() if self.changed_at else None,
            "attempts": self.attempts,
            "takes": self.takes,
            "sizeBytes": self.size_bytes,
            "versionId": self.version_id,
            "failure": self.failure.value if self.failure else None,
            "isConverted": self.is_converted,
            "jobId": self.job_id,
            "jobEnd": self.job_end.value if self.job_end else None,
            "toldAt": self.told_at.isoformat() if self.told_at else None,
        }

    @classmethod
    def from_json(cls, fields: JsonObject) -> Self:
        """Parse a rendition, also one with only the fields that a library shows."""
        known: dict[str, Any] = {"attempts": 0, **fields}
        return cls(
            state=RenditionState(known["state"]),
            changed_at=_time(known.get("changedAt")),
            attempts=known["attempts"],
            takes=known.get("takes", 0),
            size_bytes=known.get("sizeBytes"),
            version_id=known.get("versionId"),
            failure=Failure(known["failure"]) if known.get("failure") else None,
            told_at=_time(known.get("toldAt")),
            is_converted=known.get("isConverted", False),
            job_id=known.get("jobId"),
            job_end=JobEnd(known["jobEnd"]) if known.get("jobEnd") else None,
        )


SHOWN = ("state", "sizeBytes", "versionId", "failure")
"""Fields of `to_json` that a library shows."""


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
