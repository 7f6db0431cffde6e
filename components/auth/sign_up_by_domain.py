"""Runs inside Cognito before an account is made: only addresses of the allowed mail domains may sign up.

This file alone is the function's whole code; it imports nothing but the standard library.
"""

import os
from typing import Any


class ForbiddenDomainError(Exception):
    """Refusal whose text Cognito shows to the person who signs up."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Pass the event on, or refuse. Administrators may invite anyone, and companies answer for their own people.

    Raises ForbiddenDomainError when the address is of another domain than ALLOWED_DOMAINS (comma separated).
    """
    if event["triggerSource"] in {"PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"}:
        return event
    address = str(event["request"]["userAttributes"].get("email", ""))
    domain = address.rpartition("@")[2].lower()
    if domain not in os.environ["ALLOWED_DOMAINS"].split(","):
        message = "Accounts are for members only."
        raise ForbiddenDomainError(message)
    return event
