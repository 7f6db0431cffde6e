"""Attempts of the soak: the videos as their clients know them, and the bytes that they send."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.core.upload_links import UploadLink
from chalicelib.core.upload_token import UploadToken
from chalicelib.core.video_id import VideoRef
from tests.in_memory_films import MP4_HEAD

INFECTED_LETTERS = 32
"""Letters of malware, of the 256 letters that videos consist of: one in eight is malware."""


@dataclass
class Attempt:
    """One video as its client knows it.

    link: that its client bears. etags: of the parts that S3 acknowledged. promised: the platform said that the video
    has arrived whole. unlisted_from: when a page may show it no more.
    """

    owner: str
    correlation_id: str
    content: bytes
    link: UploadLink | None = None
    ref: VideoRef | None = None
    token: UploadToken | None = None
    upload_id: str | None = None
    part_size_bytes: int = 0
    form_sendable_until: datetime | None = None
    etags: dict[int, str] = field(default_factory=dict[int, str])
    is_promised: bool = False
    is_deleted: bool = False
    unlisted_from: datetime | None = None
    is_aborted: bool = False
    is_restarted: bool = False


@functools.cache
def content_of(size_bytes: int, letter: int) -> bytes:
    return (MP4_HEAD + bytes([letter]) * size_bytes)[:size_bytes] if size_bytes > 1 else bytes([letter])


@functools.lru_cache(maxsize=64)
def part_of(content: bytes, number: int, part_size_bytes: int) -> bytes:
    return content[(number - 1) * part_size_bytes : number * part_size_bytes]


def is_malware(content: bytes) -> bool:
    """Check for a content that the scanner takes for malware."""
    return content[-1] < INFECTED_LETTERS
