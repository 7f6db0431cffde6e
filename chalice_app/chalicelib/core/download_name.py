"""The name under which a browser saves a video."""

from pathlib import PurePosixPath
from urllib.parse import quote

MAX_HEADER_BYTES = 1_536
"""S3 keeps at most 2 KB of system metadata an object (S3 User Guide, "Working with object metadata"). The rest is for
the content type and the encryption."""


def content_disposition(file_name: str) -> str:
    """A header value that offers the user's own file name in any script (RFC 6266, with RFC 8187's coding).

    A name that is too long for S3 is shortened before its extension. The header is stored with the object, because
    browsers ignore a `download` attribute for another origin. Players ignore the header.
    """
    extension = PurePosixPath(file_name).suffix
    stem = file_name.removesuffix(extension)
    header = _header(file_name)
    while len(header) > MAX_HEADER_BYTES and stem:
        # A character is one byte plain and up to twelve bytes coded.
        surplus_bytes = len(header) - MAX_HEADER_BYTES
        stem = stem[: -max(1, surplus_bytes // 13)]
        header = _header(stem + extension)
    return header


def _header(file_name: str) -> str:
    plain = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
