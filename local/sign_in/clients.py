"""The app clients: their secrets, redirect addresses and scopes."""

import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from local.sign_in.errors import InvalidClientError, InvalidScopeError, UnknownClientError, UnregisteredRedirectError
from local.sign_in.private_files import PrivateFiles

IDENTITY_SCOPES = ("openid", "email", "profile")
API_SCOPES = ("video-upload/read", "video-upload/write")
ACCOUNT_SCOPE = "aws.cognito.signin.user.admin"
"""Lets a token change its person's own account at Cognito."""
ACCOUNT_CLIENT = "account"
ACCOUNT_PAGE = "account.html"
TOKEN_SECONDS = 3600
REFRESH_SECONDS = 30 * 24 * 3600
ACCOUNT_TOKEN_SECONDS, ACCOUNT_REFRESH_SECONDS = 600, 3600
"""As in components/auth/app_clients.py; a test compares them."""


def site_redirect_uris(*origins: str) -> dict[str, tuple[str, ...]]:
    """Redirect addresses of the page, for a sign-in that leaves it and one in a window of its own, and of its account
    view."""
    return {
        "web": tuple(f"{origin}{path}" for origin in origins for path in ("/", "/signed-in.html")),
        ACCOUNT_CLIENT: tuple(f"{origin}/{ACCOUNT_PAGE}" for origin in origins),
    }


DEFAULT_REDIRECT_URIS: Mapping[str, Sequence[str]] = {
    **site_redirect_uris("http://127.0.0.1:8000", "http://localhost:8000"),
    # Cognito compares redirects letter by letter, so each port the desktop client may find free is registered.
    "desktop": tuple(f"http://127.0.0.1:{port}/callback" for port in range(53682, 53692)),
    # No app claims this link: a person who tries an app's flow reads the code from the address.
    "native": ("https://app.example.com/signed-in",),
}

MACHINE_FILE = "machine_client.json"


@dataclass(frozen=True, kw_only=True)
class Client:
    """One app client.

    secret: None for public clients, which prove themselves by PKCE.
    redirect_uris: where codes may go, and where people may land after signing out.
    token_seconds, refresh_seconds: the lives of its access and ID tokens, and of a family of its refresh tokens.
    has_companies: whether companies' people sign in by it, beside those of the pool.
    """

    client_id: str
    scopes: tuple[str, ...]
    grants: frozenset[str]
    redirect_uris: tuple[str, ...] = ()
    secret: str | None = None
    token_seconds: int = TOKEN_SECONDS
    refresh_seconds: int = REFRESH_SECONDS
    has_companies: bool = True

    def redirect_uri(self, uri: str) -> str:
        """The address itself when it is registered. Raises UnregisteredRedirectError."""
        if uri not in self.redirect_uris:
            raise UnregisteredRedirectError(self.client_id, uri)
        return uri

    def grant_scopes(self, requested: str) -> tuple[str, ...]:
        """Space-separated scopes in the client's order; none asked for means all. Raises InvalidScopeError."""
        wanted = set(requested.split())
        if unknown := wanted.difference(self.scopes):
            raise InvalidScopeError(description=f"scopes not open to this client: {' '.join(sorted(unknown))}")
        return tuple(scope for scope in self.scopes if not wanted or scope in wanted)


class Clients:
    """The web, desktop, native, account and machine clients."""

    def __init__(self, files: PrivateFiles, redirect_uris: Mapping[str, Sequence[str]]) -> None:
        self._clients = {client_id: _person_client(client_id, uris) for client_id, uris in redirect_uris.items()}
        self._clients["machine"] = Client(
            client_id="machine",
            scopes=API_SCOPES,
            grants=frozenset({"client_credentials"}),
            secret=_machine_secret(files),
        )

    def get(self, client_id: str) -> Client:
        """Raises UnknownClientError."""
        try:
            return self._clients[client_id]
        except KeyError:
            raise UnknownClientError(client_id) from None

    def authenticate(self, client_id: str, secret: str | None) -> Client:
        """The client that asks for tokens. Raises InvalidClientError."""
        try:
            client = self.get(client_id)
        except UnknownClientError as error:
            raise InvalidClientError(description="unknown client") from error
        if client.secret is None:
            return client
        if secret is None or not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise InvalidClientError(description="wrong client secret")
        return client

    def add(self, client: Client) -> None:
        """Register a client beside those of the platform."""
        self._clients[client.client_id] = client

    def allow_redirects(self, client_id: str, uris: Sequence[str]) -> None:
        """Register addresses of a site that found its port after the sign-in started. Raises UnknownClientError."""
        client = self.get(client_id)
        self._clients[client_id] = replace(client, redirect_uris=(*client.redirect_uris, *uris))

    @property
    def web_origins(self) -> frozenset[str]:
        """Origins of the web client, whose scripts may read the token endpoint."""
        parts = [urlsplit(uri) for uri in self._clients["web"].redirect_uris] if "web" in self._clients else []
        return frozenset(f"{part.scheme}://{part.netloc}" for part in parts)


def _person_client(client_id: str, uris: Sequence[str]) -> Client:
    """The account client opens a person's account and nothing of the API; the others, the reverse."""
    is_account = client_id == ACCOUNT_CLIENT
    return Client(
        client_id=client_id,
        scopes=("openid", ACCOUNT_SCOPE) if is_account else IDENTITY_SCOPES + API_SCOPES,
        grants=frozenset({"authorization_code", "refresh_token"}),
        redirect_uris=tuple(uris),
        token_seconds=ACCOUNT_TOKEN_SECONDS if is_account else TOKEN_SECONDS,
        refresh_seconds=ACCOUNT_REFRESH_SECONDS if is_account else REFRESH_SECONDS,
        has_companies=not is_account,
    )


def _machine_secret(files: PrivateFiles) -> str:
    stored = files.read(MACHINE_FILE)
    if stored is not None:
        return str(json.loads(stored)["client_secret"])
    secret = secrets.token_urlsafe(32)
    files.write(MACHINE_FILE, lambda: json.dumps({"client_id": "machine", "client_secret": secret}))
    return secret
