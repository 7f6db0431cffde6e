"""Tokens: capabilities for one upload, or for the uploads of one link, verified without any state.

`<base64url(JSON)>.<base64url(MAC)>`; KMS computes and verifies the MAC, and the key never leaves KMS. `kid` names the
key, because HMAC keys cannot rotate by themselves: the old key verifies until its last token has expired.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.core.errors import UnauthorizedError
from chalicelib.core.json_values import JsonObject, camel_case
from chalicelib.core.ports import Clock, Mac
from chalicelib.core.video_id import VideoRef, is_owner, is_video_id

if TYPE_CHECKING:  # the upload authorizer knows no records
    from chalicelib.core.video_record import VideoRecord

MAX_TOKEN_CHARS = 2048


@dataclass(frozen=True)
class UploadToken:
    """expiry: seconds since 1970."""

    kid: str
    owner: str
    video_id: str
    file_key: str
    upload_id: str
    expiry: int

    @property
    def ref(self) -> VideoRef:
        return VideoRef(self.owner, self.video_id)


@dataclass(frozen=True)
class LinkToken:
    """The capability of an upload link. The link's record holds its expiry and limits."""

    kid: str
    owner: str
    link_id: str


@dataclass(frozen=True)
class UploadTokens:
    mac: Mac
    now: Clock

    def issue(self, record: VideoRecord, upload_id: str, expires_at: datetime) -> str:
        token = UploadToken(
            self.mac.current_kid,
            record.owner,
            record.video_id,
            record.ref.file_key,
            upload_id,
            int(expires_at.timestamp()),
        )
        return self._signed(token)

    def issue_for_link(self, owner: str, link_id: str) -> str:
        """Issue a link's token: the same text each time, as long as the key is the same."""
        return self._signed(LinkToken(self.mac.current_kid, owner, link_id))

    def _signed(self, token: UploadToken | LinkToken) -> str:
        claims = {camel_case(name): value for name, value in asdict(token).items()}
        payload = _to_base64url(json.dumps(claims, separators=(",", ":")).encode())
        return f"{payload}.{_to_base64url(self.mac.generate(payload.encode()))}"

    def verify(self, text: str) -> UploadToken:
        """Raises UnauthorizedError, also for a link's token."""
        token = self.verify_any(text)
        if not isinstance(token, UploadToken):
            raise UnauthorizedError
        return token

    def verify_any(self, text: str) -> UploadToken | LinkToken:
        """Verify a token: shape and expiry first, so that garbage costs no KMS call. Raises UnauthorizedError."""
        payload, _, mac = text.partition(".")
        if len(text) > MAX_TOKEN_CHARS or not payload or not mac:
            raise UnauthorizedError
        token = _parse(_from_base64url(payload))
        if isinstance(token, UploadToken) and token.expiry <= self.now().timestamp():
            raise UnauthorizedError
        if not self.mac.verify(token.kid, payload.encode(), _from_base64url(mac)):
            raise UnauthorizedError
        return token


def _parse(payload: bytes) -> UploadToken | LinkToken:
    try:
        claims: JsonObject = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise UnauthorizedError from error
    match claims:
        case {
            "kid": str(kid),
            "owner": str(owner),
            "videoId": str(video_id),
            "fileKey": str(file_key),
            "uploadId": str(upload_id),
            "expiry": int(expiry),
            **rest,
        } if not rest and is_owner(owner) and is_video_id(video_id) and file_key == VideoRef(owner, video_id).file_key:
            return UploadToken(kid, owner, video_id, file_key, upload_id, expiry)
        case {"kid": str(kid), "owner": str(owner), "linkId": str(link_id), **rest} if (
            not rest and is_owner(owner) and is_video_id(link_id)
        ):
            return LinkToken(kid, owner, link_id)
        case _:
            raise UnauthorizedError


def _to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_base64url(text: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(f"{text}==")
    except (binascii.Error, ValueError) as error:
        raise UnauthorizedError from error
    # A token must have one spelling: the authorizer's cache and the rate limits compare its text. Python's decoder
    # skips characters outside of base64 and superfluous padding.
    if _to_base64url(data) != text:
        raise UnauthorizedError
    return data
