"""Posters and thumbnails have the colours that a player shows, whatever the video calls them."""

import io
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.copying import COPY_LIMITS, Sink, Source, write_media
from chalicelib.core.video_types import Container
from local.conversion.converter import ENCODER
from tests.media.stored_file import StoredFile, inspect_file

Colour = tuple[int, int, int]
SEEN_ALIKE = 6
"""Steps of 255 between two colours that nobody tells apart."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """Colour of a video in one colour: its samples, and what it says of them (ITU-T H.273, tables 2 to 4)."""

    y: float
    u: float
    v: float
    matrix: int = 2
    transfer: int = 2
    primaries: int = 2
    bits: int = 8
    width: int = 64
    height: int = 64


PQ = {"matrix": 9, "transfer": 16, "primaries": 9, "bits": 10}
HLG = {**PQ, "transfer": 18}
GREEN = (0, 255, 0)
COLOURS = {
    # 16 + 219 Y' and 128 + 224 C', of pure green, where the matrices of the standards differ most
    "BT.709": (Said(y=172.6, u=41.7, v=26.3, matrix=1), GREEN),
    "BT.601": (Said(y=144.6, u=53.8, v=34.2, matrix=6), GREEN),
    "nothing, small": (Said(y=144.6, u=53.8, v=34.2), GREEN),
    "nothing, HD": (Said(y=172.6, u=41.7, v=26.3, width=1280, height=720), GREEN),
    # SMPTE ST 2084: white of 203 cd/m² is 0.581 of the range, in a player without a high dynamic range nearly white
    "PQ, white": (Said(y=64 + 876 * 0.581, u=512, v=512, **PQ), (229, 229, 229)),
    "PQ, black": (Said(y=64, u=512, v=512, **PQ), (0, 0, 0)),
    # R, G and B of 120, 80 and 60 cd/m²: 0.526, 0.483 and 0.453
    "PQ, skin": (Said(y=495.5, u=492.3, v=533.3, **PQ), (217, 164, 144)),
    # R, G and B of 100, 20 and 10 cd/m²: 0.508, 0.357 and 0.300
    "PQ, red": (Said(y=408.5, u=467.4, v=581.7, **PQ), (225, 63, 54)),
    "PQ, red, its matrix untold": (Said(y=408.5, u=467.4, v=581.7, **{**PQ, "matrix": 2}), (225, 63, 54)),
    # ITU-R BT.2408: graphics white is 0.75 of HLG's range
    "HLG, white": (Said(y=64 + 876 * 0.75, u=512, v=512, **HLG), (229, 229, 229)),
}


def _write(path: Path, said: Said) -> None:
    """Two seconds in one colour, a keyframe each second."""
    with av.open(str(path), "w", format="mp4") as output:
        options = {"preset": "ultrafast", "qp": "1", "g": "2", "threads": "1"}
        stream = output.add_stream("libx264", rate=2, options=options)
        assert isinstance(stream, VideoStream)
        pixels = "yuv420p" if said.bits == 8 else "yuv420p10le"
        stream.width, stream.height, stream.pix_fmt = said.width, said.height, pixels
        context = stream.codec_context
        context.colorspace, context.color_trc, context.color_primaries = said.matrix, said.transfer, said.primaries
        context.color_range, context.thread_count = 1, 1
        for number in range(4):
            picture = VideoFrame(said.width, said.height, pixels)
            for plane, value in zip(picture.planes, (said.y, said.u, said.v), strict=True):
                sample = struct.pack("B" if said.bits == 8 else "<H", round(value))
                plane.update(sample * (plane.buffer_size // len(sample)))
            picture.pts, picture.time_base = number, Fraction(1, 2)
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


def _colour(jpeg: bytes) -> Colour:
    """Colour in the middle of the top left quarter, as a JPEG means it (JFIF 1.02)."""
    with av.open(io.BytesIO(jpeg), "r", format="mjpeg") as opened:
        (picture,) = opened.decode(video=0)
    x, y = picture.width // 8, picture.height // 8
    luma, u, v = (
        bytes(plane)[y // step * plane.line_size + x // step]
        for plane, step in zip(picture.planes, (1, 2, 2), strict=True)
    )
    return (
        round(luma + 1.402 * (v - 128)),
        round(luma - 0.344136 * (u - 128) - 0.714136 * (v - 128)),
        round(luma + 1.772 * (u - 128)),
    )


@pytest.mark.parametrize("name", COLOURS)
def test_a_poster_and_thumbnails_have_the_colours_of_the_video(name: str, tmp_path: Path) -> None:
    said, shown = COLOURS[name]
    _write(tmp_path / "v.mp4", said)
    inspection = inspect_file(tmp_path / "v.mp4")
    assert inspection.thumbnails
    for jpeg in (inspection.poster_jpeg, inspection.thumbnails.sprite_jpeg):
        assert _colour(jpeg) == pytest.approx(shown, abs=SEEN_ALIKE)


def _rendition(path: Path, said: Said) -> Path:
    stored, parts = StoredFile(path), dict[int, bytes]()
    source = Source(read_range=stored.read_range, size_bytes=stored.size_bytes, container=Container.MP4, packets=100)
    job: JsonObject = {"width": said.width, "height": said.height, "hasSound": False}
    write_media(source, Sink(parts.__setitem__, 1 << 20), COPY_LIMITS, module=ENCODER, job=job)
    rendition = path.with_name("rendition.mp4")
    rendition.write_bytes(b"".join(parts[number] for number in sorted(parts)))
    return rendition


@pytest.mark.parametrize("name", [name for name in COLOURS if name.startswith(("PQ", "HLG"))])
def test_a_local_rendition_has_the_colours_of_the_poster(name: str, tmp_path: Path) -> None:
    said, shown = COLOURS[name]
    _write(tmp_path / "v.mp4", said)
    rendition = _rendition(tmp_path / "v.mp4", said)
    with av.open(str(rendition)) as media:
        context = media.streams.video[0].codec_context
        assert (context.colorspace, context.color_trc, context.color_primaries) == (1, 1, 1), (
            "BT.709, for every browser"
        )
        assert sum(1 for _ in media.decode(video=0)) == 4
    posters = [inspect_file(path).poster_jpeg for path in (tmp_path / "v.mp4", rendition)]
    assert [_colour(poster) for poster in posters] == [pytest.approx(shown, abs=SEEN_ALIKE)] * 2


SATURATED = {
    # R, G and B of 5, 20 and 150, and of 5, 150 and 20 cd/m²: another matrix than BT.2020's changes these most
    "blue": Said(y=361.6, u=611.8, v=456.2, **PQ),
    "green, its matrix untold": Said(y=465.8, u=463.6, v=383.9, **{**PQ, "matrix": 2}),
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_local_rendition_has_the_saturated_colours_of_the_poster(name: str, tmp_path: Path) -> None:
    _write(tmp_path / "v.mp4", SATURATED[name])
    rendition = _rendition(tmp_path / "v.mp4", SATURATED[name])
    of_video, of_rendition = (_colour(inspect_file(path).poster_jpeg) for path in (tmp_path / "v.mp4", rendition))
    assert of_rendition == pytest.approx(of_video, abs=SEEN_ALIKE)
