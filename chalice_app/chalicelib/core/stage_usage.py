"""Storage of the whole stage: counted by the janitor from S3's lists, and compared with the stage's limit.

An exact counter would be one hot object. The count is up to an hour old, or as old as the last sweep if the stage is
nearly full; reservations made since are added. A stage may exceed its limit by the uploads that begin and settle
between two counts.
"""

import json
import logging
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from chalicelib.core.ports import Clock, MetadataBucket, Meter, VideoBucket
from chalicelib.core.records import Records

log = logging.getLogger(__name__)

COUNT_KEY = "usage/stage.json"
COUNT_EVERY = timedelta(hours=1)
NEARLY_FULL = 0.9
"""Share of the limit from which each sweep counts."""

MOST_LISTED = 500_000
"""Videos that one sweep lists, 1,000 a request. The next sweep continues a longer count."""

MAX_COUNT_TIME = timedelta(seconds=60)
"""Share of the janitor's time that one sweep gives to the count, however slow S3 is."""

_LISTED_A_REQUEST = 1_000
"""Videos between two checks of the clock: S3 API reference, ListObjectsV2."""

_STEPS = 100
"""Free bytes are reported in hundredths of the limit, so that probing by size reveals little about other users."""

CLOCKS_DIFFER = timedelta(minutes=1)
"""Allowed difference between S3's clock and ours. A reservation made in the minute before a count may be added
twice."""


@dataclass(frozen=True, kw_only=True)
class StageCount:
    """reserved_bytes: of uploads that were open, and not stored, at `counted_at`."""

    stored_bytes: int
    stored_videos: int
    reserved_bytes: int
    counted_at: datetime


@dataclass(frozen=True, kw_only=True)
class ShownUsage:
    """The last count, None before the first, and the current reservations. max_bytes: 0 for no limit."""

    count: StageCount | None
    reserved_bytes: int
    reserved_videos: int
    max_bytes: int


@dataclass(kw_only=True)
class _UnfinishedCount:
    """A count in progress. reserved: bytes by file key, of uploads not found stored so far."""

    started_at: datetime
    after_key: str = ""
    stored_bytes: int = 0
    stored_videos: int = 0
    reserved: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, kw_only=True)
class StageUsage:
    """max_bytes: 0 for no limit."""

    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    meter: Meter
    now: Clock
    max_bytes: int
    most_listed: int = MOST_LISTED

    def used_bytes(self) -> int:
        """The last count plus the reservations made since; before the first count, all reservations."""
        count, _ = self._read()
        since = count.counted_at - CLOCKS_DIFFER if count else None
        reserved_since = sum(
            marker.size_bytes for marker in self.records.markers() if since is None or marker.last_modified >= since
        )
        return reserved_since + (count.stored_bytes + count.reserved_bytes if count else 0)

    def shown(self) -> ShownUsage:
        count, _ = self._read()
        reserved = [marker.size_bytes for marker in self.records.markers() if marker.is_reservation]
        return ShownUsage(
            count=count, reserved_bytes=sum(reserved), reserved_videos=len(reserved), max_bytes=self.max_bytes
        )

    def free_bytes(self, held_bytes: int = 0) -> int:
        """Free bytes, rounded down to hundredths of the limit. held_bytes: used bytes that count as free."""
        free = max(0, self.max_bytes - self.used_bytes() + held_bytes)
        return free * _STEPS // self.max_bytes * self.max_bytes // _STEPS

    def record(self) -> None:
        """Count if it is time, and publish the gauges. A failure is logged and counted: uploads go on without it."""
        try:
            count = self._count()
        except Exception:
            log.exception("stored videos could not be counted")
            self.meter.record(janitor_failures_count=1)
            return
        self.meter.record(
            stage_stored_bytes=count.stored_bytes if count else 0,
            stage_stored_videos_count=count.stored_videos if count else 0,
        )

    def _count(self) -> StageCount | None:
        count, counting = self._read()
        if counting is None:
            if count and not self._is_due(count):
                return count
            # Before anything is listed: later reservations count as made since.
            started_at = self.now()
            reserved = {each.ref.file_key: each.size_bytes for each in self.records.markers() if each.is_reservation}
            counting = _UnfinishedCount(started_at=started_at, reserved=reserved)
        if self._is_finished(counting):
            count = StageCount(
                stored_bytes=counting.stored_bytes,
                stored_videos=counting.stored_videos,
                reserved_bytes=sum(counting.reserved.values()),
                counted_at=counting.started_at,
            )
            counting = None
            log.info("stage counted", extra={"storedBytes": count.stored_bytes, "storedVideos": count.stored_videos})
        self._write(count, counting)
        return count

    def _is_due(self, count: StageCount) -> bool:
        nearly_full = self.max_bytes and count.stored_bytes + count.reserved_bytes > NEARLY_FULL * self.max_bytes
        return bool(nearly_full) or count.counted_at <= self.now() - COUNT_EVERY

    def _is_finished(self, counting: _UnfinishedCount) -> bool:
        """Continue a count. A video that is both stored and reserved counts once, as stored."""
        listed, began = 0, self.now()
        for video in islice(self.videos.list_videos("videos/", counting.after_key), self.most_listed):
            listed += 1
            counting.after_key = video.file_key
            counting.stored_bytes += video.size_bytes
            counting.stored_videos += 1
            counting.reserved.pop(video.file_key, None)
            if listed % _LISTED_A_REQUEST == 0 and self.now() >= began + MAX_COUNT_TIME:
                return False
        return listed < self.most_listed

    def _read(self) -> tuple[StageCount | None, _UnfinishedCount | None]:
        stored = self.metadata.get(COUNT_KEY)
        if stored is None:
            return None, None
        noted: dict[str, dict[str, Any] | None] = json.loads(stored.body)
        count, counting = noted["count"], noted["counting"]
        return (
            StageCount(**_with_time(count, "counted_at")) if count else None,
            _UnfinishedCount(**_with_time(counting, "started_at")) if counting else None,
        )

    def _write(self, count: StageCount | None, counting: _UnfinishedCount | None) -> None:
        noted = {
            "count": asdict(count) if count else None,
            "counting": asdict(counting) if counting else None,
        }
        self.metadata.put(COUNT_KEY, json.dumps(noted, default=datetime.isoformat).encode(), "application/json")


def _with_time(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {**fields, name: datetime.fromisoformat(fields[name])}
