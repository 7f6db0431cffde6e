"""Stored sign-ins of this computer, with tokens that are renewed automatically."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

import filelock
import msgspec

from video_upload.connection_problem import problem_in_words
from video_upload.decoding import decode
from video_upload.errors import KeyringUnavailableError, NotSignedInError, SignInError, SignInUnreachableError
from video_upload.http_calls import LOST_ANSWERS, HttpCalls
from video_upload.network import ca_bundle
from video_upload.os_keyring import OsKeyring
from video_upload.private_files import open_private_folder, write_privately, writing_to
from video_upload.profiles import Profiles

EXPIRY_MARGIN_SECONDS = 60
TIMEOUT_SECONDS = (10.0, 20.0)
CLIENT_SECRET_VARIABLE = "VIDEO_UPLOAD_CLIENT_SECRET"  # noqa: S105 - the name of it

TokenStorage = Literal["file", "keyring"]


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Secrets of a sign-in. expires_at: of the access token, in seconds since 1970."""

    access_token: str
    expires_at: float
    refresh_token: str | None = None
    client_secret: str | None = None


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One person or machine at one site.

    refresh_token: of a person. expires_at: of the access token, in seconds since 1970.
    is_machine: signed in by client credentials; without a `client_secret` here it is in VIDEO_UPLOAD_CLIENT_SECRET.
    scope: what a machine asks for, space-separated. tell_progress: the site would like to
    hear how uploads go.
    """

    site_url: str
    api_url: str
    client_id: str
    token_endpoint: str
    revocation_endpoint: str | None
    access_token: str
    refresh_token: str | None
    expires_at: float
    stage: str = ""
    scope: str = ""
    is_machine: bool = False
    client_secret: str | None = None
    tell_progress: bool = False

    @property
    def tokens(self) -> Tokens:
        return Tokens(**{name: getattr(self, name) for name in Tokens.__struct_fields__})

    def with_tokens(self, tokens: Tokens) -> SignIn:
        return msgspec.structs.replace(self, **msgspec.structs.asdict(tokens))


class StoredSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """The profile's file. Where the tokens are in the keyring those of `sign_in` are empty."""

    tokens_in: TokenStorage = msgspec.field(name="place")  # of the profiles that 0.1 wrote
    sign_in: SignIn


class StoredCredentials:
    """The sign-in of one profile below `home`; several processes may share it.

    profile: None for the current one.
    """

    def __init__(self, home: Path, profile: str | None = None, keyring: OsKeyring | None = None) -> None:
        self._profiles = Profiles(home)
        self.profile = profile or self._profiles.current
        self._path = self._profiles.path(self.profile)
        self._lock = filelock.FileLock(self._path.with_suffix(".lock"), mode=0o600)
        self._keyring = keyring or OsKeyring()
        self._keyring_name = f"{self.profile} in {home.absolute()}"

    def load(self) -> SignIn:
        """Raises NotSignedInError and KeyringUnavailableError."""
        stored = self._stored()
        if stored.tokens_in == "file":
            return stored.sign_in
        with self._locked():  # a keyring has no way to replace several entries at once
            text = self._keyring.read(self._keyring_name)
        try:
            return stored.sign_in.with_tokens(decode(text or "", Tokens))
        except msgspec.DecodeError as error:
            raise NotSignedInError(reason="The keyring holds no tokens for this profile.") from error

    def store(self, sign_in: SignIn, tokens_in: TokenStorage = "file") -> TokenStorage:
        """Raises KeyringUnavailableError."""
        with self._locked():
            if tokens_in == "keyring":
                self._keyring.write(self._keyring_name, msgspec.json.encode(sign_in.tokens).decode())
                sign_in = sign_in.with_tokens(Tokens(access_token="", expires_at=0))
            write_privately(self._path, msgspec.json.encode(StoredSignIn(tokens_in=tokens_in, sign_in=sign_in)))
        return tokens_in

    def store_safely(self, sign_in: SignIn) -> TokenStorage:
        """Store in the keyring if it works, else in a file that only its owner can read. Return where."""
        if self._keyring.works():
            try:
                return self.store(sign_in, "keyring")
            except KeyringUnavailableError:
                return self.store(sign_in)
        return self.store(sign_in)

    def forget(self) -> bool:
        """Sign out: revoke the refresh token if the sign-in can, delete the tokens. False if nobody was signed in."""
        try:
            sign_in = self.load()
        except SignInError:
            was_there = self._path.exists()
            self._path.unlink(missing_ok=True)
            return was_there
        in_keyring = self._stored().tokens_in == "keyring"
        self._path.unlink(missing_ok=True)
        if in_keyring:
            with suppress(KeyringUnavailableError):
                self._keyring.delete(self._keyring_name)
        if sign_in.revocation_endpoint and sign_in.refresh_token:
            try:
                form = {"token": sign_in.refresh_token, "client_id": sign_in.client_id}  # RFC 7009, section 2.1
                HttpCalls({"Content-Type": "application/x-www-form-urlencoded"}).send(
                    "POST",
                    sign_in.revocation_endpoint,
                    timeout_seconds=TIMEOUT_SECONDS,
                    body=urlencode(form).encode(),
                )
            except LOST_ANSWERS:
                return True  # offline: the token stays good until it expires, but nobody here holds it any more
        return True

    def describe(self) -> dict[str, str]:
        """Return the facts that are safe to show: site, stage, kind, storage of the tokens. Raises NotSignedInError."""
        stored = self._stored()
        who = stored.sign_in
        kind = "program" if who.is_machine else "person"
        return {"siteUrl": who.site_url, "stage": who.stage, "kind": kind, "tokens": stored.tokens_in}

    def access_token(self) -> str:
        """Good for another minute at least. Raises NotSignedInError and SignInError."""
        sign_in = self.load()
        if time.time() < sign_in.expires_at - EXPIRY_MARGIN_SECONDS:
            return sign_in.access_token
        return self._renewed(sign_in.access_token).access_token

    def renewed_access_token(self, refused_token: str) -> str:
        return self._renewed(refused_token).access_token

    def _renewed(self, refused_token: str) -> SignIn:
        with self._locked():  # refresh tokens may be good for one use only
            sign_in = self.load()
            if sign_in.access_token != refused_token:
                return sign_in  # another process was faster
            renewed = sign_in.with_tokens(_machine_tokens(sign_in) if sign_in.is_machine else _refreshed(sign_in))
            self.store(renewed, self._stored().tokens_in)
            return renewed

    def _stored(self) -> StoredSignIn:
        try:
            return decode(self._path.read_bytes(), StoredSignIn)
        except FileNotFoundError as error:
            if others := self._profiles.names():
                reason = f"You are not signed in as profile {self.profile}; known profiles: {', '.join(others)}."
                raise NotSignedInError(reason) from error
            raise NotSignedInError from error
        except msgspec.DecodeError as error:
            raise NotSignedInError(reason="The stored sign-in is damaged.") from error

    def _locked(self) -> AbstractContextManager[object]:
        """To be entered; may be within itself."""
        open_private_folder(self._path.parent)
        with writing_to(self._path.parent):
            return self._lock.acquire()


