"""Thumbnails come after the facts, cost little, and never fail a video."""

import io
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import av
import pytest

from chalicelib.core.media import inspector_process
from chalicelib.core.media.errors import ShortRangeError
from chalicelib.core.media.facts import (
    THUMBNAIL_LIMITS,
    Inspection,
    InspectionLimits,
    MediaFacts,
    Thumbnails,
    VideoStream,
)
from chalicelib.core.media.frames import (
    EXPECTED_RANGE,
    HEADER,
    MAX_THUMBNAILS_BYTES,
    THUMBNAILS,
    Frame,
    pack,
    unpack_header,
)
from chalicelib.core.media.inspection import inspect_media, with_thumbnails
from chalicelib.core.media.inspector_process import InspectorProcess, ProcessEndedError
from chalicelib.core.media.ranged_file import HEAD_BYTES, PREFETCHES_AT_ONCE, TAIL_BYTES, RangedFile, ReadBudget
from chalicelib.core.media.thumbnails import WHOLE_FILE_BYTES
from chalicelib.core.video_types import Container
from tests.media.pictures import picture_of, tile_luma
from tests.media.sample_videos import MIB, noise, write_sample_video
from tests.media.stored_file import StoredFile

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def _inspect(path: Path, *, thumbnails: bool = True) -> Inspection:
    stored = StoredFile(path)
    return inspect_media(stored.read_range, stored.size_bytes, thumbnails=thumbnails)


def _thumbnails(path: Path) -> Thumbnails:
    thumbnails = _inspect(path).thumbnails
    assert thumbnails
    return thumbnails


