"""Films of the platform in memory: their bytes, and what stands for their inspection and their copying."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

from chalicelib.core.media.containers import HEAD_BYTES, require_container
from chalicelib.core.media.copying import Source
from chalicelib.core.media.errors import UnreadableMediaError
from chalicelib.core.media.facts import Inspection, MediaFacts, Thumbnails, VideoStream
from chalicelib.core.video_types import Container

MP4_HEAD = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"


# Megabytes that most tests send again and again: made once, and so hashed once.
@functools.lru_cache(maxsize=4)
def film(size_bytes: int) -> bytes:
    return (MP4_HEAD + bytes(range(256)) * (size_bytes // 256 + 1))[:size_bytes]


@functools.lru_cache(maxsize=4)
def parts_of_film(size_bytes: int, part_size_bytes: int) -> tuple[bytes, ...]:
    body = film(size_bytes)
    return tuple(body[start : start + part_size_bytes] for start in range(0, size_bytes, part_size_bytes))


def inspected(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
    facts = MediaFacts(
        container=require_container(read_range(0, min(HEAD_BYTES, size_bytes))),
        duration_seconds=1.0,
        bit_rate_bits_per_second=8 * size_bytes,
        video=VideoStream(codec="h264", profile="High", width=320, height=180, rotation_degrees=0, frame_rate=25.0),
        audio=None,
    )
    thumbnails = Thumbnails(
        sprite_jpeg=b"\xff\xd8 thumbnails", count=2, tile_width=240, tile_height=136, seconds_per_tile=0.5
    )
    return Inspection(facts, poster_jpeg=b"\xff\xd8 poster", thumbnails=thumbnails)


COPY_MARK = b"copied "


def copied(source: Source, send: Callable[[int, bytes], None]) -> int:
    body = COPY_MARK + source.read_range(0, source.size_bytes)
    send(1, body)
    return len(body)


def refuse_to_copy(source: Source, send: Callable[[int, bytes], None]) -> int:
    send(1, b"half of it")
    raise UnreadableMediaError(problem="it cannot be copied")


def inspected_of_quicktime(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
    """Facts as of `inspected`, of files that some browsers do not play before they are copied."""
    if read_range(0, len(COPY_MARK)) == COPY_MARK:
        return inspected(lambda start, end: MP4_HEAD[start:end], size_bytes)
    found = inspected(read_range, size_bytes)
    return replace(found, facts=replace(found.facts, container=Container.QUICKTIME))


def inspected_of_hevc(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
    """Facts as of `inspected`, of files whose codec some browsers do not play."""
    found = inspected(read_range, size_bytes)
    assert found.facts.video
    return replace(found, facts=replace(found.facts, video=replace(found.facts.video, codec="hevc", profile="Main")))
