"""Meaning of the API's refusals: which are errors, which pass, and how long to wait."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from video_upload.decoding import decode
from video_upload.errors import (
    ApiError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    LimitReachedError,
    LinkClosedError,
    NotFoundError,
    ServiceUnavailableError,
    UnauthorizedError,
    UnexpectedResponseError,
)
from video_upload.http_calls import Answer
from video_upload.schemas import ErrorDetail, ErrorResponse

LONGEST_RETRY_AFTER_SECONDS = 120.0
RETRIED_STATUSES = frozenset({500, 502, 503, 504})
OPEN_CAPS = frozenset({"too_many_open_uploads", "reserved_bytes_exceeded"})
"""Lifted when one of the user's uploads ends."""
LIMITS = OPEN_CAPS | {
    *("too_many_stored_videos", "stored_bytes_exceeded", "stage_full"),
    *("too_many_links", "link_used_up", "link_maker_full"),
}
ERROR_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: LinkClosedError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    429: LimitReachedError,
}


def retry_after_seconds(answer: Answer) -> float | None:
    """Retry-After in either of its forms, bounded; None without a usable one."""
    value = answer.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value) if value.isdigit() else _seconds_from_now(value)
    except ValueError:
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _seconds_from_now(http_date: str) -> float:
    return (parsedate_to_datetime(http_date) - datetime.now(UTC)).total_seconds()


def will_pass(answer: Answer) -> bool:
    if answer.status in RETRIED_STATUSES:
        return True
    # Limits are 429 too, but waiting does not lift them.
    return answer.status == 429 and _error_detail(answer).code not in LIMITS


def is_of_another(answer: Answer) -> bool:
    """Return whether something in front of the API answered in its place: a captive portal says 200 as well."""
    if not 200 <= answer.status < 300:
        return False
    try:
        msgspec.json.decode(answer.content)
    except msgspec.DecodeError:
        return True
    return False


def _error_detail(answer: Answer) -> ErrorDetail:
    try:
        return decode(answer.content, ErrorResponse).error
    except msgspec.DecodeError:
        # Made by something in front of the API: a proxy, a captive portal.
        return ErrorDetail(code="unknown", message=f"{answer.url} answered {answer.status} {answer.reason}")


def api_error(answer: Answer) -> ApiError | UnexpectedResponseError:
    """Return the error for an answer outside 2xx."""
    status = answer.status
    kind = ServiceUnavailableError if status >= 500 else ERROR_BY_STATUS.get(status)
    if status < 400:
        return UnexpectedResponseError(answer.url, status, f"to {answer.headers.get('location', 'nowhere')}")
    detail = _error_detail(answer)
    return (kind or ApiError)(
        status=status,
        code=detail.code,
        message=detail.message,
        details=detail.details,
        request_id=detail.request_id,
        retry_after_seconds=retry_after_seconds(answer),
    )
