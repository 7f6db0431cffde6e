"""A site: its address, and its /config.json with everything else that a client needs."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import msgspec

from video_upload.connection_problem import problem_in_words
from video_upload.decoding import decode
from video_upload.errors import SiteError, SiteUnreachableError
from video_upload.http_calls import LOST_ANSWERS, NO_ADDRESS, HttpCalls
from video_upload.loopback import is_loopback, is_safe_url
from video_upload.schemas import SiteConfig
from video_upload.video_types import EVERY_CONTAINER

ACCOUNT_PAGE = "account.html"
TIMEOUT_SECONDS = (10.0, 20.0)

Document = TypeVar("Document", bound=msgspec.Struct)


class SignInEndpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of OpenID Connect Discovery 1.0, section 3, that the client needs."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str | None = None


def normal_site_url(text: str) -> str:
    """An absolute URL without a trailing slash. Raises SiteError unless it is https, or http to this machine."""
    url = text.strip().rstrip("/")
    if "://" not in url:
        host = urlsplit(f"//{url}").hostname
        url = f"{'http' if is_loopback(host) else 'https'}://{url}"
    if not is_safe_url(url):
        raise SiteError(text, "only https addresses are safe to sign in to")
    return url


def fetch_site_config(site_url: str) -> SiteConfig:
    """`api_url` comes back absolute. Raises SiteError."""
    config = _fetch(f"{site_url}/config.json", site_url, SiteConfig)
    api_url = urljoin(f"{site_url}/", config.api_url)
    if not is_safe_url(api_url) or not is_safe_url(config.authority):
        raise SiteError(site_url, "names an insecure address in its config.json")
    return msgspec.structs.replace(config, api_url=api_url.rstrip("/"))


def accepted_containers(site_url: str) -> frozenset[str]:
    """Containers of the videos that the site accepts. All where it does not answer: the API then decides."""
    try:
        containers = fetch_site_config(normal_site_url(site_url)).accepted_containers
    except SiteError:
        return EVERY_CONTAINER
    return EVERY_CONTAINER if containers is None else frozenset(containers)


def account_page(site_url: str) -> str:
    """Address at which people set up an authenticator app. Raises SiteError for a site that has no second factors."""
    if fetch_site_config(site_url).account_client_id is None:
        raise SiteError(site_url, "has no authenticator apps to set up")
    return f"{site_url}/{ACCOUNT_PAGE}"


def discover_sign_in(site_url: str, authority: str) -> SignInEndpoints:
    """Raises SiteError; also if the document is another issuer's (OpenID Connect Discovery 1.0, section 4.3)."""
    url = f"{authority.rstrip('/')}/.well-known/openid-configuration"
    endpoints = _fetch(url, site_url, SignInEndpoints)
    if endpoints.issuer.rstrip("/") != authority.rstrip("/"):
        raise SiteError(site_url, f"the issuer of its sign-in is {endpoints.issuer}, not {authority}")
    if not is_safe_url(endpoints.authorization_endpoint) or not is_safe_url(endpoints.token_endpoint):
        raise SiteError(site_url, "its sign-in is at an insecure address")
    return endpoints


def _fetch(url: str, site_url: str, kind: type[Document]) -> Document:
    try:
        answer = HttpCalls().send("GET", url, timeout_seconds=TIMEOUT_SECONDS)
    except NO_ADDRESS as error:
        raise SiteError(site_url, f"is not a valid address ({problem_in_words(error)})") from error
    except LOST_ANSWERS as error:
        raise SiteUnreachableError(site_url, problem_in_words(error)) from error
    if answer.is_redirect:
        raise SiteError(site_url, f"redirects to {answer.headers['location']}; use that address")
    if answer.status != 200:
        raise SiteError(site_url, f"is not a Video Upload site ({url} answered {answer.status})")
    try:
        return decode(answer.content, kind)
    except msgspec.DecodeError as error:
        raise SiteError(site_url, f"is not a Video Upload site ({url}: {error})") from error
