"""Retention: a daily walk over all stored videos, which announces the deletion of due ones and deletes announced ones.

A walk takes limited time and continues in the next sweep. It lists objects, and reads the record only of a video that
is old enough for its warning.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from chalicelib.core.announcements import Announcements
from chalicelib.core.deletion import Deletions
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.ports import Clock, ListedVideo, MetadataBucket, Meter, VideoBucket
from chalicelib.core.records import Records
from chalicelib.core.retention_policy import RetentionPolicy, Step
from chalicelib.core.video_events import owed_warning
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import Deleter, State, VideoRecord

log = logging.getLogger(__name__)

WALK_KEY = "usage/retention.json"
WALK_EVERY = timedelta(days=1)
WALKS_A_WARNING = 4
"""Fewest walks within the warning time: with a warning of one day, a deletion is at most six hours late."""

LEAST_BREAK = timedelta(hours=1)
"""Pause, of two walks at least, after which retention counts as newly turned on."""

MAX_WALK_TIME = timedelta(seconds=60)
"""Share of the janitor's time that one sweep gives to the walk."""

_LISTED_AT_ONCE = 200
"""Videos between two looks at the clock."""

_PARALLEL_LOOKS = 8


@dataclass(kw_only=True)
class _Walk:
    """on_since: since when walks have followed one another. active_at: when a walk last made progress."""

    on_since: datetime
    started_at: datetime
    active_at: datetime
    after_key: str = ""
    is_finished: bool = False


class CheckOutcome(StrEnum):
    """Outcome of the check of one video."""

    YOUNG = "young"
    KEPT = "kept"
    WARNED = "warned"
    DELETED = "deleted"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Retention:
    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    announcements: Announcements
    deletions: Deletions
    meter: Meter
    now: Clock
    policy: RetentionPolicy

    def walk(self) -> Counter[str]:
        """Continue the walk, or begin one if it is time. A failure is logged and counted, and the other work goes
        on."""
        done: Counter[str] = Counter()
        if not self.policy.is_on:
            return done
        try:
            self._go_on(done)
        except Exception:
            log.exception("the check of stored videos was interrupted")
            done[CheckOutcome.FAILED] += 1
        self.meter.record(
            retention_warnings_count=done[CheckOutcome.WARNED],
            retention_deletions_count=done[CheckOutcome.DELETED],
            **({"janitor_failures_count": done[CheckOutcome.FAILED]} if done[CheckOutcome.FAILED] else {}),
        )
        if done:
            log.info("stored videos checked", extra={"outcomes": dict(done)})
        return done

    def _go_on(self, done: Counter[str]) -> None:
        began = self.now()
        walk = self._current(began)
        if walk is None:
            return
        try:
            for batch in self._batches(walk.after_key):
                self._look_at_all(batch, walk.on_since, done)
                walk.after_key = batch[-1].file_key
                if self.now() >= began + MAX_WALK_TIME:
                    return
            walk.is_finished = True
        finally:
            walk.active_at = self.now()
            self._write(walk)

    def _current(self, now: datetime) -> _Walk | None:
        """The walk to continue, None while it is too early for the next."""
        walk, every = self._read(), min(WALK_EVERY, self.policy.warning / WALKS_A_WARNING)
        if walk is None or now - walk.active_at > max(2 * every, LEAST_BREAK):
            # Turned on, or paused meanwhile: earlier warnings may have come when nobody could act on them.
            return _Walk(on_since=now, started_at=now, active_at=now)
        if not walk.is_finished:
            return walk
        if walk.started_at > now - every:
            return None
        return _Walk(on_since=walk.on_since, started_at=now, active_at=now)

    def _batches(self, after_key: str) -> Iterator[list[ListedVideo]]:
        listed = self.videos.list_videos("videos/", after_key)
        while batch := list(islice(listed, _LISTED_AT_ONCE)):
            yield batch

    def _look_at_all(self, batch: list[ListedVideo], on_since: datetime, done: Counter[str]) -> None:
        # An object is never younger than its upload's end, from which retention counts.
        oldest_young = self.now() - self.policy.stays + self.policy.warning
        old = [video for video in batch if video.last_modified <= oldest_young]
        if young := len(batch) - len(old):
            done[CheckOutcome.YOUNG] += young
        with ThreadPoolExecutor(_PARALLEL_LOOKS) as workers:
            done.update(workers.map(carried(lambda video: self._outcome(video, on_since)), old))

    def _outcome(self, video: ListedVideo, on_since: datetime) -> CheckOutcome:
        about_upload()
        try:
            ref = VideoRef.from_file_key(video.file_key)
            record = self.records.find(ref) if ref else None
            return self._look_at(record, on_since) if record else CheckOutcome.KEPT
        except Exception:
            log.exception("video could not be checked")
            return CheckOutcome.FAILED

    def _look_at(self, record: VideoRecord, on_since: datetime) -> CheckOutcome:
        match self.policy.next_step(record, self.now(), on_since):
            case Step.KEEP:
                return CheckOutcome.KEPT
            case Step.WARN:
                return self._warn(record, on_since)
            case Step.DELETE:
                return self._delete(record, on_since)

    def _warn(self, record: VideoRecord, on_since: datetime) -> CheckOutcome:
        """Noted before it is sent, so that a repetition is the same event."""

        def decide(current: VideoRecord) -> VideoRecord | None:
            if self.policy.next_step(current, self.now(), on_since) is not Step.WARN:
                return None
            return None if self.policy.is_warned(current, on_since) else self.policy.warned(current, self.now())

        change = self.records.change(record, decide)
        if change is None or owed_warning(change.record) is None:
            return CheckOutcome.KEPT
        self.announcements.send_warning(change.record)
        return CheckOutcome.WARNED

    def _delete(self, record: VideoRecord, on_since: datetime) -> CheckOutcome:
        def is_wanted(current: VideoRecord) -> bool:
            return self.policy.next_step(current, self.now(), on_since) is Step.DELETE

        change = self.deletions.delete(record, Deleter.RETENTION, is_wanted)
        return (
            CheckOutcome.DELETED
            if change and change.mine and change.record.state is State.DELETED
            else CheckOutcome.KEPT
        )

    def _read(self) -> _Walk | None:
        stored = self.metadata.get(WALK_KEY)
        if stored is None:
            return None
        noted: dict[str, Any] = json.loads(stored.body)
        return _Walk(
            on_since=datetime.fromisoformat(noted["on_since"]),
            started_at=datetime.fromisoformat(noted["started_at"]),
            active_at=datetime.fromisoformat(noted["active_at"]),
            after_key=noted["after_key"],
            is_finished=noted["is_finished"],
        )

    def _write(self, walk: _Walk) -> None:
        body = json.dumps(asdict(walk), default=datetime.isoformat).encode()
        self.metadata.put(WALK_KEY, body, "application/json")
