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
"""Scope of changes to the person's own account at Cognito."""
ACCOUNT_CLIENT = "account"
ACCOUNT_PAGE = "account.html"
TOKEN_SECONDS = 3600
REFRESH_SECONDS = 30 * 24 * 3600
ACCOUNT_TOKEN_SECONDS, ACCOUNT_REFRESH_SECONDS = 600, 3600
"""Lifetimes from components/auth/app_clients.py; a test compares them."""


def site_redirect_uris(*origins: str) -> dict[str, tuple[str, ...]]:
    """Redirect addresses of the page, for a sign-in that leaves it and one in a window of its own, and of its account
    view."""
    return {
        "web": tuple(f"{origin}{path}" for origin in origins for path in ("/", "/signed-in.html")),
        ACCOUNT_CLIENT: tuple(f"{origin}/{ACCOUNT_PAGE}" for origin in origins),
    }


DEFAULT_REDIRECT_URIS: Mapping[str, Sequence[str]] = {
    **site_redirect_uris("http://127.0.0.1:8000", "http://localhost:8000"),
    # Cognito compares redirects exactly, so each port that the desktop client may use is registered.
    "desktop": tuple(f"http://127.0.0.1:{port}/callback" for port in range(53682, 53692)),
    # No app claims this link: to try an app's flow, read the code from the address.
    "native": ("https://app.example.com/signed-in",),
}

MACHINE_FILE = "machine_client.json"


@dataclass(frozen=True, kw_only=True)
class Client:
    """One app client.

    secret: None for public clients, which use PKCE.
    redirect_uris: allowed redirects of codes, and after signing out.
    token_seconds, refresh_seconds: lifetimes of its access and ID tokens, and of a family of its refresh tokens.
    has_companies: whether people of companies may sign in as well.
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
        """Return the address if it is registered. Raises UnregisteredRedirectError."""
        if uri not in self.redirect_uris:
            raise UnregisteredRedirectError(self.client_id, uri)
        return uri

    def grant_scopes(self, requested: str) -> tuple[str, ...]:
        """Space-separated scopes in the client's order; all if none is requested. Raises InvalidScopeError."""
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
        """The client that requests tokens. Raises InvalidClientError."""
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
        """Register an additional client."""
        self._clients[client.client_id] = client

    def allow_redirects(self, client_id: str, uris: Sequence[str]) -> None:
        """Register addresses of a site whose port is known only after the sign-in started. Raises
        UnknownClientError."""
        client = self.get(client_id)
        self._clients[client_id] = replace(client, redirect_uris=(*client.redirect_uris, *uris))

    @property
    def web_origins(self) -> frozenset[str]:
        """Origins of the web client: their scripts may call the token endpoint."""
        parts = [urlsplit(uri) for uri in self._clients["web"].redirect_uris] if "web" in self._clients else []
        return frozenset(f"{part.scheme}://{part.netloc}" for part in parts)


def _person_client(client_id: str, uris: Sequence[str]) -> Client:
    """Scopes of a client: the account client's open only the person's account, the others' only the API."""
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