def test_a_thumbnail_shows_its_moment_and_behind_the_last_nothing_stands(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", duration_seconds=6.0, black_seconds=3.0, width=240, height=136)
    thumbnails = _thumbnails(path)
    assert (thumbnails.count, thumbnails.tile_width, thumbnails.tile_height) == (6, 240, 136)
    sprite = picture_of(thumbnails.sprite_jpeg)
    assert (sprite.width, sprite.height) == (4 * 240, 2 * 136)
    is_black = [max(tile_luma(sprite, thumbnails, number)) < 12 for number in range(8)]
    assert is_black == [True] * 3 + [False] * 3 + [True] * 2


def test_a_video_of_one_keyframe_or_one_second_has_no_thumbnails_and_neither_where_nobody_wants_them(
    tmp_path: Path,
) -> None:
    path = write_sample_video(tmp_path / "v", duration_seconds=0.4)
    assert _inspect(path).thumbnails is None
    path = write_sample_video(tmp_path / "v", duration_seconds=6.0)
    assert _inspect(path, thumbnails=False).thumbnails is None
    assert _inspect(path).to_json()["thumbnails"] == {
        "count": 6,
        "columns": 4,
        "tileWidth": 240,
        "tileHeight": 136,
        "secondsPerTile": 1.0,
    }


@pytest.fixture(scope="module")
def seed_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("seed") / "v.mkv"
    return write_sample_video(path, "mkv", duration_seconds=34.0, frame_rate=5, width=160, height=90, audio=False)


def _spread(seed: Path, path: Path) -> Path:
    """Copy the pictures with half a megabyte of sound before each keyframe: none of them lies near another."""
    with av.open(str(seed)) as source, av.open(str(path), "w") as target:
        pictures = target.add_stream_from_template(source.streams.video[0])
        sound = target.add_stream("pcm_s16le", rate=48_000)
        blocks = noise(40 * MIB)
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.dts is not None):
            if packet.is_keyframe:
                block = av.Packet(next(blocks)[: MIB // 2])
                block.stream, block.time_base = sound, Fraction(1, 5)
                block.pts = block.dts = number
                target.mux(block)
            packet.stream = pictures
            target.mux(packet)
    return path


@pytest.mark.parametrize("kind", ["mov", "mkv"])
def test_a_poster_costs_one_request_and_thumbnails_one_a_keyframe_and_little_more_than_it_is_read(
    kind: str, seed_video: Path, tmp_path: Path
) -> None:
    path = _spread(seed_video, tmp_path / f"v.{kind}")
    without, stored = StoredFile(path), StoredFile(path)
    inspect_media(without.read_range, without.size_bytes, thumbnails=False)
    thumbnails = inspect_media(stored.read_range, stored.size_bytes).thumbnails
    assert thumbnails
    assert thumbnails.count == Thumbnails.MAX_COUNT
    head_and_tail, keyframe_bytes = HEAD_BYTES + TAIL_BYTES, 200_000 if kind == "mkv" else 10_000
    assert len(without.ranges) == 3
    assert without.fetched_bytes <= head_and_tail + keyframe_bytes
    assert stored.fetched_bytes <= head_and_tail + (Thumbnails.MAX_COUNT + 1) * keyframe_bytes
    assert len(stored.ranges) - len(without.ranges) <= Thumbnails.MAX_COUNT
    assert stored.fetched_bytes - without.fetched_bytes <= THUMBNAIL_LIMITS.max_fetched_bytes
    assert len(thumbnails.sprite_jpeg) <= MAX_THUMBNAILS_BYTES


@pytest.mark.parametrize("container", ["ts", "fragmented"])
def test_a_large_file_without_an_index_costs_no_request_more(container: str, tmp_path: Path) -> None:
    path = tmp_path / "v"
    if container == "ts":
        write_sample_video(path, "ts", duration_seconds=6.0)
        packet = b"\x47\x1f\xff\x10" + bytes(184)  # a null packet (ISO/IEC 13818-1, 2.4.3)
        with path.open("ab") as file:
            file.write(packet * (WHOLE_FILE_BYTES // len(packet)))
    else:
        write_sample_video(path, duration_seconds=6.0, muxer_options=FRAGMENTED, pad_to_bytes=WHOLE_FILE_BYTES + MIB)
    without, stored = StoredFile(path), StoredFile(path)
    inspect_media(without.read_range, without.size_bytes, thumbnails=False)
    assert inspect_media(stored.read_range, stored.size_bytes).thumbnails is None
    assert sorted(stored.ranges) == sorted(without.ranges)


def test_a_storage_that_fails_or_hangs_for_the_thumbnails_leaves_the_video_ready(
    seed_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = _spread(seed_video, tmp_path / "v.mov")
    plain = StoredFile(video)
    expected = inspect_media(plain.read_range, plain.size_bytes, thumbnails=False)
    for trouble in ("fails", "hangs"):
        stored = StoredFile(video)

        def read_range(start: int, end: int, /, stored: StoredFile = stored, trouble: str = trouble) -> bytes:
            if len(stored.ranges) >= len(plain.ranges):
                if trouble == "fails":
                    raise ShortRangeError(start, end, 0)
                time.sleep(1.5)
            return stored.read_range(start, end)

        limits = InspectionLimits(max_fetched_bytes=20 * MIB, max_fetch_requests=24, max_wall_seconds=0.5)
        monkeypatch.setattr("chalicelib.core.media.inspection.THUMBNAIL_LIMITS", limits)
        assert inspect_media(read_range, stored.size_bytes) == expected


_IMPOSTOR = """
import os, time
from chalicelib.core.media.frames import HEADER, Frame, pack
os.read(0, HEADER.unpack(os.read(0, HEADER.size))[1])
facts = b'{"duration_seconds": 2.0, "bit_rate_bits_per_second": 1, "audio": null, "video": {"codec": "h264", \
"profile": null, "width": 2, "height": 2, "rotation_degrees": 0, "frame_rate": 1}}'
for frame in (pack(Frame.READY), pack(Frame.POSTER, b"\\xff\\xd8\\xff\\xd9"), pack(Frame.FACTS, facts)):
    os.write(1, frame)
"""
JPEG = b"\xff\xd8\xff\xd9"


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 11)", "time.sleep(60)"], ids=["dies", "hangs"])
def test_an_inspector_that_dies_or_hangs_after_the_facts_costs_the_video_its_thumbnails_alone(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "impostor.py").write_text(_IMPOSTOR + end)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(inspector_process, "INSPECTOR", "impostor")
    monkeypatch.setattr(
        "chalicelib.core.media.inspection.THUMBNAIL_LIMITS", replace(THUMBNAIL_LIMITS, max_wall_seconds=0.5)
    )
    inspection = inspect_media(lambda start, end: bytes(end - start), 1000, Container.MP4)
    assert (inspection.facts.video.width, inspection.poster_jpeg, inspection.thumbnails) == (2, JPEG, None)


class _Captured:
    """An inspecting process that says what it likes after the facts."""

    def __init__(self, said: bytes) -> None:
        self._said = io.BytesIO(said)

    def hold_to(self, budget: ReadBudget) -> None: ...
    def say(self, frame: Frame, payload: bytes = b"") -> None: ...

    def listen(self) -> tuple[Frame, bytes]:
        header = self._said.read(HEADER.size)
        if not header:
            raise ProcessEndedError(0, "")
        frame, size_bytes = unpack_header(header)
        return frame, self._said.read(size_bytes)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(pack(Frame.THUMBNAILS, THUMBNAILS.pack(0, 240, 136) + JPEG), id="no tile"),
        pytest.param(pack(Frame.THUMBNAILS, THUMBNAILS.pack(17, 240, 136) + JPEG), id="too many tiles"),
        pytest.param(pack(Frame.THUMBNAILS, THUMBNAILS.pack(4, 65_535, 136) + JPEG), id="a huge tile"),
        pytest.param(pack(Frame.THUMBNAILS, THUMBNAILS.pack(4, 240, 0) + JPEG), id="a flat tile"),
        pytest.param(pack(Frame.THUMBNAILS, THUMBNAILS.pack(4, 240, 136) + b"<html>"), id="no JPEG"),
        pytest.param(pack(Frame.THUMBNAILS, b"1"), id="half a shape"),
        pytest.param(pack(Frame.PREFETCH, b"123"), id="half a range"),
        pytest.param(pack(Frame.PREFETCH, EXPECTED_RANGE.pack(0, 1 << 60)), id="a range beyond the end"),
        pytest.param(pack(Frame.PREFETCH, EXPECTED_RANGE.pack(9, 3)), id="a range from end to start"),
        pytest.param(pack(Frame.READ, EXPECTED_RANGE.pack(0, 1)), id="half a read"),
        pytest.param(pack(Frame.FACTS, b"{}"), id="facts again"),
        pytest.param(b"\x63\0\0\0\0", id="an unknown frame"),
        pytest.param(pack(Frame.PROBLEM, b'{"error": "encrypted"}'), id="a problem after all"),
    ],
)
def test_nothing_that_a_captured_inspector_says_after_the_facts_is_believed(said: bytes) -> None:
    video = VideoStream(codec="h264", profile=None, width=2, height=2, rotation_degrees=0, frame_rate=None)
    facts = MediaFacts(
        container=Container.MP4, duration_seconds=2.0, bit_rate_bits_per_second=1, video=video, audio=None
    )
    inspection = Inspection(facts, JPEG)
    budget = ReadBudget(InspectionLimits(), time.monotonic() + 10)
    file = RangedFile(lambda start, end: bytes(end - start), 1000, budget)
    assert with_thumbnails(inspection, cast("InspectorProcess", _Captured(said)), file) == inspection
    good = pack(Frame.THUMBNAILS, THUMBNAILS.pack(4, 240, 136) + JPEG)
    to_the_end = pack(Frame.PREFETCH, EXPECTED_RANGE.pack(9, file.size_bytes))
    for honest in (good, to_the_end + good):
        assert with_thumbnails(inspection, cast("InspectorProcess", _Captured(honest)), file).thumbnails


def test_prefetched_ranges_come_some_at_a_time_and_no_byte_twice() -> None:
    data = b"".join(noise(8 * MIB))
    asked: list[tuple[int, int]] = []

    def read_range(start: int, end: int, /) -> bytes:
        asked.append((start, end))
        return data[start:end]

    file = RangedFile(read_range, len(data), ReadBudget(InspectionLimits(), time.monotonic() + 10))
    file.prefetch()
    held = len(asked)
    step = MIB // 4
    file.prefetch_all([(start, start + step + 9) for start in range(0, 6 * MIB, step)])
    file.prefetch_all([(5 * MIB, 7 * MIB)])
    assert all(end <= following for (_, end), (following, _) in pairwise(sorted(asked)))
    assert len(asked) - held <= PREFETCHES_AT_ONCE
    seen = len(asked)
    file.seek(0)
    assert file.read(7 * MIB) == data[: 7 * MIB]
    assert len(asked) == seen
