"""Network access: the proxy and the certificate authorities that every call and every part uses.

They come from the environment, as in any program that uses requests: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY,
or the system's settings on macOS and Windows; REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE, else certifi's list.
"""

from __future__ import annotations

import http.client
import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

import certifi

from video_upload.connection_problem import problem_in_words
from video_upload.errors import NetworkSettingError

if TYPE_CHECKING:
    from urllib3 import PoolManager

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
    """Return the TLS context of all connections. Raises NetworkSettingError.

    The process has one only: reading certifi's list of authorities takes 10 ms.
    """
    return _context(ca_bundle())


@cache
def _context(path: str) -> ssl.SSLContext:
    if os.path.isdir(path):  # noqa: PTH112 - a path as OpenSSL takes it
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def proxy_for(url: str) -> str | None:
    """Return the proxy that requests would use for the URL, with its scheme; None for the direct way."""
    if not getproxies():
        return None
    # Only now: most people have no proxy, and requests with urllib3 costs a start more than a tenth of a second.
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


def open_directly(
    url: SplitResult, tls: Callable[[], ssl.SSLContext], timeout_seconds: float
) -> http.client.HTTPConnection:
    """Return a connection to the URL's host, to be connected by its first use. Raises InvalidURL and ValueError."""
    if not url.hostname:
        raise http.client.InvalidURL(f"no host in {url.geturl()!r}")
    if url.scheme == "https":
        return http.client.HTTPSConnection(url.hostname, url.port or 443, timeout=timeout_seconds, context=tls())
    return http.client.HTTPConnection(url.hostname, url.port or 80, timeout=timeout_seconds)


def open_line(url: SplitResult, tls: ssl.SSLContext, timeout_seconds: float) -> Line:
    """Make a line to the URL's host. Raises OSError and HTTPException."""
    proxy = proxy_for(url.geturl())
    if proxy is None:
        return Line(connection=open_directly(url, lambda: tls, timeout_seconds), headers={})
    place = urlsplit(proxy)
    if place.scheme not in {"http", "https"}:
        raise OSError(
            f"parts cannot go through the proxy {place.scheme}://{place.hostname}, only through an HTTP proxy"
        )
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as in proxy_for

    credentials = HTTPAdapter().proxy_headers(proxy)
    if url.scheme == "https":
        return Line(connection=_tunnel(url, proxy, credentials, tls, timeout_seconds), headers={})
    forwarding = open_directly(place, lambda: tls, timeout_seconds)
    return Line(connection=forwarding, target_prefix=f"{url.scheme}://{url.netloc}", headers=credentials)


def _tunnel(
    url: SplitResult, proxy: str, credentials: Mapping[str, str], tls: ssl.SSLContext, timeout_seconds: float
) -> http.client.HTTPConnection:
    """Connect by CONNECT, as the API calls do; the requests themselves go over the bare socket."""
    from urllib3.connection import HTTPSConnection, ProxyConfig  # noqa: PLC0415 - as in proxy_for
    from urllib3.exceptions import HTTPError  # noqa: PLC0415
    from urllib3.util import parse_url  # noqa: PLC0415

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
    except HTTPError as error:
        through.close()
        raise ConnectionError(problem_in_words(error)) from error
    except BaseException:
        through.close()
        raise
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=timeout_seconds, context=tls)
    connection.sock = through.sock
    connection.auto_open = 0  # a tunnel that has ended is rebuilt, never bypassed
    return connection
