"""Responses of the stand-in: status, headers and a body, or S3's XML."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse

import xmltodict

from local.stand_in.errors import S3Error

XML_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass(kw_only=True)
class Response:
    """One HTTP response. A streamed body needs a Content-Length header."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes | Iterator[bytes] = b""

    def send(self, start_response: StartResponse, *, head_only: bool) -> Iterable[bytes]:
        """Start the response and return WSGI's iterable. A HEAD keeps the length without the body."""
        if isinstance(self.body, bytes) and self.status != HTTPStatus.NO_CONTENT:
            self.headers.setdefault("Content-Length", str(len(self.body)))
        phrase = HTTPStatus(self.status).phrase
        start_response(f"{self.status} {phrase}", list(self.headers.items()))
        if head_only:
            return []
        return [self.body] if isinstance(self.body, bytes) else self.body


def xml_response(root: str, content: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Write S3's XML: a list becomes a repeated element, None is left out, booleans are `true` and `false`."""
    document = {root: {"@xmlns": XML_NAMESPACE, **_plain(content)}}
    return Response(
        headers={"Content-Type": "application/xml", **(headers or {})},
        body=xmltodict.unparse(document).encode(),
    )


def error_response(error: S3Error, *, resource: str, request_id: str) -> Response:
    """S3's XML of an error."""
    content = {
        "Code": error.code,
        "Message": error.message,
        **error.elements,
        "Resource": resource,
        "RequestId": request_id,
    }
    return Response(
        status=error.status,
        headers={"Content-Type": "application/xml", **error.headers},
        body=xmltodict.unparse({"Error": {name: _printable(text) for name, text in content.items()}}).encode(),
    )


def quoted_etag(etag: str) -> str:
    """An ETag in the format of HTTP and S3's XML."""
    return f'"{etag}"'


def iso_time(epoch_seconds: float) -> str:
    """A time in the format of S3's XML, to the millisecond."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_time(epoch_seconds: float) -> str:
    """A time in the format of HTTP headers, to the second."""
    return formatdate(epoch_seconds, usegmt=True)


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in content.items():
        if value is None:
            continue
        if isinstance(value, bool):
            plain[name] = "true" if value else "false"
        elif isinstance(value, Mapping):
            plain[name] = _plain(value)
        elif isinstance(value, list):
            plain[name] = [_plain(item) if isinstance(item, Mapping) else item for item in value]
        else:
            plain[name] = str(value)
    return plain


def _printable(text: str) -> str:
    # XML 1.0 cannot contain control characters; S3 escapes them in errors.
    return "".join(char if char.isprintable() or char in "\n\t" else quote(char) for char in text)


def wire_text(text: str) -> str:
    """A text in WSGI's format of headers: each byte of its UTF-8 as one character."""
    return text.encode("utf-8").decode("latin-1")


def mail_safe(text: str) -> str:
    """A header's text in ASCII, encoded by RFC 2047 if necessary: S3 User Guide, "Working with object metadata"."""
    return text if text.isascii() else f"=?UTF-8?B?{b64encode(text.encode()).decode()}?="
