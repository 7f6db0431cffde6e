"""Sign-in: OAuth 2 code with PKCE in the user's own browser, with a loopback redirect (RFC 8252)."""

from __future__ import annotations

import http.server
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import requests

from video_upload.connection_problem import problem_in_words
from video_upload.credentials import TIMEOUT_SECONDS, SignIn, Tokens, expiry_time, machine_tokens
from video_upload.errors import SignInError, SignInUnreachableError
from video_upload.network import ca_bundle
from video_upload.schemas import SiteConfig
from video_upload.site import SignInEndpoints, discover_sign_in, fetch_site_config, normal_site_url

REDIRECT_PORTS = range(53682, 53692)  # docs/api.md: the ten that are registered
LONGEST_SIGN_IN_SECONDS = 600.0

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Video Upload</title>
<body style="font:18px system-ui;margin:15vh auto;max-width:28em"><h1>{title}</h1><p>{text}</p>"""


def sign_in(site: str, show_url: Callable[[str], None], *, timeout_seconds: float = LONGEST_SIGN_IN_SECONDS) -> SignIn:
    """Returns when the person has signed in. Raises SiteError and SignInError.

    show_url: brings the person to that address: opens a browser, or prints it.
    """
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415 - see credentials.py
    from authlib.common.security import generate_token  # noqa: PLC0415
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415

    place = _look_up(site)
    config, endpoints = place.config, place.endpoints
    with RedirectReceiver() as receiver:
        session = OAuth2Session(
            config.desktop_client_id,
            scope=" ".join(config.scopes),
            redirect_uri=receiver.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",  # noqa: S106 - a public client: PKCE stands in for a secret
        )
        verifier: str = generate_token(64)
        url, state = session.create_authorization_url(endpoints.authorization_endpoint, code_verifier=verifier)
        show_url(str(url))
        code = receiver.wait_for_code(str(state), timeout_seconds)
    try:
        token: dict[str, Any] = session.fetch_token(
            endpoints.token_endpoint,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            timeout=TIMEOUT_SECONDS,
            verify=ca_bundle(),
        )
    except (requests.ConnectionError, requests.Timeout) as error:
        raise SignInUnreachableError(endpoints.token_endpoint, problem_in_words(error)) from error
    except (AuthlibBaseError, requests.RequestException, ValueError) as error:
        raise SignInError(f"The sign-in gave no tokens: {error}") from error
    return place.sign_in(
        config.desktop_client_id,
        Tokens(
            access_token=token["access_token"],
            expires_at=expiry_time(token),
            refresh_token=token.get("refresh_token"),
        ),
    )


def sign_in_machine(site: str, client_id: str, client_secret: str, *, keep_secret: bool = False) -> SignIn:
    """Sign a program in by its own secret. Raises SiteError and SignInError.

    keep_secret: in the result, to renew its tokens; else VIDEO_UPLOAD_CLIENT_SECRET has to hold it then.
    """
    place = _look_up(site)
    # The identity scopes speak of people.
    scope = " ".join(scope for scope in place.config.scopes if "/" in scope)
    tokens = machine_tokens(place.endpoints.token_endpoint, client_id, client_secret, scope)
    if keep_secret:
        tokens = msgspec.structs.replace(tokens, client_secret=client_secret)
    return place.sign_in(client_id, tokens, is_machine=True, scope=scope)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Site and endpoints of a sign-in."""

    site_url: str
    config: SiteConfig
    endpoints: SignInEndpoints

    def sign_in(self, client_id: str, tokens: Tokens, *, is_machine: bool = False, scope: str = "") -> SignIn:
        return SignIn(
            site_url=self.site_url,
            api_url=self.config.api_url,
            stage=self.config.stage,
            client_id=client_id,
            token_endpoint=self.endpoints.token_endpoint,
            revocation_endpoint=self.endpoints.revocation_endpoint,
            is_machine=is_machine,
            scope=scope,
            tell_progress=self.config.tell_progress,
            **msgspec.structs.asdict(tokens),
        )


def _look_up(site: str) -> _Place:
    site_url = normal_site_url(site)
    config = fetch_site_config(site_url)
    return _Place(site_url=site_url, config=config, endpoints=discover_sign_in(site_url, config.authority))


class RedirectReceiver:
    """Listens on the first free of the registered ports for the browser to come back."""

    def __init__(self) -> None:
        self._redirect: dict[str, str] = {}
        self._state = ""
        self._server = self._listen()
        self._server.timeout = 0.5

    @property
    def redirect_uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/callback"

    def __enter__(self) -> RedirectReceiver:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait_for_code(self, state: str, timeout_seconds: float) -> str:
        """The authorization code. Raises SignInError when the person declines or the time is over."""
        self._state = state
        give_up_at = time.monotonic() + timeout_seconds
        while not self._redirect:
            if time.monotonic() > give_up_at:
                raise SignInError(reason="Nobody signed in within the time allowed.")
            self._server.handle_request()
        if "code" not in self._redirect:
            reason = self._redirect.get("error_description") or self._redirect.get("error", "no reason given")
            raise SignInError(f"The sign-in was refused: {reason}")
        return self._redirect["code"]

    def _take(self, target: str) -> bool:
        """Keep the redirect that was waited for. Return False for any other request that reaches the port."""
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path != "/callback" or not self._state or query.get("state") != self._state:
            return False
        self._redirect = query
        return True

    def _listen(self) -> http.server.HTTPServer:
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = 5  # a connection that says nothing must not hold up the real one

            def do_GET(self) -> None:
                if not receiver._take(self.path):
                    self.send_error(400, "This sign-in was not started here")
                    return
                page = (
                    PAGE.format(title="Signed in", text="You can close this window and go back to the terminal.")
                    if "code" in receiver._redirect
                    else PAGE.format(title="Not signed in", text="The terminal shows the reason.")
                )
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
                """The request line holds the code: nothing of it goes to the terminal."""

        class Server(http.server.HTTPServer):
            # On Windows this would let another program take over the port.
            allow_reuse_address = os.name == "posix"

        for port in REDIRECT_PORTS:
            try:
                return Server(("127.0.0.1", port), Handler)
            except OSError:
                continue
        raise SignInError(f"Ports {REDIRECT_PORTS[0]} to {REDIRECT_PORTS[-1]} are all taken by other programs.")
