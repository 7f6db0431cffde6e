"""Group claims of companies: the pre token generation trigger of the user pool. Standard library alone.

A company's claim is stored in an attribute that anybody who signs up may write: Cognito requires that app clients may
write mapped attributes. The claim counts only for people whom their company's provider has just signed in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

GROUPS_ATTRIBUTE = "custom:groups"
SIGNED_IN = "TokenGeneration_HostedAuth"
"""Developer Guide, "Pre token generation Lambda trigger sources". A refresh brings no new claim of the company, so
administrator rights end with the first token."""
FEDERATED = "EXTERNAL_PROVIDER"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Handle the trigger. ADMINISTRATORS_GROUP names the pool's group, COMPANY_GROUPS the company's group by provider
    (JSON)."""
    return with_company_groups(event, json.loads(os.environ["COMPANY_GROUPS"]), os.environ["ADMINISTRATORS_GROUP"])


def with_company_groups(event: dict[str, Any], wanted: Mapping[str, str], administrators: str) -> dict[str, Any]:
    """Add the group of administrators if the company's claim says so; else return the event unchanged.

    wanted: the company's group by provider.
    """
    request = event["request"]
    provider = _provider_of(event)
    if event["triggerSource"] != SIGNED_IN or provider not in wanted:
        return event
    if wanted[provider] not in _groups_in(str(request["userAttributes"].get(GROUPS_ATTRIBUTE, ""))):
        return event
    now = request.get("groupConfiguration") or {}
    groups = [*(now.get("groupsToOverride") or []), administrators]
    event["response"] = {
        "claimsAndScopeOverrideDetails": {"groupOverrideDetails": {**now, "groupsToOverride": [*dict.fromkeys(groups)]}}
    }
    return event


def _provider_of(event: Mapping[str, Any]) -> str | None:
    """Return the provider of a federated user; None for a local user, even one linked to a provider.

    A local user's name is an id from Cognito, without an underscore. A linked local user has identities as well.
    """
    attributes = event["request"]["userAttributes"]
    prefix, separator, _ = str(event.get("userName", "")).partition("_")
    if not separator or attributes.get("cognito:user_status") != FEDERATED:
        return None
    try:
        identities = json.loads(attributes.get("identities") or "[]")
        names = [str(identity["providerName"]) for identity in identities]
    except (ValueError, TypeError, KeyError):
        return None
    # Cognito lower-cases user names in a case-insensitive pool; our providers' names are lower-case.
    return prefix.lower() if names == [prefix.lower()] else None


def _groups_in(claim: str) -> list[str]:
    """Values of a mapped attribute: Cognito stores several as `[one, two]`, a single one unchanged."""
    if not (claim.startswith("[") and claim.endswith("]")):
        return [claim.strip()]
    try:
        listed = json.loads(claim)
    except ValueError:
        return [each.strip() for each in claim[1:-1].split(",")]
    return [str(each) for each in listed]
