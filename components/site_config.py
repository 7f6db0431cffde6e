"""The page's config.json, and the origin in the API's CORS headers. The page's files are content, not infrastructure:
`deploy/publish_site.py` puts them into the bucket."""

from __future__ import annotations

import pulumi

from components.auth.app_clients import AppClients
from components.auth.user_pool import Auth
from components.internet_names import origin_of
from components.naming import StageContext
from components.settings import Settings


def site_config(
    context: StageContext, settings: Settings, auth: Auth, app_clients: AppClients
) -> pulumi.Output[dict[str, object]]:
    """config.json, which docs/api.md describes: addresses of the API and of the sign-in."""
    known: dict[str, object] = {
        "stage": context.stage,
        "apiUrl": "/api",
        "authority": auth.issuer,
        "webClientId": app_clients.web_client_id,
        "desktopClientId": app_clients.desktop_client_id,
        "scopes": ["openid", "email", *auth.scopes],
        "logoutUrl": pulumi.Output.concat("https://", auth.sign_in_host, "/logout"),
        "tellProgress": True,
        "maxLinkDays": settings.uploads.max_link_days,
        "mfa": settings.sign_in.mfa.value,
        "companyDomains": sorted(domain.partition("=")[0] for domain in settings.sign_in.company_domains),
        "localUsers": settings.sign_in.local_users,
        "acceptedContainers": list(settings.uploads.accepted_containers),
    }
    if settings.sign_in.administrators_group:
        known["administratorsGroup"] = settings.sign_in.administrators_group
    if app_clients.account_client_id is not None:
        known["accountClientId"] = app_clients.account_client_id
    if app_clients.native_client_id is not None:
        known["nativeClientId"] = app_clients.native_client_id
    return pulumi.Output.from_input(known)


def allowed_origin(settings: Settings) -> str:
    """The origin in the API's CORS headers: the page's if it is known and the only one, otherwise `*`.

    A response has room for one origin, and the gateway's own responses cannot choose. CloudFront's domain is known only
    after the API that would name it. An origin grants no access: the API takes bearer tokens, which a foreign page does
    not have.
    """
    domain = settings.edge.site_domain
    pages = set(page_origins(settings, f"https://{domain}"))
    return f"https://{domain}" if domain and len(pages) == 1 else "*"


def page_origins(settings: Settings, site_url: pulumi.Input[str]) -> list[pulumi.Input[str]]:
    """Origins of all pages that upload; the site's own is first."""
    return [site_url, *map(origin_of, settings.sign_in.extra_redirect_urls)]
