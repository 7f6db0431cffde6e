"""Verification of webhooks, which the platform signs as Standard Webhooks 1.0.0 says.

from video_upload.webhooks import WebhookError, verify_webhook

message = verify_webhook("whsec_…", request.headers, request.body)
"""

import base64
import binascii
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["TOLERANCE_SECONDS", "InvalidSecretError", "WebhookError", "verify_webhook"]

TOLERANCE_SECONDS = 300
"""Age, and distance into the future, of an attempt that is taken: an older one may be a replay."""

_PREFIX, _VERSION = "whsec_", "v1,"
_TIMESTAMP = re.compile("[0-9]{1,12}")


class WebhookError(Exception):
    """The request is not the platform's, or not of now. Answer it with status 400, and do nothing else."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class InvalidSecretError(ValueError):
    """The text is no signing secret. It is not named: an error ends in a log."""

    def __init__(self) -> None:
        super().__init__("a webhook's secret is whsec_ and base64")


def verify_webhook(
    secrets: str | Iterable[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the message of a request that was signed with one of the secrets.

    secrets: one, or several while one is rotated. body: as it was received, byte for byte. now: seconds since 1970.
    A message may come more than once: drop an `id` that you have seen. Raises WebhookError, and
    InvalidSecretError for a secret that is none.
    """
    known = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, given = (known[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise WebhookError(f"the header {missing} is missing") from None
    moment = time.time() if now is None else now
    if not _TIMESTAMP.fullmatch(timestamp) or abs(moment - int(timestamp)) > tolerance_seconds:
        raise WebhookError(reason="the attempt is too old, or from the future")
    signed = f"{message_id}.{timestamp}.".encode() + body
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    signatures = [each.removeprefix(_VERSION).encode() for each in given.split(" ") if each.startswith(_VERSION)]
    wanted = [base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    # All of them, whichever fits: the time tells nothing.
    matches = [hmac.compare_digest(one, other) for one in wanted for other in signatures]
    if not any(matches):
        raise WebhookError(reason="no signature matches")
    message: dict[str, Any] = json.loads(body)
    return message


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(_PREFIX) or not key:
        raise InvalidSecretError
    return key
