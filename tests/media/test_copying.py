"""A copy is an MP4 that begins with its index, holds what the file holds, and is made without a file or a socket."""

import random
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.stream import VideoStream

from chalicelib.core.media import copying, inspector_process
from chalicelib.core.media.copying import PART_BYTES, Source, copy_media
from chalicelib.core.media.errors import (
    MediaError,
    MediaLimitsError,
    ShortRangeError,
    UnreadableMediaError,
)
from chalicelib.core.media.facts import InspectionLimits, MediaFacts
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.video_types import Container
from tests.media.containers import ContainerName
from tests.media.hostile_videos import damaged, with_one_picture_again_and_again
from tests.media.sample_videos import MIB, write_reordered_video, write_sample_video
from tests.media.stored_file import StoredFile, inspect_file

LEAST_PART_BYTES = 5 * MIB  # S3 User Guide, "Amazon S3 multipart upload limits"
COPIED: dict[ContainerName, Container] = {
    "mov": Container.QUICKTIME,
    "3gp": Container.THREE_GPP,
    "mkv": Container.MATROSKA,
    "ts": Container.MPEG_TS,
}


class Bucket:
    """A multipart upload, as strict as S3 about its parts."""

    def __init__(self) -> None:
        self.parts: dict[int, bytes] = {}
        self.sent: list[int] = []

    def send(self, part_number: int, body: bytes) -> None:
        self.sent.append(part_number)
        self.parts[part_number] = body

    @property
    def body(self) -> bytes:
        numbers = sorted(self.parts)
        assert numbers == list(range(1, len(numbers) + 1))
        assert all(len(self.parts[number]) >= LEAST_PART_BYTES for number in numbers[:-1])
        return b"".join(self.parts[number] for number in numbers)


def source_of(path: Path, container: Container, packets: int = 500) -> Source:
    stored = StoredFile(path)
    return Source(read_range=stored.read_range, size_bytes=stored.size_bytes, container=container, packets=packets)


def copied(path: Path, container: Container, packets: int = 500, limits: InspectionLimits | None = None) -> bytes:
    bucket = Bucket()
    size_bytes = copy_media(source_of(path, container, packets), bucket.send, *([limits] if limits else []))
    assert size_bytes == len(bucket.body)
    return bucket.body


def facts_of(data: bytes) -> MediaFacts:
    return inspect_media(lambda start, end: data[start:end], len(data)).facts


def pictures_of(path: Path) -> Iterator[tuple[Fraction, bytes]]:
    """Each picture's time after the first, and a small part of the picture."""
    with av.open(str(path)) as media:
        first: Fraction | None = None
        for picture in media.decode(video=0):
            assert picture.pts is not None
            assert picture.time_base is not None
            moment = picture.pts * picture.time_base
            first = moment if first is None else first
            yield round(moment - first, 2), bytes(picture.planes[0])[:320]


@pytest.mark.parametrize("name", list(COPIED))
def test_all_browsers_play_the_copy_of_a_container_that_some_do_not_play(name: ContainerName, tmp_path: Path) -> None:
    original = write_sample_video(tmp_path / "original", name)
    before = inspect_file(original).facts
    assert before.playability.browsers != "all"
    data = copied(original, COPIED[name])
    after = facts_of(data)
    assert (after.container, after.playability.browsers) == (Container.MP4, "all")
    assert (after.video, after.audio) == (before.video, before.audio)
    assert after.duration_seconds == pytest.approx(before.duration_seconds, abs=0.1)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(data)
    assert list(pictures_of(copy)) == list(pictures_of(original))


def test_the_index_of_a_copy_comes_before_its_pictures(tmp_path: Path) -> None:
    data = copied(write_sample_video(tmp_path / "original", "mkv"), Container.MATROSKA)
    assert data[4:8] == b"ftyp"
    moov = 32
    assert data[moov + 4 : moov + 8] == b"moov"
    assert moov < data.index(b"mdat") < 600_000


def test_a_copy_is_turned_as_its_original_is(tmp_path: Path) -> None:
    original = write_sample_video(tmp_path / "original", "mov", rotation_degrees=90)
    after = facts_of(copied(original, Container.QUICKTIME))
    assert (after.video.rotation_degrees, after.video.width, after.video.height) == (90, 180, 320)


def test_pictures_out_of_order_are_shown_in_order_by_the_copy(tmp_path: Path) -> None:
    original = write_reordered_video(tmp_path / "original.mkv", "matroska")
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(copied(original, Container.MATROSKA))
    assert list(pictures_of(copy)) == list(pictures_of(original))


def test_pictures_out_of_order_in_a_container_that_tells_no_order_are_not_copied(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMediaError, match="presentation times"):
        copied(write_reordered_video(tmp_path / "original.avi", "avi"), Container.AVI)


def test_an_index_that_needs_more_room_than_its_facts_say_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_LEAST_INDEX_BYTES", 1_000)
    data = copied(write_sample_video(tmp_path / "original", "mkv"), Container.MATROSKA, packets=0)
    assert facts_of(data).playability.browsers == "all"


