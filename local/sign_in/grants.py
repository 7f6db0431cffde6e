"""Grants to exchange for tokens: authorization codes, short-lived and single-use, and rotating refresh tokens."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from local.sign_in.errors import InvalidGrantError
from local.sign_in.private_files import PrivateFiles

CODE_SECONDS = 60
REFRESH_FILE = "refresh_tokens.json"


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Permission of a person for a client, from the sign-in to the last token issued under it.

    origin_jti: Cognito's id of the whole family of tokens.
    signed_in_at: seconds since 1970.
    """

    origin_jti: str
    subject: str
    client_id: str
    scopes: tuple[str, ...]
    signed_in_at: int


@dataclass(frozen=True, kw_only=True)
class CodeRequest:
    """A checked authorization request, bound to its code."""

    redirect_uri: str
    code_challenge: str
    nonce: str | None


@dataclass(frozen=True)
class _IssuedCode:
    grant: Grant
    request: CodeRequest
    expires_at: float


class AuthorizationCodes:
    """Codes of the last minute, used and unused."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, _IssuedCode] = {}
        self._used: dict[str, _IssuedCode] = {}

    def issue(self, grant: Grant, request: CodeRequest) -> str:
        """Issue a code that is valid for CODE_SECONDS."""
        code = secrets.token_urlsafe(32)
        now = self._clock()
        with self._lock:
            self._open = {key: issued for key, issued in self._open.items() if issued.expires_at > now}
            self._used = {key: issued for key, issued in self._used.items() if issued.expires_at > now}
            self._open[_digest(code)] = _IssuedCode(grant, request, now + CODE_SECONDS)
        return code

    def redeem(self, code: str, *, client_id: str, redirect_uri: str, code_verifier: str) -> tuple[Grant, CodeRequest]:
        """Redeem a code, which invalidates it even if the attempt fails.

        Raises CodeReplayedError for a second use, InvalidGrantError for every other mismatch.
        """
        key = _digest(code)
        with self._lock:
            replayed = self._used.get(key)
            if replayed is not None:
                raise CodeReplayedError(replayed.grant.origin_jti)
            issued = self._open.pop(key, None)
            if issued is None or issued.expires_at <= self._clock():
                raise InvalidGrantError(description="unknown or expired code")
            self._used[key] = issued
        if issued.grant.client_id != client_id:
            raise InvalidGrantError(description="the code belongs to another client")
        if issued.request.redirect_uri != redirect_uri:
            raise InvalidGrantError(description="redirect_uri differs from the authorization request")
        if not verifier_fits(code_verifier, issued.request.code_challenge):
            raise InvalidGrantError(description="code_verifier does not match the challenge")
        return issued.grant, issued.request


class CodeReplayedError(InvalidGrantError):
    """A code's second use: the tokens of the first may be stolen and must be revoked (RFC 6749 section 4.1.2)."""

    def __init__(self, origin_jti: str) -> None:
        super().__init__(description="the code was used before")
        self.origin_jti = origin_jti


@dataclass(frozen=True)
class _Family:
    grant: Grant
    current_digest: str
    expires_at: float
    used_digests: tuple[str, ...] = ()


class RefreshTokens:
    """Families of refresh tokens: only the newest token of each is valid, and use of an older one revokes the family.

    Only digests are stored, so that the file contains no usable token.
    """

    def __init__(self, files: PrivateFiles, clock: Callable[[], float]) -> None:
        self._files = files
        self._clock = clock
        self._lock = threading.Lock()
        self._families: dict[str, _Family] = {
            item["grant"]["origin_jti"]: _stored_family(item) for item in json.loads(files.read(REFRESH_FILE) or "[]")
        }

    def issue(self, grant: Grant, seconds: int) -> str:
        """The first token of a new family with this lifetime."""
        with self._lock:
            token = self._new_token(grant.origin_jti)
            self._families[grant.origin_jti] = _Family(grant, _digest(token), self._clock() + seconds)
            self._save()
            return token

    def rotate(self, token: str, *, client_id: str) -> tuple[Grant, str]:
        """The grant and the next token, which expires with the family. Raises InvalidGrantError."""
        with self._lock:
            family = self._family(token)
            digest = _digest(token)
            if family is not None and digest in family.used_digests:
                # RFC 9700 section 4.14.2: the old one was stolen, or the new one was.
                del self._families[family.grant.origin_jti]
                self._save()
                raise InvalidGrantError(description="the refresh token was used before: sign in again")
            if family is None or family.grant.client_id != client_id or family.current_digest != digest:
                raise InvalidGrantError(description="unknown, revoked or expired refresh token")
            next_token = self._new_token(family.grant.origin_jti)
            self._families[family.grant.origin_jti] = replace(
                family, current_digest=_digest(next_token), used_digests=(*family.used_digests, digest)
            )
            self._save()
            return family.grant, next_token

    def revoke_token(self, token: str, *, client_id: str) -> None:
        """Revoke the token's family. Unknown tokens, and tokens of other clients, have no effect (RFC 7009)."""
        with self._lock:
            family = self._family(token)
            known = family is not None and _digest(token) in (family.current_digest, *family.used_digests)
            if family is not None and known and family.grant.client_id == client_id:
                del self._families[family.grant.origin_jti]
                self._save()

    def revoke_family(self, origin_jti: str) -> None:
        """Revoke a family by its id, if it exists."""
        with self._lock:
            if self._families.pop(origin_jti, None) is not None:
                self._save()

    def revoke_person(self, subject: str) -> None:
        """Revoke all families of a person."""
        with self._lock:
            self._families = {
                name: family for name, family in self._families.items() if family.grant.subject != subject
            }
            self._save()

    def is_alive(self, origin_jti: str) -> bool:
        """Check that this family is neither revoked nor expired."""
        family = self._families.get(origin_jti)
        return family is not None and family.expires_at > self._clock()

    def _family(self, token: str) -> _Family | None:
        family = self._families.get(token.partition(".")[0])
        return family if family is not None and family.expires_at > self._clock() else None

    def _new_token(self, origin_jti: str) -> str:
        return f"{origin_jti}.{secrets.token_urlsafe(32)}"

    def _save(self) -> None:
        now = self._clock()
        self._families = {name: family for name, family in self._families.items() if family.expires_at > now}
        self._files.write(REFRESH_FILE, lambda: json.dumps([asdict(family) for family in self._families.values()]))


def _stored_family(item: dict[str, Any]) -> _Family:
    grant: dict[str, Any] = item["grant"]
    grant["scopes"] = tuple(grant["scopes"])
    return _Family(
        Grant(**grant),
        item["current_digest"],
        item["expires_at"],
        tuple(item["used_digests"]),
    )


def verifier_fits(code_verifier: str, code_challenge: str) -> bool:
    """PKCE S256 (RFC 7636 section 4.6)."""
    if not re.fullmatch(r"[A-Za-z0-9\-._~]{43,128}", code_verifier):
        return False
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), code_challenge)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
