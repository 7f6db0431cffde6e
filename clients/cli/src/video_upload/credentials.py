"""Who is signed in on this computer, and tokens that are renewed without asking."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import filelock
import msgspec
import requests

from video_upload.errors import NotSignedInError, SignInError
from video_upload.private_files import open_private_folder, write_privately

EXPIRY_MARGIN_SECONDS = 60
TIMEOUT_SECONDS = (10.0, 20.0)


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """One person at one site. expires_at: of the access token, in seconds since 1970."""

    site_url: str
    api_url: str
    client_id: str
    token_endpoint: str
    revocation_endpoint: str | None
    access_token: str
    refresh_token: str | None
    expires_at: float


class StoredCredentials:
    """The sign-in kept in a private file below `home`; several processes may share it."""

    def __init__(self, home: Path) -> None:
        self._path = home / "sign-in.json"
        self._lock = filelock.FileLock(home / "sign-in.lock", mode=0o600)

    def load(self) -> SignIn:
        """Raises NotSignedInError."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=SignIn)
        except FileNotFoundError as error:
            raise NotSignedInError from error
        except msgspec.DecodeError as error:
            raise NotSignedInError(reason="The stored sign-in is damaged.") from error

    def store(self, sign_in: SignIn) -> None:
        write_privately(self._path, msgspec.json.encode(sign_in))

    def forget(self) -> bool:
        """Sign out: revoke the refresh token if the sign-in can, and delete the file. False if nobody was signed in."""
        try:
            sign_in = self.load()
        except NotSignedInError:
            was_there = self._path.exists()
            self._path.unlink(missing_ok=True)
            return was_there
        self._path.unlink(missing_ok=True)
        if sign_in.revocation_endpoint and sign_in.refresh_token:
            try:
                requests.post(
                    sign_in.revocation_endpoint,
                    data={"token": sign_in.refresh_token, "client_id": sign_in.client_id},  # RFC 7009, section 2.1
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
            except requests.RequestException:
                return True  # offline: the token stays good until it expires, but nobody here holds it any more
        return True

    def access_token(self) -> str:
        sign_in = self.load()
        if time.time() < sign_in.expires_at - EXPIRY_MARGIN_SECONDS:
            return sign_in.access_token
        return self.renewed_access_token(sign_in.access_token)

    def renewed_access_token(self, refused_token: str) -> str:
        open_private_folder(self._path.parent)
        with self._lock:  # refresh tokens may be good for one use only
            sign_in = self.load()
            if sign_in.access_token != refused_token:
                return sign_in.access_token  # another process was faster
            renewed = _refresh(sign_in)
            self.store(renewed)
            return renewed.access_token


def _refresh(sign_in: SignIn) -> SignIn:
    # Costs half a second to import, and most commands need no new token.
    from authlib.common.errors import AuthlibBaseError  # noqa: PLC0415
    from authlib.integrations.requests_client import OAuth2Session  # noqa: PLC0415

    if sign_in.refresh_token is None:
        raise NotSignedInError(reason="The sign-in has expired.")
    session = OAuth2Session(sign_in.client_id, token_endpoint_auth_method="none")  # noqa: S106 - a public client
    try:
        token: dict[str, Any] = session.refresh_token(
            sign_in.token_endpoint, refresh_token=sign_in.refresh_token, timeout=TIMEOUT_SECONDS
        )
    except AuthlibBaseError as error:
        raise NotSignedInError(reason="The sign-in has expired or was revoked.") from error
    except (requests.RequestException, ValueError) as error:
        raise SignInError(f"The sign-in could not be renewed: {error}") from error
    return msgspec.structs.replace(
        sign_in,
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token") or sign_in.refresh_token,
        expires_at=expiry_time(token),
    )


def expiry_time(token: dict[str, Any]) -> float:
    """Seconds since 1970; a token that does not say is taken for an hour's."""
    return time.time() + float(token.get("expires_in") or 3600)
