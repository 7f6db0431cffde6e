"""Real videos, encoded on the spot: every container and codec pair the platform accepts, at any size.

The picture says where it is: four coloured quarters (red, green / blue, yellow) under a grey gradient that moves, so
that a poster can be told from a blank, a turned or a foreign picture. The same arguments give the same bytes.
"""

import math
import os
import random
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import cast

import av
import av.container
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media.containers import SAMPLES, ContainerName

MIB = 1 << 20
SAMPLE_RATE_HZ = 48_000

# U and V of the stored picture's quarters: red, green / blue, yellow. A turned video shows them turned.
QUARTER_CHROMA = (((90, 200), (70, 70)), ((200, 100), (60, 150)))


_FAST_AAC = {"aac_coder": "fast"}
"""The tone of a sample is no matter of taste; with the default coder it was most of the time of the media's tests."""
_REALTIME = {"deadline": "realtime", "cpu-used": "8", "g": "12"}
_VIDEO_OPTIONS = {
    "libx264": {"preset": "ultrafast", "threads": "1", "x264-params": "keyint=12:min-keyint=12:scenecut=0"},
    "libx265": {
        "preset": "ultrafast",
        "x265-params": "log-level=none:pools=none:frame-threads=1:keyint=12:min-keyint=12:scenecut=0",
    },
    "libvpx": _REALTIME,
    "libvpx-vp9": _REALTIME,
}
_OTHER_VIDEO_OPTIONS = {"g": "12", "threads": "1"}


def write_sample_video(
    path: str | os.PathLike[str],
    container: ContainerName = "mp4",
    *,
    duration_seconds: float = 2.0,
    width: int = 320,
    height: int = 180,
    frame_rate: int = 25,
    rotation_degrees: int = 0,
    audio: bool = True,
    black_seconds: float = 0.0,
    black_from_seconds: float = math.inf,
    sample_aspect_ratio: Fraction | None = None,
    faststart: bool = False,
    video_codec: str | None = None,
    muxer_options: dict[str, str] | None = None,
    pad_to_bytes: int | None = None,
    sparse_padding: bool = False,
    seed: int = 0,
) -> Path:
    """Encode a video to `path` and return the path. A process encodes what it was asked for before only once.

    width, height: of the stored picture, even numbers; `rotation_degrees` (clockwise, mp4 and mov only) is what a
    player turns it by afterwards. black_seconds: black at the start; black_from_seconds: black
    again from then. faststart: the index before the media data.
    video_codec: an encoder of libavcodec's; None for the container's usual one.
    pad_to_bytes: grow the file to exactly this size with a box that players skip, filled with non-zero noise drawn
    from `seed` (or a hole with sparse_padding); without faststart an mp4's index stays last. muxer_options:
    libavformat's own, as `movflags`.
    Raises ValueError when the video is already larger than pad_to_bytes or too close to it for a box.
    """
    path = Path(path)
    made = SAMPLES[container]
    options = {**made.muxer_options, **(muxer_options or {})}
    if faststart:
        options["movflags"] = "+".join(filter(None, [options.get("movflags"), "faststart"]))
    wanted = _Encoding(
        muxer=made.muxer,
        muxer_options=tuple(options.items()),
        video_codec=video_codec or made.video_encoder,
        audio_codec=made.audio_encoder if audio else None,
        duration_seconds=duration_seconds,
        width=width,
        height=height,
        frame_rate=frame_rate,
        rotation_degrees=rotation_degrees,
        black_seconds=black_seconds,
        black_from_seconds=black_from_seconds,
        sample_aspect_ratio=sample_aspect_ratio,
    )
    path.write_bytes(_encoded(wanted))
    if pad_to_bytes is not None:
        _pad(path, container, pad_to_bytes, faststart=faststart, sparse=sparse_padding, seed=seed)
    return path


@dataclass(frozen=True, kw_only=True)
class _Encoding:
    """All that decides on the bytes. audio_codec: None for a silent one."""

    muxer: str
    muxer_options: tuple[tuple[str, str], ...]
    video_codec: str
    audio_codec: str | None
    duration_seconds: float
    width: int
    height: int
    frame_rate: int
    rotation_degrees: int
    black_seconds: float
    black_from_seconds: float
    sample_aspect_ratio: Fraction | None


