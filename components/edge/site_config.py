"""The page's config.json, and the origin that the API's answers name. The page's files are content, not infrastructure:
`deploy/publish_site.py` puts them into the bucket."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from components.internet_names import origin_of


def site_config(
    *,
    stage: str,
    issuer: pulumi.Input[str],
    sign_in_host: pulumi.Input[str],
    web_client_id: pulumi.Input[str],
    desktop_client_id: pulumi.Input[str],
    api_scopes: Sequence[pulumi.Input[str]],
) -> pulumi.Output[dict[str, object]]:
    """config.json as docs/api.md describes it: how its readers reach the API and sign in."""
    known: dict[str, object] = {
        "stage": stage,
        "apiUrl": "/api",
        "authority": issuer,
        "webClientId": web_client_id,
        "desktopClientId": desktop_client_id,
        "scopes": ["openid", "email", *api_scopes],
        "logoutUrl": pulumi.Output.concat("https://", sign_in_host, "/logout"),
        "tellProgress": True,
    }
    return pulumi.Output.from_input(known)


def allowed_origin(site_domain: str, extra_redirect_urls: Sequence[str]) -> str:
    """The origin that the API's answers name: the page's, where that is known and the only one; otherwise any.

    One answer has room for one origin, and the gateway's own answers cannot choose. CloudFront's own domain is known
    only after the API that would name it. An origin lets nobody in: the API takes bearer tokens, which a foreign page
    does not have.
    """
    pages = {f"https://{site_domain}", *map(origin_of, extra_redirect_urls)}
    return pages.pop() if site_domain and len(pages) == 1 else "*"
