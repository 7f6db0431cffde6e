"""Caps on one user's open uploads and reserved bytes."""

from collections.abc import Iterable
from dataclasses import dataclass

from chalicelib.core.errors import CapError, ReservedBytesExceededError, TooManyOpenUploadsError
from chalicelib.core.records import OpenMarker, Records
from chalicelib.core.video_id import VideoRef


@dataclass(frozen=True)
class Caps:
    max_open_uploads: int
    max_reserved_bytes: int


def require_room(records: Records, caps: Caps, ref: VideoRef, size_bytes: int) -> None:
    """Refuse by one list, before anything is written, an upload that there is no room for.

    A user who is at a cap may ask again and again. The decision is `reserve`'s, which the look does not replace: two
    calls may both see the last place free. Raises TooManyOpenUploadsError, ReservedBytesExceededError.
    """
    others = [marker for marker in records.markers(ref.owner) if marker.ref != ref]
    if refusal := _refusal(caps, others, size_bytes):
        raise refusal


def reserve(records: Records, caps: Caps, ref: VideoRef, size_bytes: int) -> None:
    """Reserve room for one more upload.

    The marker is written first and counted after: S3 lists what was written before, so two racing reservations see
    each other and the caps hold without a lock. At the limit both may be refused; both are never let in.
    Raises TooManyOpenUploadsError, ReservedBytesExceededError.
    """
    records.reserve(ref, size_bytes)
    others = [marker for marker in records.markers(ref.owner) if marker.ref != ref]
    if refusal := _refusal(caps, others, size_bytes):
        records.release(ref, size_bytes)
        raise refusal


def _refusal(caps: Caps, others: Iterable[OpenMarker], size_bytes: int) -> CapError | None:
    """others: the markers of this owner's other uploads."""
    held = [marker for marker in others if marker.is_reservation]
    reserved_bytes = sum(marker.size_bytes for marker in held)
    if len(held) >= caps.max_open_uploads:
        return TooManyOpenUploadsError(max_open_uploads=caps.max_open_uploads)
    if reserved_bytes + size_bytes > caps.max_reserved_bytes:
        return ReservedBytesExceededError(
            size_bytes=size_bytes, reserved_bytes=reserved_bytes, max_reserved_bytes=caps.max_reserved_bytes
        )
    return None
