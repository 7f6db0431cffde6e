"""The index of an MP4 is found behind a few boxes, and nobody makes us walk through thousands."""

from pathlib import Path

from chalicelib.core.media.boxes import Index
from tests.media.sample_videos import write_sample_video
from tests.media.stored_file import RecordedFile

EMPTY_BOX = (8).to_bytes(4, "big") + b"free"
MOST_READS = 256


def _behind(boxes: int, tmp_path: Path) -> RecordedFile:
    """Return an MP4 whose index comes after its media data and so many empty boxes."""
    data = write_sample_video(tmp_path / "v", audio=False, width=64, height=36).read_bytes()
    index = data.rindex(b"moov") - 4
    return RecordedFile(data[:index] + EMPTY_BOX * boxes + data[index:])


def test_an_index_behind_fifty_boxes_is_found(tmp_path: Path) -> None:
    assert not Index.of(_behind(50, tmp_path)).is_missing


def test_an_index_behind_thousands_of_boxes_is_given_up_soon(tmp_path: Path) -> None:
    file = _behind(10_000, tmp_path)
    assert Index.of(file).is_missing
    assert len(file.ranges) < MOST_READS
