"""A user's library: list, view and delete videos."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.core.deletion import Deletions
from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.labels import Labels
from chalicelib.core.ports import Clock, Meter
from chalicelib.core.records import Records
from chalicelib.core.retention_policy import FOR_EVER, Expiry, RetentionPolicy
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, Deleter, State, VideoRecord
from chalicelib.core.viewing_urls import ViewingUrls, ViewingUrlSource

log = logging.getLogger(__name__)

MOST_READ_RECORDS = 400
"""Limit of one call: fifty rounds of eight, which take 10 s even if each round takes 0.2 s. API Gateway gives up after
29 s (API Gateway quotas, "Maximum integration timeout"). Fewer would mean more calls for an owner who deletes much."""

LISTED_STATES = frozenset({State.UPLOADING, State.COMPLETING, State.PROCESSING, State.READY, State.REJECTED})


@dataclass(frozen=True)
class SeenVideo:
    """A video as its owner sees it. urls: None unless it is ready. expiry: None if retention does not delete it."""

    record: VideoRecord
    urls: ViewingUrls | None
    urls_expire_at: datetime
    expiry: Expiry | None = None


@dataclass(frozen=True, kw_only=True)
class Library:
    records: Records
    urls: ViewingUrlSource
    deletions: Deletions
    meter: Meter
    now: Clock
    retention: RetentionPolicy = FOR_EVER
    most_read_records: int = MOST_READ_RECORDS

    def page(self, owner: str, limit: int, after_video_id: str) -> tuple[list[SeenVideo], str | None]:
        """Newest first, and the id after which the next page goes on, None at the end.

        Tombstones are read to be skipped, and an owner may have left thousands of them in a row: a page ends at
        `most_read_records`, with fewer videos than `limit` or none.
        """
        refs = list(islice(self.records.refs_newest_first(owner, after_video_id), self.most_read_records + 1))
        page: list[VideoRecord] = []
        last = None
        for ref, record in zip(refs, self.records.read_each(refs[: self.most_read_records]), strict=False):
            last = ref
            if record and record.state in LISTED_STATES:
                page.append(record)
            if len(page) == limit:
                break
        # The last one looked at, shown or not: tombstones are not looked at again.
        return self._seen(page), last.video_id if last and last != refs[-1] else None

    def show(self, ref: VideoRef) -> SeenVideo:
        record = self.records.find(ref)
        if record is None or record.state is State.DELETED:
            raise VideoNotFoundError
        return self._seen([record])[0]

    def edit(self, ref: VideoRef, relabel: Callable[[Labels], Labels]) -> SeenVideo:
        """Change a video's labels and nothing else, whatever happens to it meanwhile. Raises VideoNotFoundError."""

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

        Returns when the last viewing URL ends that was given out before: nothing revokes a signed URL.
        """
        record = self.records.find(ref)
        if record is None:
            raise VideoNotFoundError
        change = self.deletions.delete(record, by)
        if change is None:
            raise VideoNotFoundError
        if change.mine:
            self.meter.record(videos_deleted_count=1)
        return self.now() + timedelta(seconds=self.urls.ttl_seconds)

    def _seen(self, records: Iterable[VideoRecord]) -> list[SeenVideo]:
        records = list(records)
        ready = [record for record in records if record.state is State.READY]
        urls, urls_expire_at = self.urls.for_viewing(ready)
        if ready:
            log.info("viewing URLs given", extra={"videoIds": [record.video_id for record in ready]})
        now = self.now()
        return [
            SeenVideo(record, urls.get(record.video_id), urls_expire_at, self.retention.expiry(record, now))
            for record in records
        ]
