"""The regression set: how each video is made, and what is right about it. No file of others is needed.

It has the sample of every container (containers.py), and what differs from them.

A sample is encoded as ffmpeg's command would (`-c:v`, `-c:a`, `-movflags` and so on are options of the same libraries);
what no encoder writes is done to its boxes afterwards.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

from chalicelib.core.media import errors
from chalicelib.core.media.errors import MediaError
from tests.media.containers import AVI, MKV, MOV, MP4, SAMPLES, THREE_GPP, VP8, ContainerName, Right
from tests.media.sample_videos import MIB, write_sample_sound, write_sample_video

Write = Callable[[Path], object]
SMALL = {"width": 64, "height": 36}
TINY = {**SMALL, "audio": False}
LIVE = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}


def sample(name: ContainerName = "mp4", **options: Any) -> Write:
    return partial(write_sample_video, container=name, **options)


def changed(write: Write, change: Callable[[bytes], bytes]) -> Write:
    """The file with its bytes changed."""

    def written(path: Path) -> None:
        write(path)
        path.write_bytes(change(path.read_bytes()))

    return written


def remuxed(write: Write, muxer: str) -> Write:
    """The file's packets in another container."""

    def written(path: Path) -> None:
        original_path = path.with_suffix(".original")
        write(original_path)
        with av.open(str(original_path)) as original, av.open(str(path), "w", format=muxer) as copy:
            copies = {stream.index: copy.add_stream_from_template(stream) for stream in original.streams}
            for packet in original.demux():
                if packet.dts is not None:
                    packet.stream = copies[packet.stream.index]
                    copy.mux(packet)

    return written


def by_ffmpeg(write: Write, muxer: str, *options: str) -> Write:
    """The file as the machine's ffmpeg re-encodes it, in a codec that PyAV's build has no encoder of."""

    def written(path: Path) -> None:
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            pytest.skip("needs ffmpeg on the PATH: PyAV has no encoder of this codec")
        original_path = path.with_suffix(".original")
        write(original_path)
        quietly = [ffmpeg, "-v", "error", "-nostdin", "-i", str(original_path)]
        subprocess.run([*quietly, *options, "-f", muxer, "-y", str(path)], check=True)

    return written


