"""Thumbnails of a video at equal distances, in one picture. Imported by the inspecting process only."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from chalicelib.core.media.demuxing import MediaFile
from chalicelib.core.media.facts import MIB, THUMBNAIL_LIMITS, Thumbnails
from chalicelib.core.media.frames import MAX_THUMBNAILS_BYTES
from chalicelib.core.media.orientation import Orientation
from chalicelib.core.media.poster import encode_jpeg, shrunk

WHOLE_FILE_BYTES = 8 * MIB
"""Up to here a file without an index is read as a whole; of larger ones nobody knows where their keyframes lie."""
_QUANTIZER = 6  # coarser than the poster's: it is seen small
_CPU_SECONDS = 3.0
_MIN_KEYFRAMES = 2
_BUFFER_BYTES = 1 << 17
_UNKNOWN_KEYFRAME_BYTES = 3 * _BUFFER_BYTES
"""Where the index tells no size, as a Matroska file's."""
_MAX_KEYFRAME_BYTES = 2 * MIB
_MAX_PACKETS_TO_A_KEYFRAME = 64


@dataclass(frozen=True)
class Sprite:
    jpeg: bytes
    count: int
    tile_width: int
    tile_height: int


@dataclass(frozen=True)
class Source:
    """A video that stands open. is_indexed: where its keyframes lie is known without reading them."""

    file: MediaFile
    media: InputContainer
    stream: VideoStream
    duration_seconds: float
    pixel_aspect: Fraction
    orientation: Orientation
    is_indexed: bool


def make_sprite(source: Source) -> Sprite | None:
    """Draw the keyframe at the middle of each part of the duration; None where that costs too much or shows too little.

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
    """Start and end of what the demuxer reads for the keyframes before the moments, by the index."""
    entries = source.stream.index_entries
    if not len(entries):
        return []
    # An MP4 is sought by when a picture is shown, its index tells when one is decoded.
    reordering = max(0, (source.stream.start_time or 0) - entries[0].timestamp)
    ranges: set[tuple[int, int]] = set()
    for moment in moments:
        number = entries.search_timestamp(moment - reordering, backward=True)
        if number < 0:
            continue
        entry = entries[number]
        size_bytes = min(entry.size or _UNKNOWN_KEYFRAME_BYTES, _MAX_KEYFRAME_BYTES)
        # libavformat fills its buffer anew at the end of what it does not read past it.
        end = entry.pos + -(-size_bytes // _BUFFER_BYTES) * _BUFFER_BYTES + _BUFFER_BYTES
        if entry.pos < source.file.size_bytes:
            ranges.add((entry.pos, min(end, source.file.size_bytes)))
    return sorted(ranges)


def _drawn(source: Source, moments: list[int]) -> Sprite | None:
    tiles: list[VideoFrame] = []
    shown: set[int | None] = set()
    limit = time.process_time() + _CPU_SECONDS
    for moment in moments:
        picture = _keyframe_before(source, moment)
        if time.process_time() > limit:
            return None
        if picture is None:
            # A transport stream is sought by time alone: after the last keyframe none is found.
            if not tiles:
                return None
            tiles.append(tiles[-1])
            continue
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


def _keyframe_before(source: Source, moment: int) -> VideoFrame | None:
    """Decode one keyframe and nothing after it: a decoder that waits for later pictures is told that none come."""
    source.media.seek(moment, stream=source.stream)
    for number, packet in enumerate(source.media.demux(source.stream)):
        if number > _MAX_PACKETS_TO_A_KEYFRAME or packet.size == 0:
            return None
        if packet.is_keyframe:
            frames = [*packet.decode(), *source.stream.codec_context.decode(None)]
            return next((frame for frame in frames if not frame.is_corrupt), None)
    return None


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
