"""The library's index while many write to it: how long a page of the stage takes, and how far it is behind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bench.arrivals import Announcements
from bench.poller import Poller
from chalicelib.core.index.lines import LISTED_STATES, Line, record_in
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.index.reading import IndexReader
from chalicelib.core.records import Records
from chalicelib.core.video_record import State, VideoRecord

PAUSE_SECONDS = 1.0
LONGEST_LAG_SECONDS = 60
PAGE_VIDEOS = 24
ALL_VIDEOS = 1_000_000
SETTLED = frozenset({State.READY, State.REJECTED})


@dataclass
class IndexFindings:
    """page_seconds: of pages of the stage's index, one a look. lag_seconds: from a video's announcement to the first
    look that shows it settled, the pause between two looks included. differences: from the records, at the end.
    """

    page_seconds: list[float] = field(default_factory=list[float])
    lag_seconds: list[float] = field(default_factory=list[float])
    unseen: int = 0
    differences: int = 0

    @property
    def is_sound(self) -> bool:
        return not self.unseen + self.differences and max(self.lag_seconds, default=0) <= LONGEST_LAG_SECONDS

    def rows(self) -> list[tuple[str, str | int]]:
        """For the report."""
        pages = sorted(self.page_seconds) or [0.0]
        return [
            ("looks at the stage's index", len(self.page_seconds)),
            ("a page of it, median and longest seconds", f"{statistics.median(pages):.3f}, {pages[-1]:.3f}"),
            ("seconds until it shows a ready video, longest", f"{max(self.lag_seconds, default=0):.1f}"),
            ("ready videos that it never showed", self.unseen),
            ("differences between index and records at the end", self.differences),
        ]


class IndexWatch(Poller):
    """Looks at the index of the stage as the API does, once a second, until it is left."""

    def __init__(self, index: IndexReader, records: Records, announcements: Announcements) -> None:
        super().__init__(PAUSE_SECONDS)
        self.findings = IndexFindings()
        self._index, self._records, self._announcements = index, records, announcements
        self._announced_at: dict[str, float] = {}
        self._seen: set[str] = set()

    def finish(self) -> IndexFindings:
        """Look until all that was announced is shown, a minute at most; then compare the index with the records."""
        ends = time.monotonic() + LONGEST_LAG_SECONDS
        while self.look() and time.monotonic() < ends:
            time.sleep(PAUSE_SECONDS)
        self.findings.unseen = len(self._announced_at.keys() - self._seen)
        stored = [record for record in self._records.read_each(list(self._records.refs_of_stage())) if record]
        self.findings.differences = len(list(differences(self._index, stored, are_owners_indexed=False)))
        return self.findings

    def look(self) -> bool:
        """Return whether an announced video is not shown yet."""
        for video_id in list(self._announcements.states):
            self._announced_at.setdefault(video_id, time.monotonic())
        began = time.perf_counter()
        view = self._index.view(None)
        if view is None:
            return bool(self._announced_at)
        view.page(NEWEST_FIRST, PAGE_VIDEOS)
        self.findings.page_seconds.append(time.perf_counter() - began)
        found = (record_in(line.facts) for line in view.page(NEWEST_FIRST, ALL_VIDEOS)[0])
        shown = {record.video_id for record in found if record.state in SETTLED}
        for video_id in (self._announced_at.keys() & shown) - self._seen:
            self._seen.add(video_id)
            self.findings.lag_seconds.append(time.monotonic() - self._announced_at[video_id])
        return bool(self._announced_at.keys() - self._seen)


def differences(
    index: IndexReader, records: Iterable[VideoRecord], *, are_owners_indexed: bool = True
) -> Iterator[str]:
    """Videos that the index of the stage, or of their owner, shows otherwise than their records do.

    are_owners_indexed: False where owners may be without an index; the API then reads their records.
    """
    by_owner: dict[str | None, dict[str, VideoRecord]] = {None: {}}
    for record in records:
        for owner in (None, record.owner):
            by_owner.setdefault(owner, {})[Line.of(record).key] = record
    for owner, known in by_owner.items():
        view = index.view(owner)
        if view is None and owner and not are_owners_indexed:
            continue
        if view is None:
            yield f"{owner or 'the stage'} has no index"
            continue
        told = {line.key: line for line in view.page(NEWEST_FIRST, len(known) + 1_000)[0]}
        for key in told.keys() | known.keys():
            record = known.get(key)
            facts = _facts(record) if record and record.state in LISTED_STATES else ""
            shown = record_in(told[key].facts) if key in told else None
            if (_facts(shown) if shown else "") != facts:
                yield f"the index of {owner or 'the stage'} shows {key} as {shown and shown.state}"


def _facts(record: VideoRecord) -> str:
    return Line.of(record.noted(revision=0)).facts
