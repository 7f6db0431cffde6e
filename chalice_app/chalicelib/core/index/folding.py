"""Folding: changed records are read and put into the packs, by one writer at a time.

Each step may be repeated, run twice at once, or end half-way: a writer replaces a pack only if it read the pack before
the records, and a change is removed only once both packs hold it.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from chalicelib.core.index.changes import Change, requested_owner, waiting_owners
from chalicelib.core.index.lines import Line
from chalicelib.core.index.packs import Pack
from chalicelib.core.index.reading import PackKeys, StoredPack, read_pack
from chalicelib.core.log_context import carried
from chalicelib.core.ports import Clock, MetadataBucket, Meter
from chalicelib.core.records import Records
from chalicelib.core.video_id import VideoRef

log = logging.getLogger(__name__)

MOST_CHANGES = 10_000
"""Most changes that are folded together; the rest follow."""

MOST_OF_AN_OWNER = 5_000
"""Most changes of one owner among them, so that others need not wait for all of these."""

MOST_UNINDEXED = 1_000
"""Changes read of an owner who waits for `make index`: one page of a listing, so that nobody else waits."""

WRITING_TIME = timedelta(minutes=15)
"""Time after which a function that announced a record has written it or died."""

MAX_FOLDING_TIME = timedelta(seconds=60)
"""Time after which the janitor leaves the rest to its next run: it has other work."""

MOST_INDEXED_UNASKED = 1_000
"""Most records that are read to make the first index of an owner, or of the stage; more than that wait for `make
index`."""

WAITS_FOR_INDEX = timedelta(days=1)
"""Time for which changes of an owner without an index are kept: `make index` may take hours, and must miss none."""

SHARE_OF_RECENT = 8
"""Share of the base at which the recent pack is merged into it: this bounds the bytes that are written per line."""

_PARALLEL_CALLS = 8
_MAX_RACES = 5


class IndexRacedError(Exception):
    """Another writer was faster, so nothing was written."""


class UnreadableRecordsError(Exception):
    """The index holds all records except these. refs: of the objects that cannot be parsed."""

    def __init__(self, refs: Sequence[VideoRef]) -> None:
        self.refs = refs
        super().__init__(f"unreadable: {', '.join(ref.record_key for ref in refs)}")


class _Folded(NamedTuple):
    """changes: those that are finished. is_all: whether nothing was left out for lack of room or time."""

    changes: int
    is_all: bool


@dataclass
class _Batch:
    """A set of changes that are folded together. lines: for the stage's packs. ended, requests: to remove once those
    hold them.

    room: how many more changes fit.
    """

    room: int
    lines: dict[str, Line] = field(default_factory=dict[str, Line])
    ended: list[Change] = field(default_factory=list[Change])
    requests: list[str] = field(default_factory=list[str])
    owners: int = 0
    is_all: bool = True


@dataclass(frozen=True, kw_only=True)
class Folding:
    metadata: MetadataBucket
    records: Records
    meter: Meter
    now: Clock

    def record(self) -> bool:
        """Fold until nothing is left or the time is up; return whether nothing is left.

        A failure is logged and counted, and counts as something left: the changes stay for the next folding.
        """
        until = self.now() + MAX_FOLDING_TIME
        try:
            while not (folded := self._fold(until)).is_all:
                if not folded.changes or self.now() > until:
                    return False
        except Exception:
            log.exception("the index could not be updated")
            self.meter.record(janitor_failures_count=1)
            return False
        return True

    def fold(self) -> int:
        """Fold changes; return how many are finished."""
        return self._fold(self.now() + MAX_FOLDING_TIME).changes

    def _fold(self, until: datetime) -> _Folded:
        stage: _Packs | None = None
        batch = _Batch(room=MOST_CHANGES)
        for owner, waiting in waiting_owners(self.metadata):
            is_late = self.now() > until
            if is_late or batch.room <= 0:
                log.warning("some changes are not yet in the index", extra={"isLate": is_late})
                batch.is_all = False
                break
            # Before any record is read.
            stage = stage or _Packs.read(self.metadata, None)
            try:
                self._fold_owner(owner, waiting, batch)
            except IndexRacedError:
                log.info("another writer was faster")
        return self._end(stage, batch) if stage else _Folded(0, is_all=batch.is_all)

    def _end(self, stage: "_Packs", batch: _Batch) -> _Folded:
        """Put the lines of the owners' packs into the stage's, and remove changes that both hold."""
        if not stage.base.is_made:
            self._make_small_stage()
        elif batch.lines:
            try:
                stage.put(self.metadata, batch.lines)
            except IndexRacedError:
                log.info("another writer was faster")
                return _Folded(0, is_all=batch.is_all)
        self._remove(batch.ended)
        for key in batch.requests:
            self.metadata.delete(key)
        log.info("index folded", extra={"changes": len(batch.ended), "owners": batch.owners})
        return _Folded(len(batch.ended), is_all=batch.is_all)

    def rebuild(self, owner: str | None) -> int:
        """Make the packs of an owner, or of the stage, from the records; return how many records there are.

        Raises IndexRacedError after many lost races, UnreadableRecordsError once all others are indexed.
        """
        for _ in range(_MAX_RACES):
            before = _Packs.read(self.metadata, owner)
            refs = list(self.records.refs_newest_first(owner) if owner else self.records.refs_of_stage())
            unreadable: list[VideoRef] = []
            lines = [Line.of(record) for record in self.records.read_each(refs, unreadable) if record]
            base = replace(Pack.of(line for line in lines if line.facts), absorbed=before.recent.etag)
            try:
                before.put_base(self.metadata, base)
            except IndexRacedError:
                continue
            if unreadable:
                raise UnreadableRecordsError(unreadable)
            return len(refs)
        raise IndexRacedError

    def forget(self, owner: str) -> None:
        """Take an owner's lines out of the stage's packs. Raises IndexRacedError after many lost races."""
        for _ in range(_MAX_RACES):
            before = _Packs.read(self.metadata, None)
            if not before.base.is_made:
                return
            kept = {line.key: line for line in before.base.pack.lines()}
            kept |= {line.key: line for line in before.unabsorbed.lines()}
            base = Pack.of(line for line in kept.values() if line.facts and line.ref.owner != owner)
            try:
                before.put_base(self.metadata, replace(base, absorbed=before.recent.etag))
            except IndexRacedError:
                continue
            return
        raise IndexRacedError

    def _make_small_stage(self) -> None:
        """Index a new stage. A large stage that never had an index is left to the operators' command."""
        if self._has_many(self.records.refs_of_stage()):
            log.warning("the stage has no index yet: run `make index`")
            return
        self._make_first(None)

    def _make_first(self, owner: str | None) -> None:
        try:
            self.rebuild(owner)
        except UnreadableRecordsError as error:
            log.error("the first index lacks records: %s", error)

    @staticmethod
    def _has_many(refs: Iterator[VideoRef]) -> bool:
        return len(list(islice(refs, MOST_INDEXED_UNASKED + 1))) > MOST_INDEXED_UNASKED

    def _fold_owner(self, owner: str, waiting: Iterator[Change | str], batch: _Batch) -> None:
        """Put an owner's changes into its packs, and their lines into the batch. Raises IndexRacedError."""
        packs = _Packs.read(self.metadata, owner)
        is_unindexed = not packs.base.is_made and self._has_many(self.records.refs_newest_first(owner))
        listed = list(islice(waiting, MOST_UNINDEXED if is_unindexed else min(MOST_OF_AN_OWNER, batch.room)))
        changes = [each for each in listed if isinstance(each, Change)]
        requests = [each for each in listed if isinstance(each, str) and requested_owner(each)]
        if not changes and not requests:
            return
        batch.owners += 1
        batch.requests += requests
        if is_unindexed:
            log.warning("an owner has no index yet: run `make index`", extra={"owner": owner})
            batch.ended += [change for change in changes if change.written_at < self.now() - WAITS_FOR_INDEX]
            return
        batch.room -= len(listed)
        batch.is_all = batch.is_all and next(waiting, None) is None
        lines = self._lines(changes)
        over = [change for change in changes if self._is_over(change, lines.get(change.ref))]
        done_with = {change.ref for change in over}
        by_key = {line.key: line for ref, line in lines.items() if ref in done_with}
        if not packs.base.is_made:
            self._make_first(owner)
        elif by_key:
            packs.put(self.metadata, by_key)
        batch.lines |= by_key
        batch.ended += over

    def _lines(self, changes: Iterable[Change]) -> dict[VideoRef, Line]:
        """The lines of the records, which are read after the packs and the changes."""
        told = defaultdict[VideoRef, int](int)
        for change in changes:
            told[change.ref] = max(told[change.ref], change.revision if change.coded_facts is not None else 0)
        lines: dict[VideoRef, Line] = {}
        unreadable: list[VideoRef] = []
        for ref, record in zip(told, self.records.read_each(told, unreadable), strict=True):
            if ref in unreadable:
                # The index keeps what it has: one such record must not hide the others.
                log.error("a record is unreadable", extra={"key": ref.record_key})
            elif record:
                lines[ref] = Line.of(record)._replace(revision=max(record.revision, told[ref]))
            elif told[ref]:
                # A lifecycle rule, or an operator, has removed it.
                lines[ref] = Line.gone(ref, told[ref])
        return lines

    def _is_over(self, change: Change, line: Line | None) -> bool:
        if line and change.revision <= line.revision:
            return True
        return change.written_at < self.now() - WRITING_TIME

    def _remove(self, changes: Iterable[Change]) -> None:
        """Each video's changes in ascending order: a reader must not find an old one without the newer."""
        by_video = defaultdict[VideoRef, list[str]](list)
        for change in changes:
            by_video[change.ref].append(change.key)
        remove: Callable[[list[str]], None] = carried(self._remove_in_order)
        with ThreadPoolExecutor(_PARALLEL_CALLS) as workers:
            list(workers.map(remove, by_video.values()))

    def _remove_in_order(self, keys: list[str]) -> None:
        for key in sorted(keys):
            self.metadata.delete(key)


