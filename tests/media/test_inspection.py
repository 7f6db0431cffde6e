"""Facts and a picture of real videos, through the front door."""

import io
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import msgspec
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame

from chalicelib.contract.responses import Media
from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.containers import HEAD_BYTES, detect_container
from chalicelib.core.media.errors import (
    EncryptedMediaError,
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
    UnsupportedCodecError,
)
from chalicelib.core.media.facts import AudioStream, Inspection, InspectionLimits, MediaFacts, VideoStream
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.video_types import Container
from tests.media.sample_videos import MIB, QUARTER_CHROMA, ContainerName, write_sample_video
from tests.media.stored_file import StoredFile, inspect_file

CODECS: dict[ContainerName, tuple[str, str, str]] = {
    "mp4": ("mp4", "h264", "aac"),
    "mov": ("quicktime", "h264", "aac"),
    "mkv": ("matroska", "h264", "aac"),
    "webm": ("webm", "vp8", "opus"),
    "avi": ("avi", "mpeg4", "mp3"),
    "3gp": ("3gpp", "h264", "aac"),
    "ts": ("mpegts", "h264", "aac"),
    "mts": ("mpegts", "h264", "ac3"),
    "mpg": ("mpeg", "mpeg2video", "mp2"),
    "ogv": ("ogg", "vp8", "opus"),
}


PROFILES = {"h264": "Constrained Baseline", "mpeg4": "Simple Profile", "mpeg2video": "Main"}
PLAYABILITY: dict[ContainerName, JsonObject] = {
    "mp4": {"browsers": "all", "obstacle": None},
    "mov": {"browsers": "some", "obstacle": {"part": "container", "name": "QuickTime"}},
    "mkv": {"browsers": "some", "obstacle": {"part": "container", "name": "Matroska"}},
    "webm": {"browsers": "all", "obstacle": None},
    "avi": {"browsers": "none", "obstacle": {"part": "video", "name": "MPEG-4 Part 2"}},
    "3gp": {"browsers": "some", "obstacle": {"part": "container", "name": "3GP"}},
    "ts": {"browsers": "none", "obstacle": {"part": "container", "name": "MPEG-TS"}},
    "mts": {"browsers": "none", "obstacle": {"part": "container", "name": "MPEG-TS"}},
    "mpg": {"browsers": "none", "obstacle": {"part": "container", "name": "MPEG-PS"}},
    "ogv": {"browsers": "some", "obstacle": {"part": "container", "name": "Ogg"}},
}


def _picture(inspection: Inspection) -> VideoFrame:
    with av.open(io.BytesIO(inspection.poster_jpeg), "r", format="mjpeg") as jpeg:
        (picture,) = jpeg.decode(video=0)
    return picture


