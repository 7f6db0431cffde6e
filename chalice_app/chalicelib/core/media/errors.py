"""Reasons for not accepting a file as a video, as one tree.

MediaError                          the file is to blame: the upload is rejected with `code`
├── NotAVideoError                  no container that we know
├── ContainerNotAcceptedError       in a container that the stage does not accept
├── NoVideoStreamError              sound, subtitles or cover art alone
├── EncryptedMediaError             encrypted: only its licensed players can show it
├── UnsupportedCodecError           in a codec that we do not decode
├── UnreadableMediaError            damaged or truncated
│   └── InspectorCrashedError       the inspecting process died of it
└── MediaLimitsError                larger, longer or costlier to read than we allow
    └── MediaBudgetError            bytes, requests or time to read it are used up
InspectorUnavailableError           the inspecting process cannot run here: never the file's fault
ShortRangeError                     the storage returned fewer bytes than the file has: not the file's fault either

Each leaf carries its data as fields; `code` is the API's rejection code.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

from chalicelib.core.video_types import EVERY_CONTAINER, Container, labels_of


class MediaError(Exception):
    """Base of all reasons to reject a file."""

    code: ClassVar[str]

    @property
    def message(self) -> str:
        """One sentence for the person who uploaded the file."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NotAVideoError(MediaError):
    """The first bytes belong to no container that we know.

    found: the kind of file, if it is a well-known one. accepted: containers that the stage accepts.
    """

    found: str | None = None
    accepted: frozenset[Container] = EVERY_CONTAINER

    code: ClassVar[str] = "not_a_video"

    @property
    def message(self) -> str:
        found = f"a {self.found} file, " if self.found else ""
        return f"The file is {found}not a video. Accepted here: {labels_of(self.accepted)}."


@dataclass(eq=False)
class ContainerNotAcceptedError(MediaError):
    """found: the file's container, whatever its name says. accepted: containers that the stage accepts."""

    found: Container
    accepted: frozenset[Container]

    code: ClassVar[str] = "container_not_accepted"

    @property
    def message(self) -> str:
        found = labels_of(frozenset({self.found}))
        return f"The content of the file is {found}. Accepted here: {labels_of(self.accepted)}."


@dataclass(eq=False)
class NoVideoStreamError(MediaError):
    """stream_types: what the file holds instead, as libavformat calls it."""

    stream_types: tuple[str, ...] = ()

    code: ClassVar[str] = "no_video_stream"

    @property
    def message(self) -> str:
        return "The file has no video track."


@dataclass(eq=False)
class EncryptedMediaError(MediaError):
    """Common Encryption (ISO/IEC 23001-7), as streaming services use it."""

    code: ClassVar[str] = "encrypted_media"

    @property
    def message(self) -> str:
        return "The video is encrypted. Upload it without copy protection."


@dataclass(eq=False)
class UnsupportedCodecError(MediaError):
    """codec: libavcodec's name; empty if it does not know the codec."""

    codec: str

    code: ClassVar[str] = "unsupported_codec"

    @property
    def message(self) -> str:
        return f"The codec of the video, {self.codec or 'an unknown one'}, is not supported."


@dataclass(eq=False)
class UnreadableMediaError(MediaError):
    """problem: the demuxer's or decoder's message."""

    problem: str

    code: ClassVar[str] = "unreadable_media"

    @property
    def message(self) -> str:
        return f"The video cannot be read: {self.problem}."


@dataclass(eq=False)
class InspectorCrashedError(UnreadableMediaError):
    """exit_status: negative for the signal that ended it; None if its messages were invalid. evidence: only for the
    log."""

    problem: str = "the decoder crashed"
    exit_status: int | None = None
    evidence: str = ""

    def __str__(self) -> str:
        return f"{self.message} (status {self.exit_status}; {self.evidence or 'no message'})"


_MIB = 1 << 20
_LIMITS = {
    "max_dimension_px": ("The longer side of the picture", "pixels", 1),
    "max_pixels": ("The area of the picture", "pixels", 1),
    "max_duration_seconds": ("The duration of the video", "hours", 3_600),
    "max_streams": ("The number of tracks in the file", "tracks", 1),
    "max_fetched_bytes": ("What has to be read to inspect the file", "MiB", _MIB),
    "max_fetch_requests": ("The number of reads that it takes to inspect the file", "reads", 1),
    "max_wall_seconds": ("The time that it takes to inspect the file", "seconds", 1),
    "max_cpu_seconds": ("The computing time that it takes to inspect the file", "seconds", 1),
    "max_memory_bytes": ("The memory that it takes to inspect the file", "MiB", _MIB),
}
"""Fields of InspectionLimits in words, with the unit that people read and its size."""


@dataclass(eq=False)
class MediaLimitsError(MediaError):
    """limit: the name of an InspectionLimits field."""

    limit: str
    allowed: float
    found: float | None = None

    code: ClassVar[str] = "media_limits_exceeded"

    @property
    def message(self) -> str:
        what, unit, scale = _LIMITS[self.limit]
        allowed = f"{self.allowed / scale:,.12g} {unit}"
        if self.found is None:
            return f"{what} exceeds {allowed}, the most that is allowed."
        return f"{what} is {self.found / scale:,.12g} {unit}; {allowed} are allowed."


@dataclass(eq=False)
class MediaBudgetError(MediaLimitsError):
    """resource: what ran out. Time also runs out if the storage is slow, which is worth another try."""

    resource: Literal["bytes", "requests", "seconds"] = "bytes"


@dataclass(eq=False)
class InspectorUnavailableError(Exception):
    """The inspecting process did not start, for example because the media library is missing from the bundle."""

    exit_status: int | None
    problem: str

    def __str__(self) -> str:
        return f"the media inspector did not start (status {self.exit_status}): {self.problem}"


@dataclass(eq=False)
class ShortRangeError(Exception):
    """`read_range` returned too few bytes: the object changed, or the connection broke."""

    start: int
    end_exclusive: int
    received_bytes: int

    def __str__(self) -> str:
        return f"bytes {self.start} to {self.end_exclusive} were asked for, {self.received_bytes} came"
