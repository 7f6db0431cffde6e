"""Signatures of webhooks according to the Standard Webhooks specification 1.0.0."""

import base64
import binascii
import hmac
import secrets as random_secrets
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64  # the specification, "Signature scheme"
NEW_KEY_BYTES: Final = 32
MAX_SECRETS: Final = 2
"""Secrets of one receiver: the current one and, during a rotation, the previous one."""


class WrongSecretError(Exception):
    """A text that is no signing secret. The error does not carry it, since errors are logged."""


def new_secret() -> str:
    return f"{PREFIX}{base64.b64encode(random_secrets.token_bytes(NEW_KEY_BYTES)).decode()}"


def signing_key(secret: str) -> bytes:
    """Raises WrongSecretError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise WrongSecretError from None
    if not secret.startswith(PREFIX) or not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise WrongSecretError
    return key


def signed_headers(secrets: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Headers of one attempt, with a signature under each secret. Raises WrongSecretError."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [hmac.digest(signing_key(secret), signed, "sha256") for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(signature).decode()}" for signature in signatures),
    }
