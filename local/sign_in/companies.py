"""Company sign-in: federation with a company's OpenID Connect provider, as in Cognito.

The browser is sent to the company with a state, a nonce and a PKCE challenge, and returns with a code. The code is
exchanged for an ID token, which is verified completely.
"""

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import jwt
import requests

from local.sign_in.authority import AuthorizationRequest
from local.sign_in.clients import Client
from local.sign_in.errors import AccessDeniedError, CompanyAnswerError, InvalidRequestError, UnknownStateError
from local.sign_in.signing_key import ALGORITHM
from local.sign_in.users import Identity

CALLBACK = "/oauth2/idpresponse"
"""Redirect that a company registers: Cognito developer guide, "Using OIDC identity providers with a user pool"."""
SCOPES = "openid email"
ANSWER_SECONDS = 300
"""Longest duration of a sign-in at the company. Cognito documents none."""
TIMEOUT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Company:
    """A company and this sign-in's client there.

    name: of the provider in the pool. domains: mail domains that `idp_identifier` may name. groups_claim: claim with
    the person's groups; administrators: the group whose members are administrators here. Both are empty without
    administrators.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str
    domains: tuple[str, ...] = ()
    groups_claim: str = ""
    administrators: str = ""


@dataclass(frozen=True, kw_only=True)
class _Begun:
    """browser: the only session that may return the company's response."""

    company: Company
    asked: AuthorizationRequest
    browser: str
    nonce: str
    code_verifier: str
    expires_at: float


@dataclass(frozen=True, kw_only=True)
class CompletedSignIn:
    """A person whom the company has signed in, and the original authorization request."""

    asked: AuthorizationRequest
    identity: Identity
    email: str


class CompanySignIns:
    """Sign-ins in progress at companies."""

    def __init__(self, companies: Sequence[Company], *, callback_url: str, clock: Callable[[], float]) -> None:
        self.companies = tuple(companies)
        self._callback_url = callback_url
        self._clock = clock
        self._lock = threading.Lock()
        self._begun: dict[str, _Begun] = {}

    def named(self, query: Mapping[str, str], client: Client) -> Company | None:
        """The company in a client's request, by provider or by domain. Raises InvalidRequestError."""
        provider, domain = query.get("identity_provider"), query.get("idp_identifier")
        if provider in {None, "COGNITO"} and domain is None:
            return None
        for company in self.companies if client.has_companies else ():
            if provider == company.name or (domain and domain.lower() in company.domains):
                return company
        raise InvalidRequestError(description="Login option is not available. Please try another one.")

    def begin(self, company: Company, asked: AuthorizationRequest, *, browser: str) -> str:
        """Address of the company's sign-in, to which the browser is sent. Raises CompanyAnswerError."""
        state = secrets.token_urlsafe(32)
        begun = _Begun(
            company=company,
            asked=asked,
            browser=browser,
            nonce=secrets.token_urlsafe(32),
            code_verifier=secrets.token_urlsafe(48),
            expires_at=self._clock() + ANSWER_SECONDS,
        )
        endpoint = str(_discovered(company)["authorization_endpoint"])
        with self._lock:
            self._begun = {key: each for key, each in self._begun.items() if each.expires_at > self._clock()}
            self._begun[state] = begun
        digest = hashlib.sha256(begun.code_verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": company.client_id,
            "redirect_uri": self._callback_url,
            "scope": SCOPES,
            "state": state,
            "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **({"prompt": asked.prompt} if asked.prompt else {}),
        }
        return f"{endpoint}?{urlencode(query)}"

    def take(self, state: str, *, browser: str) -> AuthorizationRequest:
        """The request behind a company's response, without consuming its state. Raises UnknownStateError."""
        return self._found(state, browser).asked

    def finish(self, query: Mapping[str, str], *, browser: str) -> CompletedSignIn:
        """Consume the state, and verify the company's response.

        Raises UnknownStateError; AccessDeniedError and CompanyAnswerError, which are reported to the client.
        """
        state = query.get("state", "")
        begun = self._found(state, browser)
        with self._lock:
            if self._begun.pop(state, None) is None:
                raise UnknownStateError
        if "error" in query:
            raise AccessDeniedError(description=query.get("error_description", query["error"]))
        claims = self._claims(begun, query.get("code", ""))
        email = claims.get("email")
        if not isinstance(email, str):
            raise CompanyAnswerError(description="attributes required: [email]")
        groups = _as_attribute(claims.get(begun.company.groups_claim)) if begun.company.groups_claim else ""
        identity = Identity(provider=begun.company.name, subject=claims["sub"], groups=groups)
        return CompletedSignIn(asked=begun.asked, identity=identity, email=email)

    def _found(self, state: str, browser: str) -> _Begun:
        begun = self._begun.get(state)
        if begun is None or begun.browser != browser or begun.expires_at <= self._clock():
            raise UnknownStateError
        return begun

    def _claims(self, begun: _Begun, code: str) -> dict[str, Any]:
        company, discovered = begun.company, _discovered(begun.company)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback_url,
            "code_verifier": begun.code_verifier,
        }
        try:
            answer = requests.post(
                str(discovered["token_endpoint"]),
                data=form,
                auth=(company.client_id, company.client_secret),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
            token = str(answer.json()["id_token"])
            key = jwt.PyJWKClient(str(discovered["jwks_uri"]), timeout=TIMEOUT_SECONDS).get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=company.client_id,
                issuer=company.issuer,
                # exp is compared with this sign-in's clock.
                options={"require": ["exp", "iat", "sub", "nonce"], "verify_exp": False, "verify_iat": False},
            )
            ends_at = int(claims["exp"])
        except (requests.RequestException, jwt.PyJWTError, ValueError, KeyError, TypeError) as error:
            raise CompanyAnswerError(description=f"the answer of {company.name} cannot be verified") from error
        if ends_at <= self._clock():
            raise CompanyAnswerError(description=f"the answer of {company.name} has expired")
        if not secrets.compare_digest(str(claims["nonce"]).encode(), begun.nonce.encode()):
            raise CompanyAnswerError(description=f"the answer of {company.name} belongs to another sign-in")
        return claims


def _discovered(company: Company) -> dict[str, Any]:
    try:
        answer = requests.get(f"{company.issuer}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS)
        found: dict[str, Any] = answer.json()
        if found["issuer"] != company.issuer:
            raise CompanyAnswerError(description=f"{company.name} calls itself {found['issuer']}")
    except (requests.RequestException, ValueError, KeyError, TypeError) as error:
        raise CompanyAnswerError(description=f"{company.name} does not answer") from error
    return found


def _as_attribute(claim: object) -> str:
    """A claim in Cognito's text form: several values as `[one, two]`."""
    if isinstance(claim, list):
        return f"[{', '.join(map(str, claim))}]"
    return "" if claim is None else str(claim)
