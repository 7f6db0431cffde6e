"""Budget of conversions: how much video is converted in a day, per user and for the stage. Each minute is billed.

One object, changed under its ETag and only by the janitor. If a function dies between the count and the job, too much
is counted, never too little.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from math import ceil

from chalicelib.core.ports import Clock, MetadataBucket, StorageBusyError
from chalicelib.core.video_id import VideoRef

BUDGET_KEY = "usage/conversions.json"
LEAST_SECONDS = 10
"""MediaConvert pricing page, "On-Demand pricing": the least that is billed for an output."""

MOST_AT_ONCE = 20
"""Concurrent jobs of one user. A file may hide its real length, which is known only once its job has ended."""

REFUSED_FOR = timedelta(minutes=1)
"""Time for which a refused user is refused without another check: one sweep may find thousands of waiting videos."""

_WINDOW = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_MOST_WRITE_RACES = 12


@dataclass(kw_only=True)
class _Spent:
    """hours: seconds by owner and beginning of the hour. running: beginning by owner and video id."""

    hours: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    running: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def forget_old(self, now: datetime) -> None:
        # An hour is forgotten once its last second is a day old, together with jobs whose end nobody saw.
        oldest = now - _WINDOW - _HOUR
        self.hours = {
            owner: kept
            for owner, hours in self.hours.items()
            if (kept := {hour: seconds for hour, seconds in hours.items() if datetime.fromisoformat(hour) > oldest})
        }
        self.running = {
            owner: kept
            for owner, videos in self.running.items()
            if (kept := {video: begun for video, begun in videos.items() if datetime.fromisoformat(begun) > oldest})
        }

    def of(self, owner: str) -> int:
        return sum(self.hours.get(owner, {}).values())

    @property
    def of_stage(self) -> int:
        return sum(self.of(owner) for owner in self.hours)

    def add(self, owner: str, now: datetime, seconds: int) -> None:
        hour = now.replace(minute=0, second=0, microsecond=0).isoformat()
        hours = self.hours.setdefault(owner, {})
        hours[hour] = hours.get(hour, 0) + seconds


@dataclass(frozen=True, kw_only=True)
class ConversionBudget:
    """max_seconds_per_user, max_seconds_per_stage: of video in 24 hours; 0 for no limit. One video always fits, so that
    a long one does not wait for ever."""

    metadata: MetadataBucket
    now: Clock
    max_seconds_per_user: int = 0
    max_seconds_per_stage: int = 0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _refused_at: dict[str, datetime] = field(default_factory=dict[str, datetime], repr=False, compare=False)

    def spend(self, ref: VideoRef, seconds: float) -> bool:
        """Count a conversion that is about to begin. False, with nothing counted, if it has to wait."""
        wanted = max(LEAST_SECONDS, ceil(seconds))
        refused_at = self._refused_at.get(ref.owner)
        if refused_at and refused_at > self.now() - REFUSED_FOR:
            return False

        def decide(spent: _Spent) -> bool:
            running = spent.running.setdefault(ref.owner, {})
            if ref.video_id not in running and len(running) >= MOST_AT_ONCE:
                return False
            if not self._leaves_room(spent, ref.owner, wanted):
                return False
            running[ref.video_id] = self.now().isoformat()
            spent.add(ref.owner, self.now(), wanted)
            return True

        is_let_in = self._change(decide)
        if not is_let_in:
            self._refused_at[ref.owner] = self.now()
        return is_let_in

    def settle(self, ref: VideoRef, seconds_more: float = 0) -> None:
        """Count a conversion as ended. seconds_more: of its result, beyond what was counted when it began."""

        def decide(spent: _Spent) -> bool:
            if spent.running.get(ref.owner, {}).pop(ref.video_id, None) is None:
                return False
            if seconds_more > 0:
                spent.add(ref.owner, self.now(), ceil(seconds_more))
            return True

        self._change(decide)
        self._refused_at.pop(ref.owner, None)

    def _leaves_room(self, spent: _Spent, owner: str, wanted: int) -> bool:
        return all(
            not limit or not before or before + wanted <= limit
            for limit, before in (
                (self.max_seconds_per_user, spent.of(owner)),
                (self.max_seconds_per_stage, spent.of_stage),
            )
        )

    def _change(self, decide: Callable[[_Spent], bool]) -> bool:
        """Write what `decide` has changed and return its result. Raises StorageBusyError after many lost races."""
        with self._one_at_a_time:
            for _ in range(_MOST_WRITE_RACES):
                stored = self.metadata.get(BUDGET_KEY)
                spent = _Spent(**json.loads(stored.body)) if stored else _Spent()
                spent.forget_old(self.now())
                if not decide(spent):
                    return False
                body = json.dumps(asdict(spent), separators=(",", ":")).encode()
                is_written = (
                    self.metadata.put_if_unchanged(BUDGET_KEY, body, stored.etag)
                    if stored
                    else self.metadata.put_if_new(BUDGET_KEY, body)
                )
                if is_written:
                    return True
        raise StorageBusyError
