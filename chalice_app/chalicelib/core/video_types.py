"""Accepted types of files and their containers. The first is checked before a byte is sent, the second on arrival."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from chalicelib.core.errors import UnsupportedVideoTypeError


class Container(StrEnum):
    """The value is the API's `media.container`."""

    MP4 = "mp4"
    QUICKTIME = "quicktime"
    MATROSKA = "matroska"
    WEBM = "webm"
    AVI = "avi"


@dataclass(frozen=True)
class VideoType:
    """label: the type's name for users. containers: those that a file announced as this type may have."""

    label: str
    extensions: tuple[str, ...]
    containers: frozenset[Container]


VIDEO_TYPES = {
    "video/mp4": VideoType("MP4", (".mp4", ".m4v"), frozenset({Container.MP4})),
    "video/quicktime": VideoType("MOV", (".mov",), frozenset({Container.QUICKTIME})),
    # WebM is a subset of Matroska (https://www.webmproject.org/docs/container/), not the other way round.
    "video/x-matroska": VideoType("MKV", (".mkv",), frozenset({Container.MATROSKA, Container.WEBM})),
    "video/webm": VideoType("WebM", (".webm",), frozenset({Container.WEBM})),
    "video/x-msvideo": VideoType("AVI", (".avi",), frozenset({Container.AVI})),
}
"""By content type. The contract tells the clients (`x-video-types` in docs/openapi.json)."""


def require_video_type(file_name: str, content_type: str) -> None:
    """Raises UnsupportedVideoTypeError unless the type is known and fits the name's extension."""
    known = VIDEO_TYPES.get(content_type)
    if not known or PurePosixPath(file_name).suffix.lower() not in known.extensions:
        accepted = {each: list(kind.extensions) for each, kind in VIDEO_TYPES.items()}
        raise UnsupportedVideoTypeError(file_name=file_name, content_type=content_type, accepted=accepted)
