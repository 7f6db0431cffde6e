"""Detection of a file's container, from its first bytes alone."""

from collections.abc import Callable

from chalicelib.core.media.errors import NotAVideoError
from chalicelib.core.video_types import (
    EBML_ID,
    IMAGE_BRANDS,
    MIN_TS_PACKETS,
    TS_PACKETS,
    TS_SYNC,
    VIDEO_SIGNATURES,
    Container,
    has_signature,
    other_kind,
)

HEAD_BYTES = 4096
"""Number of first bytes that `detect_container` needs."""


def require_container(head: bytes) -> Container:
    """The container of a file that starts with `head` (HEAD_BYTES, or the whole file when it is shorter).

    Raises NotAVideoError.
    """
    container = detect_container(head)
    if container is None:
        raise NotAVideoError(found=other_kind(head))
    return container


def detect_container(head: bytes) -> Container | None:
    """Return the container, or None if it is no video container. Never raises, for any bytes."""
    head = head[:HEAD_BYTES]
    for (first, *_), signature in VIDEO_SIGNATURES:
        if has_signature(head, signature):
            look_closer = _CLOSER_LOOKS.get(first)
            container = look_closer(head) if look_closer else first
            if container:
                return container
    return None


def _detect_packets(head: bytes) -> Container | None:
    """Check for a transport stream: every packet begins with the sync byte, perhaps after a four-byte timestamp."""
    for size_bytes, first in TS_PACKETS.items():
        starts = range(first, len(head), size_bytes)
        if len(starts) >= MIN_TS_PACKETS and all(head[start : start + 1] == TS_SYNC for start in starts):
            return Container.MPEG_TS
    return None


# --- ISO base media and QuickTime: boxes of a big-endian size and a four-letter type (ISO/IEC 14496-12, 4.2)

# QuickTime files older than ftyp start with one of these (QuickTime File Format, "Overview of movie atoms").
_THREE_GPP_BRANDS = (b"3gp", b"3g2", b"3ge", b"3gg", b"3gh", b"3gr", b"3gs", b"3gt")  # 3GPP TS 26.244, 5.3.1
_FILLER = frozenset([b"wide", b"free", b"skip", b"pnot"])
_BODY = frozenset([b"moov", b"mdat"])
_MAX_FILLER_BYTES = 1 << 24  # a larger "size" is four letters of a text that happens to continue with "free"


def _detect_boxes(head: bytes) -> Container | None:
    start = 0
    while start + 8 <= len(head):
        size_bytes, header_bytes = _box_size(head, start)
        kind = head[start + 4 : start + 8]
        if size_bytes is not None and size_bytes < header_bytes:
            return None
        if kind == b"ftyp":
            return _container_by_brand(head[start + header_bytes : start + header_bytes + 4])
        if kind in _BODY:
            return Container.QUICKTIME
        if kind not in _FILLER or size_bytes is None or size_bytes >= _MAX_FILLER_BYTES:
            return None
        start += size_bytes
        if start >= len(head):
            # Filler larger than the bytes that we read, before a body that we cannot see.
            return Container.QUICKTIME
    return None


def _box_size(head: bytes, start: int) -> tuple[int | None, int]:
    """Size of the box and of its header; None for a box that reaches to the end of the file."""
    size_bytes = int.from_bytes(head[start : start + 4], "big")
    if size_bytes == 1:
        return int.from_bytes(head[start + 8 : start + 16], "big"), 16
    return (size_bytes or None), 8


def _container_by_brand(major_brand: bytes) -> Container | None:
    if len(major_brand) < 4 or major_brand in IMAGE_BRANDS or not all(0x20 <= byte < 0x7F for byte in major_brand):
        return None
    if major_brand == b"qt  ":
        return Container.QUICKTIME
    return Container.THREE_GPP if major_brand.startswith(_THREE_GPP_BRANDS) else Container.MP4


# --- EBML: elements of a variable-length id, a variable-length size and a body (RFC 8794)

_DOC_TYPE_ID = 0x4282
_CONTAINERS_BY_DOC_TYPE = {b"matroska": Container.MATROSKA, b"webm": Container.WEBM}


def _detect_elements(head: bytes) -> Container | None:
    return _CONTAINERS_BY_DOC_TYPE.get(_doc_type(head) or b"")


def _doc_type(head: bytes) -> bytes | None:
    header = _ebml_number(head, len(EBML_ID), keep_marker=False)
    if header is None:
        return None
    header_size_bytes, position = header
    end = min(position + header_size_bytes, len(head))
    while position < end:
        element = _ebml_number(head, position, keep_marker=True)
        size = element and _ebml_number(head, element[1], keep_marker=False)
        if not element or not size:
            return None
        body_end = size[1] + size[0]
        if element[0] == _DOC_TYPE_ID:
            return head[size[1] : body_end].rstrip(b"\0") if body_end <= end else None
        position = body_end
    return None


def _ebml_number(data: bytes, position: int, *, keep_marker: bool) -> tuple[int, int] | None:
    """The number at `position` and its end; None if it is truncated, longer than eight bytes or "unknown"."""
    if position >= len(data) or data[position] == 0:
        return None
    length = 9 - data[position].bit_length()
    number = int.from_bytes(data[position : position + length], "big")
    if position + length > len(data):
        return None
    if keep_marker:
        return number, position + length
    number &= (1 << 7 * length) - 1
    return None if number == (1 << 7 * length) - 1 else (number, position + length)


_CLOSER_LOOKS: dict[Container, Callable[[bytes], Container | None]] = {
    Container.MP4: _detect_boxes,
    Container.MATROSKA: _detect_elements,
    Container.MPEG_TS: _detect_packets,
}
"""For signatures that several containers share or other files have, too, by the first container of the signature."""