def _quarters(picture: VideoFrame) -> tuple[tuple[tuple[int, int], ...], ...]:
    """U and V in the middle of each quarter."""
    u, v = picture.planes[1], picture.planes[2]
    return tuple(
        tuple(
            (bytes(u)[y * u.line_size + x], bytes(v)[y * v.line_size + x])
            for x in (picture.width // 8, picture.width * 3 // 8)
        )
        for y in (picture.height // 8, picture.height * 3 // 8)
    )


def _turned_clockwise(quarters: tuple[tuple[tuple[int, int], ...], ...], degrees: int) -> object:
    for _ in range(degrees // 90):
        (top_left, top_right), (bottom_left, bottom_right) = quarters
        quarters = ((bottom_left, top_left), (bottom_right, top_right))
    return quarters


def _assert_shows_the_quarters(
    picture: VideoFrame,
    rotation_degrees: int = 0,
    chroma: tuple[tuple[tuple[int, int], ...], ...] = QUARTER_CHROMA,
) -> None:
    seen = [number for row in _quarters(picture) for quarter in row for number in quarter]
    turned = cast("tuple[tuple[tuple[int, int], ...], ...]", _turned_clockwise(chroma, rotation_degrees))
    meant = [number for row in turned for quarter in row for number in quarter]
    # Studio range becomes full range on the way to a JPEG: 224 steps of colour become 255.
    assert seen == pytest.approx([128 + (number - 128) * 255 / 224 for number in meant], abs=12)
    luma = bytes(picture.planes[0])
    assert max(luma) - min(luma) > 60, "not a blank"


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("audio", [True, False], ids=["with sound", "silent"])
def test_facts_and_poster_of_every_container(name: ContainerName, audio: bool, tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", name, duration_seconds=4.0, width=960, height=540, audio=audio)
    inspection = inspect_file(path)
    container, video_codec, audio_codec = CODECS[name]
    facts = inspection.facts.to_json()
    duration, bit_rate = cast("float", facts.pop("durationSeconds")), cast("int", facts.pop("bitRateBitsPerSecond"))
    sound: JsonObject = {"codec": audio_codec, "channels": 2, "sampleRateHz": 48000}
    assert facts.pop("playability") == PLAYABILITY[name]
    assert facts == {
        "container": container,
        "video": {
            "codec": video_codec,
            "profile": PROFILES.get(video_codec),
            "width": 960,
            "height": 540,
            "rotationDegrees": 0,
            "frameRate": 25.0,
        },
        "audio": sound if audio else None,
    }
    assert duration == pytest.approx(4.0, abs=0.1)
    assert bit_rate == pytest.approx(path.stat().st_size * 8 / duration, rel=0.001)
    picture = _picture(inspection)
    assert (picture.width, picture.height) == (640, 360)
    _assert_shows_the_quarters(picture)


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


@pytest.mark.parametrize("name", ["mp4", "mov"])
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_video_is_measured_and_pictured_upright(name: ContainerName, degrees: int, tmp_path: Path) -> None:
    inspection = inspect_file(write_sample_video(tmp_path / "v", name, rotation_degrees=degrees))
    video = inspection.facts.video
    assert video.rotation_degrees == degrees
    assert (video.width, video.height) == ((320, 180) if degrees == 180 else (180, 320))
    picture = _picture(inspection)
    assert (picture.width, picture.height) == (video.width, video.height)
    _assert_shows_the_quarters(picture, degrees)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_mirrored_video_is_pictured_as_players_show_it(degrees: int, tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", rotation_degrees=degrees, audio=False)
    mirror(path)
    inspection = inspect_file(path)
    assert inspection.facts.video.rotation_degrees == degrees
    mirrored = tuple(tuple(reversed(row)) for row in QUARTER_CHROMA)
    _assert_shows_the_quarters(_picture(inspection), degrees, mirrored)


def mirror(path: Path) -> None:
    """Have the display matrix of the only track mirror the picture, left to right, before all else."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2, version 0
    for start in (matrix, matrix + 4):
        turned = -int.from_bytes(content[start : start + 4], "big", signed=True)
        content[start : start + 4] = turned.to_bytes(4, "big", signed=True)
    path.write_bytes(content)


def test_tall_pixels_make_a_taller_picture(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", "mkv", width=640, height=240, sample_aspect_ratio=Fraction(1, 2))
    inspection = inspect_file(path)
    assert (inspection.facts.video.width, inspection.facts.video.height) == (640, 480)
    picture = _picture(inspection)
    assert (picture.width, picture.height) == (640, 480)


def test_wide_pixels_are_shown_square(tmp_path: Path) -> None:
    inspection = inspect_file(
        write_sample_video(tmp_path / "v", "mkv", width=720, height=576, sample_aspect_ratio=Fraction(64, 45))
    )
    assert (inspection.facts.video.width, inspection.facts.video.height) == (1024, 576)
    picture = _picture(inspection)
    assert (picture.width, picture.height) == (640, 360)


def test_the_poster_is_not_the_black_beginning(tmp_path: Path) -> None:
    _assert_shows_the_quarters(
        _picture(inspect_file(write_sample_video(tmp_path / "v", duration_seconds=6.0, black_seconds=2.0)))
    )


@pytest.mark.parametrize("name", ["mp4", "mkv"])
def test_the_poster_of_a_mostly_black_video_is_of_the_part_that_shows_something(
    name: ContainerName, tmp_path: Path
) -> None:
    path = write_sample_video(tmp_path / "v", name, duration_seconds=20.0, black_seconds=18.0)
    _assert_shows_the_quarters(_picture(inspect_file(path)))


def test_the_poster_of_a_fragmented_video_is_not_its_black_beginning(tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v",
        duration_seconds=8.0,
        black_seconds=4.0,
        muxer_options={"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    )
    _assert_shows_the_quarters(_picture(inspect_file(path)))


def test_a_video_that_was_cut_off_is_said_to_be_cut_off(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", faststart=True)
    whole_bytes = path.stat().st_size
    os.truncate(path, whole_bytes - 1)
    with pytest.raises(UnreadableMediaError) as raised:
        inspect_file(path)
    assert raised.value.message == "The video cannot be read: it is cut off; bytes missing at its end: 1."
    os.truncate(path, whole_bytes // 2)
    with pytest.raises(UnreadableMediaError, match=f"missing at its end: {whole_bytes - whole_bytes // 2:,}"):
        inspect_file(path)


def test_a_recording_that_broke_off_between_fragments_keeps_what_it_has(tmp_path: Path) -> None:
    path = write_sample_video(
        tmp_path / "v", duration_seconds=6.0, muxer_options={"movflags": "frag_keyframe+empty_moov"}
    )
    os.truncate(path, path.stat().st_size // 2)
    assert 0 < (inspect_file(path).facts.duration_seconds or 0) < 6.0


def test_a_black_video_has_a_black_poster(tmp_path: Path) -> None:
    picture = _picture(inspect_file(write_sample_video(tmp_path / "v", black_seconds=2.0)))
    assert max(bytes(picture.planes[0])[: picture.width]) < 8


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


@pytest.mark.parametrize("name", ["mp4", "mov"])
def test_an_encrypted_video_is_told_to_be_encrypted(name: ContainerName, tmp_path: Path) -> None:
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "12" * 16, "encryption_kid": "34" * 16}
    path = write_sample_video(tmp_path / "v", name, muxer_options=options)
    assert b"sinf" in path.read_bytes()
    with pytest.raises(EncryptedMediaError):
        inspect_file(path)


def test_a_codec_that_is_not_supported_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w", format="matroska") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        film.mux(stream.encode(av.VideoFrame(64, 36, "yuv420p")))
        film.mux(stream.encode(None))
    with pytest.raises(UnsupportedCodecError) as raised:
        inspect_file(path)
    assert raised.value.codec == "ffv1"
    assert "ffv1" in raised.value.message


def test_subtitles_beside_the_pictures_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(write_sample_video(tmp_path / "plain", "mkv"))) as plain, av.open(str(path), "w") as titled:
        copies = {stream.index: titled.add_stream_from_template(stream) for stream in plain.streams}
        titles = titled.add_stream("ass")
        titles.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n"
        for packet in plain.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                titled.mux(packet)
    with av.open(str(path)) as written:
        assert [stream.type for stream in written.streams] == ["video", "audio", "subtitle"]
    assert inspect_file(path).facts.video.codec == "h264"


@pytest.mark.parametrize(
    ("limits", "limit", "found"),
    [
        (InspectionLimits(max_dimension_px=319), "max_dimension_px", 320),
        (InspectionLimits(max_duration_seconds=1.5), "max_duration_seconds", 2.0),
        (InspectionLimits(max_streams=1), "max_streams", 2),
    ],
)
def test_what_goes_beyond_the_limits_is_refused_with_the_figure(
    limits: InspectionLimits, limit: str, found: float, tmp_path: Path
) -> None:
    with pytest.raises(MediaLimitsError) as raised:
        inspect_file(write_sample_video(tmp_path / "v"), limits)
    assert (raised.value.code, raised.value.limit, raised.value.found) == ("media_limits_exceeded", limit, found)


def test_more_memory_than_allowed_is_refused(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", width=3840, height=2160, duration_seconds=0.2, audio=False)
    assert inspect_file(path).facts.video.width == 3840
    with pytest.raises(MediaLimitsError) as raised:
        inspect_file(path, InspectionLimits(max_memory_bytes=150 * MIB))
    assert raised.value.limit == "max_memory_bytes"


def test_the_wrong_demuxer_is_never_swapped_for_the_right_one(tmp_path: Path) -> None:
    stored = StoredFile(write_sample_video(tmp_path / "v", "mkv"))
    with pytest.raises(UnreadableMediaError):
        inspect_media(stored.read_range, stored.size_bytes, Container.AVI)


def test_the_inspecting_process_never_loads_the_media_library() -> None:
    probe = "import sys, chalicelib.core.media.inspection as i; sys.exit('av' in sys.modules)"
    path = {"PYTHONPATH": str(Path(__file__).parents[2] / "chalice_app")}
    assert subprocess.run([sys.executable, "-c", probe], env=path, check=False).returncode == 0


def test_what_the_head_says_is_what_is_inspected(tmp_path: Path) -> None:
    path = write_sample_video(tmp_path / "v", "webm")
    assert inspect_file(path).facts.container is detect_container(path.read_bytes()[:HEAD_BYTES])
