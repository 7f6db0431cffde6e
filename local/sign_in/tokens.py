"""Tokens with Cognito's claims: access tokens for the API, ID tokens for the client."""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from components.auth.company_groups import FEDERATED, GROUPS_ATTRIBUTE, SIGNED_IN, with_company_groups
from local.sign_in.clients import TOKEN_SECONDS, Client
from local.sign_in.errors import InvalidTokenError
from local.sign_in.grants import Grant, RefreshTokens
from local.sign_in.signing_key import SigningKey
from local.sign_in.users import ADMINISTRATORS, User

POOL_ID = "local_pool"
REFRESHED = "TokenGeneration_RefreshTokens"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """One response of the token endpoint.

    scope: space separated, as granted.
    refresh_token: None for client credentials.
    id_token: None without the scope openid.
    """

    access_token: str
    scope: str
    id_token: str | None = None
    refresh_token: str | None = None
    expires_in: int = TOKEN_SECONDS
    token_type: str = "Bearer"


class TokenIssuer:
    """The issuer of tokens about people and clients, and the verifier of its own access tokens.

    company_groups: by provider, the company's group whose members are administrators here.
    """

    def __init__(
        self,
        *,
        issuer: str,
        key: SigningKey,
        refresh_tokens: RefreshTokens,
        clock: Callable[[], float],
        company_groups: Mapping[str, str],
    ) -> None:
        self._company_groups = company_groups
        self._issuer = issuer
        self._key = key
        self._refresh_tokens = refresh_tokens
        self._clock = clock

    def for_user(
        self,
        user: User,
        client: Client,
        grant: Grant,
        *,
        nonce: str | None,
        refresh_token: str,
        trigger_source: str = SIGNED_IN,
    ) -> Tokens:
        """Tokens of one person for the grant's client. trigger_source: Cognito's name of the occasion."""
        groups = self._groups(user, trigger_source)
        access_token = self._key.sign(
            self._base_claims(user.subject, client, "access", grant.signed_in_at)
            | {
                "client_id": grant.client_id,
                "origin_jti": grant.origin_jti,
                "scope": " ".join(grant.scopes),
                "username": user.username,
                "version": 2,
                **groups,
            }
        )
        about = {"cognito:username": user.username, **groups, **identities_of(user)}
        id_token = self._id_token(user, client, grant, nonce, access_token, about) if "openid" in grant.scopes else None
        return Tokens(
            access_token=access_token,
            scope=" ".join(grant.scopes),
            id_token=id_token,
            refresh_token=refresh_token,
            expires_in=client.token_seconds,
        )

    def for_machine(self, client: Client, scopes: tuple[str, ...]) -> Tokens:
        """An access token of the client itself."""
        claims = self._base_claims(client.client_id, client, "access", int(self._clock()))
        scope = " ".join(scopes)
        return Tokens(
            access_token=self._key.sign(claims | {"client_id": client.client_id, "scope": scope, "version": 2}),
            scope=scope,
        )

    def read_access_token(self, token: str) -> dict[str, Any]:
        """Claims of a valid access token of a person. Raises InvalidTokenError."""
        try:
            claims = self._key.claims(token, self._issuer)
        except jwt.InvalidTokenError as error:
            raise InvalidTokenError(description="not a token of this sign-in") from error
        if claims.get("token_use") != "access" or claims["exp"] <= self._clock():
            raise InvalidTokenError(description="not an access token, or expired")
        if not self._refresh_tokens.is_alive(str(claims.get("origin_jti"))):
            raise InvalidTokenError(description="revoked")
        return claims

    def _id_token(  # noqa: PLR0917 - one caller
        self, user: User, client: Client, grant: Grant, nonce: str | None, access_token: str, about: Mapping[str, Any]
    ) -> str:
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        claims = self._base_claims(user.subject, client, "id", grant.signed_in_at) | {
            "aud": grant.client_id,
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
            "origin_jti": grant.origin_jti,
            **about,
        }
        if "email" in grant.scopes:
            # Cognito does not treat a company user's address as verified unless the provider's claim is mapped.
            claims |= {"email": user.email, "email_verified": user.identity is None}
        if nonce is not None:
            claims["nonce"] = nonce
        return self._key.sign(claims)

    def _base_claims(self, subject: str, client: Client, token_use: str, signed_in_at: int) -> dict[str, Any]:
        now = int(self._clock())
        return {
            "sub": subject,
            "iss": self._issuer,
            "token_use": token_use,
            "auth_time": signed_in_at,
            "iat": now,
            "exp": now + client.token_seconds,
            "jti": str(uuid.uuid4()),
        }

    def _groups(self, user: User, trigger_source: str) -> dict[str, list[str]]:
        """The group claim, absent for a person without a group."""
        automatic = [f"{POOL_ID}_{user.identity.provider}"] if user.identity else []
        event = {
            "triggerSource": trigger_source,
            "userName": user.username,
            "request": {
                "userAttributes": _attributes(user),
                "groupConfiguration": {"groupsToOverride": [*automatic, *user.groups]},
            },
            "response": {},
        }
        answer = with_company_groups(event, self._company_groups, ADMINISTRATORS)
        changed = answer["response"].get("claimsAndScopeOverrideDetails", {}).get("groupOverrideDetails")
        groups = (changed or event["request"]["groupConfiguration"])["groupsToOverride"]
        return {"cognito:groups": groups} if groups else {}


def _attributes(user: User) -> dict[str, str]:
    """The person's attributes in a trigger's event."""
    if user.identity is None:
        return {"sub": user.subject, "email": user.email, "cognito:user_status": "CONFIRMED"}
    return {
        "sub": user.subject,
        "email": user.email,
        "cognito:user_status": FEDERATED,
        "identities": json.dumps(identities_of(user)["identities"]),
        GROUPS_ATTRIBUTE: user.identity.groups,
    }


def identities_of(user: User) -> dict[str, list[dict[str, str]]]:
    """An attribute that only federated users have."""
    if user.identity is None:
        return {}
    known = {"userId": user.identity.subject, "providerName": user.identity.provider}
    return {"identities": [known | {"providerType": "OIDC", "primary": "true"}]}
