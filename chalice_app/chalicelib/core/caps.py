"""What one user may hold open at once."""

from dataclasses import dataclass

from chalicelib.core.errors import ReservedBytesExceededError, TooManyOpenUploadsError
from chalicelib.core.records import Records
from chalicelib.core.video_id import VideoRef


@dataclass(frozen=True)
class Caps:
    max_open_uploads: int
    max_reserved_bytes: int


def reserve(records: Records, caps: Caps, ref: VideoRef, size_bytes: int) -> None:
    """Reserve room for one more upload.

    The marker is written first and counted after: S3 lists what was written before, so two racing reservations see
    each other and the caps hold without a lock. At the very limit both may be refused; never are both let in.
    Raises TooManyOpenUploadsError, ReservedBytesExceededError.
    """
    records.reserve(ref, size_bytes)
    held = [marker for marker in records.markers(ref.owner) if marker.is_reservation]
    reserved_bytes = sum(marker.size_bytes for marker in held)
    if len(held) > caps.max_open_uploads:
        records.release(ref, size_bytes)
        raise TooManyOpenUploadsError(max_open_uploads=caps.max_open_uploads)
    if reserved_bytes > caps.max_reserved_bytes:
        records.release(ref, size_bytes)
        raise ReservedBytesExceededError(
            size_bytes=size_bytes,
            reserved_bytes=reserved_bytes - size_bytes,
            max_reserved_bytes=caps.max_reserved_bytes,
        )
