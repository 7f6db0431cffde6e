"""A session of requests, for answers that are read as they come; it goes the ways of network.py."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies

from video_upload.network import ca_bundle


class Session(requests.Session):
    """A session with the certificate authorities of `ca_bundle` and no credentials but those of its calls.

    requests would replace a call's Authorization header, or add one, from ~/.netrc or NETRC; proxies keep theirs. The
    environment is read once for each host, where requests reads all of it at each call.
    """

    def __init__(self) -> None:
        super().__init__()
        self.verify = ca_bundle()
        self.auth = keep_authorization
        self._proxies_by_host: dict[tuple[str, str], dict[str, str]] = {}

    def merge_environment_settings(
        self,
        url: bytes | str | None,
        proxies: MutableMapping[str, str] | None,
        stream: bool | None,
        verify: bool | str | None,
        cert: str | tuple[str, str] | None,
    ) -> Any:
        place = urlsplit(str(url))
        host = (place.scheme, place.netloc)
        if host not in self._proxies_by_host:
            self._proxies_by_host[host] = dict(get_environ_proxies(str(url), no_proxy=None))
        return {
            "proxies": {**self._proxies_by_host[host], **(proxies or {})},
            "stream": self.stream if stream is None else stream,
            "verify": self.verify if verify is None else verify,
            "cert": self.cert if cert is None else cert,
        }


def keep_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave a request's Authorization as the caller set it, or without any."""
    return request
