"""Sound of a long film, shown with an index of its first samples alone. Imported by the inspecting process only.

libavformat makes an entry for each sample of each track when it opens an MP4 or QuickTime file: 350,000 for the sound
of a film of two hours. No fact depends on more than the first of these. How long the sound is follows from boxes that
stay: media header, durations of the samples and edit list (ISO/IEC 14496-12, 8.4.2, 8.6.1.2 and 8.6.6).
"""

from itertools import islice
from struct import Struct

from chalicelib.core.media.boxes import BOX_HEADER_BYTES, boxes, find_box, find_inner_box, read_bytes, tracks
from chalicelib.core.media.demuxing import FileWithGap, MediaFile

LEAST_HIDDEN_BYTES = 256 << 10
"""Size of tables from which hiding them is worth it: the sound of ten to twenty minutes."""
_SHOWN_SAMPLES = 256
_USUAL_ORDER = [b"stsd", b"stts", b"stsc"]
"""Description, durations, and the first of the tables to hide; others between these would say more about the time."""
_CONTENT_AT = BOX_HEADER_BYTES + 4
"""After the box's header, its version and flags."""
_HANDLER_AT = _CONTENT_AT + 4
_DURATIONS = Struct(">III")
"""Number of entries; of the first, samples and duration of each."""
_SIZES = Struct(">III")
"""Size of all samples or zero, number of samples, size of the first."""
_POSITIONS, _WIDE_POSITIONS = Struct(">II"), Struct(">IQ")
"""Number of chunks, position of the first. Wide: in the table for large files."""
_EDITS, _WIDE_EDITS = Struct(">IIi"), Struct(">IQq")
"""Number of edits; of the first, its length and where it begins in the track. Wide: in version 1 of the box."""


def with_short_sound_index(file: MediaFile, index: tuple[int, int]) -> MediaFile:
    """Return the file with the indexes of its sound tracks cut short, where they are long and no fact depends on it.

    Of the samples that it shows only the first is at its place, for libavformat to see what is said of it; no other
    can be read. index: start and end of the `moov` box.
    """
    if index[1] - index[0] < LEAST_HIDDEN_BYTES:
        return file
    shown = file
    for track in tracks(file, index[0] + BOX_HEADER_BYTES, index[1]):
        tables = find_inner_box(file, track, b"mdia", b"minf", b"stbl")
        if tables is None or not _is_sound(file, track):
            continue
        first = list(islice(boxes(file, tables[0] + BOX_HEADER_BYTES, tables[1]), len(_USUAL_ORDER)))
        if [kind for kind, _, _ in first] != _USUAL_ORDER:
            continue
        _, durations_start, durations_end = first[1]
        is_long = tables[1] - durations_end >= LEAST_HIDDEN_BYTES
        if is_long and (samples := _samples_to_show(file, track, durations_start)):
            first_sample = _first_sample(file, durations_end, tables[1])
            if first_sample is not None:
                shown = FileWithGap(shown, durations_end, tables[1], _tables_of(samples, *first_sample))
    return shown


def _is_sound(file: MediaFile, track: tuple[int, int]) -> bool:
    handler = find_inner_box(file, track, b"mdia", b"hdlr")
    return handler is not None and read_bytes(file, handler[0] + _HANDLER_AT, 4, handler[1]) == b"soun"


def _samples_to_show(file: MediaFile, track: tuple[int, int], durations_start: int) -> int:
    """Return how many samples contain the sound's beginning; 0 if that is not certain."""
    _, samples, ticks = _numbers(file, durations_start, _DURATIONS)
    samples = min(samples, _SHOWN_SAMPLES)
    is_pcm = ticks <= 1  # libavformat counts these samples in another way
    return 0 if is_pcm or _begins_after(file, track) >= samples * ticks // 2 else samples


def _begins_after(file: MediaFile, track: tuple[int, int]) -> float:
    """Return how many of its ticks the track skips at its beginning; infinity if it plays in more than one piece."""
    edits = find_inner_box(file, track, b"edts", b"elst")
    if edits is None:
        return 0
    is_wide = read_bytes(file, edits[0] + BOX_HEADER_BYTES, 1, edits[1]) == b"\1"
    number, _, begins_after = _numbers(file, edits[0], _WIDE_EDITS if is_wide else _EDITS)
    return begins_after if number == 1 and begins_after >= 0 else float("inf")


def _numbers(file: MediaFile, box_start: int, numbers: Struct) -> tuple[int, ...]:
    """The first numbers of a box; zeros where the file ends."""
    data = read_bytes(file, box_start + _CONTENT_AT, numbers.size, file.size_bytes)
    return numbers.unpack(data.ljust(numbers.size, b"\0"))


def _first_sample(file: MediaFile, start: int, end: int) -> tuple[int, int] | None:
    """Size and position of the sound's first sample; None where the usual tables do not tell."""
    sizes = find_box(file, b"stsz", start, end)
    narrow, wide = (find_box(file, kind, start, end) for kind in (b"stco", b"co64"))
    positions = narrow or wide
    if sizes is None or positions is None:
        return None
    usual_size, _, first_size = _numbers(file, sizes[0], _SIZES)
    _, position = _numbers(file, positions[0], _POSITIONS if narrow else _WIDE_POSITIONS)
    return usual_size or first_size, position


def _tables_of(samples: int, size_bytes: int, position: int) -> bytes:
    """Tables of one chunk of samples of one size (ISO/IEC 14496-12, 8.7.4, 8.7.3 and 8.7.5)."""
    chunks = _table(b"stsc", 1, 1, samples, 1)
    sizes = _table(b"stsz", size_bytes, samples)
    positions = _table(b"co64", 1, *divmod(position, 1 << 32))
    return chunks + sizes + positions


def _table(kind: bytes, *numbers: int) -> bytes:
    content = b"".join(number.to_bytes(4, "big") for number in (0, *numbers))
    return (BOX_HEADER_BYTES + len(content)).to_bytes(4, "big") + kind + content
