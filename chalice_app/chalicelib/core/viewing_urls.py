"""URLs by which users view their videos for a few minutes: through CloudFront, or from S3 on a stage without it."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple, Protocol

from chalicelib.core.ports import Clock, Signer
from chalicelib.core.sigv4 import BucketAddress, Credentials, SigningScope, encoded, presign_get
from chalicelib.core.video_record import VideoRecord

MAX_CACHEABLE_BYTES = 50 * 10**9
"""CloudFront quotas, "Maximum cacheable file size per HTTP GET response". Where it caches, CloudFront answers requests
for longer objects with an error, also `Range: bytes=0-`, a player's first request: CloudFront Developer Guide, "How
CloudFront processes partial requests for an object"."""
UNCACHED = "large/"
"""Path to the same videos that CloudFront does not cache; components/edge/distribution.py."""


@dataclass(frozen=True)
class ViewingUrls:
    """playback_url: of the rendition, if there is one. original_url: of the uploaded file."""

    poster_url: str
    playback_url: str
    original_url: str
    thumbnails_url: str | None = None


class _Object(NamedTuple):
    """Object of the video bucket."""

    key: str
    version_id: str | None
    size_bytes: int

    @property
    def way(self) -> str:
        return UNCACHED if self.size_bytes > MAX_CACHEABLE_BYTES else ""

    @property
    def folder(self) -> str:
        return f"{self.way}{self.key.rpartition('/')[0]}/"


def _original(record: VideoRecord) -> _Object:
    return _Object(record.ref.file_key, record.version_id, record.size_bytes)


def _played(record: VideoRecord, *, plays_renditions: bool) -> _Object:
    """The rendition, if the stage plays renditions and this one is ready."""
    made = record.rendition
    if not plays_renditions or made is None or not made.is_ready:
        return _original(record)
    return _Object(record.ref.rendition_key, made.version_id, made.size_bytes or 0)


class ViewingUrlSource(Protocol):
    @property
    def ttl_seconds(self) -> int:
        """Longest time for which a URL is valid."""
        ...

    def for_viewing(self, records: Iterable[VideoRecord]) -> tuple[dict[str, ViewingUrls], datetime]:
        """URLs by videoId for one owner's ready videos, and when they expire."""
        ...

    def for_one(self, record: VideoRecord) -> tuple[ViewingUrls, datetime]:
        """URLs for this ready video and its pictures alone."""
        ...


@dataclass(frozen=True, kw_only=True)
class S3ViewingUrls:
    """Presigned GETs. Playback URLs name the accepted version."""

    video_address: BucketAddress
    metadata_address: BucketAddress
    region: str
    credentials: Callable[[], Credentials]
    ttl_seconds: int
    now: Clock
    plays_renditions: bool = False

    def for_viewing(self, records: Iterable[VideoRecord]) -> tuple[dict[str, ViewingUrls], datetime]:
        scope = SigningScope(self.credentials(), self.region, "s3", self.now())
        urls = {record.video_id: self._urls(scope, record) for record in records}
        return urls, scope.moment + timedelta(seconds=self.ttl_seconds)

    def for_one(self, record: VideoRecord) -> tuple[ViewingUrls, datetime]:
        urls, expire_at = self.for_viewing([record])
        return urls[record.video_id], expire_at

    def _urls(self, scope: SigningScope, record: VideoRecord) -> ViewingUrls:
        original, played = _original(record), _played(record, plays_renditions=self.plays_renditions)
        original_url = self._url(scope, original)
        return ViewingUrls(
            presign_get(scope, self.metadata_address, record.ref.poster_key, self.ttl_seconds, {}),
            original_url if played == original else self._url(scope, played),
            original_url,
            presign_get(scope, self.metadata_address, record.ref.thumbnails_key, self.ttl_seconds, {})
            if _has_thumbnails(record)
            else None,
        )

    def _url(self, scope: SigningScope, video: _Object) -> str:
        version = {"versionId": video.version_id} if video.version_id else {}
        return presign_get(scope, self.video_address, video.key, self.ttl_seconds, version)


