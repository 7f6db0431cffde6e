"""The records: one JSON object per video, and markers for the videos that the janitor checks.

A marker is `open/{owner}/{videoId}.{sizeBytes}`. The janitor lists markers instead of all records.

- A reservation carries the size of the video and counts against its owner's caps. It is written before a caller
  learns of an upload and deleted after the video is settled.
- A use (`link-uses/{owner}/{linkId}/{videoId}.{sizeBytes}`) counts against the caps of the upload link. It is written
  after the reservation and deleted before it; after a completed upload it stays.
- A watch carries the size 0 and counts against nothing. It makes the janitor check an upload that has lost its
  reservation, or a form that may be sent again.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from chalicelib.core.index.changes import Changes
from chalicelib.core.index.lines import shows_the_same
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.ports import MetadataBucket, StorageBusyError
from chalicelib.core.video_events import owed_event
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, State, VideoRecord

_PARALLEL_READS = 8
_MAX_WRITE_RACES = 12


class OpenMarker(NamedTuple):
    ref: VideoRef
    size_bytes: int
    last_modified: datetime

    @property
    def is_reservation(self) -> bool:
        return self.size_bytes > 0


class LinkUse(NamedTuple):
    link_id: str
    ref: VideoRef
    size_bytes: int


def use_key(ref: VideoRef, size_bytes: int, link_id: str) -> str:
    return f"link-uses/{ref.owner}/{link_id}/{ref.video_id}.{size_bytes}"


def marker_key(ref: VideoRef, size_bytes: int) -> str:
    return f"open/{ref.owner}/{ref.video_id}.{size_bytes}"


_INSPECTED = frozenset({State.READY, State.REJECTED})
_WATCH_BYTES = 0
"""Size in a watch. No video has it: empty files are refused."""


class Change(NamedTuple):
    """Result of `Records.change`: the record before and after it."""

    before: VideoRecord
    record: VideoRecord

    @property
    def mine(self) -> bool:
        """True if this call changed the record; counts that must happen once depend on it."""
        return self.record is not self.before


class Records:
    """Records of videos. The logs attribute a call to the upload that it creates, finds or changes here."""

    def __init__(self, bucket: MetadataBucket) -> None:
        self._bucket = bucket
        self._index = Changes(bucket)

    def create(self, record: VideoRecord) -> None:
        _log_about(record)
        self._index.announce(record)
        if not self._bucket.put_if_new(record.ref.record_key, record.to_json()):
            # 64 random bits repeated within a millisecond: someone retries a write that succeeded.
            existing = self.find(record.ref)
            if existing is None or existing.to_json() != record.to_json():
                raise StorageBusyError
        self._index.write_facts(record)

    def find(self, ref: VideoRef) -> VideoRecord | None:
        stored = self._bucket.get(ref.record_key)
        return _log_about(VideoRecord.from_json(stored.body).stored_as(stored.etag)) if stored else None

    def change(
        self,
        known: VideoRef | VideoRecord,
        decide: Callable[[VideoRecord], VideoRecord | None],
        *,
        is_passing: bool = False,
    ) -> Change | None:
        """Apply `decide` to the record as it is at the moment of writing.

        known: the video, or its record as this invocation has read or written it. A given record is not read again: S3
        refuses the write if another call wrote since.
        decide: returns the new record, or None to leave it. It is called again if another call wrote in between, or if
        it leaves a record that was not read here; it may raise if `known` is a ref.
        is_passing: the same invocation will write the record again. The index gets an announcement of that write and no
        facts of this one: readers keep the old facts for 20 seconds, and then read the record. Returns None when there
        is no record. Raises StorageBusyError after many lost races.
        """
        ref = known.ref if isinstance(known, VideoRecord) else known
        in_hand = known if isinstance(known, VideoRecord) and known.etag else None
        for race in range(_MAX_WRITE_RACES):
            current = in_hand or self.find(ref)
            if current is None:
                return None
            changed = decide(current)
            if changed is None and current is not in_hand:
                return Change(current, current)
            if changed:
                changed = changed.noted(revision=current.revision + 1)
                if written := self._write(current, changed, is_passing=is_passing):
                    return Change(current, written)
                time.sleep(random.uniform(0, 0.01 * 2**race))  # noqa: S311 - jitter, not a secret
            # Another call wrote since, or it is unknown whether one did.
            in_hand = None
        raise StorageBusyError

    def _write(self, current: VideoRecord, changed: VideoRecord, *, is_passing: bool = False) -> VideoRecord | None:
        """Replace the given record unless another call wrote, and update the index."""
        announced = current.announced_revision
        is_seen = not shows_the_same(current, changed)
        if is_seen and announced < changed.revision + is_passing:
            announced = changed.revision + is_passing
            self._index.announce(changed.noted(revision=announced))
        write = self._bucket.retire_if_unchanged if changed.state in GONE_STATES else self._bucket.put_if_unchanged
        etag = write(changed.ref.record_key, changed.to_json(), current.etag)
        if etag is None:
            return None
        if is_seen and not is_passing:
            self._index.write_facts(changed)
        return changed.stored_as(etag, announced)

    def restore(self, tombstone: VideoRecord, record: VideoRecord) -> bool:
        """Replace a tombstone that was read here, unless another call wrote since."""
        return self._write(tombstone, record.noted(revision=tombstone.revision + 1)) is not None

    def put_back(self, record: VideoRecord, etag: str | None) -> bool:
        """Write a lost record: over the object with this `etag`, or where none exists, unless another call wrote.

        The janitor, which found a marker without a record, may have released its use of a link.
        """
        if record.link_id and record.takes_a_use:
            self.use(record.ref, record.size_bytes, record.link_id)
        self._index.announce(record)
        key, body = record.ref.record_key, record.to_json()
        is_written = bool(
            self._bucket.put_if_unchanged(key, body, etag) if etag else self._bucket.put_if_new(key, body)
        )
        if is_written:
            self._index.write_facts(record)
        return is_written

    def newest_first(self, owner: str) -> Iterator[VideoRecord]:
        """All of an owner's records except deleted ones, lazily, however many tombstones lie between them."""
        for record in self.read_each(self.refs_newest_first(owner)):
            if record and record.state is not State.DELETED:
                yield record

    def refs_newest_first(self, owner: str, after_video_id: str = "") -> Iterator[VideoRef]:
        """Refs of all records, tombstones included, without reading any. after_video_id: only older ones."""
        for listed in self._bucket.list_keys(f"records/{owner}/", VideoRef(owner, after_video_id).record_key):
            yield VideoRef(owner, listed.key.rpartition("/")[2].removesuffix(".json"))

    def owners(self) -> Iterator[str]:
        """All owners of records; each costs one list request for a single key."""
        after = ""
        while first := next(iter(self._bucket.list_keys("records/", after)), None):
            owner = first.key.split("/")[1]
            yield owner
            after = f"records/{owner}/\uffff"

    def refs_of_stage(self, after: VideoRef | None = None) -> Iterator[VideoRef]:
        """Refs of all records of all owners, tombstones included, by owner and then newest first."""
        for listed in self._bucket.list_keys("records/", after.record_key if after else ""):
            _, owner, name = listed.key.split("/")
            yield VideoRef(owner, name.removesuffix(".json"))

    def read_each(
        self, refs: Iterable[VideoRef], unreadable: list[VideoRef] | None = None
    ) -> Iterator[VideoRecord | None]:
        """Read records in the given order, lazily, eight at a time; None for one that has gone since the listing.

        unreadable: collects objects that cannot be parsed, for which None is returned as well. Without it they raise
        ValueError.
        """
        left = iter(refs)
        with ThreadPoolExecutor(_PARALLEL_READS) as readers:
            while batch := list(islice(left, _PARALLEL_READS)):
                stored = readers.map(carried(self._bucket.get), [ref.record_key for ref in batch])
                for ref, body in zip(batch, (each.body if each else None for each in stored), strict=True):
                    try:
                        yield None if body is None else VideoRecord.from_json(body)
                    except ValueError:
                        if unreadable is None:
                            raise
                        unreadable.append(ref)
                        yield None

    def open_of(self, owner: str) -> list[VideoRecord]:
        """The owner's records that still have a marker, newest first."""
        refs = dict.fromkeys(marker.ref for marker in self.markers(owner))
        return [record for record in self.read_each(refs) if record]

    def reserve(self, ref: VideoRef, size_bytes: int) -> None:
        self._bucket.put(marker_key(ref, size_bytes), b"", "application/octet-stream")

    def release(self, ref: VideoRef, size_bytes: int) -> None:
        self._bucket.delete(marker_key(ref, size_bytes))

    def use(self, ref: VideoRef, size_bytes: int, link_id: str) -> None:
        self._bucket.put(use_key(ref, size_bytes, link_id), b"", "application/octet-stream")

    def release_use(self, ref: VideoRef, size_bytes: int, link_id: str) -> None:
        self._bucket.delete(use_key(ref, size_bytes, link_id))

    def uses(self, owner: str, link_id: str | None = None) -> Iterator[LinkUse]:
        """Uses of one link, or of all of an owner's links."""
        folder = f"link-uses/{owner}/{link_id}/" if link_id else f"link-uses/{owner}/"
        for listed in self._bucket.list_keys(folder):
            _, _, used_link, name = listed.key.split("/")
            video_id, _, size_bytes = name.partition(".")
            yield LinkUse(used_link, VideoRef(owner, video_id), int(size_bytes))

    def hold(self, record: VideoRecord) -> None:
        """Write the reservation of an upload, and for a link's upload the use, without a check for room."""
        self.reserve(record.ref, record.size_bytes)
        if record.link_id:
            self.use(record.ref, record.size_bytes, record.link_id)

    def let_go(self, record: VideoRecord) -> None:
        """Delete what `hold` writes."""
        if record.link_id:
            self.release_use(record.ref, record.size_bytes, record.link_id)
        self.release(record.ref, record.size_bytes)

    def watch(self, ref: VideoRef) -> None:
        self.reserve(ref, _WATCH_BYTES)

    def unwatch(self, ref: VideoRef) -> None:
        self.release(ref, _WATCH_BYTES)

    def close(self, record: VideoRecord, now: datetime) -> None:
        """Delete the markers of a video that needs no more checks. Safe to repeat.

        A record keeps a marker if it owes a message, its rendition is not made yet, or its job may still write. So does
        a form while it may be sent again, and until the janitor has seen that the inspected object is the newest. A
        form that was never sent keeps its reservation while it may be sent: otherwise a user could delete forms and
        hold any number of them.
        """
        if record.link_id and record.state in GONE_STATES and not record.completed_at:
            self.release_use(record.ref, record.size_bytes, record.link_id)
        is_unchecked_form = record.upload_id is None and record.state in _INSPECTED
        needs_rendition = record.state is State.READY and record.rendition and record.rendition.needs_care
        needs_rendition = needs_rendition or record.may_be_converting
        if owed_event(record) or record.may_arrive_again(now) or is_unchecked_form or needs_rendition:
            self.watch(record.ref)
        elif record.may_have_marker:
            self.unwatch(record.ref)
        if record.completed_at or not record.may_arrive_again(now):
            self.release(record.ref, record.size_bytes)

    def markers(self, owner: str | None = None) -> Iterator[OpenMarker]:
        prefix = f"open/{owner}/" if owner else "open/"
        for listed in self._bucket.list_keys(prefix):
            _, marked_owner, name = listed.key.split("/")
            video_id, _, size_bytes = name.partition(".")
            yield OpenMarker(VideoRef(marked_owner, video_id), int(size_bytes), listed.last_modified)


def _log_about(record: VideoRecord) -> VideoRecord:
    about_upload(
        owner=record.owner,
        video_id=record.video_id,
        upload_id=record.upload_id,
        correlation_id=record.correlation_id,
        link_id=record.link_id,
    )
    return record
