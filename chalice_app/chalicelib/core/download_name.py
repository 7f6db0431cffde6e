"""The name under which a browser saves a video."""

from urllib.parse import quote


def content_disposition(file_name: str) -> str:
    """A header value that offers the user's own name, whatever its script (RFC 6266, with RFC 8187's coding).

    Kept with the object: a `download` attribute does not count for another origin. Players ignore it.
    """
    plain = "".join(char if char.isascii() and char not in '"\\%' else "_" for char in file_name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file_name, safe='')}"
