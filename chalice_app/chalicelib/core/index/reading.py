"""Reading of the index: one list and two objects; the large one is read again only after it has changed."""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from threading import Lock

from chalicelib.core.index.changes import Change, Changes, fact_lines, listed_changes
from chalicelib.core.index.lines import Line
from chalicelib.core.index.packs import Pack, UnknownPackError
from chalicelib.core.index.view import View
from chalicelib.core.ports import Clock, MetadataBucket, StoredRecord, UnchangedError
from chalicelib.core.records import Records
from chalicelib.core.video_id import VideoRef

log = logging.getLogger(__name__)

STAGE = "stage"
MOST_CACHED_BYTES = 64 * 2**20
MOST_READ_CHANGES = 20_000
"""More than twice the changes of 1,247 uploads between two foldings, six each. That many cost twenty calls; more would
take too long, and the page is read from the records instead."""

TELLING_TIME = timedelta(seconds=20)
"""Time after which the writer of an announced record has written its facts, or probably never will."""

MOST_READ_RECORDS = 400
"""Limit of one call: fifty rounds of eight, which take 10 s even if each round takes 0.2 s. API Gateway gives up after
29 s (API Gateway quotas, "Maximum integration timeout"). A lower limit would mean more calls for an owner who deletes
many videos."""


@dataclass(frozen=True)
class StoredPack:
    """etag: empty if there is no pack. is_known: False if another version of the platform wrote it."""

    pack: Pack
    etag: str
    size_bytes: int
    is_known: bool = True

    @property
    def is_made(self) -> bool:
        return bool(self.etag) and self.is_known

    @classmethod
    def of(cls, stored: StoredRecord | None) -> "StoredPack":
        if stored is None:
            return cls(Pack(), "", 0)
        try:
            return cls(Pack.read(stored.body), stored.etag, len(stored.body))
        except UnknownPackError:
            return cls(Pack(), stored.etag, 0, is_known=False)


@dataclass(frozen=True)
class PackKeys:
    """Keys of the two packs of an owner, or of the stage."""

    base: str
    recent: str

    @classmethod
    def of(cls, owner: str | None) -> "PackKeys":
        folder = f"index/packs/owners/{owner}" if owner else f"index/packs/{STAGE}"
        return cls(f"{folder}/base", f"{folder}/recent")


def read_pack(bucket: MetadataBucket, key: str) -> StoredPack:
    return StoredPack.of(bucket.get(key))


class PackCache:
    """A cache of bases, limited in bytes."""

    def __init__(self, bucket: MetadataBucket, most_bytes: int = MOST_CACHED_BYTES) -> None:
        self._bucket = bucket
        self._most_bytes = most_bytes
        self._packs: OrderedDict[str, StoredPack] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> StoredPack:
        with self._lock:
            known = self._packs.get(key)
        if known is None:
            return self._keep(key, read_pack(self._bucket, key))
        try:
            newer = self._bucket.get_newer(key, known.etag)
        except UnchangedError:
            return self._keep(key, known)
        return self._keep(key, StoredPack.of(newer))

    def _keep(self, key: str, stored: StoredPack) -> StoredPack:
        with self._lock:
            self._packs.pop(key, None)
            if stored.is_made:
                self._packs[key] = stored
            while sum(each.size_bytes for each in self._packs.values()) > self._most_bytes:
                self._packs.popitem(last=False)
        return stored


@dataclass(frozen=True)
class IndexReader:
    metadata: MetadataBucket
    records: Records
    cache: PackCache
    now: Clock

    def request(self, owner: str | None) -> None:
        """Request an index of an owner, or of the whole stage: a folding for any owner makes the stage's, too."""
        asked = owner or next((ref.owner for ref in self.records.refs_of_stage()), None)
        if asked:
            Changes(self.metadata).request_owner(asked)

    def view(self, owner: str | None) -> View | None:
        """The index of an owner, or of the whole stage.

        None if none has been made yet, or if too much has changed since the last folding to be read in time.
        """
        keys = PackKeys.of(owner)
        # In this order: lines move from changes to the recent pack, and from there to the base.
        listed = list(islice(listed_changes(self.metadata, owner), MOST_READ_CHANGES + 1))
        changes = [change for change in listed if isinstance(change, Change)]
        told = fact_lines(changes)
        untold = self._untold(changes, told)
        if len(listed) > MOST_READ_CHANGES or len(untold) > MOST_READ_RECORDS:
            log.warning("the index is far behind", extra={"changes": len(listed), "untold": len(untold)})
            return None
        told |= {
            ref: Line.of(record) for ref, record in zip(untold, self.records.read_each(untold), strict=True) if record
        }
        recent = read_pack(self.metadata, keys.recent)
        base = self.cache.get(keys.base)
        if not base.is_made:
            return None
        is_absorbed = recent.etag != "" and recent.etag == base.pack.absorbed
        return View.of(base.pack, Pack() if is_absorbed else recent.pack, told)

    def _untold(self, changes: Iterable[Change], told: Mapping[VideoRef, Line]) -> list[VideoRef]:
        """Records whose writer died before it wrote their facts, or is slow."""
        latest = self.now() - TELLING_TIME
        unsure = {
            change.ref: change.revision
            for change in changes
            if change.coded_facts is None and change.written_at < latest
        }
        return [ref for ref, revision in unsure.items() if ref not in told or told[ref].revision < revision]
