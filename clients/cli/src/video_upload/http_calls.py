"""Calls with short answers: to the API, the site and the sign-in.

Direct calls are http.client's, as parts are: urllib3 almost doubles a call's CPU time, and costs each start a twentieth
of a second. It has its place on the way through a proxy.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import threading
import weakref
import zlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit

from video_upload.connection_problem import problem_in_words
from video_upload.network import ca_bundle, open_directly, proxy_for, proxy_manager, tls_context
from video_upload.version import VERSION

if TYPE_CHECKING:
    from urllib3 import PoolManager

REDIRECTS = frozenset({301, 302, 303, 307, 308})
GZIP_BITS = 16 + zlib.MAX_WBITS
"""zlib's number of the gzip format."""

LOST_ANSWERS = (OSError, http.client.HTTPException)
"""Errors of a call that got no answer, or part of one; to be caught after those of NO_ADDRESS."""
NO_ADDRESS = (ValueError, http.client.InvalidURL)
"""Errors of a call to a text that cannot be an address."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP response with all of its body. headers: by their names in lower case."""

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_redirect(self) -> bool:
        return self.status in REDIRECTS and "location" in self.headers


@dataclass(frozen=True, kw_only=True)
class _Call:
    """timeout_seconds: to connect, and to wait for each read."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout_seconds: tuple[float, float]


class _Host(Protocol):
    def send(self, call: _Call) -> Answer: ...


class HttpCalls:
    """Calls with connections that are kept between them. From any thread.

    The environment is read once for each host. Redirects are not followed: one would carry the bearer to wherever it
    points. headers: of each call.
    """

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        """Raises NetworkSettingError."""
        # An answer's length, compressed, is what API Gateway bills.
        self._headers = {"Accept-Encoding": "gzip", "User-Agent": f"video-upload/{VERSION}", **(headers or {})}
        ca_bundle()  # a setting that cannot be used is told at once
        self._lock = threading.Lock()
        self._by_address: dict[tuple[str, str], _Host] = {}

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
        all_headers = {**self._headers, **(headers or {})}
        call = _Call(method=method, url=url, headers=all_headers, body=body, timeout_seconds=timeout_seconds)
        return self._host_of(url).send(call)

    def _host_of(self, url: str) -> _Host:
        place = urlsplit(url)
        address = (place.scheme, place.netloc)
        with self._lock:
            if address not in self._by_address:
                proxy = proxy_for(url)
                self._by_address[address] = _DirectHost(place) if proxy is None else _ProxiedHost(proxy)
            return self._by_address[address]


class _DirectHost:
    def __init__(self, place: SplitResult) -> None:
        self._place = place
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)

    def send(self, call: _Call) -> Answer:
        url = urlsplit(call.url)
        connect_seconds, read_seconds = call.timeout_seconds
        connection = self._kept() or open_directly(self._place, tls_context, connect_seconds)
        try:
            _socket_of(connection).settimeout(read_seconds)
            target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            connection.request(call.method, target, call.body, call.headers)
            response = connection.getresponse()
            headers = _in_lower_case(response.getheaders())
            content = _decoded(_body_of(response), headers)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # http.client has closed it where the answer says so
            self._idle.append(connection)
        return Answer(
            url=call.url,
            status=response.status,
            reason=response.reason,
            headers=headers,
            content=content,
        )

    def _kept(self) -> http.client.HTTPConnection | None:
        """Return a connection that the other side has not ended."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None  # another thread took the last one
            if not _is_readable(connection):
                return connection
            connection.close()
        return None


def _close_all(connections: Iterable[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


def _socket_of(connection: http.client.HTTPConnection) -> socket.socket:
    """Connect, unless it is connected. Raises OSError and HTTPException."""
    if connection.sock is None:
        connection.connect()
    if connection.sock is None:
        raise http.client.NotConnected
    return connection.sock


def _is_readable(connection: http.client.HTTPConnection) -> bool:
    """Return whether anything has arrived between two calls: the end of the connection, or unrequested data."""
    with selectors.DefaultSelector() as arrivals:
        arrivals.register(_socket_of(connection), selectors.EVENT_READ)
        return bool(arrivals.select(0))


def _in_lower_case(headers: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers}


def _body_of(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read()
    except (OverflowError, MemoryError, ValueError) as error:
        raise http.client.HTTPException(f"an answer with an impossible length ({error})") from error


def _decoded(content: bytes, headers: Mapping[str, str]) -> bytes:
    if not content or headers.get("content-encoding", "").lower() != "gzip":
        return content  # no content needs no unpacking, whatever the headers say
    try:
        return zlib.decompress(content, GZIP_BITS)
    except zlib.error as error:
        raise http.client.HTTPException(f"an answer that is not valid gzip ({error})") from error


class _ProxiedHost:
    def __init__(self, proxy: str) -> None:
        self._connections: PoolManager = proxy_manager(proxy, tls_context())

    def send(self, call: _Call) -> Answer:
        from urllib3 import Timeout  # noqa: PLC0415 - see the module's docstring
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        connect_seconds, read_seconds = call.timeout_seconds
        try:
            response = self._connections.urlopen(
                call.method,
                call.url,
                body=call.body,
                headers=call.headers,
                timeout=Timeout(connect=connect_seconds, read=read_seconds),
                retries=False,
                redirect=False,
            )
        except ValueError:
            raise  # one of NO_ADDRESS, and in urllib3's tree as well
        except HTTPError as error:
            raise ConnectionError(problem_in_words(error)) from error
        return Answer(
            url=call.url,
            status=response.status,
            reason=response.reason or "",
            headers=_in_lower_case(response.headers.items()),
            content=response.data,
        )
