"""Company sign-in: identity providers, their mail domains and groups, as the settings name them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from components.settings import SignInSettings, SignUp


@dataclass(frozen=True, kw_only=True)
class GroupClaim:
    """A company's group of administrators. claim: the provider's claim with a person's groups. group: its value for
    administrators."""

    claim: str
    group: str


def saml_metadata(settings: SignInSettings) -> Mapping[str, str]:
    """Metadata addresses by provider."""
    return _pairs(settings.saml_providers)


def oidc_issuers(settings: SignInSettings) -> Mapping[str, str]:
    """Issuers by provider."""
    return _pairs(settings.oidc_providers)


def oidc_clients(settings: SignInSettings) -> Mapping[str, str]:
    """This stage's client ids by provider."""
    return _pairs(settings.oidc_client_ids)


def oidc_secret_parameter(stage: str, provider: str) -> str:
    """Name of the SecureString in Parameter Store that holds the client's secret."""
    return f"/video-upload/{stage}/oidc/{provider}"


def domains_of(settings: SignInSettings, provider: str) -> list[str]:
    """Mail domains of this provider's people."""
    return [domain for domain, name in _pairs(settings.company_domains).items() if name == provider]


def group_claims(settings: SignInSettings) -> Mapping[str, GroupClaim]:
    """Group claims by provider."""
    entries = (entry.split("=", 2) for entry in settings.company_administrators)
    return {provider: GroupClaim(claim=claim, group=group) for provider, claim, group in entries}


def company_group_variables(settings: SignInSettings) -> dict[str, str]:
    """The environment of the function that reads group claims."""
    wanted = {provider: each.group for provider, each in group_claims(settings).items()}
    return {"ADMINISTRATORS_GROUP": settings.administrators_group, "COMPANY_GROUPS": json.dumps(wanted)}


def company_sign_in_checks(settings: SignInSettings) -> list[tuple[tuple[str, ...], bool, str]]:
    """Checks between settings: the settings concerned, whether they contradict each other, and the message."""
    saml, oidc = _names(settings.saml_providers), _names(settings.oidc_providers)
    providers = [*saml, *oidc]
    domains = _names(settings.company_domains)
    named = {each.partition("=")[2] for each in settings.company_domains}
    clients, companies = _names(settings.oidc_client_ids), _names(settings.company_administrators)
    has_companies = ("samlProviders", "oidcProviders")
    return [
        (("samlProviders",), _repeats(saml), "has two providers of one name"),
        (("oidcProviders", "samlProviders"), _repeats(providers) and not _repeats(saml), "repeats a provider's name"),
        (("oidcClientIds", "oidcProviders"), sorted(clients) != sorted(oidc), "names each of oidcProviders once"),
        (("companyDomains", *has_companies), not named <= set(providers), "names a provider that there is not"),
        (("companyDomains",), _repeats(domains), "sends one domain to two providers"),
        (
            ("companyAdministrators", *has_companies),
            not set(companies) <= set(providers),
            "names a provider that there is not",
        ),
        (("companyAdministrators",), _repeats(companies), "has two groups of one provider"),
        (
            ("companyAdministrators", "administratorsGroup"),
            bool(companies) and not settings.administrators_group,
            "needs an administratorsGroup",
        ),
        (("localUsers", *has_companies), not (settings.local_users or providers), "is off, so nobody could sign in"),
        (
            ("localUsers", "signUp"),
            not settings.local_users and settings.sign_up is not SignUp.CLOSED,
            "is off, so signUp must be closed",
        ),
    ]


def _pairs(entries: Iterable[str]) -> Mapping[str, str]:
    return dict(entry.split("=", 1) for entry in entries)


def _names(entries: Iterable[str]) -> list[str]:
    return [entry.partition("=")[0] for entry in entries]


def _repeats(names: list[str]) -> bool:
    return len(set(names)) < len(names)