def _refreshed(sign_in: SignIn) -> Tokens:
    # Costs half a second to import, and most commands need no new token.
    import requests  # noqa: PLC0415
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415

    if sign_in.refresh_token is None:
        raise NotSignedInError(reason="The sign-in has expired.")
    session = OAuth2Session(sign_in.client_id, token_endpoint_auth_method="none")  # noqa: S106 - a public client
    try:
        token: dict[str, Any] = session.refresh_token(
            sign_in.token_endpoint, refresh_token=sign_in.refresh_token, timeout=TIMEOUT_SECONDS, verify=ca_bundle()
        )
    except AuthlibBaseError as error:
        raise NotSignedInError(reason="The sign-in has expired or was revoked.") from error
    except (requests.RequestException, ValueError) as error:
        # A 5xx too, or the page of something on the way: the sign-in itself has refused nothing.
        raise SignInUnreachableError(sign_in.token_endpoint, problem_in_words(error)) from error
    if "access_token" not in token:
        raise SignInUnreachableError(sign_in.token_endpoint, "it returned no token")
    return Tokens(
        access_token=token["access_token"],
        expires_at=expiry_time(token),
        refresh_token=token.get("refresh_token") or sign_in.refresh_token,
    )


def _machine_tokens(sign_in: SignIn) -> Tokens:
    secret = sign_in.client_secret or os.environ.get(CLIENT_SECRET_VARIABLE)
    if not secret:
        raise NotSignedInError(reason=f"The sign-in has expired, and {CLIENT_SECRET_VARIABLE} is not set.")
    tokens = machine_tokens(sign_in.token_endpoint, sign_in.client_id, secret, sign_in.scope)
    return msgspec.structs.replace(tokens, client_secret=sign_in.client_secret)


def machine_tokens(token_endpoint: str, client_id: str, client_secret: str, scope: str) -> Tokens:
    """Tokens of a client for itself (RFC 6749, section 4.4).

    Raises NotSignedInError if refused, else SignInUnreachableError.
    """
    import requests  # noqa: PLC0415 - as in _refreshed

    try:
        response = requests.post(
            token_endpoint,
            data={"grant_type": "client_credentials", "scope": scope},
            auth=(client_id, client_secret),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
            verify=ca_bundle(),
        )
        if response.status_code >= 500 or response.status_code == 429:
            response.raise_for_status()
        body: dict[str, Any] = response.json()
    except (requests.RequestException, ValueError) as error:
        raise SignInUnreachableError(token_endpoint, problem_in_words(error)) from error
    if response.status_code == 200 and "access_token" not in body and "error" not in body:
        raise SignInUnreachableError(token_endpoint, "it returned no token")
    if response.status_code != 200 or "access_token" not in body:
        reason = body.get("error_description") or body.get("error") or f"status {response.status_code}"
        raise NotSignedInError(reason=f"The sign-in refused this client: {reason}.")
    return Tokens(access_token=body["access_token"], expires_at=expiry_time(body))


def expiry_time(token: dict[str, Any]) -> float:
    """Seconds since 1970; one hour from now for a token that states no expiry."""
    return time.time() + float(token.get("expires_in") or 3600)
