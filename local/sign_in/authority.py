"""The sign-in without HTTP: users, clients' requests and the tokens issued for them."""

import json
import re
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.sign_in.clients import ACCOUNT_SCOPE, API_SCOPES, IDENTITY_SCOPES, Client, Clients
from local.sign_in.errors import (
    InvalidGrantError,
    InvalidRequestError,
    OAuthError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
    UnsupportedResponseTypeError,
)
from local.sign_in.grants import AuthorizationCodes, CodeReplayedError, CodeRequest, Grant, RefreshTokens
from local.sign_in.private_files import PrivateFiles
from local.sign_in.second_factors import Mfa, SecondFactors
from local.sign_in.signing_key import SigningKey, load_or_make_key
from local.sign_in.tokens import REFRESHED, TokenIssuer, Tokens
from local.sign_in.users import User, Users

DEMO_EMAIL = "demo@example.com"
DEMO_FILE = "demo_user.json"
SESSION_SECRET_FILE = "session_secret"
DEFAULT_SCOPES = ("openid", "email", *API_SCOPES)


@dataclass(frozen=True, kw_only=True)
class DemoUser:
    """The demo account of the first start."""

    email: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Destination of the response to an authorization request: a client and one of its registered addresses."""

    client: Client
    redirect_uri: str
    state: str | None


@dataclass(frozen=True, kw_only=True)
class AuthorizationRequest:
    """A checked request of the authorize endpoint."""

    destination: Destination
    scopes: tuple[str, ...]
    code_request: CodeRequest
    prompt: str | None


class Authority:
    """The decisions behind the endpoints."""

    def __init__(
        self,
        *,
        issuer: str,
        data_dir: Path | None,
        redirect_uris: Mapping[str, Sequence[str]],
        mfa: Mfa,
        clock: Callable[[], float],
        company_groups: Mapping[str, str] | None = None,
        demo_email: str = DEMO_EMAIL,
    ) -> None:
        files = PrivateFiles(data_dir)
        self.issuer = issuer
        self.key: SigningKey = load_or_make_key(files)
        self.clients = Clients(files, redirect_uris)
        self.users = Users(files, clock)
        self.second_factors = SecondFactors(files, mfa, clock)
        self.refresh_tokens = RefreshTokens(files, clock)
        self.tokens = TokenIssuer(
            issuer=issuer,
            key=self.key,
            refresh_tokens=self.refresh_tokens,
            clock=clock,
            company_groups=company_groups or {},
        )
        self.session_secret = _session_secret(files)
        self.demo_user = _demo_user(files, self.users, demo_email)
        self.clock = clock
        self._codes = AuthorizationCodes(clock)

    def destination(self, query: Mapping[str, str]) -> Destination:
        """Raises UnknownClientError, UnregisteredRedirectError: the two that must not redirect."""
        client = self.clients.get(query.get("client_id", ""))
        return Destination(
            client=client,
            redirect_uri=client.redirect_uri(query.get("redirect_uri", "")),
            state=query.get("state"),
        )

    def authorization_request(self, destination: Destination, query: Mapping[str, str]) -> AuthorizationRequest:
        """Raises OAuthErrors, which go to the destination."""
        if query.get("response_type") != "code":
            raise UnsupportedResponseTypeError(description="response_type must be code")
        if query.get("code_challenge_method") != "S256":
            raise InvalidRequestError(description="code_challenge_method must be S256: this is a public client")
        challenge = query.get("code_challenge", "")
        if not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
            raise InvalidRequestError(description="code_challenge must be the base64url of a SHA-256 digest")
        return AuthorizationRequest(
            destination=destination,
            scopes=destination.client.grant_scopes(query.get("scope", "")),
            code_request=CodeRequest(
                redirect_uri=destination.redirect_uri, code_challenge=challenge, nonce=query.get("nonce")
            ),
            prompt=query.get("prompt"),
        )

    def issue_code(self, user: User, request: AuthorizationRequest, signed_in_at: int) -> str:
        """A code for the client of this request."""
        grant = new_grant(user, request.destination.client, request.scopes, signed_in_at)
        return self._codes.issue(grant, request.code_request)

    def exchange(self, client: Client, form: Mapping[str, str]) -> Tokens:
        """Return tokens for the grant in the form. Raises OAuthErrors."""
        grants: dict[str, Callable[[Client, Mapping[str, str]], Tokens]] = {
            "authorization_code": self._exchange_code,
            "refresh_token": self._exchange_refresh_token,
            "client_credentials": self._exchange_credentials,
        }
        grant_type = form.get("grant_type", "")
        if grant_type not in grants:
            raise UnsupportedGrantTypeError(description=f"grant_type must be one of {', '.join(grants)}")
        if grant_type not in client.grants:
            raise UnauthorizedClientError(description=f"this client may not use {grant_type}")
        return grants[grant_type](client, form)

    def issue_tokens(self, email: str, *, scopes: Sequence[str] = DEFAULT_SCOPES, client_id: str = "web") -> Tokens:
        """Issue tokens for a person without the pages, for load and end-to-end tests. The account is created if it is
        missing.

        Raises InvalidEmailError, UnknownClientError, InvalidScopeError.
        """
        client = self.clients.get(client_id)
        granted = client.grant_scopes(" ".join(scopes))
        user = self.users.get_or_create(email)
        grant = new_grant(user, client, granted, int(self.clock()))
        refresh_token = self.refresh_tokens.issue(grant, client.refresh_seconds)
        return self.tokens.for_user(user, client, grant, nonce=None, refresh_token=refresh_token)

    def _exchange_code(self, client: Client, form: Mapping[str, str]) -> Tokens:
        try:
            grant, request = self._codes.redeem(
                form.get("code", ""),
                client_id=client.client_id,
                redirect_uri=form.get("redirect_uri", ""),
                code_verifier=form.get("code_verifier", ""),
            )
        except CodeReplayedError as error:
            self.refresh_tokens.revoke_family(error.origin_jti)
            raise
        user = self._present(grant)
        refresh_token = self.refresh_tokens.issue(grant, client.refresh_seconds)
        return self.tokens.for_user(user, client, grant, nonce=request.nonce, refresh_token=refresh_token)

    def _exchange_refresh_token(self, client: Client, form: Mapping[str, str]) -> Tokens:
        grant, next_token = self.refresh_tokens.rotate(form.get("refresh_token", ""), client_id=client.client_id)
        return self.tokens.for_user(
            self._present(grant), client, grant, nonce=None, refresh_token=next_token, trigger_source=REFRESHED
        )

    def _exchange_credentials(self, client: Client, form: Mapping[str, str]) -> Tokens:
        return self.tokens.for_machine(client, client.grant_scopes(form.get("scope", "")))

    def _present(self, grant: Grant) -> User:
        user = self.users.by_subject(grant.subject)
        if user is None:
            raise InvalidGrantError(description="the account no longer exists")
        return user

    def discovery(self) -> dict[str, object]:
        """The OpenID configuration document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/oauth2/authorize",
            "token_endpoint": f"{self.issuer}/oauth2/token",
            "userinfo_endpoint": f"{self.issuer}/oauth2/userInfo",
            "revocation_endpoint": f"{self.issuer}/oauth2/revoke",
            "end_session_endpoint": f"{self.issuer}/logout",
            "jwks_uri": f"{self.issuer}/.well-known/jwks.json",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": [*IDENTITY_SCOPES, *API_SCOPES, ACCOUNT_SCOPE],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        }


