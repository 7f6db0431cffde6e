"""Calls with short answers: to the API, the site and the sign-in.

By urllib3 itself: requests, which is built on it, doubles a call's CPU time, and costs each start a tenth of a second.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from urllib3 import HTTPHeaderDict, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from video_upload.network import ca_bundle, proxy_for, proxy_manager, tls_context

KEPT_CONNECTIONS = 10
"""To one host: more than a command's files, each of which makes one call at a time."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})

LOST_ANSWERS = (HTTPError, OSError, http.client.HTTPException)
"""What a call raises that got no answer, or part of one; after those of NO_ADDRESS."""
NO_ADDRESS = (ValueError, http.client.InvalidURL)
"""What a call raises for a text that can be no address: urllib3's LocationParseError is a ValueError."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP response with all of its body. Names of headers count in any case."""

    url: str
    status: int
    reason: str
    headers: HTTPHeaderDict
    content: bytes

    @property
    def is_redirect(self) -> bool:
        return self.status in REDIRECTS and "Location" in self.headers


class HttpCalls:
    """Calls with connections that are kept between them. From any thread.

    The environment is read once for each host. Redirects are not followed: one would carry the bearer to wherever it
    points. headers: of each call.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """Raises NetworkSettingError."""
        # An answer's length, compressed, is what API Gateway bills.
        self._headers = {"Accept-Encoding": "gzip, deflate", **(headers or {})}
        ca_bundle()  # a setting that cannot be used is told at once
        self._lock = threading.Lock()
        self._by_host: dict[tuple[str, str], PoolManager] = {}

    def send(
        self,
        method: str,
        url: str,
        *,
        timeout_seconds: tuple[float, float],
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Make one call, once. Raises NO_ADDRESS and LOST_ANSWERS.

        timeout_seconds: to connect, and to wait for each read.
        """
        connect_seconds, read_seconds = timeout_seconds
        response = self._manager_for(url).urlopen(
            method,
            url,
            body=body,
            headers={**self._headers, **(headers or {})},
            timeout=Timeout(connect=connect_seconds, read=read_seconds),
            retries=False,
            redirect=False,
        )
        return Answer(
            url=url,
            status=response.status,
            reason=response.reason or "",
            headers=response.headers,
            content=response.data,
        )

    def _manager_for(self, url: str) -> PoolManager:
        place = urlsplit(url)
        host = (place.scheme, place.netloc)
        with self._lock:
            if host not in self._by_host:
                self._by_host[host] = _connections(place.scheme, proxy_for(url))
            return self._by_host[host]


def _connections(scheme: str, proxy: str | None) -> PoolManager:
    if proxy is not None:
        return proxy_manager(proxy, tls_context())
    return PoolManager(maxsize=KEPT_CONNECTIONS, ssl_context=tls_context() if scheme == "https" else None)
