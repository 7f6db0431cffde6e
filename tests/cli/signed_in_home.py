"""A stored sign-in, as `video-upload login` leaves it."""

from __future__ import annotations

from pathlib import Path

from video_upload.credentials import SignIn, StoredCredentials


def store_sign_in(home: Path, site_url: str, *, expires_at: float = 4e9) -> StoredCredentials:
    """Sign somebody in to a fake platform by `access-1` and `refresh-1`."""
    credentials = StoredCredentials(home)
    credentials.store(
        SignIn(
            site_url=site_url,
            api_url=f"{site_url}/api",
            client_id="desktop",
            token_endpoint=f"{site_url}/token",
            revocation_endpoint=f"{site_url}/revoke",
            access_token="access-1",
            refresh_token="refresh-1",
            expires_at=expires_at,
        )
    )
    return credentials