@lru_cache(maxsize=64)
def _encoded(sample: _Encoding) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        options = {"fflags": "+bitexact", **dict(sample.muxer_options)}
        with av.open(str(path), "w", format=sample.muxer, options=options) as output:
            encoder = _VIDEO_OPTIONS.get(sample.video_codec, _OTHER_VIDEO_OPTIONS)
            pictures = output.add_stream(sample.video_codec, rate=sample.frame_rate, options=encoder)
            assert isinstance(pictures, VideoStream)
            pictures.width, pictures.height, pictures.pix_fmt = sample.width, sample.height, "yuv420p"
            pictures.codec_context.thread_count = 1
            pictures.bit_rate = 400_000
            if sample.sample_aspect_ratio is not None:
                pictures.codec_context.sample_aspect_ratio = sample.sample_aspect_ratio
            if sample.rotation_degrees:
                pictures.set_display_rotation(-sample.rotation_degrees)
            sound = (
                output.add_stream(sample.audio_codec, rate=SAMPLE_RATE_HZ, options=_FAST_AAC)
                if sample.audio_codec
                else None
            )
            _encode(
                output,
                pictures,
                cast("AudioStream | None", sound),
                sample,
            )
        return path.read_bytes()


def write_reordered_video(path: Path, muxer: str) -> Path:
    """Encode a video in H.264 whose pictures are stored in another order than they are shown in."""
    with av.open(str(path), "w", format=muxer) as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "medium", "bf": "3", "g": "25"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        for number in range(50):
            picture = VideoFrame(64, 36, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes([number * 5 % 256]) * plane.buffer_size)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return path


def _encode(
    output: av.container.OutputContainer,
    pictures: VideoStream,
    sound: AudioStream | None,
    sample: _Encoding,
) -> None:
    frame_rate = sample.frame_rate
    frames_of_sound = _frames_of_sound(sound, sample.duration_seconds) if sound is not None else iter(())
    for number in range(round(sample.duration_seconds * frame_rate)):
        black = not sample.black_seconds * frame_rate <= number < sample.black_from_seconds * frame_rate
        frame = _black_frame(pictures) if black else _picture(pictures.width, pictures.height, number)
        frame.pts, frame.time_base = number, Fraction(1, frame_rate)
        output.mux(pictures.encode(frame))
        while sound is not None:
            block = next(frames_of_sound, None)
            if block is None:
                break
            output.mux(sound.encode(block))
            if block.pts is not None and block.pts / SAMPLE_RATE_HZ > number / frame_rate:
                break
    output.mux(pictures.encode(None))
    if sound is not None:
        output.mux(sound.encode(None))


def write_sample_sound(path: Path, duration_seconds: float = 2.0) -> None:
    """Write an MP4 with a tone and no picture."""
    with av.open(str(path), "w", format="mp4") as file:
        sound = file.add_stream("aac", rate=48_000)
        for frame in _frames_of_sound(sound, duration_seconds):
            file.mux(sound.encode(frame))
        file.mux(sound.encode(None))


def _picture(width: int, height: int, number: int) -> VideoFrame:
    frame = VideoFrame(width, height, "yuv420p")
    planes = [_luma(width, height, frame.planes[0].line_size, number * 4 % width)]
    planes += [_chroma(width, height, frame.planes[plane].line_size, plane) for plane in (1, 2)]
    for plane, filled in zip(frame.planes, planes, strict=True):
        plane.update(filled.ljust(plane.buffer_size, b"\0"))
    return frame


