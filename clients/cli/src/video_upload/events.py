"""Events of an upload, for progress displays and logs. They may come from any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from video_upload.schemas import VideoState

__all__ = [
    "BytesSent",
    "Completing",
    "PartRetried",
    "PartStored",
    "PartUrlRenewed",
    "PartsDiffered",
    "ProcessingPolled",
    "Report",
    "StartedOver",
    "UploadBegan",
    "UploadEvent",
    "UploadFailed",
    "Uploaded",
]


@dataclass(frozen=True, kw_only=True)
class UploadBegan:
    """Parts are about to be sent; `stored_bytes` are at S3 already. The operators' logs name the `correlation_id`."""

    path: Path
    video_id: str
    correlation_id: str | None
    size_bytes: int
    part_count: int
    stored_bytes: int


@dataclass(frozen=True, kw_only=True)
class BytesSent:
    """Bytes on their way since the last such event; negative when a part failed and its bytes count no more."""

    count: int


@dataclass(frozen=True, kw_only=True)
class PartStored:
    """S3 has a part."""

    part_number: int


@dataclass(frozen=True, kw_only=True)
class PartRetried:
    """A part did not get through and is sent again after a wait."""

    part_number: int
    failures: int
    wait_seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class PartUrlRenewed:
    """S3 refused a part's URL, so it was signed again."""

    part_number: int


@dataclass(frozen=True, kw_only=True)
class PartsDiffered:
    """S3 holds other bytes than the file: these parts are sent again."""

    part_numbers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Completing:
    """S3 is joining the parts."""


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """S3 holds the whole video."""


@dataclass(frozen=True, kw_only=True)
class UploadFailed:
    """The run ends with an error before S3 holds the whole video. code: the API's, if it gave one.

    A requested stop is not an error: a later run resumes.
    """

    video_id: str
    code: str | None


@dataclass(frozen=True, kw_only=True)
class StartedOver:
    """The earlier parts cannot be used: the upload starts from the beginning."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class ProcessingPolled:
    """The upload is complete; the video was seen in this state, and waits for this alone."""

    state: VideoState
    waits_for: str | None = None


UploadEvent = (
    UploadBegan
    | BytesSent
    | PartStored
    | PartRetried
    | PartUrlRenewed
    | PartsDiffered
    | Completing
    | Uploaded
    | UploadFailed
    | StartedOver
    | ProcessingPolled
)
Report = Callable[[UploadEvent], None]


def ignore_event(_: UploadEvent) -> None:
    """For callers who do not watch."""