def test_a_large_copy_is_sent_in_parts_and_its_first_part_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "PART_BYTES", LEAST_PART_BYTES)
    noisy = tmp_path / "noisy.mkv"
    with av.open(str(noisy), "w", format="matroska") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast", "qp": "4"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        numbers = random.Random(1)
        for number in range(7):
            picture = av.VideoFrame(1280, 720, "yuv420p")
            for plane in picture.planes:
                plane.update(numbers.randbytes(plane.buffer_size))
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    assert noisy.stat().st_size > 2 * LEAST_PART_BYTES + MIB
    bucket = Bucket()
    size_bytes = copy_media(source_of(noisy, Container.MATROSKA), bucket.send)
    assert bucket.sent == [*range(2, len(bucket.parts) + 1), 1]
    assert len(bucket.parts) > 2
    assert size_bytes == len(bucket.body)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(bucket.body)
    assert list(pictures_of(copy)) == list(pictures_of(noisy))


def test_a_damaged_file_is_copied_or_refused_and_breaks_nothing(tmp_path: Path) -> None:
    data = write_sample_video(tmp_path / "original", "mkv", width=64, height=36, duration_seconds=0.4).read_bytes()
    numbers = random.Random(3)
    damaged_file, outcomes = tmp_path / "damaged", list[str]()
    for attempt in range(10):
        damaged_file.write_bytes(damaged(data, numbers, 4 ** (attempt % 4)))
        try:
            copy = copied(damaged_file, Container.MATROSKA)
        except MediaError as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("copied")
            assert copy[4:8] == b"ftyp"
    assert {"copied", "UnreadableMediaError"} <= {*outcomes}, outcomes


def test_a_copy_that_takes_too_long_ends_with_its_time(tmp_path: Path) -> None:
    original = write_sample_video(tmp_path / "original", "mkv")
    with pytest.raises(MediaLimitsError, match="seconds"):
        copied(original, Container.MATROSKA, limits=InspectionLimits(max_wall_seconds=0.0))


def test_a_storage_that_gives_too_little_is_to_blame_itself(tmp_path: Path) -> None:
    original = write_sample_video(tmp_path / "original", "mkv")
    source = replace(source_of(original, Container.MATROSKA), read_range=lambda start, end: b"")
    with pytest.raises(ShortRangeError):
        copy_media(source, Bucket().send)


@pytest.mark.parametrize("position", [5 * MIB + 1, 6 * MIB, 4 * MIB + PART_BYTES])
def test_a_captured_process_cannot_write_where_no_copy_is_written(position: int) -> None:
    sink = copying.Sink(Bucket().send, 64 * MIB)
    sink.begin(5 * MIB)
    sink.write(0, b"head")
    with pytest.raises(UnreadableMediaError, match="out of order"):
        sink.write(position, b"behind a gap")


def test_a_captured_process_cannot_leave_a_gap_behind_the_beginning() -> None:
    bucket = Bucket()
    sink = copying.Sink(bucket.send, 64 * MIB)
    sink.begin(5 * MIB)
    sink.write(0, b"head")
    sink.write(5 * MIB, b"what follows")
    with pytest.raises(UnreadableMediaError, match="gap"):
        sink.finish()
    assert not bucket.sent


def test_a_file_that_names_the_same_bytes_again_and_again_makes_no_endless_copy(tmp_path: Path) -> None:
    small = write_sample_video(tmp_path / "small.mov", "mov", duration_seconds=0.4, audio=False)
    hostile = tmp_path / "hostile.mov"
    hostile.write_bytes(with_one_picture_again_and_again(small.read_bytes(), 3_000))
    assert inspect_file(hostile).facts.playability.browsers != "all", "processing would have it copied"
    bucket = Bucket()
    with pytest.raises(UnreadableMediaError, match="far larger"):
        copy_media(source_of(hostile, Container.QUICKTIME), bucket.send)
    assert not bucket.sent


@pytest.mark.parametrize(
    "said",
    [
        "Frame.WRITE, b'short'",
        "Frame.COPIED, b'no JSON'",
        "Frame.COPIED, b'[]'",
        """Frame.COPIED, b'{"neededBytes": -5000000}'""",
        """Frame.COPIED, b'{"neededBytes": "1"}'""",
    ],
)
def test_nothing_else_that_a_captured_process_says_is_believed(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "impostor.py").write_text(
        "import os\nfrom chalicelib.core.media.frames import Frame, pack\n"
        f"os.write(1, pack(Frame.READY) + pack({said}))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(inspector_process, "INSPECTOR", "impostor")
    video = write_sample_video(tmp_path / "original", "mkv")
    bucket = Bucket()
    with pytest.raises(UnreadableMediaError, match="the copying process failed"):
        copy_media(source_of(video, Container.MATROSKA), bucket.send)
    assert not bucket.sent
