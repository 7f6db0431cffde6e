"""Upload links: with one, people without an account upload into its maker's library.

A link's record is `links/{owner}/{linkId}`. Its token is derived from the owner and the link's id
(core/upload_token.py), so no secret is stored. Each upload by a link is a use, counted against the link's own caps by
the markers in core/records.py.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple, Self

from chalicelib.core.caps import Caps
from chalicelib.core.errors import (
    CapError,
    ForbiddenError,
    LinkExpiredError,
    LinkMakerFullError,
    LinkNotFoundError,
    LinkRevokedError,
    LinkUsedUpError,
    TooManyLinksError,
)
from chalicelib.core.json_values import camel_case
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.ports import Clock, MetadataBucket, StorageBusyError
from chalicelib.core.records import LinkUse, Records
from chalicelib.core.upload_requests import Origin
from chalicelib.core.upload_token import LinkToken, UploadTokens
from chalicelib.core.video_id import VideoRef, is_video_id, new_video_id
from chalicelib.core.video_record import VideoRecord

log = logging.getLogger(__name__)

MAX_LINKS = 1_000
"""Most links of one owner that are kept: open ones, and those that ended recently."""

MAX_LISTED = 100
"""Most links in a listing, the newest. Each takes a read from S3 and a token from KMS, eight at a time."""

REMEMBERED = timedelta(days=31)
"""Time for which an ended link is kept: longer than any of its uploads can be open."""

_MAX_RACES = 5
_PARALLEL_CALLS = 8
_TIMES = ("created_at", "expires_at", "revoked_at")


class LinkState(StrEnum):
    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


class NewLink(NamedTuple):
    """A link to make. reference, on_behalf_of: a machine client's names for all of its uploads and their user."""

    title: str
    note: str | None
    valid: timedelta
    max_videos: int
    max_bytes: int
    reference: str | None = None
    on_behalf_of: str | None = None


class UploadLink(NamedTuple):
    """max_videos, max_bytes: of all its uploads together. note: to its bearer."""

    owner: str
    link_id: str
    title: str
    note: str | None
    max_videos: int
    max_bytes: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    reference: str | None = None
    on_behalf_of: str | None = None

    @property
    def key(self) -> str:
        return _key(self.owner, self.link_id)

    def state(self, now: datetime) -> LinkState:
        if self.revoked_at:
            return LinkState.REVOKED
        return LinkState.EXPIRED if self.expires_at <= now else LinkState.OPEN

    def origin(self, uploader_name: str) -> Origin:
        """The origin of an upload by this link."""
        return Origin(self.link_id, uploader_name, self.reference, self.on_behalf_of)

    def is_forgotten(self, now: datetime) -> bool:
        return min(self.expires_at, self.revoked_at or self.expires_at) < now - REMEMBERED

    def to_json(self) -> bytes:
        plain = {
            camel_case(name): value.isoformat() if isinstance(value, datetime) else value
            for name, value in self._asdict().items()
        }
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        stored = json.loads(body)
        values: dict[str, Any] = {name: stored.get(camel_case(name)) for name in cls._fields}
        for name in _TIMES:
            values[name] = datetime.fromisoformat(values[name]) if values[name] else None
        return cls(**values)


class UsedLink(NamedTuple):
    """A link and its usage: what its uploads take of its caps."""

    link: UploadLink
    videos: int
    size_bytes: int


