"""Posters and thumbnails as tests look at them: a sample's four coloured quarters, or black."""

import io

import av
import pytest
from av.video.frame import VideoFrame

from chalicelib.core.media.facts import Thumbnails
from tests.media.sample_videos import QUARTER_CHROMA

Quarters = tuple[tuple[tuple[int, int], ...], ...]
"""U and V of each: top left and right, bottom left and right."""
MIRRORED: Quarters = tuple(tuple(reversed(row)) for row in QUARTER_CHROMA)


def picture_of(jpeg: bytes) -> VideoFrame:
    with av.open(io.BytesIO(jpeg), "r", format="mjpeg") as opened:
        (picture,) = opened.decode(video=0)
    return picture


def assert_shows_the_quarters(picture: VideoFrame, turned_degrees: int = 0, stored: Quarters = QUARTER_CHROMA) -> None:
    """turned_degrees: clockwise."""
    seen = [number for row in _quarters(picture) for quarter in row for number in quarter]
    meant = [number for row in turned(stored, turned_degrees) for quarter in row for number in quarter]
    assert seen == pytest.approx([full_range(number) for number in meant], abs=12)
    luma = bytes(picture.planes[0])
    assert max(luma) - min(luma) > 60, "not a blank"


def turned(quarters: Quarters, degrees: int) -> Quarters:
    for _ in range(degrees // 90):
        (top_left, top_right), (bottom_left, bottom_right) = quarters
        quarters = ((bottom_left, top_left), (bottom_right, top_right))
    return quarters


def full_range(number: int) -> float:
    """Studio range becomes full range on the way to a JPEG: 224 steps of colour become 255."""
    return 128 + (number - 128) * 255 / 224


def assert_is_black(picture: VideoFrame) -> None:
    assert max(bytes(picture.planes[0])[: picture.width]) < 8


def tile_chroma(sprite: VideoFrame, thumbnails: Thumbnails, number: int, x_part: float, y_part: float) -> list[int]:
    """U and V at a place of one thumbnail."""
    row, column = divmod(number, thumbnails.COLUMNS)
    x = int((column + x_part) * thumbnails.tile_width / 2)
    y = int((row + y_part) * thumbnails.tile_height / 2)
    return [bytes(plane)[y * plane.line_size + x] for plane in sprite.planes[1:3]]


def tile_luma(sprite: VideoFrame, thumbnails: Thumbnails, number: int) -> bytes:
    row, column = divmod(number, thumbnails.COLUMNS)
    plane, width, height = sprite.planes[0], thumbnails.tile_width, thumbnails.tile_height
    lines = (bytes(plane)[(row * height + y) * plane.line_size + column * width :][:width] for y in range(height))
    return b"".join(lines)


def _quarters(picture: VideoFrame) -> Quarters:
    """Colours in the middle of each quarter."""
    u, v = picture.planes[1], picture.planes[2]
    return tuple(
        tuple(
            (bytes(u)[y * u.line_size + x], bytes(v)[y * v.line_size + x])
            for x in (picture.width // 8, picture.width * 3 // 8)
        )
        for y in (picture.height // 8, picture.height * 3 // 8)
    )
