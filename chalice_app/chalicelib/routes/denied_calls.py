"""Calls that AWS denied to the function or a developer's local API, logged in one line with the missing permission."""

import logging

log = logging.getLogger(__name__)


def denied(error: Exception) -> bool:
    """Return whether AWS denied a call, and log which permission is missing."""
    from chalicelib.adapters.denials import denial_in  # noqa: PLC0415 - loads botocore

    denial = denial_in(error)
    if denial is None:
        return False
    log.error("AWS denied the API a call", extra={"operation": denial.operation, "missing": denial.missing})
    return True
