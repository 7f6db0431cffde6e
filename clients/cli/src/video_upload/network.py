"""Way to the network: the proxy and the certificate authorities that every call and every part uses.

The environment decides as for any program on requests: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, or the system's
settings on macOS and Windows; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE, else certifi's list.
"""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import certifi
from urllib3 import PoolManager
from urllib3.connection import HTTPSConnection, ProxyConfig
from urllib3.util import parse_url

from video_upload.errors import NetworkSettingError

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def ca_bundle() -> str:
    """Return the file or folder of trusted certificates. Raises NetworkSettingError if it cannot be used."""
    for name in CA_VARIABLES:
        path = os.environ.get(name)
        if path:
            try:
                _context(path)
            except OSError as error:  # an SSLError is one
                raise NetworkSettingError(name, path, error.strerror or str(error)) from error
            return path
    return certifi.where()


def tls_context() -> ssl.SSLContext:
    """Return a TLS context with the API calls' certificate authorities. Raises NetworkSettingError."""
    return _context(ca_bundle())


def _context(path: str) -> ssl.SSLContext:
    if os.path.isdir(path):  # noqa: PTH112 - a path as OpenSSL takes it
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def proxy_for(url: str) -> str | None:
    """Return the proxy that requests would use for the URL, with its scheme; None for the direct way."""
    if not getproxies():
        return None
    # Only now: most people have no proxy, and requests costs a start a tenth of a second.
    from requests.utils import get_environ_proxies, prepend_scheme_if_needed, select_proxy  # noqa: PLC0415

    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    return prepend_scheme_if_needed(proxy, "http") if proxy else None


def proxy_manager(proxy: str, tls: ssl.SSLContext) -> PoolManager:
    """Return connections through a proxy, which are made as requests makes them."""
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as in proxy_for

    secured = {} if proxy.startswith("socks") else {"proxy_ssl_context": tls}
    return HTTPAdapter().proxy_manager_for(proxy, ssl_context=tls, **secured)


class _Socket(Protocol):
    def shutdown(self, how: int, /) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Line:
    """Connection for parts, direct or through a proxy.

    target_prefix: precedes path and query of each request; a proxy for plain HTTP wants the whole address.
    headers: what each request carries for the proxy.
    """

    connection: http.client.HTTPConnection
    target_prefix: str = ""
    headers: Mapping[str, str]

    def shut_down(self, how: int) -> None:
        """End a send or a wait of another thread. Raises OSError."""
        outer = self.connection.sock
        inner: _Socket | None = getattr(outer, "socket", outer)  # below the second TLS of a proxy that speaks TLS
        if inner is not None:
            inner.shutdown(how)


def open_line(url: SplitResult, tls: ssl.SSLContext, timeout_seconds: float) -> Line:
    """Make a line to the URL's host. Raises OSError, HTTPException and urllib3's HTTPError."""
    proxy = proxy_for(url.geturl())
    host = url.hostname or ""
    if proxy is None:
        direct = (
            http.client.HTTPSConnection(host, url.port, timeout=timeout_seconds, context=tls)
            if url.scheme == "https"
            else http.client.HTTPConnection(host, url.port, timeout=timeout_seconds)
        )
        return Line(connection=direct, headers={})
    place = urlsplit(proxy)
    if place.scheme not in {"http", "https"}:
        raise OSError(
            f"parts cannot go through the proxy {place.scheme}://{place.hostname}, only through an HTTP proxy"
        )
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as in proxy_for

    credentials = HTTPAdapter().proxy_headers(proxy)
    if url.scheme == "https":
        return Line(connection=_tunnel(url, proxy, credentials, tls, timeout_seconds), headers={})
    forwarding = (
        http.client.HTTPSConnection(place.hostname or "", place.port, timeout=timeout_seconds, context=tls)
        if place.scheme == "https"
        else http.client.HTTPConnection(place.hostname or "", place.port, timeout=timeout_seconds)
    )
    return Line(connection=forwarding, target_prefix=f"{url.scheme}://{url.netloc}", headers=credentials)


def _tunnel(
    url: SplitResult, proxy: str, credentials: Mapping[str, str], tls: ssl.SSLContext, timeout_seconds: float
) -> http.client.HTTPConnection:
    """Connect by CONNECT, as the API calls do; the requests themselves go over the bare socket."""
    place = parse_url(proxy)
    default_port = 443 if place.scheme == "https" else 80
    through = HTTPSConnection(
        place.host or "",
        place.port or default_port,
        timeout=timeout_seconds,
        ssl_context=tls,
        proxy=place,
        proxy_config=ProxyConfig(
            ssl_context=tls, use_forwarding_for_https=False, assert_hostname=None, assert_fingerprint=None
        ),
    )
    through.set_tunnel(url.hostname or "", url.port or 443, credentials, scheme=place.scheme or "http")
    try:
        through.connect()
    except BaseException:
        through.close()
        raise
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=timeout_seconds, context=tls)
    connection.sock = through.sock
    connection.auto_open = 0  # a tunnel that has ended is dug anew, never gone around
    return connection
