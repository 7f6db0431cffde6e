"""The scheduled sweep: abandoned uploads, slow completions, lost events, gauges."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.announcements import Announcements
from chalicelib.core.completion import LEASE, Completions
from chalicelib.core.deletion import remove_objects
from chalicelib.core.errors import PlatformError, UploadExpiredError
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.malware_scan import (
    MAX_SCAN_REQUESTS,
    NO_SCAN,
    ScanPolicy,
    ScanResult,
    needs_withdrawal,
    wait_before_scan_request,
    with_verdict,
)
from chalicelib.core.open_videos import OpenVideo, by_video
from chalicelib.core.pending_renditions import WAITING, PendingRenditions
from chalicelib.core.ports import (
    Clock,
    MalwareScanner,
    MetadataBucket,
    Meter,
    ProcessingTrigger,
    UploadGoneError,
    VideoBucket,
)
from chalicelib.core.records import Records
from chalicelib.core.video_events import owed_event
from chalicelib.core.video_record import MAX_PROCESSING_RETRIES, State, VideoRecord

log = logging.getLogger(__name__)

STARTING_GRACE = timedelta(minutes=15)
"""A marker without a record is an init under way, or one that died."""

FORM_GRACE = timedelta(minutes=15)
"""Age at which a form that has not arrived is looked up in the bucket: its event may be lost."""

IDLE_GRACE = timedelta(hours=1)
"""Age at which an upload without any part in S3 loses its reservation."""

LATE_PARTS_GRACE = timedelta(hours=2)
"""Time for which parts may still arrive after their upload lost its reservation: their URLs live for 15 minutes at
most, and S3 finishes a request that began in time."""

PROCESSING_GRACE = timedelta(minutes=2)
"""Time after which an event counts as lost: its worker was killed. Processing a video twice does no harm."""

MAX_PROCESSING_WAIT = timedelta(minutes=16)
"""The wait doubles with each retry up to this, so that an outage of an hour does not use them up."""

_MOST_FORMS_REMOVED = 10
"""Most objects of one form, sent again and again, that one sweep removes."""

PARALLEL_LOOKS = 40
"""Uploads that are checked at the same time. A check mostly waits for S3, and a completion may wait long: one after the
other, a few hundred would outlast the function, and those behind them would never be checked. With this many at a time,
a hundred thousand fit."""


@dataclass(frozen=True, kw_only=True)
class Janitor:
    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    completions: Completions
    processing: ProcessingTrigger
    announcements: Announcements
    meter: Meter
    now: Clock
    renditions: PendingRenditions
    scans: ScanPolicy = NO_SCAN
    scanner: MalwareScanner | None = None

    def sweep(self) -> Counter[str]:
        """Check every open upload once; return how many were `open`, `processing`, `expired`, `retried` …. One that
        fails is logged and does not hold up the others."""
        done: Counter[str] = Counter()
        owners: set[str] = set()
        reserved_bytes = 0
        open_videos = by_video(self.records.markers())
        with ThreadPoolExecutor(PARALLEL_LOOKS) as workers:
            outcomes = workers.map(carried(self._outcome), open_videos)
            for open_video, outcome in zip(open_videos, outcomes, strict=True):
                done[outcome] += 1
                if outcome in {"open", "processing", "scanning", "retried", "given up", "stuck"}:
                    owners.add(open_video.ref.owner)
                    reserved_bytes += open_video.size_bytes
        # Zeros as well: a rate needs both its terms, and an alarm needs a value to clear.
        self.meter.record(
            uploads_in_flight_count=done["open"],
            uploads_processing_count=done["processing"] + done["scanning"] + done["retried"],
            uploads_stuck_count=done["stuck"] + done["given up"],
            users_in_flight_count=len(owners),
            reserved_size_bytes=reserved_bytes,
            uploads_ready_count=0,
            uploads_expired_count=done["expired"],
            uploads_failed_count=done["expired"] + done["given up"],
            janitor_failures_count=done["failed"],
        )
        if self.renditions.is_on:
            self.meter.record(renditions_waiting_count=done[WAITING])
        log.info("sweep finished", extra={"outcomes": dict(done)})
        return done

    def _outcome(self, open_video: OpenVideo) -> str:
        about_upload(owner=open_video.ref.owner, video_id=open_video.ref.video_id)
        try:
            return self._handle(open_video)
        except Exception:
            log.exception("upload could not be checked")
            return "failed"

    def _handle(self, open_video: OpenVideo) -> str:
        record = self.records.find(open_video.ref)
        if record is None:
            return self._never_started(open_video)
        match record.state:
            case State.UPLOADING:
                return self._uploading(record, open_video)
            case State.COMPLETING:
                return self._completing(record, open_video)
            case State.PROCESSING:
                return self._processing(record)
            case State.READY | State.REJECTED:
                # A function died between the record and the message, or SNS did not take it.
                return self._settled(self.announcements.send_owed(record), open_video)
            case State.ABORTED | State.EXPIRED | State.DELETED:
                return self._gone(self.announcements.send_owed(record), open_video)

    def _never_started(self, open_video: OpenVideo) -> str:
        if open_video.last_modified > self.now() - STARTING_GRACE:
            return "open"
        for upload_id in self.videos.list_upload_ids(open_video.ref.file_key):
            self.videos.abort_multipart_upload(open_video.ref.file_key, upload_id)
        for use in self.records.uses(open_video.ref.owner):
            if use.ref == open_video.ref:
                self.records.release_use(use.ref, use.size_bytes, use.link_id)
        self._remove_markers(open_video)
        log.info("unstarted upload removed")
        return "cleaned"

    def _remove_markers(self, open_video: OpenVideo) -> None:
        for marker in open_video.markers:
            self.records.release(marker.ref, marker.size_bytes)

    def _uploading(self, record: VideoRecord, open_video: OpenVideo) -> str:
        is_expired = record.expires_at <= self.now()
        is_late_form = record.upload_id is None and record.created_at < self.now() - FORM_GRACE
        if (is_expired or is_late_form) and self.videos.head(record.ref.file_key):
            # It has arrived, and its event is lost; for an upload in parts, the completion's response as well.
            return self._processing(record)
        return self._expired(record, open_video) if is_expired else self._unfinished(record, open_video)

    def _expired(self, record: VideoRecord, open_video: OpenVideo) -> str:
        """Expire an upload, or a completion that never settles: its client insists on a checksum that the file does not
        have."""
        change = self.records.change(
            record,
            lambda current: current.moved_to(State.EXPIRED, self.now()) if current.state is record.state else None,
        )
        if change is None or change.record.state is not State.EXPIRED:
            return "open"
        self._gone(self.announcements.try_to_send_owed(change.record), open_video)
        if not change.mine:
            return "cleaned"
        log.info("upload expired")
        return "expired"

    def _unfinished(self, record: VideoRecord, open_video: OpenVideo) -> str:
        if record.reservation_released_at:
            if record.has_parts or self._late_parts_found(record, record.reservation_released_at):
                # What S3 holds is counted even if there is no room. To go on, the upload still has to find room.
                if not open_video.is_reserved:
                    self.records.reserve(record.ref, record.size_bytes)
                return "open"
            if open_video.reserved_at:
                # A call is taking it again at this moment, or a sweep was killed between the record and the marker.
                if open_video.reserved_at > self.now() - STARTING_GRACE:
                    return "open"
                self._let_go(record)
            return "idle"
        if not open_video.is_reserved:
            # It took its reservation again while a sweep released it.
            self.records.hold(record)
        if record.upload_id is None or record.has_parts or record.updated_at >= self.now() - IDLE_GRACE:
            return "open"
        return self._release_or_note_parts(record, record.upload_id)

    def _late_parts_found(self, record: VideoRecord, released_at: datetime) -> bool:
        """Look for parts that arrived after the reservation was released, and record them."""
        if released_at < self.now() - LATE_PARTS_GRACE or not self._has_parts(record):
            return False
        self.records.change(
            record,
            lambda current: (
                current.noted(has_parts=True) if current.state is State.UPLOADING and not current.has_parts else None
            ),
        )
        log.info("late parts counted")
        # If the upload ended meanwhile, the next sweep removes the marker.
        return True

    def _has_parts(self, record: VideoRecord) -> bool:
        try:
            return record.upload_id is not None and bool(self.videos.list_parts(record.ref.file_key, record.upload_id))
        except UploadGoneError:
            return False

    def _release_or_note_parts(self, record: VideoRecord, upload_id: str) -> str:
        """Release the reservation while S3 holds no part. The next call that signs or lists parts takes it again."""
        try:
            has_parts = bool(self.videos.list_parts(record.ref.file_key, upload_id))
        except UploadGoneError:
            return "open"
        if not has_parts:
            # Before the reservation is removed: an upload without a marker would never expire.
            self.records.watch(record.ref)

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state is not State.UPLOADING or current.updated_at != record.updated_at:
                return None
            if has_parts:
                return current.noted(has_parts=True)
            return current.noted(was_released=True, reservation_released_at=self.now())

        change = self.records.change(record, decide)
        if has_parts or change is None or not change.mine:
            return "open"
        self._let_go(record)
        log.info("reservation released")
        return "idle"

    def _let_go(self, record: VideoRecord) -> None:
        """Release the reservation, unless the upload has taken it again since the record was read."""
        self.records.let_go(record)
        current = self.records.find(record.ref)
        if current and current.is_reserved:
            self.records.hold(current)

    def _gone(self, record: VideoRecord, open_video: OpenVideo) -> str:
        if self.renditions.is_still_converted(record):
            return "converting"
        if not record.may_arrive_again(self.now()):
            remove_objects(record, self.videos, self.metadata, self.records, self.now())
            for marker in open_video.markers:
                if not marker.is_reservation and not owed_event(record):
                    # Also the watch of a sweep that died before it wrote the record.
                    self.records.unwatch(marker.ref)
            return "cleaned"
        if self.videos.head(record.ref.file_key):
            self.videos.delete(record.ref.file_key)
        if open_video.is_reserved:
            self.records.close(record, self.now())
        return "watched"

    def _completing(self, record: VideoRecord, open_video: OpenVideo) -> str:
        started = record.completion_started_at or record.updated_at
        if started > self.now() - LEASE:
            return "open"
        try:
            finished = self.completions.finish_abandoned(record)
        except UploadExpiredError:
            return "dropped"
        except PlatformError as refused:
            log.warning("completion not finished: %s", refused)
            return self._expired(record, open_video) if record.expires_at <= self.now() else "open"
        # The completion counted it as failed: S3 lost it, it did not expire.
        return "dropped" if finished.record.state is State.EXPIRED else "open"

    def _processing(self, record: VideoRecord) -> str:
        if self.scans.is_waiting(record):
            return self._scanning(record)
        if record.updated_at > self.now() - _wait_before_retry(record):
            return "processing"
        if record.processing_retries >= MAX_PROCESSING_RETRIES:
            return self._give_up(record)
        return self._retry(record)

    def _scanning(self, record: VideoRecord) -> str:
        """Request a scan again whose verdict did not come; in the end the video counts as not scanned."""
        if record.updated_at > self.now() - wait_before_scan_request(record):
            return "scanning"
        if record.scan_requests >= MAX_SCAN_REQUESTS or self.scanner is None:
            return self._count_as_unanswered(record)
        requests = record.scan_requests + 1

        def decide(current: VideoRecord) -> VideoRecord | None:
            if not self.scans.is_waiting(current) or current.scan_requests >= requests:
                return None
            return current.noted(scan_requests=requests, updated_at=self.now())

        # Recorded first: a refused request counts too, so that the video does not wait for ever.
        change = self.records.change(record, decide)
        if change and change.mine and record.version_id:
            self.scanner.request_scan(record.ref.file_key, record.version_id)
            log.info("malware scan requested again", extra={"requests": requests})
        return "scanning"

    def _count_as_unanswered(self, record: VideoRecord) -> str:
        version_id = record.version_id or ""

        def decide(current: VideoRecord) -> VideoRecord | None:
            if not self.scans.is_waiting(current):
                return None
            return with_verdict(current, version_id, ScanResult.UNANSWERED)

        change = self.records.change(record, decide)
        if change is None or not change.mine:
            return "scanning"
        log.error("malware scan gave no verdict", extra={"requests": record.scan_requests})
        return self._retry(change.record)

    def _retry(self, record: VideoRecord) -> str:
        # A form that was sent again may lie on top of the version that waits for its verdict.
        stored = self.videos.head(record.ref.file_key, record.version_id if record.awaits_scan_since else None)
        if stored is None:
            log.error("object missing")
            return self._give_up(record)
        retries = record.processing_retries + 1

        def decide(current: VideoRecord) -> VideoRecord | None:
            """Request processing again. Skips a record that has changed meanwhile: the event of a deleted video would
            destroy it."""
            if current.state is not record.state or current.processing_retries >= retries:
                return None
            return current.noted(processing_retries=retries, updated_at=self.now())

        change = self.records.change(record, decide)
        if change is None or not change.mine:
            return "processing"
        self.processing.trigger(record.ref.file_key, stored.version_id, stored.size_bytes)
        log.info("processing requested again", extra={"retries": retries})
        return "retried"

    def _give_up(self, record: VideoRecord) -> str:
        """Give up processing. Only the call that gives up counts the failure."""
        if record.is_given_up:
            self.announcements.send_owed(record)
            return "stuck"

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state is not record.state or current.is_given_up:
                return None
            return current.noted(processing_retries=MAX_PROCESSING_RETRIES + 1, notified_at=None)

        change = self.records.change(record, decide)
        if change is None or not change.mine:
            return "processing"
        log.error("processing given up", extra={"retries": record.processing_retries})
        self.announcements.try_to_send_owed(change.record)
        return "given up"

    def _settled(self, record: VideoRecord, open_video: OpenVideo) -> str:
        if needs_withdrawal(record):
            # The function died before it rejected the video: a repeated event finishes the work.
            waits = record.updated_at > self.now() - _wait_before_retry(record)
            return "processing" if waits else self._retry(record)
        if record.state is State.REJECTED and record.may_be_converting:
            if self.renditions.is_still_converted(record):
                return "converting"
            self.renditions.forget(record)
        if record.upload_id is None:
            self._remove_uninspected(record)
        record = self.announcements.send_rendition(record)
        if record.awaits_rendition or record.may_arrive_again(self.now()):
            if open_video.is_reserved:
                self.records.close(record, self.now())
            return self.renditions.advance(record) if record.awaits_rendition else "watched"
        self._remove_markers(open_video)
        return "cleaned"

    def _remove_uninspected(self, record: VideoRecord) -> None:
        """Make the inspected version of a form the current one again.

        A version that was sent later, and whose event was lost, hides it, and nobody may read it unless it is accepted.
        """
        file_key, inspected = record.ref.file_key, record.version_id
        if inspected is None or self.videos.head(file_key, inspected) is None:
            return
        for _ in range(_MOST_FORMS_REMOVED):
            newest = self.videos.head(file_key)
            if newest is None or newest.version_id == inspected:
                return
            self.videos.delete_version(file_key, newest.version_id)
            log.info("second object removed")


def _wait_before_retry(record: VideoRecord) -> timedelta:
    return min(PROCESSING_GRACE * 2**record.processing_retries, MAX_PROCESSING_WAIT)
