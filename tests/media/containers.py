"""One row for each container: how its sample is made, and what is right about it.

Names are those of libavformat's muxers and libavcodec's encoders.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

ContainerName = Literal["mp4", "mov", "mkv", "webm", "avi", "3gp", "ts", "mts", "mpg", "ogv"]
"""Extension of a sample's file."""


@dataclass(frozen=True, kw_only=True)
class Right:
    """Facts of a sample, as its author knows them. Those that are usual need not be said.

    stands_in_the_way: part and name of what keeps browsers from playing it. width, height: as displayed.
    poster: its size; None where it is the picture's own. shows: the sample's quarters, mirrored ones, or black.
    thumbnails: how many.
    """

    container: str
    video: str
    profile: str | None = None
    audio: str | None = "aac"
    browsers: str = "all"
    stands_in_the_way: tuple[str, str] | None = None
    width: int = 320
    height: int = 180
    rotation_degrees: int = 0
    seconds: float | None = 2.0
    poster: tuple[int, int] | None = None
    shows: str = "quarters"
    thumbnails: int = 2


@dataclass(frozen=True)
class Sample:
    """content_type: the one that clients state. right: the facts of two seconds of picture and sound."""

    content_type: str
    muxer: str
    video_encoder: str
    audio_encoder: str
    right: Right
    muxer_options: dict[str, str] = field(default_factory=dict[str, str])


MP4 = Right(container="mp4", video="h264", profile="Constrained Baseline")
MOV = replace(MP4, container="quicktime", browsers="some", stands_in_the_way=("container", "QuickTime"))
MKV = replace(MP4, container="matroska", browsers="some", stands_in_the_way=("container", "Matroska"))
THREE_GPP = replace(MOV, container="3gpp", stands_in_the_way=("container", "3GP"))
MPEG_TS = replace(MP4, container="mpegts", browsers="none", stands_in_the_way=("container", "MPEG-TS"))
VP8 = Right(container="webm", video="vp8", audio="opus")
OGG = replace(VP8, container="ogg", browsers="some", stands_in_the_way=("container", "Ogg"))
AVI = Right(
    container="avi",
    video="mpeg4",
    profile="Simple Profile",
    audio="mp3",
    browsers="none",
    stands_in_the_way=("video", "MPEG-4 Part 2"),
)
MPEG_PS = Right(
    container="mpeg",
    video="mpeg2video",
    profile="Main",
    audio="mp2",
    browsers="none",
    stands_in_the_way=("container", "MPEG-PS"),
)

SAMPLES: dict[ContainerName, Sample] = {
    "mp4": Sample("video/mp4", "mp4", "libx264", "aac", MP4),
    "mov": Sample("video/quicktime", "mov", "libx264", "aac", MOV),
    "mkv": Sample("video/x-matroska", "matroska", "libx264", "aac", MKV),
    "webm": Sample("video/webm", "webm", "libvpx", "libopus", VP8),
    "avi": Sample("video/x-msvideo", "avi", "mpeg4", "libmp3lame", AVI),
    "3gp": Sample("video/3gpp", "3gp", "libx264", "aac", THREE_GPP),
    "ts": Sample("video/mp2t", "mpegts", "libx264", "aac", MPEG_TS),
    "mts": Sample("video/mp2t", "mpegts", "libx264", "ac3", replace(MPEG_TS, audio="ac3"), {"mpegts_m2ts_mode": "1"}),
    "mpg": Sample("video/mpeg", "vob", "mpeg2video", "mp2", MPEG_PS),
    "ogv": Sample("video/ogg", "ogg", "libvpx", "libopus", OGG),
}
