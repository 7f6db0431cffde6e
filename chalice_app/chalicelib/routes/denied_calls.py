"""Calls that AWS denied the function or whoever runs the API: told in one line that names the missing permission."""

import logging

log = logging.getLogger(__name__)


def denied(error: Exception) -> bool:
    """Whether AWS denied a call; if so, the log says which permission is missing."""
    from chalicelib.adapters.denials import denial_in  # noqa: PLC0415 - loads botocore

    denial = denial_in(error)
    if denial is None:
        return False
    log.error("AWS denied the API a call", extra={"operation": denial.operation, "missing": denial.missing})
    return True
