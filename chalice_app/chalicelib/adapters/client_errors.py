"""Meanings of boto3's one error class."""

from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, IncompleteReadError  # noqa: A004

# S3 API reference, "List of error codes"
BUSY = frozenset({"SlowDown", "ServiceUnavailable", "503", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
"""Refused for now; nothing was done."""

CONFLICTS = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""Somebody else is writing the same at this moment."""


_OUT_OF_REACH = (ConnectionError, HTTPClientError, IncompleteReadError)
"""The connection was refused, reset, timed out or broken off."""


def is_unavailable(error: Exception) -> bool:
    """Return whether a service is busy, failing or unreachable, so that the same call may succeed later."""
    if isinstance(error, ClientError):
        return error_code(error) in BUSY or error_status(error) >= 500
    return isinstance(error, _OUT_OF_REACH)


def error_code(error: ClientError) -> str:
    """AWS's name of the error: `NoSuchKey`, or the bare status where the answer had no body (HEAD)."""
    return _answer(error)["Error"]["Code"]


def error_message(error: ClientError) -> str:
    return _answer(error)["Error"].get("Message", "")


def error_status(error: ClientError) -> int:
    return _answer(error)["ResponseMetadata"].get("HTTPStatusCode", 500)


def _answer(error: ClientError) -> Any:
    return error.response
