"""Checks of companies: their clients' secrets, and the documents that Cognito reads from their providers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from components.company_sign_in import oidc_issuers, oidc_secret_parameter, saml_metadata
from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import DocumentError, DocumentRefusedError, PlannedStage

_SAML_PROVIDER = re.compile(rb"<(?:[\w.-]+:)?IDPSSODescriptor[\s>]")
READ_BY_COGNITO = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
"""Developer Guide, "Using OIDC identity providers with a user pool": endpoints that the discovery document must
contain."""


def _secrets(stage: PlannedStage) -> Finding:
    names = {
        oidc_secret_parameter(stage.settings.stage, provider): provider
        for provider in oidc_issuers(stage.settings.sign_in)
    }
    stored = stage.parameter_types(names)
    if missing := [name for name in names if name not in stored]:
        commands = (f'`aws ssm put-parameter --type SecureString --name "{name}" --value …`' for name in missing)
        return will_fail(
            f"not in Parameter Store of {stage.region}: {', '.join(missing)}; store it by {' and '.join(commands)}"
        )
    if plain := [name for name in names if stored[name] != "SecureString"]:
        return will_fail(f"not encrypted: {', '.join(plain)}; delete and store it as a SecureString")
    return ok(f"stored: {', '.join(names)}")


def _saml(stage: PlannedStage) -> Finding:
    return _documents(stage, saml_metadata(stage.settings.sign_in), _problem_of_metadata)


def _problem_of_metadata(_: str, document: bytes) -> str:
    return "" if _SAML_PROVIDER.search(document) else "holds no IDPSSODescriptor, so it is not a provider's metadata"


def _oidc(stage: PlannedStage) -> Finding:
    issuers = oidc_issuers(stage.settings.sign_in)
    addresses = {provider: f"{issuer}/.well-known/openid-configuration" for provider, issuer in issuers.items()}
    return _documents(stage, addresses, lambda provider, document: _problem_of_discovery(issuers[provider], document))


def _problem_of_discovery(issuer: str, document: bytes) -> str:
    try:
        told: Any = json.loads(document)
    except ValueError:
        return "is not JSON"
    if not isinstance(told, dict):
        return "is not a JSON object"
    # Cognito accepts an issuer without its trailing slash.
    if str(told.get("issuer")).removesuffix("/") != issuer:
        return f"names the issuer {told.get('issuer')}; write that into oidcProviders instead of {issuer}"
    if missing := [name for name in READ_BY_COGNITO if not told.get(name)]:
        return f"has no {', '.join(missing)}"
    return ""


def _documents(stage: PlannedStage, addresses: Mapping[str, str], problem_of: Callable[[str, bytes], str]) -> Finding:
    """problem_of: returns the fault of a provider's document; empty if there is none."""
    wrong, unread = [], []
    for provider, address in addresses.items():
        try:
            problem = problem_of(provider, stage.fetch(address))
        except DocumentRefusedError as error:
            problem = str(error)
        except DocumentError as error:
            unread.append(f"{provider}: {address} {error}")
            continue
        if problem:
            wrong.append(f"{provider}: {address} {problem}")
    if wrong:
        return will_fail(f"{'; '.join(wrong)}; correct the setting, or ask the company")
    if unread:
        return cannot_tell(f"{'; '.join(unread)}; Cognito reads it from the internet, so look at it from there")
    return ok(", ".join(addresses))


COMPANY_CHECKS = (
    Check(
        subject="OIDC client secrets",
        actions=("ssm:GetParameters",),
        answer=_secrets,
        applies=lambda stage: bool(stage.settings.sign_in.oidc_providers),
    ),
    Check(
        subject="OIDC discovery",
        actions=(),
        answer=_oidc,
        applies=lambda stage: bool(stage.settings.sign_in.oidc_providers),
    ),
    Check(
        subject="SAML metadata",
        actions=(),
        answer=_saml,
        applies=lambda stage: bool(stage.settings.sign_in.saml_providers),
    ),
)