def oauth_error_body(error: OAuthError) -> dict[str, str]:
    """RFC 6749 section 5.2."""
    return {"error": error.code, "error_description": error.description}


def new_grant(user: User, client: Client, scopes: tuple[str, ...], signed_in_at: int) -> Grant:
    """The permission of a person who has just signed in."""
    return Grant(
        origin_jti=str(uuid.uuid4()),
        subject=user.subject,
        client_id=client.client_id,
        scopes=scopes,
        signed_in_at=signed_in_at,
    )


def _session_secret(files: PrivateFiles) -> str:
    secret = files.read(SESSION_SECRET_FILE)
    if secret is None:
        secret = made = secrets.token_hex(32)
        files.write(SESSION_SECRET_FILE, lambda: made)
    return secret


def _demo_user(files: PrivateFiles, users: Users, email: str) -> DemoUser:
    stored = files.read(DEMO_FILE)
    if stored is not None:
        demo = DemoUser(**json.loads(stored))
    else:
        demo = DemoUser(email=email, password=secrets.token_urlsafe(12))
        files.write(DEMO_FILE, lambda: json.dumps({"email": demo.email, "password": demo.password}))
        users.set_password(demo.email, demo.password)
    if users.get_or_create(demo.email).password_hash is None:
        users.set_password(demo.email, demo.password)
    return demo
