"""Facts and a picture of real videos, through the front door."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import msgspec
import pytest
from av.stream import Disposition

from chalicelib.contract.responses import Media
from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.containers import HEAD_BYTES, detect_container
from chalicelib.core.media.errors import (
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
)
from chalicelib.core.media.facts import AudioStream, Inspection, InspectionLimits, MediaFacts, VideoStream
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.media.stream_facts import channels_of
from chalicelib.core.video_types import Container
from tests.media.recipes import LIVE, TINY, by_ffmpeg, sample
from tests.media.sample_videos import MIB, write_sample_video
from tests.media.stored_file import StoredFile, inspect_file


def test_the_media_object_has_the_contracts_fields() -> None:
    video = VideoStream(codec="h264", profile="High", width=1, height=1, rotation_degrees=0, frame_rate=None)
    audio = AudioStream(codec="aac", channels=1, sample_rate_hz=1)
    facts = MediaFacts(
        container=Container.MP4, duration_seconds=None, bit_rate_bits_per_second=None, video=video, audio=audio
    )
    inspection = Inspection(facts, poster_jpeg=b"")
    media: JsonObject = msgspec.to_builtins(msgspec.convert(inspection.to_json(), Media))
    assert inspection.to_json() == media


def test_facts_that_version_0_1_recorded_are_answered_without_the_newer_ones() -> None:
    video: JsonObject = {"codec": "h264", "width": 1, "height": 1, "rotationDegrees": 0, "frameRate": None}
    recorded: JsonObject = {"container": "mp4", "durationSeconds": 2.0, "bitRateBitsPerSecond": 1, "audio": None}
    media = msgspec.convert({**recorded, "video": video}, Media)
    assert msgspec.to_builtins(media) == {
        **recorded,
        "video": {**video, "profile": None},
        "playability": None,
        "thumbnails": None,
    }


def test_a_recording_that_broke_off_between_fragments_keeps_what_it_has(tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v", duration_seconds=6.0, muxer_options={"movflags": "frag_keyframe+empty_moov"}
    )
    os.truncate(path, path.stat().st_size // 2)
    assert 0 < (inspect_file(path).facts.duration_seconds or 0) < 6.0


def test_channels_in_an_order_of_their_own_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "v"
    by_ffmpeg(sample("mov"), "mov", "-c:v", "copy", "-c:a", "ac3", "-ac", "6")(path)
    assert inspect_file(path).facts.audio == AudioStream(codec="ac3", channels=6, sample_rate_hz=48_000)
    with av.open(str(path), options={"probesize": "32"}) as media:
        sound = media.streams.audio[0].codec_context
        assert [channels_of(sound) for _ in range(3)] == [6] * 3
        assert sound.layout.name == "6 channels", "their list was the layout's, which is gone: freed again, it crashes"


def test_the_poster_is_a_baseline_jpeg(tmp_path: Path) -> None:
    jpeg = inspect_file(write_sample_video(tmp_path / "v")).poster_jpeg
    assert jpeg[:2] == b"\xff\xd8"
    assert jpeg[-2:] == b"\xff\xd9"
    assert b"\xff\xc0" in jpeg, "a baseline frame header"
    assert b"\xff\xc2" not in jpeg, "no progressive one"


def test_sound_alone_or_with_cover_art_is_not_a_video(tmp_path: Path) -> None:
    poster_jpeg = inspect_file(write_sample_video(tmp_path / "v")).poster_jpeg
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w", format="mp4") as song:
        sound = song.add_stream("aac", rate=48_000)
        cover = song.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 320, 180, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        for number in range(20):
            frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            frame.sample_rate, frame.pts = 48_000, number * 1024
            song.mux(sound.encode(frame))
        packet = av.Packet(poster_jpeg)
        packet.stream, packet.pts, packet.dts, packet.time_base = cover, 0, 0, Fraction(1)
        song.mux(packet)
    with av.open(str(path)) as written:
        assert written.streams.video[0].disposition & Disposition.attached_pic
    with pytest.raises(NoVideoStreamError) as raised:
        inspect_file(path)
    assert raised.value.code == "no_video_stream"
    assert sorted(raised.value.stream_types) == ["audio", "video"]


@pytest.mark.parametrize(
    ("limits", "limit", "found"),
    [
        (InspectionLimits(max_dimension_px=319), "max_dimension_px", 320),
        (InspectionLimits(max_duration_seconds=1.5), "max_duration_seconds", 2.0),
        (InspectionLimits(max_streams=1), "max_streams", 2),
    ],
)
def test_a_file_beyond_the_limits_is_refused_with_the_figure(
    limits: InspectionLimits, limit: str, found: float, tmp_path: Path
) -> None:
    with pytest.raises(MediaLimitsError) as raised:
        inspect_file(write_sample_video(tmp_path / "v"), limits)
    assert (raised.value.code, raised.value.limit, raised.value.found) == ("media_limits_exceeded", limit, found)


def test_a_fragmented_video_beyond_the_duration_limit_is_refused_with_both_figures_and_one_at_the_limit_is_not(
    tmp_path: Path,
) -> None:
    path = write_sample_video(tmp_path / "v", duration_seconds=7.2, muxer_options=LIVE, **TINY)
    assert inspect_file(path, InspectionLimits(max_duration_seconds=7.2)).facts.duration_seconds == 7.2
    with pytest.raises(MediaLimitsError) as raised:
        inspect_file(path, InspectionLimits(max_duration_seconds=3.6))
    assert raised.value.message == "The duration of the video is 0.002 hours; 0.001 hours are allowed."


def test_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", width=3840, height=2160, duration_seconds=0.2, audio=False)
    assert inspect_file(path).facts.video.width == 3840
    with pytest.raises(MediaLimitsError) as raised:
        inspect_file(path, InspectionLimits(max_memory_bytes=140 * MIB))
    assert raised.value.limit == "max_memory_bytes"


def test_the_wrong_demuxer_is_never_swapped_for_the_right_one(tmp_path: Path) -> None:
    stored = StoredFile(write_sample_video(tmp_path / "v", "mkv"))
    with pytest.raises(UnreadableMediaError):
        inspect_media(stored.read_range, stored.size_bytes, Container.AVI)


def test_the_inspecting_process_never_loads_the_media_library() -> None:
    probe = "import sys, chalicelib.core.media.inspection as i; sys.exit('av' in sys.modules)"
    path = {"PYTHONPATH": str(Path(__file__).parents[2] / "chalice_app")}
    assert subprocess.run([sys.executable, "-c", probe], env=path, check=False).returncode == 0


def test_the_container_that_the_head_names_is_inspected(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", "webm")
    assert inspect_file(path).facts.container is detect_container(path.read_bytes()[:HEAD_BYTES])
