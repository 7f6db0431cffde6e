"""Company sign-in: identity providers and their mail domains, as the settings name them."""

from __future__ import annotations

from collections.abc import Mapping

from components.settings import SignInSettings, SignUp


def saml_metadata(settings: SignInSettings) -> Mapping[str, str]:
    """Addresses of metadata by provider."""
    return dict(provider.split("=", 1) for provider in settings.saml_providers)


def domains_of(settings: SignInSettings, provider: str) -> list[str]:
    """Mail domains whose people belong to this provider."""
    pairs = [entry.split("=", 1) for entry in settings.saml_domains]
    return [domain for domain, name in pairs if name == provider]


def company_sign_in_checks(settings: SignInSettings) -> list[tuple[tuple[str, ...], bool, str]]:
    """Settings to look at, whether they contradict each other, and what to say then."""
    providers = [each.partition("=")[0] for each in settings.saml_providers]
    domains = [each.partition("=")[0] for each in settings.saml_domains]
    named = {each.partition("=")[2] for each in settings.saml_domains}
    return [
        (("samlProviders",), len(set(providers)) < len(providers), "has two providers of one name"),
        (("samlDomains", "samlProviders"), not named <= set(providers), "names a provider that samlProviders has not"),
        (("samlDomains",), len(set(domains)) < len(domains), "sends one domain to two providers"),
        (("localUsers", "samlProviders"), not (settings.local_users or providers), "is off, so nobody could sign in"),
        (
            ("localUsers", "signUp"),
            not settings.local_users and settings.sign_up is not SignUp.CLOSED,
            "is off, so signUp must be closed",
        ),
    ]
