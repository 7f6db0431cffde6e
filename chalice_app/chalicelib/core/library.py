"""A user's library: list, view and delete videos."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

from chalicelib.core.deletion import Deletions
from chalicelib.core.errors import IndexMissingError, VideoNotFoundError
from chalicelib.core.index.lines import Line, record_in
from chalicelib.core.index.packs import Pack
from chalicelib.core.index.queries import NEWEST_FIRST, Query, Sort
from chalicelib.core.index.reading import MOST_READ_RECORDS, IndexReader
from chalicelib.core.index.view import View
from chalicelib.core.labels import Labels
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.ports import Clock, Meter
from chalicelib.core.records import Records
from chalicelib.core.retention_policy import FOR_EVER, Expiry, RetentionPolicy
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, Deleter, State, VideoRecord
from chalicelib.core.viewing_urls import ViewingUrls, ViewingUrlSource

log = logging.getLogger(__name__)

INDEXED_WITHIN_SECONDS = 60
"""Time after which a requested library is indexed."""


_PARALLEL_DELETIONS = 8
"""Deletions at the same time. Each waits for about ten calls in turn; one after the other, a hundred would exceed API
Gateway's 29 s."""


class DeletionOutcome(StrEnum):
    """Outcome of one of several deletions."""

    DELETED = "deleted"
    NOT_FOUND = "not_found"
    FAILED = "failed"


@dataclass(frozen=True)
class SeenVideo:
    """A video as its owner sees it. urls: None unless it is ready. expiry: None if retention never deletes it."""

    record: VideoRecord
    urls: ViewingUrls | None
    urls_expire_at: datetime
    expiry: Expiry | None = None