def mirrored(data: bytes) -> bytes:
    """Have the display matrix of the only track mirror the picture, left to right, before all else."""
    content = bytearray(data)
    matrix = content.index(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2, version 0
    for start in (matrix, matrix + 4):
        negated = -int.from_bytes(content[start : start + 4], "big", signed=True)
        content[start : start + 4] = negated.to_bytes(4, "big", signed=True)
    return bytes(content)


def announcing_fragments(data: bytes) -> bytes:
    """Add an empty `mvex` to the index: in the place of its user data, or at its end where that is the file's end."""
    content = bytearray(data)
    index = content.rindex(b"moov") - 4
    size_bytes = int.from_bytes(content[index : index + 4], "big")
    user_data = content.find(b"udta", index, index + size_bytes)
    if user_data >= 0:
        content[user_data : user_data + 4] = b"mvex"
    else:
        assert index + size_bytes == len(content)
        content[index : index + 4] = (size_bytes + 8).to_bytes(4, "big")
        content += (8).to_bytes(4, "big") + b"mvex"
    return bytes(content)


def an_hour_later(data: bytes) -> bytes:
    """Have the fragments of the only track begin after an hour, as a stream that is recorded from its middle."""
    content = bytearray(data)
    media_header = content.index(b"mdhd")
    ticks_per_second = int.from_bytes(content[media_header + 16 : media_header + 20], "big")  # ISO/IEC 14496-12, 8.4.2
    moment = content.find(b"tfdt")
    while moment >= 0:
        assert content[moment + 4] == 1, "eight bytes"
        ticks = int.from_bytes(content[moment + 8 : moment + 16], "big") + 3600 * ticks_per_second
        content[moment + 8 : moment + 16] = ticks.to_bytes(8, "big")
        moment = content.find(b"tfdt", moment + 1)
    return bytes(content)


def with_a_false_fragment(data: bytes, size_bytes: int, first_box: bytes) -> bytes:
    """Put a box that players skip before the last fragment, and in it what looks like a fragment."""
    last = data.rindex(b"moof") - 4
    looks_like_one = size_bytes.to_bytes(4, "big") + b"moof" + (16).to_bytes(4, "big") + first_box + bytes(8)
    looks_like_one += (0x7FFFFF00).to_bytes(4, "big") + b"free"  # all that follows
    content = bytes(MIB) + looks_like_one
    return data[:last] + (8 + len(content)).to_bytes(4, "big") + b"free" + content + data[last:]


def without_frame_rate(data: bytes) -> bytes:
    """Have a Matroska file say nowhere how long a picture is shown (RFC 9559, 5.1.4.1.13)."""
    duration = data.index(b"\x23\xe3\x83\x84")
    return data[:duration] + b"\xec\x86" + bytes(6) + data[duration + 8 :]


def without_pixel_aspect(data: bytes) -> bytes:
    """Leave the shape of the pixels to the pictures: the MP4 itself tells nothing of it."""
    assert data.count(b"pasp") == 1
    return data.replace(b"pasp", b"free")


def never_finished(data: bytes, size_bytes: int) -> bytes:
    """Leave the MP4 as a camera without power does: its media data are there, of a stated size, its index is not."""
    media = data.index(b"mdat")
    return data[: media - 4] + size_bytes.to_bytes(4, "big") + data[media : data.rindex(b"moov") - 4]


def without_pictures(data: bytes) -> bytes:
    """The MP4, index first, zeros where its pictures and sound were."""
    media = data.index(b"mdat") + 4
    return data[:media] + bytes(len(data) - media)


def _turned(right: Right, degrees: int) -> Right:
    width, height = (right.height, right.width) if degrees in {90, 270} else (right.width, right.height)
    return replace(right, rotation_degrees=degrees, width=width, height=height)


def _recipes() -> Iterator[tuple[str, Write, Right]]:
    for name, made in SAMPLES.items():
        yield name, sample(name), made.right
        silent = replace(made.right, audio=None, width=64, height=36)
        yield f"{name}, silent", sample(name, **TINY), silent
    yield "poster of 640 pixels", sample(width=960, height=540), replace(MP4, width=960, height=540, poster=(640, 360))

    # --- Codecs that phones and recorders write
    hevc = replace(MP4, video="hevc", profile="Main", browsers="some", stands_in_the_way=("video", "HEVC (H.265)"))
    hevc = replace(hevc, audio=None, width=64, height=36)
    yield "hevc in mp4", sample(video_codec="libx265", **TINY), hevc
    yield "hevc in mov", sample("mov", video_codec="libx265", **TINY), replace(hevc, container="quicktime")
    vp9 = Right(container="webm", video="vp9", profile="Profile 0", audio=None, width=64, height=36)
    yield "vp9 in webm", sample("webm", video_codec="libvpx-vp9", **TINY), vp9
    yield "vp9 in mp4", sample(video_codec="libvpx-vp9", **TINY), replace(vp9, container="mp4")
    yield (
        "vp9 in mkv",
        sample("mkv", video_codec="libvpx-vp9", **TINY),
        replace(MKV, video="vp9", profile="Profile 0", audio=None, width=64, height=36),
    )

    yield "3g2", remuxed(sample("3gp"), "3g2"), THREE_GPP
    theora = Right(
        container="ogg", video="theora", audio="opus", browsers="none", stands_in_the_way=("video", "Theora")
    )
    in_theora = by_ffmpeg(sample("ogv"), "ogg", "-c:v", "libtheora", "-q:v", "8", "-g", "12", "-c:a", "copy")
    yield "theora in ogg", in_theora, theora

    # --- Turned, mirrored, and pixels that are not square
    for name, right in (("mp4", MP4), ("mov", MOV)):
        for degrees in (90, 180, 270):
            yield f"{name}, turned by {degrees}", sample(name, rotation_degrees=degrees), _turned(right, degrees)
    for degrees in (0, 90, 180, 270):
        seen = replace(_turned(MP4, degrees), shows="mirrored quarters", audio=None)
        yield f"mirrored, turned by {degrees}", changed(sample(rotation_degrees=degrees, audio=False), mirrored), seen
    tall = replace(MKV, width=640, height=480)
    yield "tall pixels", sample("mkv", width=640, height=240, sample_aspect_ratio=Fraction(1, 2)), tall
    wide = replace(MKV, width=1024, height=576, poster=(640, 360))
    yield "wide pixels", sample("mkv", width=720, height=576, sample_aspect_ratio=Fraction(64, 45)), wide
    squeezed = sample(sample_aspect_ratio=Fraction(2), **TINY)
    told_by_pictures = replace(MP4, audio=None, width=128, height=36)
    yield "wide pixels, told by the pictures alone", changed(squeezed, without_pixel_aspect), told_by_pictures
    silent_mkv = replace(MKV, audio=None, width=64, height=36)
    yield "mkv without a frame rate", changed(sample("mkv", **TINY), without_frame_rate), silent_mkv

    # --- Mostly black
    small = replace(MP4, width=64, height=36)
    yield (
        "black beginning",
        sample(duration_seconds=6.0, black_seconds=2.0, **SMALL),
        replace(small, seconds=6.0, thumbnails=6),
    )
    late = {"duration_seconds": 20.0, "black_seconds": 18.0, **SMALL}
    yield "mp4, mostly black", sample(**late), replace(small, seconds=20.0, thumbnails=16)
    yield "mkv, mostly black", sample("mkv", **late), replace(MKV, width=64, height=36, seconds=20.0, thumbnails=16)
    # Between the moments that are tried: only the index tells where the colours are.
    for name, right in (("mp4", small), ("avi", replace(AVI, width=64, height=36))):
        moment = sample(name, duration_seconds=20.0, black_seconds=16.0, black_from_seconds=17.0, **SMALL)
        yield f"{name}, all black but for a second", moment, replace(right, seconds=20.0, thumbnails=16)
    fragmented_late = sample(duration_seconds=8.0, black_seconds=4.0, muxer_options=LIVE, **SMALL)
    yield "fragmented, black beginning", fragmented_late, replace(small, seconds=8.0, thumbnails=8)
    yield "black", sample(black_seconds=2.0, **SMALL), replace(small, shows="black")

    yield "subtitles beside the pictures", _with_subtitles, MKV


def _fragmented() -> Iterator[tuple[str, Write, Right]]:
    small = replace(MP4, width=64, height=36)
    # --- Fragments, wherever their samples are counted from; also announced ones that never come
    for flags in ("frag_keyframe", "frag_keyframe+empty_moov", "frag_keyframe+skip_trailer", LIVE["movflags"]):
        for more in ("", "+skip_trailer") if flags == LIVE["movflags"] else ("",):
            options = {"movflags": flags + more}
            write = sample(duration_seconds=20.0, muxer_options=options, **SMALL)
            yield f"-movflags {flags}{more}", write, replace(small, seconds=20.0, thumbnails=16)
    silent_live = sample(duration_seconds=8.0, muxer_options=LIVE, **TINY)
    seen = replace(small, audio=None, seconds=8.0, thumbnails=8)
    yield "fragments from the middle of a stream", changed(silent_live, an_hour_later), seen
    false_ones = {"larger than the file": (0x7FFFFFFF, b"mfhd"), "without a header": (24, b"free")}
    for words, (size_bytes, first_box) in false_ones.items():
        with_one = partial(with_a_false_fragment, size_bytes=size_bytes, first_box=first_box)
        yield f"a fragment {words} in a box that players skip", changed(silent_live, with_one), seen
    live_webm = sample("webm", duration_seconds=5.0, muxer_options={"live": "1"}, **SMALL)
    yield "live webm", live_webm, replace(VP8, width=64, height=36, seconds=5.0, thumbnails=5)
    padded = {"pad_to_bytes": 20 * MIB, "sparse_padding": True}
    for name, faststart, right in (("mp4", True, MP4), ("mp4", False, MP4), ("mov", False, MOV)):
        write = changed(sample(name, faststart=faststart, **padded), announcing_fragments)
        yield f"{name}, announced fragments, index {'first' if faststart else 'last'}", write, right


def _with_subtitles(path: Path) -> None:
    plain_path = path.with_suffix(".plain")
    write_sample_video(plain_path, "mkv")
    with av.open(str(plain_path)) as plain, av.open(str(path), "w", format="matroska") as titled:
        copies = {stream.index: titled.add_stream_from_template(stream) for stream in plain.streams}
        titles = titled.add_stream("ass")
        titles.codec_context.subtitle_header = b"[Script Info]\nScriptType: v4.00+\n"
        for packet in plain.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                titled.mux(packet)
    with av.open(str(path)) as written:
        assert [stream.type for stream in written.streams] == ["video", "audio", "subtitle"]


RECIPES = {name: (write, right) for name, write, right in (*_recipes(), *_fragmented())}


def in_pattern(data: bytes) -> bytes:
    """Have an encrypted MP4 say that it is encrypted as Apple's players want it: `cbcs`, one block of ten."""
    content = bytearray(data)
    scheme = content.index(b"schm")
    while scheme >= 0:
        assert content[scheme + 8 : scheme + 12] == b"cenc"
        content[scheme + 8 : scheme + 12] = b"cbcs"  # ISO/IEC 23001-7, 4.2
        keys = content.index(b"tenc", scheme)
        content[keys + 4] = 1  # version, 8.2: the pattern lies in the second byte after version and flags
        content[keys + 9] = 0x19
        scheme = content.find(b"schm", keys)
    return bytes(content)


def _refused() -> Iterator[tuple[str, Write, type[MediaError], str]]:
    keys = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "12" * 16, "encryption_kid": "34" * 16}
    for name in ("mp4", "mov"):
        yield f"{name}, encrypted", sample(name, muxer_options=keys, **SMALL), errors.EncryptedMediaError, "encrypted"
    in_cbcs = changed(sample(muxer_options=keys, **SMALL), in_pattern)
    yield "mp4, encrypted as cbcs", in_cbcs, errors.EncryptedMediaError, "encrypted"
    yield "ffv1", _in_ffv1, errors.UnsupportedCodecError, "ffv1"
    yield "sound alone", write_sample_sound, errors.NoVideoStreamError, "no video track"
    first = sample(faststart=True, **SMALL)
    yield (
        "last byte missing",
        changed(first, lambda data: data[:-1]),
        errors.UnreadableMediaError,
        ("^The video cannot be read: it is cut off; bytes missing at its end: 1.$"),
    )
    for size_bytes in (0, 8):  # what cameras put there until they know better
        broken_off = changed(sample(**SMALL), partial(never_finished, size_bytes=size_bytes))
        reason = "its index is missing; the recording was cut short"
        yield f"never finished, {size_bytes} bytes stated", broken_off, errors.UnreadableMediaError, reason
    blank = changed(first, without_pictures)
    yield "zeros for pictures", blank, errors.UnreadableMediaError, "no picture can be decoded"
    yield "half missing", changed(first, lambda data: data[: len(data) // 2]), errors.UnreadableMediaError, "cut off"


def _in_ffv1(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        film.mux(stream.encode(av.VideoFrame(64, 36, "yuv420p")))
        film.mux(stream.encode(None))


REFUSED = {name: (write, error, words) for name, write, error, words in _refused()}
