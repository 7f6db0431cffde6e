"""Conditions of reads: If-Match, If-None-Match, If-Modified-Since and If-Unmodified-Since, in S3's order.

Source: Amazon S3 API Reference, "GetObject": If-Match takes precedence over If-Unmodified-Since, and If-None-Match over
If-Modified-Since.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from local.stand_in.errors import precondition_failed
from local.stand_in.versions import Version


def seconds_of(http_time: str | None, default: int) -> int:
    """A header's time in seconds since the epoch; `default` if it is missing or malformed."""
    if http_time is None:
        return default
    try:
        return int(parsedate_to_datetime(http_time).timestamp())
    except ValueError:
        return default


def is_unchanged(headers: Mapping[str, str], version: Version) -> bool:
    """Check whether the reader already has the version. Raises S3Error 412 if the reader requires another one."""
    modified_at = int(version.modified_at)
    if "if-match" in headers:
        if not _names(headers["if-match"], version):
            raise precondition_failed("If-Match")
    elif modified_at > seconds_of(headers.get("if-unmodified-since"), modified_at):
        raise precondition_failed("If-Unmodified-Since")
    if "if-none-match" in headers:
        return _names(headers["if-none-match"], version)
    return modified_at <= seconds_of(headers.get("if-modified-since"), modified_at - 1)


def _names(header: str, version: Version) -> bool:
    wanted = [etag.strip().strip('"') for etag in header.split(",")]
    return "*" in wanted or version.content.etag in wanted
