"""Posts to HTTPS addresses of the public internet, within bounds of time and size, to the address that was checked."""

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.notification_delivery import NotDeliveredError
from chalicelib.core.ports import HttpAnswer
from chalicelib.core.public_addresses import is_loopback, is_public

TIMEOUT_SECONDS = 15
"""Whole attempt; Standard Webhooks, "Request timeouts": 15 to 30 s."""

USER_AGENT = "video-upload-platform"
_SECONDS = re.compile("[0-9]{1,9}")

Resolve = Callable[[str, int], list[str]]
"""(host, port) → addresses; raises OSError."""


def resolved(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, kw_only=True)
class PublicHttps:
    """allows_loopback: also plain HTTP to this machine, on the local platform alone."""

    allows_loopback: bool = False
    timeout_seconds: float = TIMEOUT_SECONDS
    resolve: Resolve = resolved
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Return the status; the answer's body is not read. Raises NotDeliveredError."""
        target = urlsplit(url)
        host, is_tls = target.hostname or "", target.scheme == "https"
        port = target.port or (443 if is_tls else 80)
        address = self._checked_address(host, port, is_tls=is_tls)
        connection = _PinnedConnection(
            host, port, address=address, tls=self.tls() if is_tls else None, timeout_seconds=self.timeout_seconds
        )
        path = f"{target.path or '/'}{f'?{target.query}' if target.query else ''}"
        try:
            connection.request("POST", path, body, {"user-agent": USER_AGENT, **headers})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise NotDeliveredError(f"{type(error).__name__}: {error}") from error
        finally:
            connection.close()
        retry_after = answer.headers.get("retry-after", "")
        return HttpAnswer(answer.status, int(retry_after) if _SECONDS.fullmatch(retry_after) else None)

    def _checked_address(self, host: str, port: int, *, is_tls: bool) -> str:
        """Resolve once; what is connected to is what was checked."""
        try:
            addresses = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise NotDeliveredError(f"{host} has no address: {error}") from error
        if not addresses:
            raise NotDeliveredError(f"{host} has no address")
        if self.allows_loopback and all(map(is_loopback, addresses)):
            return addresses[0]
        if not is_tls:
            raise NotDeliveredError(reason="not an https address")
        if not all(map(is_public, addresses)):
            raise NotDeliveredError(f"{host} leads to an address that is not public")
        return addresses[0]


class _PinnedConnection(http.client.HTTPConnection):
    """Connection to a given address, under the host's name in TLS and in the request, that ends at its deadline."""

    def __init__(
        self, host: str, port: int, *, address: str, tls: ssl.SSLContext | None, timeout_seconds: float
    ) -> None:
        super().__init__(host, port, timeout=timeout_seconds)
        self._address, self._tls, self._timeout_seconds = address, tls, timeout_seconds
        self._deadline: threading.Timer | None = None
        if tls:
            self.default_port = 443  # which the Host header leaves out

    def connect(self) -> None:
        began = time.monotonic()
        plain = socket.create_connection((self._address, self.port), self._timeout_seconds)
        left_seconds = max(0.0, self._timeout_seconds - (time.monotonic() - began))
        # A receiver that sends a byte now and then never runs into a timeout of the socket.
        watched = plain.dup()
        self._deadline = threading.Timer(left_seconds, _shut_down, (watched,))
        self._deadline.daemon = True
        self._deadline.start()
        self._watched = watched
        self.sock: Any = self._tls.wrap_socket(plain, server_hostname=self.host) if self._tls else plain

    def close(self) -> None:
        super().close()
        if self._deadline:
            self._deadline.cancel()
            self._watched.close()


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is closed already