class UploadLinks:
    """longest: longest validity of a link; zero on a stage without links. caps: of the links' makers."""

    def __init__(
        self, *, metadata: MetadataBucket, records: Records, now: Clock, longest: timedelta, caps: Caps
    ) -> None:
        self.metadata, self.records, self.now, self.longest, self.caps = metadata, records, now, longest, caps

    def make(self, owner: str, new: NewLink) -> UploadLink:
        """Raises ForbiddenError on a stage without links, TooManyLinksError."""
        self._require_links()
        now = self.now()
        self._require_few(owner, now)
        link = UploadLink(
            owner=owner,
            link_id=new_video_id(now),
            title=new.title,
            note=new.note,
            max_videos=new.max_videos,
            max_bytes=new.max_bytes,
            created_at=now,
            expires_at=now + min(new.valid, self.longest),
            reference=new.reference,
            on_behalf_of=new.on_behalf_of,
        )
        if not self.metadata.put_if_new(link.key, link.to_json()):
            raise StorageBusyError
        self._log("upload link made", link)
        return link

    def list_newest(self, owner: str, most: int | None = MAX_LISTED) -> list[UsedLink]:
        """The kept links of an owner, newest first. most: None for all."""
        uses = defaultdict[str, list[LinkUse]](list)
        for use in self.records.uses(owner):
            uses[use.link_id].append(use)
        return [_used(link, uses[link.link_id]) for link in self._links(owner, most)]

    def revoke(self, owner: str, link_id: str) -> UploadLink:
        """Safe to repeat. Raises LinkNotFoundError."""
        if not is_video_id(link_id):
            raise LinkNotFoundError
        for _ in range(_MAX_RACES):
            stored = self.metadata.get(_key(owner, link_id))
            if stored is None:
                raise LinkNotFoundError
            link = UploadLink.from_json(stored.body)
            if link.revoked_at:
                return link
            revoked = link._replace(revoked_at=self.now())
            if self.metadata.put_if_unchanged(link.key, revoked.to_json(), stored.etag):
                self._log("upload link revoked", revoked)
                return revoked
        raise StorageBusyError

    def show(self, token: LinkToken) -> UsedLink:
        """The link behind a token, and its usage. Raises as `open`."""
        link = self.open(token)
        return _used(link, self.records.uses(link.owner, link.link_id))

    def open(self, token: LinkToken) -> UploadLink:
        """The link behind a token. Raises LinkNotFoundError, LinkError's leaves."""
        if not self.longest:
            raise LinkNotFoundError
        about_upload(owner=token.owner, link_id=token.link_id)
        link = self._find(token.owner, token.link_id)
        match link.state(self.now()):
            case LinkState.REVOKED:
                raise LinkRevokedError
            case LinkState.EXPIRED:
                raise LinkExpiredError
            case LinkState.OPEN:
                return link

    def require_not_revoked(self, record: VideoRecord) -> None:
        """Refuse the next step of an upload whose link was revoked; one that has expired lets it end.

        Raises LinkRevokedError.
        """
        if record.link_id is None:
            return
        try:
            link = self._find(record.owner, record.link_id)
        except LinkNotFoundError:
            raise LinkRevokedError from None
        if link.revoked_at:
            raise LinkRevokedError

    def require(self, link: UploadLink, size_bytes: int) -> None:
        """Refuse an upload beyond the caps, by list requests alone, before anything is written. Raises LinkUsedUpError,
        LinkMakerFullError."""
        self._require_room(link, list(self.records.uses(link.owner, link.link_id)), size_bytes)

    def use(self, link: UploadLink, ref: VideoRef, size_bytes: int) -> None:
        """Count one more upload of a link, after `Room.reserve` has counted it for the user, and in the same way.

        Raises LinkUsedUpError, LinkMakerFullError.
        """
        self.records.use(ref, size_bytes, link.link_id)
        others = [use for use in self.records.uses(link.owner, link.link_id) if use.ref != ref]
        try:
            self._require_room(link, others, size_bytes)
        except CapError:
            self.records.release_use(ref, size_bytes, link.link_id)
            raise

    def use_again(self, record: VideoRecord) -> None:
        """Count an upload again whose use was released because it had no part. Raises as `use`, and
        LinkRevokedError."""
        if record.link_id is None:
            return
        try:
            link = self._find(record.owner, record.link_id)
        except LinkNotFoundError:
            raise LinkRevokedError from None
        self.use(link, record.ref, record.size_bytes)

    def _require_room(self, link: UploadLink, others: Sequence[LinkUse], size_bytes: int) -> None:
        """others: the uses of the link's other uploads."""
        used = _used(link, others)
        if used.videos >= link.max_videos or used.size_bytes + size_bytes > link.max_bytes:
            raise LinkUsedUpError(
                size_bytes=size_bytes,
                used_videos=used.videos,
                used_bytes=used.size_bytes,
                max_videos=link.max_videos,
                max_bytes=link.max_bytes,
            )
        if not others:
            return
        refs = {use.ref for use in others}
        held = [each for each in self.records.markers(link.owner) if each.is_reservation and each.ref in refs]
        if not self.caps.leave_room_beside([each.size_bytes for each in held], size_bytes):
            log.info("the link's open uploads hold its share")
            raise LinkMakerFullError(size_bytes=size_bytes)

    def _find(self, owner: str, link_id: str) -> UploadLink:
        stored = self.metadata.get(_key(owner, link_id))
        if stored is None:
            raise LinkNotFoundError
        return UploadLink.from_json(stored.body)

    def _links(self, owner: str, most: int | None = None) -> list[UploadLink]:
        keys = [listed.key for listed in islice(self.metadata.list_keys(f"links/{owner}/"), most)]
        with ThreadPoolExecutor(_PARALLEL_CALLS) as readers:
            stored = list(readers.map(carried(self.metadata.get), keys))
        return [UploadLink.from_json(each.body) for each in stored if each]

    def _require_few(self, owner: str, now: datetime) -> None:
        if sum(1 for _ in self.metadata.list_keys(f"links/{owner}/")) < MAX_LINKS:
            return
        remembered = 0
        for link in self._links(owner):
            if link.is_forgotten(now):
                self._forget(link)
            else:
                remembered += 1
        if remembered >= MAX_LINKS:
            raise TooManyLinksError(max_links=MAX_LINKS)

    def _forget(self, link: UploadLink) -> None:
        for use in self.records.uses(link.owner, link.link_id):
            self.records.release_use(use.ref, use.size_bytes, use.link_id)
        self.metadata.delete(link.key)

    def _require_links(self) -> None:
        if not self.longest:
            raise ForbiddenError(reason="this platform has no upload links")

    def _log(self, event: str, link: UploadLink) -> None:
        about_upload(owner=link.owner, link_id=link.link_id)
        log.info(event, extra={"maxVideos": link.max_videos, "maxBytes": link.max_bytes})


def tokens_by_id(tokens: UploadTokens, links: Iterable[UploadLink]) -> dict[str, str]:
    """Tokens of links, several at a time: each takes a call of KMS."""
    asked = list(links)
    issue = carried(tokens.issue_for_link)
    with ThreadPoolExecutor(_PARALLEL_CALLS) as workers:
        issued = workers.map(lambda link: issue(link.owner, link.link_id), asked)
        return {link.link_id: token for link, token in zip(asked, issued, strict=True)}


def _key(owner: str, link_id: str) -> str:
    return f"links/{owner}/{link_id}"


def _used(link: UploadLink, uses: Iterable[LinkUse]) -> UsedLink:
    sizes = [use.size_bytes for use in uses]
    return UsedLink(link, len(sizes), sum(sizes))
