"""Group claims of companies: the function that Cognito asks before it issues tokens. Standard library alone.

A company's claim stands in an attribute that anybody may write who signs up: Cognito demands that app clients may write
what a provider maps. The claim counts for people whom their company's provider has just signed in, and for nobody else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

GROUPS_ATTRIBUTE = "custom:groups"
SIGNED_IN = "TokenGeneration_HostedAuth"
"""Developer Guide, "Pre token generation Lambda trigger sources". A refresh has no new word of the company, so the
right of an administrator ends with the first token."""
FEDERATED = "EXTERNAL_PROVIDER"


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """The environment holds ADMINISTRATORS_GROUP, and in COMPANY_GROUPS the company's group by provider, as JSON."""
    return with_company_groups(event, json.loads(os.environ["COMPANY_GROUPS"]), os.environ["ADMINISTRATORS_GROUP"])


def with_company_groups(event: dict[str, Any], wanted: Mapping[str, str], administrators: str) -> dict[str, Any]:
    """Add the group of administrators where the company says so; pass the event on unchanged otherwise.

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
    """Return the provider that this user is of; None for a local user, also for one that is linked to a provider.

    A local user's name is an id that Cognito makes, without an underscore. One who is linked has identities as well.
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
    # Cognito lower-cases user names where the pool does not tell cases apart; our providers' names are lower-case.
    return prefix.lower() if names == [prefix.lower()] else None


def _groups_in(claim: str) -> list[str]:
    """Several values arrive as `[one, two]`, a single one as it is."""
    if not (claim.startswith("[") and claim.endswith("]")):
        return [claim.strip()]
    try:
        listed = json.loads(claim)
    except ValueError:
        return [each.strip() for each in claim[1:-1].split(",")]
    return [str(each) for each in listed]