@dataclass(frozen=True, kw_only=True)
class CloudFrontViewingUrls:
    """Signed URLs with a custom policy over the owner's folder.

    A page of videos takes two signatures, and more if a video is too large for the cache or has a rendition; signatures
    are reused for half their lifetime. The resource's only wildcard is at its end: one in the middle would also match a
    query string, and with it another owner's folder. Source: CloudFront Developer Guide, "Create a signed URL using a
    custom policy"; with SHA-256, "Code examples for creating a signature for a signed URL".

    site_url: without a slash at the end. key_pair_id: CloudFront's id of the signer's public key.
    """

    site_url: str
    key_pair_id: str
    signer: Signer
    ttl_seconds: int
    now: Clock
    plays_renditions: bool = False
    _kept: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    _keeping: Lock = field(default_factory=Lock)

    def for_viewing(self, records: Iterable[VideoRecord]) -> tuple[dict[str, ViewingUrls], datetime]:
        expires_at = self.now() + timedelta(seconds=self.ttl_seconds)
        urls: dict[str, ViewingUrls] = {}
        for record in records:
            poster_query, posters_until = self._query(f"posters/{record.owner}/")
            poster_url = f"{self.site_url}/media/{record.ref.poster_key}?{poster_query}"
            video_urls: list[str] = []
            for video in self._videos(record):
                video_query, videos_until = self._query(video.folder)
                expires_at = min(expires_at, posters_until, videos_until)
                video_urls.append(f"{self.site_url}/media/{video.way}{video.key}?{video_query}")
            thumbnails_url = f"{self.site_url}/media/{record.ref.thumbnails_key}?{poster_query}"
            playback_url, original_url = video_urls
            urls[record.video_id] = ViewingUrls(
                poster_url, playback_url, original_url, thumbnails_url if _has_thumbnails(record) else None
            )
        return urls, expires_at

    def for_one(self, record: VideoRecord) -> tuple[ViewingUrls, datetime]:
        """One signature for each object, not reused."""
        expires_at = self.now() + timedelta(seconds=self.ttl_seconds)
        expiry = int(expires_at.timestamp())
        thumbnails = [record.ref.thumbnails_key] if _has_thumbnails(record) else []
        keys = (record.ref.poster_key, *(f"{video.way}{video.key}" for video in self._videos(record)), *thumbnails)
        urls = {key: f"{self.site_url}/media/{key}" for key in keys}
        signed = {key: f"{url}?{self._sign(url, expiry)}" for key, url in urls.items()}
        return ViewingUrls(*(signed[key] for key in keys)), expires_at

    def _videos(self, record: VideoRecord) -> tuple[_Object, _Object]:
        return _played(record, plays_renditions=self.plays_renditions), _original(record)

    def _query(self, folder: str) -> tuple[str, datetime]:
        """A signature for a whole folder, valid for at least half of ttl_seconds."""
        with self._keeping:
            kept = self._kept.get(folder)
        now = self.now()
        if kept and kept[1] - now > timedelta(seconds=self.ttl_seconds / 2):
            return kept
        expires_at = now + timedelta(seconds=self.ttl_seconds)
        query = self._sign(f"{self.site_url}/media/{folder}*", int(expires_at.timestamp()))
        with self._keeping:
            if len(self._kept) >= _MAX_KEPT:
                self._kept.clear()
            self._kept[folder] = (query, expires_at)
        return query, expires_at

    def _sign(self, resource: str, expires_epoch_seconds: int) -> str:
        condition = {"DateLessThan": {"AWS:EpochTime": expires_epoch_seconds}}
        statement = {"Resource": resource, "Condition": condition}
        policy = json.dumps({"Statement": [statement]}, separators=(",", ":")).encode()
        return _joined(
            {
                "Policy": _cloudfront_base64(policy),
                "Signature": _cloudfront_base64(self.signer.sign(policy)),
                "Key-Pair-Id": self.key_pair_id,
                "Hash-Algorithm": "SHA256",
            }
        )


_MAX_KEPT = 2000


def _has_thumbnails(record: VideoRecord) -> bool:
    return bool(record.media and record.media.get("thumbnails"))


def _joined(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={encoded(value)}" for name, value in query.items())


def _cloudfront_base64(data: bytes) -> str:
    return base64.b64encode(data).decode().translate(str.maketrans("+=/", "-_~"))
