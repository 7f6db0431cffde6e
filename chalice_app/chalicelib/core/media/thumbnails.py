"""Thumbnails of a video at equal distances, in one picture. Imported by the inspecting process only."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.demuxing import MediaFile
from chalicelib.core.media.facts import MIB, THUMBNAIL_LIMITS, Thumbnails
from chalicelib.core.media.frames import MAX_THUMBNAILS_BYTES
from chalicelib.core.media.keyframes import Keyframes
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.poster import encode_jpeg, shrunk

WHOLE_FILE_BYTES = 8 * MIB
"""Size up to which a file without an index is read as a whole; in larger ones the keyframes cannot be found."""
_QUANTIZER = 6  # coarser than the poster's: it is seen small
_CPU_SECONDS = 3.0
_MIN_KEYFRAMES = 2


@dataclass(frozen=True)
class Sprite:
    jpeg: bytes
    count: int
    tile_width: int
    tile_height: int


@dataclass(frozen=True)
class Source:
    """An open video. is_indexed: the positions of its keyframes are known without reading these."""

    file: MediaFile
    stream: VideoStream
    keyframes: Keyframes
    duration_seconds: float
    pixel_aspect: Fraction
    orientation: Orientation
    is_indexed: bool


def make_sprite(source: Source) -> Sprite | None:
    """Draw the keyframe at the middle of each part of the duration; None if that costs too much or shows too little.

    Raises what libav and `file.read` raise.
    """
    if not source.is_indexed and source.file.size_bytes > WHOLE_FILE_BYTES:
        return None
    count = min(Thumbnails.MAX_COUNT, int(source.duration_seconds))
    moments = _moments(source, count)
    if source.is_indexed:
        while len(ranges := _ranges(source, moments)) >= _MIN_KEYFRAMES:
            if sum(end - start for start, end in ranges) <= THUMBNAIL_LIMITS.max_fetched_bytes:
                source.file.prefetch(ranges)
                break
            moments = _moments(source, len(moments) // 2)
        else:
            return None
    else:
        source.file.expect(0, source.file.size_bytes)
    return _drawn(source, moments)


def _moments(source: Source, count: int) -> list[int]:
    """Timestamps of the stream in the middle of `count` equal parts."""
    time_base = source.stream.time_base or Fraction(1, 1000)
    start = source.stream.start_time or 0
    return [start + int((number + Fraction(1, 2)) * Fraction(source.duration_seconds) / count / time_base)
            for number in range(count)]  # fmt: skip


def _ranges(source: Source, moments: Iterable[int]) -> list[tuple[int, int]]:
    """Start and end of what the demuxer reads for the keyframes before the moments, from the index."""
    spans = {span for moment in moments if (span := source.keyframes.span_before(moment))}
    size_bytes = source.file.size_bytes
    return sorted((start, min(end, size_bytes)) for start, end in spans if start < size_bytes)


def _drawn(source: Source, moments: list[int]) -> Sprite | None:
    tiles: list[VideoFrame] = []
    shown: set[int | None] = set()
    last_picture: VideoFrame | None = None
    limit = time.process_time() + _CPU_SECONDS
    for moment in moments:
        picture = source.keyframes.before(moment)
        if time.process_time() > limit:
            return None
        if picture is None or picture is last_picture:
            # Seeking in a transport stream goes by time only: after the last keyframe nothing is found.
            if not tiles:
                return None
            tiles.append(tiles[-1])
            continue
        last_picture = picture
        tile = shrunk(picture, source.pixel_aspect, source.orientation, Thumbnails.TILE_EDGE_PX)
        if tiles and (tile.width, tile.height) != (tiles[0].width, tiles[0].height):
            tile = tile.reformat(width=tiles[0].width, height=tiles[0].height, threads=1)
        shown.add(picture.pts)
        tiles.append(tile)
    if len(shown) < _MIN_KEYFRAMES:
        return None
    jpeg = encode_jpeg(_joined(tiles), _QUANTIZER)
    if len(jpeg) > MAX_THUMBNAILS_BYTES:
        return None
    return Sprite(jpeg, len(tiles), tiles[0].width, tiles[0].height)


def _joined(tiles: list[VideoFrame]) -> VideoFrame:
    width, height = tiles[0].width, tiles[0].height
    rows = -(-len(tiles) // Thumbnails.COLUMNS)
    columns = min(len(tiles), Thumbnails.COLUMNS)
    sprite = VideoFrame(width * columns, height * rows, "yuvj420p")
    for number, plane in enumerate(sprite.planes):
        blank = 128 if number else 0
        data = bytearray([blank]) * plane.buffer_size
        for position, tile in enumerate(tiles):
            row, column = divmod(position, Thumbnails.COLUMNS)
            source = tile.planes[number]
            pixels = memoryview(source)
            for line in range(source.height):
                at = (row * source.height + line) * plane.line_size + column * source.width
                data[at : at + source.width] = pixels[line * source.line_size :][: source.width]
        plane.update(bytes(data))
    return sprite
