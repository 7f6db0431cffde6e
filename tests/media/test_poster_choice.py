"""The poster is the picture that the search means: near its moment, and not the first one where there is another."""

from pathlib import Path

import av
import pytest

from tests.media.pictures import picture_of
from tests.media.recipes import LIVE, Write, sample
from tests.media.stored_file import inspect_file

CHOICES: dict[str, tuple[Write, int]] = {
    # A keyframe each 12 pictures; a tenth of two seconds lies before the second one.
    "mp4, the moment itself": (sample(), 5),
    # A tenth of five seconds is 0.5 s; the keyframe before it is at the beginning.
    "slow, not far beyond the moment": (sample(duration_seconds=5.0, frame_rate=10), 5),
    "fragmented, not the first": (sample(muxer_options=LIVE), 12),
    "live webm, the first": (sample("webm", muxer_options={"live": "1"}), 0),
}
"""A video, and the number of the picture that becomes its poster."""


@pytest.mark.parametrize("name", CHOICES)
def test_the_poster_is_the_picture_that_is_meant(name: str, tmp_path: Path) -> None:
    write, number = CHOICES[name]
    path = tmp_path / "v"
    write(path)
    assert _nearest(path, inspect_file(path).poster_jpeg) == number


def _nearest(path: Path, jpeg: bytes) -> int:
    """Return the number of the video's picture that the JPEG shows: a gradient moves through each."""
    poster = picture_of(jpeg).planes[0]
    seen = bytes(poster)[poster.line_size * 4 :][:320]
    with av.open(str(path)) as media:
        lines = [bytes(one.planes[0])[one.planes[0].line_size * 4 :][:320] for one in media.decode(video=0)]
    distances = [
        sum(abs((luma - 16) * 255 / 219 - shown) for luma, shown in zip(line, seen, strict=True)) for line in lines
    ]
    return distances.index(min(distances))