@dataclass(frozen=True)
class _Packs:
    """Both packs of an owner, or of the stage, as they were before the records were read."""

    keys: PackKeys
    recent: StoredPack
    base: StoredPack

    @classmethod
    def read(cls, bucket: MetadataBucket, owner: str | None) -> "_Packs":
        keys = PackKeys.of(owner)
        return cls(keys, read_pack(bucket, keys.recent), read_pack(bucket, keys.base))

    @property
    def unabsorbed(self) -> Pack:
        """The recent pack, empty if the base holds its lines, too."""
        is_absorbed = self.recent.etag != "" and self.recent.etag == self.base.pack.absorbed
        return Pack() if is_absorbed else self.recent.pack

    def put(self, bucket: MetadataBucket, lines: Mapping[str, Line]) -> None:
        """Put lines into the recent pack, or all of them into the base. Raises IndexRacedError."""
        recent = self.unabsorbed.changed(lines, keeps_gone=True)
        if recent.line_count * SHARE_OF_RECENT < self.base.pack.line_count:
            _put(bucket, self.keys.recent, recent, self.recent.etag)
            return
        all_new = {line.key: line for line in recent.lines()}
        base = self.base.pack.changed(all_new, keeps_gone=False)
        self.put_base(bucket, replace(base, absorbed=self.recent.etag))

    def put_base(self, bucket: MetadataBucket, base: Pack) -> None:
        _put(bucket, self.keys.base, base, self.base.etag)


def _put(bucket: MetadataBucket, key: str, pack: Pack, etag: str) -> None:
    body = pack.written()
    is_put = bucket.put_if_unchanged(key, body, etag) if etag else bucket.put_if_new(key, body)
    if not is_put:
        raise IndexRacedError
