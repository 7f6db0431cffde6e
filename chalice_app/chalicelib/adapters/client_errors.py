"""What boto3's one error class says."""

from typing import Any

from botocore.exceptions import ClientError

# S3 API reference, "List of error codes"
BUSY = frozenset({"SlowDown", "ServiceUnavailable", "503", "Throttling", "ThrottlingException", "RequestLimitExceeded"})
"""Refused for now; nothing was done."""

CONFLICTS = frozenset({"ConditionalRequestConflict", "OperationAborted"})
"""Somebody else is writing the same at this moment."""


def is_busy(error: Exception) -> bool:
    return isinstance(error, ClientError) and error_code(error) in BUSY


def error_code(error: ClientError) -> str:
    """AWS's name of the error: `NoSuchKey`, or the bare status where the answer had no body (HEAD)."""
    return _answer(error)["Error"]["Code"]


def error_message(error: ClientError) -> str:
    return _answer(error)["Error"].get("Message", "")


def error_status(error: ClientError) -> int:
    return _answer(error)["ResponseMetadata"].get("HTTPStatusCode", 500)


def _answer(error: ClientError) -> Any:
    return error.response