@lru_cache(maxsize=128)
def _luma(width: int, height: int, line_bytes: int, shift: int) -> bytes:
    gradient = bytes(48 + (x * 150 // width) for x in range(width)) * 2
    starts = ((y + shift) % width for y in range(height))
    return b"".join(gradient[start : start + width].ljust(line_bytes, b"\0") for start in starts)


@cache
def _chroma(width: int, height: int, line_bytes: int, plane: int) -> bytes:
    half_width, half_height = (width + 1) // 2, (height + 1) // 2
    rows = [
        bytes([left[plane - 1]]) * (half_width // 2) + bytes([right[plane - 1]]) * (half_width - half_width // 2)
        for left, right in QUARTER_CHROMA
    ]
    return b"".join(rows[0 if y < half_height // 2 else 1].ljust(line_bytes, b"\0") for y in range(half_height))


def _black_frame(pictures: VideoStream) -> VideoFrame:
    frame = VideoFrame(pictures.width, pictures.height, "yuv420p")
    for plane, value in enumerate((16, 128, 128)):
        frame.planes[plane].update(bytes([value]) * frame.planes[plane].buffer_size)
    return frame


def _frames_of_sound(sound: AudioStream, duration_seconds: float) -> Iterator[AudioFrame]:
    context: AudioCodecContext = sound.codec_context
    if not context.is_open:
        context.open()
    samples_per_frame = context.frame_size or 1024
    for number in range(int(duration_seconds * SAMPLE_RATE_HZ) // samples_per_frame):
        frame = AudioFrame(format=context.format.name, layout=context.layout.name, samples=samples_per_frame)
        for plane in frame.planes:
            plane.update(_tone(plane.buffer_size, floating="flt" in context.format.name))
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts, frame.time_base = number * samples_per_frame, Fraction(1, SAMPLE_RATE_HZ)
        yield frame


@cache
def _tone(size_bytes: int, *, floating: bool) -> bytes:
    wave = [math.sin(number * math.tau / 96) / 4 for number in range(size_bytes // (4 if floating else 2))]
    return (array("f", wave) if floating else array("h", (round(value * 32767) for value in wave))).tobytes()


def noise(size_bytes: int, seed: int = 0) -> Iterator[bytes]:
    """Yield `size_bytes` of non-zero noise in blocks of up to 1 MiB, no two alike: a swapped part shows."""
    block = random.Random(seed).randbytes(MIB).replace(b"\0", b"\1")
    for number in range((size_bytes + MIB - 1) // MIB):
        head = f"{seed}:{number};".encode()
        yield (head + block[len(head) :])[: min(MIB, size_bytes - number * MIB)]


def _pad(path: Path, container: ContainerName, size_bytes: int, *, faststart: bool, sparse: bool, seed: int) -> None:
    padding_bytes = size_bytes - path.stat().st_size
    if padding_bytes == 0:
        return
    match container:
        case "mp4" | "mov" | "3gp":
            _pad_boxes(path, padding_bytes, before_index=not faststart, sparse=sparse, seed=seed)
        case "mkv" | "webm":
            _pad_segment(path, padding_bytes, sparse=sparse, seed=seed)
        case "avi":
            _pad_riff(path, padding_bytes, sparse=sparse, seed=seed)
        case _:
            message = f"{container} has no box that players skip"
            raise ValueError(message)
    assert path.stat().st_size == size_bytes


def _pad_boxes(path: Path, padding_bytes: int, *, before_index: bool, sparse: bool, seed: int) -> None:
    _require(padding_bytes, at_least=16)
    with path.open("r+b") as file:
        # Chunk offsets point into mdat, so what follows mdat may move.
        start = _last_box_start(file.read(), b"moov") if before_index else file.seek(0, os.SEEK_END)
        file.seek(start)
        index = file.read()
        file.seek(start)
        file.write((1).to_bytes(4, "big") + b"free" + padding_bytes.to_bytes(8, "big"))
        _fill_file(file.fileno(), start + 16, padding_bytes - 16, sparse=sparse, seed=seed)
        file.seek(start + padding_bytes)
        file.write(index)
        file.truncate(start + padding_bytes + len(index))


def _last_box_start(boxes: bytes, kind: bytes) -> int:
    start = found = 0
    while start + 8 <= len(boxes):
        if boxes[start + 4 : start + 8] == kind:
            found = start
        start += int.from_bytes(boxes[start : start + 4], "big") or len(boxes)
    return found or len(boxes)


def _pad_segment(path: Path, padding_bytes: int, *, sparse: bool, seed: int) -> None:
    _require(padding_bytes, at_least=9)
    with path.open("r+b") as file:
        head = file.read(1024)
        size_at = head.index(b"\x18\x53\x80\x67") + 4
        segment_bytes = int.from_bytes(head[size_at + 1 : size_at + 8], "big")
        assert head[size_at] == 1, "an eight-byte segment size"
        file.seek(size_at + 1)
        file.write((segment_bytes + padding_bytes).to_bytes(7, "big"))
        start = file.seek(0, os.SEEK_END)
        file.write(b"\xec\x01" + (padding_bytes - 9).to_bytes(7, "big"))
        file.flush()
        _fill_file(file.fileno(), start + 9, padding_bytes - 9, sparse=sparse, seed=seed)


def _pad_riff(path: Path, padding_bytes: int, *, sparse: bool, seed: int) -> None:
    _require(padding_bytes, at_least=8)
    with path.open("r+b") as file:
        start = file.seek(0, os.SEEK_END)
        file.write(b"JUNK" + (padding_bytes - 8).to_bytes(4, "little"))
        file.seek(4)
        file.write((start + padding_bytes - 8).to_bytes(4, "little"))
        file.flush()
        _fill_file(file.fileno(), start + 8, padding_bytes - 8, sparse=sparse, seed=seed)


def _require(padding_bytes: int, *, at_least: int) -> None:
    if padding_bytes < at_least:
        message = f"the video leaves {padding_bytes} bytes for padding, which takes at least {at_least}"
        raise ValueError(message)


def _fill_file(descriptor: int, start: int, size_bytes: int, *, sparse: bool, seed: int) -> None:
    if sparse:
        os.ftruncate(descriptor, start + size_bytes)
        return
    for block in noise(size_bytes, seed):
        start += os.pwrite(descriptor, block, start)
