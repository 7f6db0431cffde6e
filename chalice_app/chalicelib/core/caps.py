"""Limits on a user's open uploads and their bytes, and on what a user and the whole stage have stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.core.errors import (
    CapError,
    ReservedBytesExceededError,
    StageFullError,
    StoredBytesExceededError,
    TooManyOpenUploadsError,
    TooManyStoredVideosError,
)
from chalicelib.core.ports import VideoBucket
from chalicelib.core.records import OpenMarker, Records
from chalicelib.core.stage_usage import StageUsage
from chalicelib.core.video_id import VideoRef


@dataclass(frozen=True)
class Caps:
    """max_stored_bytes, max_stored_videos: 0 for no limit."""

    max_open_uploads: int
    max_reserved_bytes: int
    max_stored_bytes: int = 0
    max_stored_videos: int = 0

    @property
    def limit_stored(self) -> bool:
        return bool(self.max_stored_bytes or self.max_stored_videos)

    def leave_room_beside(self, open_by_link: Sequence[int], size_bytes: int) -> bool:
        """Return whether one more upload by a link leaves its maker half of the limits.

        open_by_link: sizes of the link's open uploads. The first may have any size: it is what the link was made for.
        """
        are_few = len(open_by_link) < (self.max_open_uploads + 1) // 2
        is_small = sum(open_by_link) + size_bytes <= self.max_reserved_bytes // 2
        return not open_by_link or (are_few and is_small)


class Usage(NamedTuple):
    """Storage and reservations that count against one user's limits.

    A video that is stored and still holds its reservation counts once, as stored.
    """

    stored_bytes: int
    stored_videos: int
    reserved_bytes: int
    reserved_videos: int


@dataclass(frozen=True, kw_only=True)
class Room:
    """Room for one more upload of a user."""

    records: Records
    videos: VideoBucket
    stage: StageUsage
    caps: Caps

    def require(self, ref: VideoRef, size_bytes: int) -> None:
        """Refuse an upload that has no room, from S3's lists and before anything is written.

        A user at a limit may call again and again. This check does not replace `reserve`, which decides: two calls may
        both see the last place free. Raises CapError's leaves.
        """
        if refusal := self._refusal(ref, size_bytes) or self._stage_is_full(size_bytes, held_bytes=0):
            raise refusal

    def reserve(self, ref: VideoRef, size_bytes: int) -> None:
        """Reserve room for one more upload.

        The marker is written first and counted after: S3 lists what was written before, so two racing reservations see
        each other and the limits hold without a lock. At the limit both may be refused; both are never let in.
        Raises CapError's leaves.
        """
        self.records.reserve(ref, size_bytes)
        if refusal := self._refusal(ref, size_bytes) or self._stage_is_full(size_bytes, held_bytes=size_bytes):
            self.records.release(ref, size_bytes)
            raise refusal

    def usage(self, owner: str) -> Usage:
        return self._usage(owner, list(self.records.markers(owner)))

    def _refusal(self, ref: VideoRef, size_bytes: int) -> CapError | None:
        others = [marker for marker in self.records.markers(ref.owner) if marker.ref != ref]
        if refusal := _over_open_caps(self.caps, others, size_bytes):
            return refusal
        if not self.caps.limit_stored:
            return None
        return _over_stored_limits(self.caps, self._usage(ref.owner, others, without=ref), size_bytes)

    def _stage_is_full(self, size_bytes: int, *, held_bytes: int) -> CapError | None:
        """held_bytes: the share of the stage's sum that is this upload's own."""
        is_full = self.stage.max_bytes and size_bytes > self.stage.free_bytes(held_bytes)
        return StageFullError(size_bytes=size_bytes) if is_full else None

    def _usage(self, owner: str, markers: Iterable[OpenMarker], *, without: VideoRef | None = None) -> Usage:
        """Count what is stored after the markers were listed.

        A video loses its reservation only once its object is there, so it is in one of the two lists at least.
        """
        stored = {each.file_key: each.size_bytes for each in self.videos.list_videos(f"videos/{owner}/")}
        if without:
            stored.pop(without.file_key, None)
        reserved = [
            marker.size_bytes for marker in markers if marker.is_reservation and marker.ref.file_key not in stored
        ]
        return Usage(
            stored_bytes=sum(stored.values()),
            stored_videos=len(stored),
            reserved_bytes=sum(reserved),
            reserved_videos=len(reserved),
        )


def _over_open_caps(caps: Caps, others: Iterable[OpenMarker], size_bytes: int) -> CapError | None:
    """others: the markers of the owner's other uploads."""
    held = [marker for marker in others if marker.is_reservation]
    reserved_bytes = sum(marker.size_bytes for marker in held)
    if len(held) >= caps.max_open_uploads:
        return TooManyOpenUploadsError(max_open_uploads=caps.max_open_uploads)
    if reserved_bytes + size_bytes > caps.max_reserved_bytes:
        return ReservedBytesExceededError(
            size_bytes=size_bytes, reserved_bytes=reserved_bytes, max_reserved_bytes=caps.max_reserved_bytes
        )
    return None


def _over_stored_limits(caps: Caps, used: Usage, size_bytes: int) -> CapError | None:
    if caps.max_stored_videos and used.stored_videos + used.reserved_videos >= caps.max_stored_videos:
        return TooManyStoredVideosError(
            stored_videos=used.stored_videos,
            reserved_videos=used.reserved_videos,
            max_stored_videos=caps.max_stored_videos,
        )
    if caps.max_stored_bytes and used.stored_bytes + used.reserved_bytes + size_bytes > caps.max_stored_bytes:
        return StoredBytesExceededError(
            size_bytes=size_bytes,
            stored_bytes=used.stored_bytes,
            reserved_bytes=used.reserved_bytes,
            max_stored_bytes=caps.max_stored_bytes,
        )
    return None
