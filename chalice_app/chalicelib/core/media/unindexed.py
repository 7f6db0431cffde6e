"""Videos written live: fragmented MP4 and live Matroska, which do not state their length.

libavformat would read such a file from one end to the other. We show it only the beginning, and take the time from the
end. Imported by the inspecting process only.
"""

from collections.abc import Iterator

from av.container import InputContainer
from av.error import FFmpegError

from chalicelib.core.media.boxes import find_box, read_bytes
from chalicelib.core.media.demuxing import Excerpt, FileWithGap, MediaFile, open_media
from chalicelib.core.media.facts import MIB, InspectionLimits
from chalicelib.core.video_types import EBML_CONTAINERS, Container

BEGINNING_BYTES = 16 * MIB
_HEADER_BYTES = MIB
_TAIL_BYTES = (MIB // 2, 2 * MIB, 8 * MIB)
_MAX_TAIL_PACKETS = 50_000
_CLUSTER_ID = b"\x1f\x43\xb6\x75"
# A cluster begins with its timestamp, perhaps after a checksum or the size of the one before (RFC 9559, 5.1.3).
_CLUSTER_BEGINNINGS = (0xE7, 0xBF, 0xAB)


def beginning(file: MediaFile) -> MediaFile:
    """Return the beginning of the file that is worth reading."""
    return Excerpt(file, [(0, min(file.size_bytes, BEGINNING_BYTES))])


def duration_from_tail(
    file: MediaFile, container: Container, limits: InspectionLimits, start_seconds: float
) -> float | None:
    """Seconds from `start_seconds` to the end of the last packet; None if the end contains no time."""
    matroska = container in EBML_CONTAINERS
    if matroska:
        header_end = _first(_clusters(read_bytes(file, 0, _HEADER_BYTES, file.size_bytes)))
    else:
        header_end = (find_box(file, b"moov", 0, file.size_bytes) or (0, 0))[1]
    if not header_end:
        return None
    for tail_bytes in _TAIL_BYTES:
        tail_start = max(header_end, file.size_bytes - tail_bytes)
        file.expect(tail_start, file.size_bytes)
        tail = read_bytes(file, tail_start, tail_bytes, file.size_bytes)
        entry = _first(_clusters(tail) if matroska else _fragments(tail))
        if entry is None:
            continue
        entry += tail_start
        excerpt: MediaFile = Excerpt(file, [(0, header_end), (entry, file.size_bytes)])
        if not matroska and entry - header_end >= FileWithGap.MIN_BYTES:
            excerpt = FileWithGap(file, header_end, entry)  # fragments may say where their samples lie in the file
        try:
            with open_media(excerpt, container, limits, by_header_alone=True) as media:
                end_seconds = _last_moment(media)
        except FFmpegError:
            return None
        return None if end_seconds is None or end_seconds <= start_seconds else end_seconds - start_seconds
    return None


def _last_moment(media: InputContainer) -> float | None:
    end_seconds: float | None = None
    for number, packet in enumerate(media.demux()):
        moment = packet.pts if packet.pts is not None else packet.dts
        if moment is not None and packet.stream.type in {"video", "audio"}:
            end_seconds = max(end_seconds or 0.0, float((moment + (packet.duration or 0)) * packet.time_base))
        if number > _MAX_TAIL_PACKETS:
            break
    return end_seconds


def _fragments(data: bytes) -> Iterator[int]:
    position = data.find(b"moof")
    while position >= 0:
        size_bytes = int.from_bytes(data[max(position - 4, 0) : position], "big")
        # Its first box is the fragment header (ISO/IEC 14496-12, 8.8.5).
        if position >= 4 and data[position + 8 : position + 12] == b"mfhd" and position + size_bytes <= len(data) + 4:
            yield position - 4
        position = data.find(b"moof", position + 1)


def _clusters(data: bytes) -> Iterator[int]:
    position = data.find(_CLUSTER_ID)
    while 0 <= position < len(data) - 13:
        first_size_byte = data[position + 4]
        size_length = 9 - first_size_byte.bit_length()
        if first_size_byte and data[position + 4 + size_length] in _CLUSTER_BEGINNINGS:
            yield position
        position = data.find(_CLUSTER_ID, position + 1)


def _first(positions: Iterator[int]) -> int | None:
    return next(positions, None)
