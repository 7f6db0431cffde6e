"""The poster is the first picture that shows something, near its moment, wherever in the video that is."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media import stream_facts
from chalicelib.core.media.demuxing import MediaFile
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.poster_search import PosterSearch
from chalicelib.core.video_types import Container
from tests.media.pictures import picture_of
from tests.media.recipes import LIVE, Write, sample
from tests.media.stored_file import RecordedFile, inspect_file

WIDTH, HEIGHT = 64, 36
BARS = 8
BLACK = 0
"""A scene without a bar."""
ONE_KEYFRAME = 10_000

Scene = tuple[float, int]
"""Length in seconds, and the number of the bar that it shows, from 1."""


def write_scenes(
    path: Path,
    scenes: Sequence[Scene],
    *,
    frame_rate: int = 5,
    pictures_a_keyframe: int = 12,
    start_seconds: float = 0,
    reordered: bool = False,
    muxer: str = "mp4",
    muxer_options: dict[str, str] | None = None,
    codec: str = "libx264",
) -> Path:
    """Encode scenes one after the other. start_seconds: of the first picture, by its timestamp. reordered: pictures are
    stored in another order than they are shown in."""
    keyframes = f"keyint={pictures_a_keyframe}:min-keyint={pictures_a_keyframe}:scenecut=0"
    keyframes += ":bframes=2:b-adapt=0" if reordered else ""
    with av.open(str(path), "w", format=muxer, options=muxer_options or {}) as output:
        options = {"preset": "ultrafast", "threads": "1", "x264-params": keyframes}
        if codec == "mpeg4":
            options = {"threads": "1", "g": str(pictures_a_keyframe), "sc_threshold": "1000000000"}
        stream = output.add_stream(codec, rate=frame_rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        number = round(start_seconds * frame_rate)
        for seconds, bar in scenes:
            for _ in range(round(seconds * frame_rate)):
                picture = _bar(bar)
                picture.pts, picture.time_base = number, Fraction(1, frame_rate)
                output.mux(stream.encode(picture))
                number += 1
        output.mux(stream.encode(None))
    return path


def _bar(bar: int) -> VideoFrame:
    """A bright bar on black."""
    picture = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    line = bytes(235 if bar and x * BARS // WIDTH == bar - 1 else 16 for x in range(WIDTH))
    luma, *chroma = picture.planes
    luma.update((line.ljust(luma.line_size, b"\0") * HEIGHT).ljust(luma.buffer_size, b"\0"))
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    return picture


def shown_bar(path: Path) -> int:
    poster = picture_of(inspect_file(path).poster_jpeg)
    plane = poster.planes[0]
    middle = bytes(plane)[poster.height // 2 * plane.line_size :][: poster.width]
    bright = [x for x, luma in enumerate(middle) if luma > 128]
    return bright[len(bright) // 2] * BARS // poster.width + 1 if bright else BLACK


def test_a_scene_that_no_usual_moment_meets_is_found_by_the_size_of_its_keyframes(tmp_path: Path) -> None:
    video = write_scenes(tmp_path / "v", [(40.0, BLACK), (2.4, 3), (17.6, BLACK)])
    assert shown_bar(video) == 3


@pytest.mark.parametrize("muxer", ["mp4", "avi"])
def test_the_scene_is_found_in_pictures_stored_in_another_order_than_shown(muxer: str, tmp_path: Path) -> None:
    """The index of an MP4 says when to decode a picture, which is before it is shown."""
    scenes = [(40.8, BLACK), (2.4, 3), (16.8, BLACK)]
    assert shown_bar(write_scenes(tmp_path / "v", scenes, reordered=True, muxer=muxer)) == 3


def test_the_earlier_of_two_such_scenes_wins(tmp_path: Path) -> None:
    video = write_scenes(tmp_path / "v", [(12.0, BLACK), (4.8, 2), (28.2, BLACK), (2.4, 5), (12.6, BLACK)])
    assert shown_bar(video) == 2


def test_the_poster_of_fragments_is_the_first_picture_only_if_no_later_one_shows_anything(tmp_path: Path) -> None:
    assert shown_bar(write_scenes(tmp_path / "1", [(2.4, 1), (2.4, 2), (2.4, 3)], muxer_options=LIVE)) == 2
    assert shown_bar(write_scenes(tmp_path / "2", [(2.4, 1), (7.2, BLACK)], muxer_options=LIVE)) == 1


def test_no_picture_of_fragments_is_shown_that_is_made_from_another(tmp_path: Path) -> None:
    """MPEG-4 decodes it all the same: what changed since that other picture, on grey."""
    scenes = [(0.4, BLACK), (2.0, 1), (2.4, 2)]
    assert shown_bar(write_scenes(tmp_path / "v", scenes, muxer_options=LIVE, codec="mpeg4")) == 2


def test_a_video_with_one_keyframe_is_decoded_up_to_the_wanted_moment_and_no_further(tmp_path: Path) -> None:
    video = write_scenes(tmp_path / "v", [(1.8, 1), (0.4, 2), (17.8, 3)], pictures_a_keyframe=ONE_KEYFRAME)
    assert shown_bar(video) == 2, "at a tenth of 20 seconds"


def test_a_keyframe_in_the_first_half_second_is_still_the_beginning(tmp_path: Path) -> None:
    """A tenth of 5.5 seconds comes after the keyframe at 0.3 s."""
    video = write_scenes(tmp_path / "v", [(0.5, 1), (5.0, 2)], frame_rate=10, pictures_a_keyframe=3)
    assert shown_bar(video) == 2


def test_at_most_64_pictures_are_decoded_on_the_way_to_a_moment(tmp_path: Path) -> None:
    """The poster shows the 65th: one is there, 64 follow."""
    scenes = [(64 / 5, 1), (1 / 5, 2), (200.0, 3)]
    assert shown_bar(write_scenes(tmp_path / "v", scenes, pictures_a_keyframe=ONE_KEYFRAME)) == 2


def test_moments_count_from_the_beginning_of_a_video_whose_clock_does_not_begin_at_zero(tmp_path: Path) -> None:
    video = write_scenes(tmp_path / "v", [(2.4, 1), (2.4, 2), (19.2, 3)], start_seconds=100, muxer="mpegts")
    with av.open(str(video)) as media:
        assert media.start_time == 100_000_000
    assert shown_bar(video) == 2, "at a tenth of 24 seconds"


@pytest.mark.parametrize("pictures_a_keyframe", [12, ONE_KEYFRAME])
def test_the_clock_of_a_matroska_file_may_begin_later_too(pictures_a_keyframe: int, tmp_path: Path) -> None:
    """Its header alone does not state when. Its duration counts from zero: a tenth of that is in the last scene."""
    scenes = [(2.4, 1), (17.6, 3)]
    video = write_scenes(
        tmp_path / "v", scenes, pictures_a_keyframe=pictures_a_keyframe, start_seconds=100, muxer="matroska"
    )
    with av.open(str(video)) as media:
        assert (media.start_time, media.duration) == (100_000_000, 120_000_000)
    assert shown_bar(video) == 3


def test_pictures_after_damaged_keyframes_are_better_than_a_black_one(tmp_path: Path) -> None:
    path = write_scenes(tmp_path / "v", [(2.4, BLACK), (9.6, 3)])
    with av.open(str(path)) as media:
        keyframes = [packet for packet in media.demux(video=0) if packet.is_keyframe and packet.size][1:]
        content = bytearray(path.read_bytes())
    for keyframe in keyframes:
        assert keyframe.pos is not None
        end = keyframe.pos + keyframe.size
        content[end - keyframe.size // 4 : end] = bytes(keyframe.size // 4)
    path.write_bytes(content)
    assert shown_bar(path) != BLACK


def test_the_first_picture_is_decoded_beside_a_demuxer_that_then_reads_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    positions: list[int] = []

    class Searching(PosterSearch):
        def __init__(
            self, file: MediaFile, media: InputContainer, stream: VideoStream, first_picture: Callable[[], VideoFrame]
        ) -> None:
            file.seek(1234)
            first_picture()
            positions.append(file.tell())
            super().__init__(file, media, stream, first_picture)

    monkeypatch.setattr(stream_facts, "PosterSearch", Searching)
    file = RecordedFile(write_scenes(tmp_path / "v", [(1.0, 1)]).read_bytes())
    stream_facts.inspect(file, Container.MP4, InspectionLimits(), lambda *_: None, thumbnails=False)
    assert positions == [1234]


CHOICES: dict[str, tuple[Write, int]] = {
    # A keyframe each 12 pictures; a tenth of two seconds lies before the second one.
    "mp4, the moment itself": (sample(), 5),
    # A tenth of five seconds is 0.5 s; the keyframe before it is at the beginning.
    "slow, not far beyond the moment": (sample(duration_seconds=5.0, frame_rate=10), 5),
    "fragmented, not the first": (sample(muxer_options=LIVE), 12),
    # P-pictures of this codec decode without the ones that they are made from, into something grey.
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
