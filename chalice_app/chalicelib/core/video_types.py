"""Accepted types of files, checked before a byte is sent."""

from pathlib import PurePosixPath

from chalicelib.core.errors import UnsupportedVideoTypeError

EXTENSIONS_BY_CONTENT_TYPE: dict[str, tuple[str, ...]] = {
    "video/mp4": (".mp4", ".m4v"),
    "video/quicktime": (".mov",),
    "video/x-matroska": (".mkv",),
    "video/webm": (".webm",),
    "video/x-msvideo": (".avi",),
}


def require_video_type(file_name: str, content_type: str) -> None:
    """Raises UnsupportedVideoTypeError unless the type is known and fits the name's extension."""
    extensions = EXTENSIONS_BY_CONTENT_TYPE.get(content_type, ())
    if PurePosixPath(file_name).suffix.lower() not in extensions:
        accepted = {known: list(fitting) for known, fitting in EXTENSIONS_BY_CONTENT_TYPE.items()}
        raise UnsupportedVideoTypeError(file_name=file_name, content_type=content_type, accepted=accepted)
