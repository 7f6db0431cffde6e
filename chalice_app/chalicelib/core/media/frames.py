"""Protocol between parent and inspecting process: frames of a kind, a length and that many bytes."""

import struct
from enum import IntEnum

HEADER = struct.Struct(">BI")
READ_REQUEST = struct.Struct(">QI")
"""A position and a number of bytes."""

EXPECTED_RANGE = struct.Struct(">QQ")
"""Start and exclusive end."""

WRITE_POSITION = struct.Struct(">Q")
"""Before the bytes of a WRITE."""

EXIT_STATUS = struct.Struct(">i")
"""An exit status from the template: negative for the signal that ended a process."""

MAX_READ_BYTES = 1 << 20
MAX_WRITE_BYTES = 1 << 20
MAX_PREFETCHED_RANGES = 16
MAX_POSTER_BYTES = 1 << 20
MAX_THUMBNAILS_BYTES = 1 << 19

THUMBNAILS = struct.Struct(">BHH")
"""Number of thumbnails, width and height of each; before the JPEG."""

MAX_TEXT_BYTES = 1 << 14


class Frame(IntEnum):
    """Kinds of frames. The parent sends JOB once and answers each READ with DATA or REFUSED; the child sends the rest.

    READY comes after the child's own start and before the first byte of the file: a child that dies earlier was not
    killed by a video. Then come READs, each perhaps after an EXPECT: the range that the following ones will read, or a
    PREFETCH: ranges to read at once, now. Then comes either PROBLEM, or POSTER and FACTS; after these, perhaps after
    more READs, THUMBNAILS. Of a copy, WRITEs come in between, and COPIED at the end.
    """

    JOB = 1
    DATA = 2
    REFUSED = 3
    READY = 4
    READ = 5
    POSTER = 6
    FACTS = 7
    PROBLEM = 8
    EXPECT = 9
    WRITE = 10
    COPIED = 11
    PREFETCH = 12
    THUMBNAILS = 13


MAX_PAYLOAD_BYTES = {
    Frame.JOB: MAX_TEXT_BYTES,
    Frame.DATA: MAX_READ_BYTES,
    Frame.REFUSED: 0,
    Frame.READY: 0,
    Frame.READ: READ_REQUEST.size,
    Frame.POSTER: MAX_POSTER_BYTES,
    Frame.FACTS: MAX_TEXT_BYTES,
    Frame.PROBLEM: MAX_TEXT_BYTES,
    Frame.EXPECT: EXPECTED_RANGE.size,
    Frame.WRITE: WRITE_POSITION.size + MAX_WRITE_BYTES,
    Frame.COPIED: MAX_TEXT_BYTES,
    Frame.PREFETCH: MAX_PREFETCHED_RANGES * EXPECTED_RANGE.size,
    Frame.THUMBNAILS: THUMBNAILS.size + MAX_THUMBNAILS_BYTES,
}


def pack(frame: Frame, payload: bytes = b"") -> bytes:
    return HEADER.pack(frame, len(payload)) + payload


def unpack_header(header: bytes) -> tuple[Frame, int]:
    """Kind and length of what follows. Raises ValueError for an unknown kind or a length beyond its limit."""
    kind, size_bytes = HEADER.unpack(header)
    frame = Frame(kind)
    if size_bytes > MAX_PAYLOAD_BYTES[frame]:
        message = f"{frame.name} of {size_bytes} bytes"
        raise ValueError(message)
    return frame, size_bytes