@dataclass(frozen=True, kw_only=True)
class Library:
    records: Records
    index: IndexReader
    urls: ViewingUrlSource
    deletions: Deletions
    meter: Meter
    now: Clock
    retention: RetentionPolicy = FOR_EVER
    most_read_records: int = MOST_READ_RECORDS

    def page(
        self, owner: str, limit: int, cursor: str = "", query: Query = NEWEST_FIRST
    ) -> tuple[list[SeenVideo], str | None]:
        """One page of the query's results, and the cursor of the next, None at the end. Raises InvalidRequestError."""
        records, next_cursor = self.found(owner, limit, cursor, query)
        return self._seen(records), next_cursor

    def found(
        self, owner: str | None, limit: int, cursor: str = "", query: Query = NEWEST_FIRST
    ) -> tuple[list[VideoRecord], str | None]:
        """A page as `page` returns it, of all owners if `owner` is None: the records as far as a library shows them.

        Raises InvalidRequestError, IndexMissingError.
        """
        view = self.index.view(owner)
        if view is None:
            # From version 0.1, new, or far behind: the next folding makes the index, or brings it up to date.
            self.index.request(owner)
            lines, next_cursor = self._page_of_records(owner, limit, cursor, query)
        else:
            lines, next_cursor = view.page(query, limit, cursor)
        return [record_in(line.facts) for line in lines], next_cursor

    def _page_of_records(
        self, owner: str | None, limit: int, cursor: str, query: Query
    ) -> tuple[list[Line], str | None]:
        """A page of records that are read one by one.

        Tombstones are read and skipped, and there may be thousands in a row: a page of the newest videos ends at
        `most_read_records`, with fewer videos than `limit` or none. Other orders, and the order of all owners' videos,
        need more reads than that. Raises IndexMissingError, InvalidRequestError.
        """
        is_newest_first = query.sort is Sort.NEWEST and owner is not None
        position = query.position_of(cursor) if is_newest_first else None
        after = position[1].partition("/")[0] if position else ""
        all_refs = self.records.refs_newest_first(owner, after) if owner else self.records.refs_of_stage()
        refs = list(islice(all_refs, self.most_read_records + 1))
        looked_at = refs[: self.most_read_records]
        if looked_at != refs and not is_newest_first:
            raise IndexMissingError(retry_after_seconds=INDEXED_WITHIN_SECONDS)
        lines: list[Line] = []
        found = 0
        for record in self.records.read_each(looked_at):
            if record:
                lines.append(Line.of(record))
                found += bool(lines[-1].facts) and all(word in lines[-1].text for word in query.words)
            if is_newest_first and found > limit:
                break
        page, next_cursor = View(Pack(), {line.key: line for line in lines}).page(query, limit, cursor)
        if next_cursor is None and looked_at != refs:
            next_cursor = query.cursor_after(Line.gone(looked_at[-1], 0))
        return page, next_cursor

    def show(self, ref: VideoRef) -> SeenVideo:
        record = self.records.find(ref)
        if record is None or record.state is State.DELETED:
            raise VideoNotFoundError
        return self._seen([record])[0]

    def edit(self, ref: VideoRef, relabel: Callable[[Labels], Labels]) -> SeenVideo:
        """Change a video's labels and nothing else, whatever else changes meanwhile. Raises VideoNotFoundError."""

        def decide(current: VideoRecord) -> VideoRecord | None:
            labels = relabel(current.labels)
            return current.labelled(labels) if current.state not in GONE_STATES and labels != current.labels else None

        change = self.records.change(ref, decide)
        if change is None or change.record.state in GONE_STATES:
            raise VideoNotFoundError
        if change.mine:
            log.info("video edited")
        return self._seen([change.record])[0]

    def show_alone(self, ref: VideoRef) -> SeenVideo:
        """The video with URLs that open no other video of its owner. Raises VideoNotFoundError."""
        record = self.records.find(ref)
        if record is None or record.state is State.DELETED:
            raise VideoNotFoundError
        urls, urls_expire_at = self.urls.for_one(record) if record.state is State.READY else (None, self.now())
        return SeenVideo(record, urls, urls_expire_at, self.retention.expiry(record, self.now()))

    def delete(self, ref: VideoRef, by: Deleter = Deleter.OWNER) -> datetime:
        """Delete a video for its owner or an administrator. Safe to repeat. Raises VideoNotFoundError.

        Returns when the last issued viewing URL expires: a signed URL cannot be revoked.
        """
        record = self.records.find(ref)
        if record is None:
            raise VideoNotFoundError
        change = self.deletions.delete(record, by)
        if change is None:
            raise VideoNotFoundError
        if change.mine:
            self.meter.record(videos_deleted_count=1)
        return self.last_urls_expire_at

    @property
    def last_urls_expire_at(self) -> datetime:
        """The expiry of viewing URLs that are issued now."""
        return self.now() + timedelta(seconds=self.urls.ttl_seconds)

    def delete_each(self, refs: Sequence[VideoRef], by: Deleter = Deleter.OWNER) -> list[DeletionOutcome]:
        """Delete several videos independently: one that fails stays, and does not hold up the others."""

        def delete(ref: VideoRef) -> DeletionOutcome:
            about_upload(owner=ref.owner, video_id=ref.video_id)
            try:
                self.delete(ref, by)
            except VideoNotFoundError:
                return DeletionOutcome.NOT_FOUND
            except Exception:
                log.exception("video not deleted")
                return DeletionOutcome.FAILED
            return DeletionOutcome.DELETED

        with ThreadPoolExecutor(_PARALLEL_DELETIONS) as workers:
            return [each.result() for each in [workers.submit(carried(delete), ref) for ref in refs]]

    def _seen(self, records: Iterable[VideoRecord]) -> list[SeenVideo]:
        records = list(records)
        ready = [record for record in records if record.state is State.READY]
        urls, urls_expire_at = self.urls.for_viewing(ready)
        if ready:
            log.info("viewing URLs issued", extra={"videoIds": [record.video_id for record in ready]})
        now = self.now()
        return [
            SeenVideo(record, urls.get(record.video_id), urls_expire_at, self.retention.expiry(record, now))
            for record in records
        ]
