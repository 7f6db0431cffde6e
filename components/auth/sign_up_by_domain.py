"""Sign-up filter: the user pool's pre sign-up trigger admits only addresses of the allowed mail domains.

This file is the function's whole code; it imports only the standard library.
"""

import os
from typing import Any


class ForbiddenDomainError(Exception):
    """A refusal; Cognito shows its text to the person."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the event, or refuse it. Administrators may invite anyone, and companies vouch for their own people.

    Raises ForbiddenDomainError unless the address is in one of ALLOWED_DOMAINS (comma-separated).
    """
    if event["triggerSource"] in {"PreSignUp_AdminCreateUser", "PreSignUp_ExternalProvider"}:
        return event
    address = str(event["request"]["userAttributes"].get("email", ""))
    domain = address.rpartition("@")[2].lower()
    if domain not in os.environ["ALLOWED_DOMAINS"].split(","):
        message = "Accounts are for members only."
        raise ForbiddenDomainError(message)
    return event
