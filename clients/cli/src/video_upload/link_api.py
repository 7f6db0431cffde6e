"""The API as the bearer of an upload link calls it: without an account, into the library of the link's maker."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from video_upload.api import VideoApi
from video_upload.backoff import Backoff
from video_upload.errors import NotSignedInError, SiteError
from video_upload.schemas import NewLinkUpload, NewUpload, OpenUpload, StartedUpload, Video
from video_upload.site import fetch_site_config, normal_site_url
from video_upload.video_file import VideoFile

_FRAGMENT = "link"


def link_address(site_url: str, link_token: str) -> str:
    """The address to hand out. What follows the `#` is in no request and in no log."""
    return f"{site_url}/#{_FRAGMENT}={link_token}"


class _NoCredentials:
    def access_token(self) -> str:
        raise NotSignedInError

    def renewed_access_token(self, refused_token: str) -> str:
        raise NotSignedInError


class LinkApi(VideoApi):
    """Every call that is not about an upload by the link raises NotSignedInError.

    uploader_name: shown to the link's maker.
    """

    def __init__(
        self,
        api_url: str,
        link_token: str,
        uploader_name: str,
        *,
        pause: Callable[[float], None],
        backoff: Backoff | None = None,
        on_silence: Callable[[str], None] = lambda reason: None,
    ) -> None:
        super().__init__(api_url, _NoCredentials(), pause=pause, backoff=backoff, on_silence=on_silence)
        self._link_token = link_token
        self._uploader_name = uploader_name

    @classmethod
    def at(
        cls,
        address: str,
        uploader_name: str,
        *,
        pause: Callable[[float], None],
        on_silence: Callable[[str], None] = lambda reason: None,
    ) -> LinkApi:
        """Raises SiteError if the address is no upload link of a site."""
        site_url, _, fragment = address.partition("#")
        tokens = parse_qs(fragment).get(_FRAGMENT)
        if not tokens:
            raise SiteError(urlsplit(address).netloc or "this address", "is not an upload link: links end in #link=…")
        config = fetch_site_config(normal_site_url(site_url))
        return cls(config.api_url, tokens[0], uploader_name, pause=pause, on_silence=on_silence)

    @property
    def url(self) -> str:
        """Tells journals of this link's uploads from the person's own of the same file."""
        return f"{self._api_url}/link/{hashlib.sha256(self._link_token.encode()).hexdigest()[:16]}"

    def start_upload(self, new: NewUpload) -> StartedUpload:
        body = NewLinkUpload(
            file_name=new.file_name,
            content_type=new.content_type,
            size_bytes=new.size_bytes,
            uploader_name=self._uploader_name,
        )
        return self._send("POST", "/link/multipart/init", self._link_token, body, StartedUpload)[0]

    def list_open_uploads(self) -> tuple[OpenUpload, ...]:
        """Empty: an upload that somebody else sends by the link is not shown to its other users."""
        return ()

    def result_of(self, video_id: str, file: VideoFile) -> Video:
        """The video as it arrived: its verdict is its owner's to see."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Video(
            video_id=video_id,
            file_name=file.name,
            content_type=file.content_type,
            size_bytes=file.size_bytes,
            state="processing",
            created_at=now,
            updated_at=now,
            uploader_name=self._uploader_name,
        )
