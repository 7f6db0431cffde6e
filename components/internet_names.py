"""Internet names in settings: domains, mail addresses, and pages with their origins."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"  # RFC 1035, "Preferred name syntax"
DOMAIN = rf"(?=.{{4,253}}$)({LABEL}\.)+(?![0-9]+$){LABEL}"
"""At least two labels; numbers alone at the end would be an IP address."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"  # RFC 5322, 3.2.3
MAIL_ADDRESS = rf"(?=.{{1,254}}$)(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@(?i:{DOMAIN})"
"""RFC 5321, 4.5.3.1: at most 64 octets before the @, and 256 for the path, including its two brackets."""

PROVIDER_NAME = r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]"  # Cognito API reference, CreateIdentityProvider, ProviderName

MAX_WEBHOOK_CHARS = 256  # five of them fit into a function's environment
HTTPS_PORT, HTTP_PORT = 443, 80
_UNUSABLE = re.compile(r"[^!-~]|[*#\\]")
"""Not allowed in a page's address: a wildcard would also be one in the bucket's CORS rules, and no sign-in returns to a
fragment."""


def is_page(url: str) -> bool:
    """Check for an https address (or http on localhost) of one host, in a browser's spelling."""
    if _UNUSABLE.search(url):
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    is_local = host == "localhost"
    # The parts as urllib parses them: lower-cased, without user info, with a port of at most 65,535.
    as_written = f"{parts.scheme}://{host}" if port is None else f"{parts.scheme}://{host}:{port}"
    return (
        (parts.scheme == "https" or (parts.scheme == "http" and is_local))
        and url.startswith(as_written)
        and url[len(as_written) :][:1] in ("", "/", "?")
        and port != 0
        and (is_local or re.fullmatch(DOMAIN, host) is not None)
    )


def is_claimed_link(url: str) -> bool:
    """Check for an https address that an app can claim for itself: an App Link or a Universal Link."""
    return is_page(url) and url.startswith("https://") and urlsplit(url).hostname != "localhost"


def is_webhook(text: str) -> bool:
    """Check for `name=url`: a short name, and an https address without a comma, which separates webhooks."""
    name, _, url = text.partition("=")
    is_short = re.fullmatch(r"[a-z0-9]{1,16}", name) is not None and len(url) <= MAX_WEBHOOK_CHARS
    return is_short and "," not in url and is_claimed_link(url)


def is_saml_provider(text: str) -> bool:
    """Check for `name=url`: a name that Cognito accepts and that no built-in provider has, and an https address."""
    name, _, url = text.partition("=")
    return re.fullmatch(PROVIDER_NAME, name) is not None and is_claimed_link(url)


def is_oidc_provider(text: str) -> bool:
    """Check for `name=issuer`. An issuer ends without a slash, since Cognito compares it character by character."""
    return is_saml_provider(text) and not text.endswith("/") and "?" not in text


def origin_of(page: str) -> str:
    """`https://host:port`, without the scheme's default port (RFC 6454, section 6.2)."""
    parts = urlsplit(page)
    usual = HTTPS_PORT if parts.scheme == "https" else HTTP_PORT
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"
