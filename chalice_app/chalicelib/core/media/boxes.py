"""Boxes of an MP4 or QuickTime file (ISO/IEC 14496-12): what libavformat does not tell of them.

Imported by the inspecting process only.
"""

from chalicelib.core.media.demuxing import MediaFile

_MAX_BOXES = 64
_BOX_HEADER_BYTES = 8
_SAMPLE_ENTRIES_AT = 16
"""In the sample description: header, version and number of entries."""
_ENCRYPTED_VIDEO = b"encv"


def is_fragmented(file: MediaFile) -> bool:
    """True for an MP4 whose index announces movie fragments (`mvex`, ISO/IEC 14496-12, 8.8.1), where some follow.

    Some phones announce them and write none.
    """
    movie = find_box(file, b"moov", 0, file.size_bytes)
    if movie is None or find_box(file, b"mvex", movie[0] + 8, movie[1]) is None:
        return False
    return find_box(file, b"moof", movie[1], file.size_bytes) is not None


def is_encrypted(file: MediaFile) -> bool:
    """True where a track's pictures are encrypted (`encv`, ISO/IEC 14496-12, 8.12). libavformat shows what it hides."""
    movie = find_box(file, b"moov", 0, file.size_bytes)
    if movie is None:
        return False
    start, end = movie[0] + _BOX_HEADER_BYTES, movie[1]
    while track := find_box(file, b"trak", start, end):
        if _sample_entry(file, track) == _ENCRYPTED_VIDEO:
            return True
        start = track[1]
    return False


def _sample_entry(file: MediaFile, track: tuple[int, int]) -> bytes:
    """Type of the track's first sample entry; empty where there is none."""
    box = track
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        found = find_box(file, kind, box[0] + _BOX_HEADER_BYTES, box[1])
        if found is None:
            return b""
        box = found
    return read_bytes(file, box[0] + _SAMPLE_ENTRIES_AT, _BOX_HEADER_BYTES, box[1])[4:]


def find_box(file: MediaFile, kind: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Return start and end of the first box of a kind, among those from `start` to `end` (ISO/IEC 14496-12, 4.2)."""
    for _ in range(_MAX_BOXES):
        header = read_bytes(file, start, 16, end)
        size_bytes = int.from_bytes(header[:4], "big")
        if size_bytes == 1:
            size_bytes = int.from_bytes(header[8:16], "big")
        if len(header) < 8 or size_bytes < 8:
            return None
        if header[4:8] == kind:
            return start, min(start + size_bytes, end)
        if header[4:8] == b"moof":
            return None
        start += size_bytes
    return None


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
