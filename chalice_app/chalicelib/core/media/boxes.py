"""Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12): facts that libavformat does not report.

Imported by the inspecting process only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from chalicelib.core.media.demuxing import MediaFile

_MAX_BOXES = 64
BOX_HEADER_BYTES = 8
_LARGE_HEADER_BYTES = 16
_SAMPLE_ENTRIES_AT = 16
"""In the sample description: header, version and number of entries."""
_ENCRYPTED_VIDEO = b"encv"
_AFTER_INDEX_BYTES = 256 << 10
"""Bytes read together with the index: the first pictures, if the index comes first."""
_MAX_INDEX_BYTES = 16 << 20
_BEFORE_INDEX = frozenset({b"mdat", b"free", b"skip"})
"""Boxes after which the index may come."""


@dataclass(frozen=True)
class Index:
    """Facts of the index (`moov`) that libavformat does not show.

    is_fragmented: the index announces movie fragments (`mvex`, 8.8.1), and some follow; some phones announce them and
    write none. is_encrypted: the pictures of a track are encrypted (`encv`, 8.12). missing_bytes: how many announced
    bytes the file lacks, as after a truncated copy. is_missing: no index was found, as after a recording that was cut
    short; one behind very many boxes is not looked for. span: its start and end.
    """

    is_fragmented: bool = False
    is_encrypted: bool = False
    missing_bytes: int = 0
    is_missing: bool = False
    span: tuple[int, int] | None = None

    @classmethod
    def of(cls, file: MediaFile) -> Self:
        index = find_box(file, b"moov", 0, file.size_bytes)
        if index is None:
            return cls(missing_bytes=_missing_bytes(file), is_missing=True)
        file.expect(index[0], index[1] + _AFTER_INDEX_BYTES)
        start, end = index[0] + BOX_HEADER_BYTES, index[1]
        return cls(
            is_fragmented=find_box(file, b"mvex", start, end) is not None
            and find_box(file, b"moof", end, file.size_bytes) is not None,
            is_encrypted=any(_sample_entry(file, track) == _ENCRYPTED_VIDEO for track in tracks(file, start, end)),
            missing_bytes=_missing_bytes(file),
            span=index,
        )


def _missing_bytes(file: MediaFile) -> int:
    ends = (end for kind, _, end in boxes(file, 0, file.size_bytes) if kind == b"mdat")
    return max(0, max(ends, default=0) - file.size_bytes)


def tracks(file: MediaFile, start: int, end: int) -> Iterator[tuple[int, int]]:
    while track := find_box(file, b"trak", start, end):
        yield track
        start = track[1]


def _sample_entry(file: MediaFile, track: tuple[int, int]) -> bytes:
    """Type of the track's first sample entry; empty where there is none."""
    box = find_inner_box(file, track, b"mdia", b"minf", b"stbl", b"stsd")
    return b"" if box is None else read_bytes(file, box[0] + _SAMPLE_ENTRIES_AT, BOX_HEADER_BYTES, box[1])[4:]


def find_inner_box(file: MediaFile, box: tuple[int, int], *kinds: bytes) -> tuple[int, int] | None:
    """Return start and end of the first box of the last kind, inside the first one of the kind before, and so on."""
    for kind in kinds:
        found = find_box(file, kind, box[0] + BOX_HEADER_BYTES, box[1])
        if found is None:
            return None
        box = found
    return box


def find_box(file: MediaFile, kind: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return start and end of the first box of a kind, among those from `start` to `end` (ISO/IEC 14496-12, 4.2)."""
    found = next((box for box in boxes(file, start, end) if box[0] == kind), None)
    return found and (found[1], min(found[2], end))


def boxes(file: MediaFile, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and announced end of the boxes from `start`, up to the first fragment (`moof`)."""
    for _ in range(_MAX_BOXES):
        header = read_bytes(file, start, _LARGE_HEADER_BYTES, end)
        size_bytes = int.from_bytes(header[:4], "big")
        if size_bytes == 1:
            size_bytes = int.from_bytes(header[8:16], "big")
        if len(header) < BOX_HEADER_BYTES or size_bytes < BOX_HEADER_BYTES:
            return
        yield header[4:8], start, start + size_bytes
        if header[4:8] == b"moof":
            return
        start += size_bytes
        if header[4:8] in _BEFORE_INDEX and end == file.size_bytes and end - start <= _MAX_INDEX_BYTES:
            file.expect(start, end)


def read_bytes(file: MediaFile, start: int, size_bytes: int, end: int) -> bytes:
    """Bytes from `start`, fewer where `end` comes first."""
    file.seek(start)
    size_bytes = min(size_bytes, end - start)
    data = bytearray()
    while len(data) < size_bytes:
        piece = file.read(size_bytes - len(data))
        if not piece:
            break
        data += piece
    return bytes(data)
