"""Facts that an inspection finds about a video, and the limits of the inspection."""

from dataclasses import dataclass
from typing import ClassVar

from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.playability import Playability, playability
from chalicelib.core.video_types import Container

MIB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class VideoStream:
    """width and height in square pixels as displayed, after the rotation; rotation clockwise: 0, 90, 180 or 270.

    profile: libavcodec's name, as in "High 10"; None if the codec has none or the file does not state it.
    """

    codec: str
    profile: str | None
    width: int
    height: int
    rotation_degrees: int
    frame_rate: float | None


@dataclass(frozen=True, kw_only=True)
class AudioStream:
    """The first audio stream."""

    codec: str
    channels: int
    sample_rate_hz: int


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """Duration and bit rate are None if the file does not state them and reading all of it would cost too much."""

    container: Container
    duration_seconds: float | None
    bit_rate_bits_per_second: int | None
    video: VideoStream
    audio: AudioStream | None

    @property
    def playability(self) -> Playability:
        return playability(
            self.container, self.video.codec, self.video.profile, self.audio.codec if self.audio else None
        )

    def to_json(self) -> JsonObject:
        """The `media` object of the API, without thumbnails."""
        video, audio = self.video, self.audio
        return {
            "container": self.container.value,
            "durationSeconds": self.duration_seconds,
            "bitRateBitsPerSecond": self.bit_rate_bits_per_second,
            "video": {
                "codec": video.codec,
                "profile": video.profile,
                "width": video.width,
                "height": video.height,
                "rotationDegrees": video.rotation_degrees,
                "frameRate": video.frame_rate,
            },
            "audio": None
            if audio is None
            else {"codec": audio.codec, "channels": audio.channels, "sampleRateHz": audio.sample_rate_hz},
            "playability": self.playability.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class Thumbnails:
    """Pictures of a video at equal distances, in rows of one JPEG; the rest of the last row is black."""

    COLUMNS: ClassVar = 4
    MAX_COUNT: ClassVar = 16
    TILE_EDGE_PX: ClassVar = 240

    sprite_jpeg: bytes
    count: int
    tile_width: int
    tile_height: int
    seconds_per_tile: float

    def to_json(self) -> JsonObject:
        """The `thumbnails` object of the API."""
        return {
            "count": self.count,
            "columns": self.COLUMNS,
            "tileWidth": self.tile_width,
            "tileHeight": self.tile_height,
            "secondsPerTile": self.seconds_per_tile,
        }


@dataclass(frozen=True)
class Inspection:
    """poster_jpeg: baseline JPEG, upright, at most 640 px on its longer side. thumbnails: None if they are off, would
    cost too much, or the video has too few keyframes."""

    facts: MediaFacts
    poster_jpeg: bytes
    thumbnails: Thumbnails | None = None

    def to_json(self) -> JsonObject:
        """The `media` object of the API."""
        return {**self.facts.to_json(), "thumbnails": self.thumbnails.to_json() if self.thumbnails else None}


@dataclass(frozen=True, kw_only=True)
class InspectionLimits:
    """Limits on the properties of a file and on the cost of its inspection.

    max_dimension_px, max_pixels: of the stored picture; 8K (7680 by 4320) is 33 million.
    max_fetched_bytes, max_fetch_requests: reads from the storage.
    max_wall_seconds, max_cpu_seconds, max_memory_bytes: of the inspecting process; memory is its address space, of
    which the libraries themselves take about 130 MiB.
    """

    max_dimension_px: int = 16_384
    max_pixels: int = 8_192 * 8_192
    max_duration_seconds: float = 30 * 86_400
    max_streams: int = 64
    max_fetched_bytes: int = 64 * MIB
    max_fetch_requests: int = 256
    max_wall_seconds: float = 60.0
    max_cpu_seconds: int = 30
    max_memory_bytes: int = 1_536 * MIB


THUMBNAIL_LIMITS = InspectionLimits(max_fetched_bytes=20 * MIB, max_fetch_requests=24, max_wall_seconds=5.0)
"""Limits of the thumbnails alone, which follow facts and poster. If these are exceeded, the video is ready without
thumbnails."""
