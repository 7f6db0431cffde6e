"""Playability of a file in browsers: container, codecs and profile, compared with tables.

The table of containers is `FORMATS` in core/video_types.py, those of codecs and profiles are here.

A browser here is the current Chrome, Edge, Firefox or Safari, on desktops and phones. A format that no source below
names as played counts as played by none.

Sources:
- MDN, "Media container formats", "Web video codec guide", "Web audio codec guide" (developer.mozilla.org), read on
  2026-11-27
- Firefox, dom/media/mp4/MP4Decoder.cpp, read then, too: types of its MP4 demuxer; of H.264 the profiles up to High
- chromium.org, "Audio/Video", read then, too: containers and codecs of Chrome; H.264 and AAC of Chrome alone, HEVC
  where the machine decodes it
- caniuse's data (github.com/Fyrd/caniuse, features-json), read then: `hevc`, `av1` and `ac3-ec3` in versions of 2023,
  `mpeg4` (H.264) in one of 2015
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.core.json_values import JsonObject
from chalicelib.core.video_types import FORMATS, Container, Support


class Part(StrEnum):
    """The part of a file that some browsers do not play."""

    VIDEO = "video"
    CONTAINER = "container"
    AUDIO = "audio"


@dataclass(frozen=True)
class Obstacle:
    """name: the common one, as in "HEVC (H.265)"."""

    part: Part
    name: str


@dataclass(frozen=True)
class Playability:
    """obstacle: None if all browsers play the file."""

    browsers: Support
    obstacle: Obstacle | None = None

    def to_json(self) -> JsonObject:
        """The `playability` object of the API."""
        obstacle = self.obstacle
        return {
            "browsers": self.browsers.value,
            "obstacle": {"part": obstacle.part.value, "name": obstacle.name} if obstacle else None,
        }


@dataclass(frozen=True)
class _Known:
    """profiles: those that all browsers play, for a codec that they do not play entirely."""

    name: str
    browsers: Support = Support.NONE
    profiles: frozenset[str] | None = None


_ALL, _SOME, _ = Support

_VIDEO_CODECS = {
    "h264": _Known("H.264", _ALL, frozenset({"Baseline", "Constrained Baseline", "Main", "Extended", "High"})),
    "vp8": _Known("VP8", _ALL),
    "vp9": _Known("VP9", _ALL, frozenset({"Profile 0"})),
    "hevc": _Known("HEVC (H.265)", _SOME),
    "av1": _Known("AV1", _SOME),
    "mpeg1video": _Known("MPEG-1", _SOME),
    "mpeg2video": _Known("MPEG-2", _SOME),
    "mpeg4": _Known("MPEG-4 Part 2"),
    "mjpeg": _Known("Motion JPEG"),
    "prores": _Known("ProRes"),
    "dnxhd": _Known("DNxHD"),
    "dvvideo": _Known("DV"),
    "h263": _Known("H.263"),
    "theora": _Known("Theora"),
}
_AUDIO_CODECS = {
    "aac": _Known("AAC", _ALL),
    "mp3": _Known("MP3", _ALL),
    "opus": _Known("Opus", _ALL),
    "vorbis": _Known("Vorbis", _ALL),
    "flac": _Known("FLAC", _ALL),
    "alac": _Known("Apple Lossless", _SOME),
    "ac3": _Known("Dolby Digital (AC-3)", _SOME),
    "eac3": _Known("Dolby Digital Plus (E-AC-3)", _SOME),
    "mp2": _Known("MPEG audio layer II"),
    "amr_nb": _Known("AMR"),
    "amr_wb": _Known("AMR-WB"),
    "speex": _Known("Speex"),
}

_ORDER = list(Support)


def playability(
    container: Container, video_codec: str, video_profile: str | None, audio_codec: str | None
) -> Playability:
    """Judge a file by its worst part; among equal ones, the video codec comes first, then the container, then the audio
    codec.

    Codecs and profiles have libavcodec's names; a profile of None counts as a usual one.
    """
    browsers, obstacle = max(
        _parts(container, video_codec, video_profile, audio_codec), key=lambda found: _ORDER.index(found[0])
    )
    return Playability(browsers, None if browsers is Support.ALL else obstacle)


def _parts(
    container: Container, video_codec: str, video_profile: str | None, audio_codec: str | None
) -> Iterator[tuple[Support, Obstacle]]:
    video = _VIDEO_CODECS.get(video_codec) or _Known(video_codec.upper())
    yield _video(video, video_profile)
    known = FORMATS[container]
    yield known.browsers, Obstacle(Part.CONTAINER, known.name)
    if video_codec not in known.codecs:
        yield Support.SOME, Obstacle(Part.CONTAINER, f"{video.name} in {known.name}")
    if audio_codec is None:
        return
    audio = _AUDIO_CODECS.get(audio_codec) or _Known(_unlisted(audio_codec))
    yield audio.browsers, Obstacle(Part.AUDIO, audio.name)
    if audio_codec not in known.codecs:
        yield Support.SOME, Obstacle(Part.AUDIO, f"{audio.name} in {known.name}")


def _video(known: _Known, profile: str | None) -> tuple[Support, Obstacle]:
    if known.profiles and profile and profile not in known.profiles:
        return Support.SOME, Obstacle(Part.VIDEO, f"{known.name} ({profile})")
    return known.browsers, Obstacle(Part.VIDEO, known.name)


def _unlisted(codec: str) -> str:
    return "PCM" if codec.startswith("pcm_") else codec.upper()
