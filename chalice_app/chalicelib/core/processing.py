"""Processing of a stored video: inspect it, record the verdict, notify subscribers.

Events come at least once, in any order, and late. Everything here may run twice, at the same time, or after the video
was deleted; the record's state and the object's version decide.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import ClassVar

from chalicelib.core.announcements import Announcements
from chalicelib.core.json_values import JsonObject
from chalicelib.core.log_context import about_upload
from chalicelib.core.malware_scan import MALWARE, NO_SCAN, SCAN_REJECTIONS, ScanPolicy, ScanResult, is_infected
from chalicelib.core.media.errors import ContainerNotAcceptedError, MediaBudgetError, MediaError, NotAVideoError
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.ports import Clock, MetadataBucket, Meter, StoredObject, StoredVideo, VideoBucket
from chalicelib.core.records import Records
from chalicelib.core.renditions import Renditions, wanted_rendition
from chalicelib.core.upload_metrics import record_completed_upload
from chalicelib.core.video_events import owed_event
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import GONE_STATES, OPEN_STATES, Rejection, State, VideoRecord
from chalicelib.core.video_types import EVERY_CONTAINER, VIDEO_TYPES, Container

log = logging.getLogger(__name__)

POSTER_CONTENT_TYPE = "image/jpeg"

MAX_SLOW_RETRIES = 3
"""Attempts before a file that takes too long is rejected: the storage may just be slow."""


@dataclass(eq=False)
class WrongSizeError(Exception):
    """Another number of bytes arrived than was announced."""

    announced_bytes: int
    stored_bytes: int
    code: ClassVar[str] = "size_mismatch"

    @property
    def message(self) -> str:
        return f"{self.stored_bytes} bytes arrived, but {self.announced_bytes} were announced."


Inspect = Callable[[Callable[[int, int], bytes], int], Inspection]
"""(read_range, size_bytes) → what the file contains; raises MediaError."""


class Processed(StrEnum):
    READY = "ready"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"
    WAITING = "waiting"
    REMOVED = "removed"
    IGNORED = "ignored"


@dataclass(frozen=True, kw_only=True)
class Processing:
    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    inspect: Inspect
    announcements: Announcements
    meter: Meter
    now: Clock
    scans: ScanPolicy = NO_SCAN
    containers: frozenset[Container] = EVERY_CONTAINER
    renditions: Renditions | None = None

    def process(self, arrived: StoredObject) -> Processed:
        """Process an event. Raises what S3 and SNS raise: Lambda retries the event and then moves it to the dead-letter
        queue."""
        ref = VideoRef.from_file_key(arrived.file_key)
        about_upload()
        seen_at = self.now()
        record = self.records.find(ref) if ref else None
        if record is None:
            log.error("object without a record", extra={"fileKey": arrived.file_key})
            self.meter.record(unknown_objects_count=1)
            return Processed.IGNORED
        stored = self.videos.head(arrived.file_key, arrived.version_id)
        if stored is None:
            log.info("object gone already")
            return Processed.IGNORED
        if record.state in {State.READY, State.REJECTED}:
            return self._with_rendition(record, self._seen_before(record, stored))
        if record.state not in OPEN_STATES:
            return self._hide_late(record, stored)
        return self._with_rendition(record, self._process_open(record, stored, seen_at))

    def _with_rendition(self, record: VideoRecord, processed: Processed) -> Processed:
        """Make the rendition that the video waits for, after subscribers were notified that it is ready."""
        if self.renditions and processed in {Processed.READY, Processed.DUPLICATE}:
            self.renditions.advance(record.ref)
        return processed

    def _process_open(self, record: VideoRecord, stored: StoredVideo, seen_at: datetime) -> Processed:
        if record.awaits_scan_since:
            return self._after_scan(record, stored, seen_at)
        if is_infected(record, stored):
            return self._reject(record, stored, seen_at, MALWARE)
        try:
            inspection = self._look_inside(record, stored)
        except (MediaError, WrongSizeError) as error:
            if _storage_may_be_to_blame(error) and record.processing_retries < MAX_SLOW_RETRIES:
                raise
            return self._reject(record, stored, seen_at, Rejection(code=error.code, message=error.message))
        return self._accept(record, stored, seen_at, inspection)

    def _look_inside(self, record: VideoRecord, stored: StoredVideo) -> Inspection:
        if stored.size_bytes != record.size_bytes:
            raise WrongSizeError(announced_bytes=record.size_bytes, stored_bytes=stored.size_bytes)
        read_range = partial(self.videos.read_range, record.ref.file_key, stored.version_id)
        # The container that its name promises was accepted when its upload began, perhaps under another setting.
        accepted = self.containers | {VIDEO_TYPES[record.content_type].container}
        try:
            inspection = self.inspect(read_range, stored.size_bytes)
        except NotAVideoError as error:
            raise NotAVideoError(error.found, accepted) from error
        if inspection.facts.container not in accepted:
            raise ContainerNotAcceptedError(inspection.facts.container, accepted)
        return inspection

    def _accept(self, record: VideoRecord, stored: StoredVideo, seen_at: datetime, inspection: Inspection) -> Processed:
        self.metadata.put(record.ref.poster_key, inspection.poster_jpeg, POSTER_CONTENT_TYPE)
        if inspection.thumbnails:
            self.metadata.put(record.ref.thumbnails_key, inspection.thumbnails.sprite_jpeg, POSTER_CONTENT_TYPE)
        media = inspection.to_json()
        if self.scans.must_wait(record, stored):
            return self._wait_for_scan(record, stored, seen_at, media)
        return self._accept_or_reject(record, stored, seen_at, media)

    def _wait_for_scan(
        self, record: VideoRecord, stored: StoredVideo, seen_at: datetime, media: JsonObject
    ) -> Processed:
        """Record the inspection's result until the verdict comes, which may have happened meanwhile."""

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state not in OPEN_STATES or current.awaits_scan_since:
                return None
            waiting = current if current.state is State.PROCESSING else current.moved_to(State.PROCESSING, self.now())
            return waiting.noted(
                updated_at=self.now(),
                awaits_scan_since=self.now(),
                version_id=stored.version_id,
                media=media,
                completed_at=current.completed_at or seen_at,
            )

        change = self.records.change(record, decide)
        if change is None or change.record.state in GONE_STATES:
            return self._hide_late(change.record if change else record, stored)
        waiting = change.record
        if waiting.state not in OPEN_STATES:
            return self._seen_before(waiting, stored)
        if change.mine and change.before.completed_at is None:
            record_completed_upload(waiting, self.meter, seen_at)
        return self._after_scan(waiting, stored, seen_at)

    def _after_scan(self, record: VideoRecord, stored: StoredVideo, seen_at: datetime) -> Processed:
        """Settle a video whose inspection is done, also after scanning was turned off."""
        if record.version_id != stored.version_id:
            return self._seen_before(record, stored)
        if self.scans.must_wait(record, stored):
            if record.restored_at:
                # It may have been accepted before its deletion.
                self.videos.set_verdict(record.ref.file_key, stored.version_id, "withheld")
            log.info("waiting for the malware scan")
            return Processed.WAITING
        return self._accept_or_reject(record, stored, seen_at, record.media)

    def _accept_or_reject(
        self, record: VideoRecord, stored: StoredVideo, seen_at: datetime, media: JsonObject | None
    ) -> Processed:
        if rejection := self.scans.rejection(record, stored):
            return self._reject(record, stored, seen_at, rejection)
        # Before the record says `ready`: a URL that is issued then must work at once.
        self.videos.set_verdict(record.ref.file_key, stored.version_id, "accepted")
        return self._settle(record, stored, seen_at, State.READY, media=media)

    def _reject(self, record: VideoRecord, stored: StoredVideo, seen_at: datetime, rejection: Rejection) -> Processed:
        self.videos.set_verdict(record.ref.file_key, stored.version_id, "rejected")
        if rejection.code in SCAN_REJECTIONS:
            self._hide_pictures(record)
        return self._settle(record, stored, seen_at, State.REJECTED, rejection=rejection)

    def _settle(
        self,
        record: VideoRecord,
        stored: StoredVideo,
        seen_at: datetime,
        state: State,
        *,
        media: JsonObject | None = None,
        rejection: Rejection | None = None,
    ) -> Processed:
        """seen_at: when it had arrived at the latest; for a completion that the event overtook, nothing more precise is
        known."""

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state not in OPEN_STATES or _is_overtaken(current):
                return None
            return current.moved_to(
                state,
                self.now(),
                media=media,
                rejection=rejection,
                version_id=stored.version_id,
                completed_at=current.completed_at or seen_at,
                awaits_scan_since=None,
                rendition=wanted_rendition(media, stored.size_bytes, converts=self.renditions.converts)
                if self.renditions
                else None,
            )

        def _is_overtaken(current: VideoRecord) -> bool:
            """Check whether malware was found meanwhile, or another version of the form was accepted first."""
            if current.awaits_scan_since and current.version_id != stored.version_id:
                return True
            return state is State.READY and is_infected(current, stored)

        change = self.records.change(record, decide)
        if change is None:
            return self._hide_late(record, stored)
        settled = change.record
        if settled.state in GONE_STATES:
            return self._hide_late(settled, stored)
        if not change.mine:
            if settled.state in OPEN_STATES:
                return self._settle_overtaken(settled, stored, seen_at)
            return self._seen_before(settled, stored)
        if change.before.completed_at is None:  # the event overtook the completion
            record_completed_upload(settled, self.meter, seen_at)
        self._measure(change.before, settled)
        log.info("video %s", settled.state, extra={"code": rejection.code} if rejection else None)
        self._announce(settled)
        return Processed(settled.state.value)

    def _settle_overtaken(self, record: VideoRecord, stored: StoredVideo, seen_at: datetime) -> Processed:
        if record.version_id not in {None, stored.version_id}:
            return self._seen_before(record, stored)
        return self._reject(record, stored, seen_at, MALWARE)

    def _seen_before(self, record: VideoRecord, stored: StoredVideo) -> Processed:
        if record.version_id != stored.version_id:
            # A form sent twice: the inspected version is the one that stays.
            log.info("second object removed")
            self.videos.delete_version(record.ref.file_key, stored.version_id)
            return Processed.REMOVED
        if record.state is State.READY and is_infected(record, stored):
            return self._withdraw(record, stored)
        log.info("duplicate event ignored")
        if record.rejection and record.rejection.code in SCAN_REJECTIONS:
            # Another run may have accepted it before the malware was found, or finished its copy since then.
            self.videos.set_verdict(record.ref.file_key, stored.version_id, "rejected")
            self._hide_rendition(record.ref)
        if owed_event(record):
            self._announce(record)
        return Processed.DUPLICATE

    def _withdraw(self, record: VideoRecord, stored: StoredVideo) -> Processed:
        """Reject a ready video in which a late scan found malware."""
        # If this breaks off, the janitor continues.
        self.records.watch(record.ref)
        self.videos.set_verdict(record.ref.file_key, stored.version_id, "rejected")
        self._hide_pictures(record)
        if record.rendition:
            self._hide_rendition(record.ref)
        change = self.records.change(
            record,
            lambda current: (
                current.moved_to(
                    State.REJECTED,
                    self.now(),
                    rejection=MALWARE,
                    media=None,
                    # The janitor needs it to cancel the job.
                    rendition=current.rendition if current.may_be_converting else None,
                )
                if current.state is State.READY
                else None
            ),
        )
        if change is None or change.record.state in GONE_STATES:
            return self._hide_late(change.record if change else record, stored)
        if change.mine:
            log.warning("ready video rejected", extra={"code": MALWARE.code})
            self.meter.record(uploads_rejected_count=1)
        if change.before.rendition:
            # Its copy may have been finished after the last check.
            self._hide_rendition(record.ref)
        if owed_event(change.record):
            self._announce(change.record)
        return Processed.REJECTED

    def _hide_late(self, record: VideoRecord, stored: StoredVideo) -> Processed:
        """Hide an object that arrived after the tombstone. The version that a deleted video can be restored from is
        kept, because the event may be a repetition. Other versions of a form are destroyed, or sending it again and
        again would store them all."""
        log.info("late object hidden", extra={"state": record.state.value})
        is_restorable = record.version_id == stored.version_id or (record.completed_at and not record.version_id)
        if record.upload_id is None and not is_restorable:
            self.videos.delete_version(record.ref.file_key, stored.version_id)
        if self.videos.head(record.ref.file_key):
            self.videos.delete(record.ref.file_key)
        if record.rendition and self.videos.head(record.ref.rendition_key):
            self.videos.delete(record.ref.rendition_key)
        self._hide_pictures(record)
        self.records.close(record, self.now())
        return Processed.REMOVED

    def _hide_rendition(self, ref: VideoRef) -> None:
        """Hide the copy of a video with malware, and close the URLs that name its version."""
        if newest := self.videos.head(ref.rendition_key):
            self.videos.set_verdict(ref.rendition_key, newest.version_id, "rejected")
            self.videos.delete(ref.rendition_key)

    def _hide_pictures(self, record: VideoRecord) -> None:
        for key in record.ref.picture_keys:
            self.metadata.delete(key)

    def _announce(self, record: VideoRecord) -> None:
        self.records.close(self.announcements.send_owed(record), self.now())

    def _measure(self, before: VideoRecord, record: VideoRecord) -> None:
        if record.restored_at:
            # Its upload was counted already, and the days since then were not processing time.
            return
        arrived = record.completed_at or record.updated_at
        processing_milliseconds = (self.now() - arrived).total_seconds() * 1000
        if before.awaits_scan_since:
            waited = self.now() - before.awaits_scan_since
            self.meter.record(scan_wait_milliseconds=waited.total_seconds() * 1000)
        if before.scans.get(record.version_id or "") == ScanResult.UNANSWERED:
            self.meter.record(scans_unanswered_count=1)
        if record.state is State.READY:
            self.meter.record(
                uploads_ready_count=1,
                stored_size_bytes=record.size_bytes,
                processing_milliseconds=processing_milliseconds,
            )
        else:
            self.meter.record(uploads_rejected_count=1, processing_milliseconds=processing_milliseconds)


def _storage_may_be_to_blame(error: Exception) -> bool:
    return isinstance(error, MediaBudgetError) and error.resource == "seconds"
