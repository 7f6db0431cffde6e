"""What a schedule looks after: abandoned uploads, slow completions, lost events, the gauges."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.core.completion import LEASE, Completions
from chalicelib.core.errors import PlatformError, UploadExpiredError
from chalicelib.core.library import remove_objects
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.ports import Clock, MetadataBucket, Meter, ProcessingTrigger, VideoBucket
from chalicelib.core.records import OpenMarker, Records
from chalicelib.core.video_record import State, VideoRecord

log = logging.getLogger(__name__)

STARTING_GRACE = timedelta(minutes=15)
"""A marker without a record is an init under way, or one that died."""

PROCESSING_GRACE = timedelta(minutes=15)
"""Lambda retries a failed event for a while by itself; after this the event is taken for lost."""

MAX_PROCESSING_RETRIES = 10
"""Then a person has to look: the gauge `uploads_stuck_count` raises the alarm."""

_PARALLEL_LOOKS = 8
"""A look is waiting for S3, and a completion may take all of its patience: one after the other, a few hundred would
outlast the function, and those behind them in the list would never be looked at."""


@dataclass(frozen=True, kw_only=True)
class Janitor:
    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    completions: Completions
    processing: ProcessingTrigger
    meter: Meter
    now: Clock

    def sweep(self) -> Counter[str]:
        """Look at every open upload once; how many were `open`, `processing`, `expired`, `retried` …. One that fails is
        logged and does not keep the others from being looked at."""
        done: Counter[str] = Counter()
        owners: set[str] = set()
        reserved_bytes = 0
        markers = list(self.records.markers())
        with ThreadPoolExecutor(_PARALLEL_LOOKS) as lookers:
            for marker, outcome in zip(markers, lookers.map(carried(self._outcome), markers), strict=True):
                done[outcome] += 1
                if outcome in {"open", "processing", "retried", "given up", "stuck"}:
                    owners.add(marker.ref.owner)
                    reserved_bytes += marker.size_bytes
        # Zeros as well: a rate needs both its terms, and an alarm a value to calm down by.
        self.meter.record(
            uploads_in_flight_count=done["open"],
            uploads_processing_count=done["processing"] + done["retried"],
            uploads_stuck_count=done["stuck"] + done["given up"],
            users_in_flight_count=len(owners),
            reserved_size_bytes=reserved_bytes,
            uploads_ready_count=0,
            uploads_expired_count=done["expired"],
            uploads_failed_count=done["expired"] + done["given up"],
            janitor_failures_count=done["failed"],
        )
        log.info("sweep finished", extra={"outcomes": dict(done)})
        return done

    def _outcome(self, marker: OpenMarker) -> str:
        about_upload(owner=marker.ref.owner, video_id=marker.ref.video_id)
        try:
            return self._look_after(marker)
        except Exception:
            log.exception("cannot look after the upload")
            return "failed"

    def _look_after(self, marker: OpenMarker) -> str:
        record = self.records.find(marker.ref)
        if record is None:
            return self._never_started(marker)
        match record.state:
            case State.UPLOADING:
                return self._uploading(record)
            case State.COMPLETING:
                return self._completing(record)
            case State.PROCESSING:
                return self._processing(record)
            case State.READY | State.REJECTED:
                return self._settled(record)
            case State.ABORTED | State.EXPIRED | State.DELETED:
                remove_objects(record, self.videos, self.metadata, self.records)
                return "cleaned"

    def _never_started(self, marker: OpenMarker) -> str:
        if marker.last_modified > self.now() - STARTING_GRACE:
            return "open"
        for upload_id in self.videos.list_upload_ids(marker.ref.file_key):
            self.videos.abort_multipart_upload(marker.ref.file_key, upload_id)
        self.records.unmark(marker.ref, marker.size_bytes)
        log.info("upload that never started removed")
        return "cleaned"

    def _uploading(self, record: VideoRecord) -> str:
        is_expired = record.expires_at <= self.now()
        is_late_form = record.upload_id is None and record.created_at < self.now() - PROCESSING_GRACE
        if (is_expired or is_late_form) and self.videos.head(record.ref.file_key):
            # It has arrived, and its event is lost; of an upload in parts, the answer of its completion as well.
            return self._processing(record)
        if not is_expired:
            return "open"
        change = self.records.change(
            record.ref,
            lambda current: current.moved_to(State.EXPIRED, self.now()) if current.state is State.UPLOADING else None,
        )
        if change is None or change.record.state is not State.EXPIRED:
            return "open"
        remove_objects(change.record, self.videos, self.metadata, self.records)
        if not change.mine:
            return "cleaned"
        log.info("upload expired")
        return "expired"

    def _completing(self, record: VideoRecord) -> str:
        started = record.completion_started_at or record.updated_at
        if started > self.now() - LEASE:
            return "open"
        try:
            finished = self.completions.finish_abandoned(record)
        except UploadExpiredError:
            return "dropped"
        except PlatformError as refused:
            log.warning("completion does not settle: %s", refused)
            return "open"
        # Counted as failed by the completion: S3 lost it, nobody was late.
        return "dropped" if finished.record.state is State.EXPIRED else "open"

    def _processing(self, record: VideoRecord) -> str:
        if record.updated_at > self.now() - PROCESSING_GRACE:
            return "processing"
        if record.processing_retries >= MAX_PROCESSING_RETRIES:
            return self._give_up(record)
        return self._retry(record)

    def _retry(self, record: VideoRecord) -> str:
        stored = self.videos.head(record.ref.file_key)
        if stored is None:
            log.error("object missing")
            return self._give_up(record)
        retries = record.processing_retries + 1

        def decide(current: VideoRecord) -> VideoRecord | None:
            """Unless somebody was quicker: the event of a video that was deleted would destroy it."""
            if current.state is not record.state or current.processing_retries >= retries:
                return None
            return current.noted(processing_retries=retries, updated_at=self.now())

        change = self.records.change(record.ref, decide)
        if change is None or not change.mine:
            return "processing"
        self.processing.trigger(record.ref.file_key, stored.version_id, stored.size_bytes)
        log.info("processing asked again", extra={"retries": retries})
        return "retried"

    def _give_up(self, record: VideoRecord) -> str:
        """Failed is counted once; one retry more than there are says that it was."""
        if record.processing_retries > MAX_PROCESSING_RETRIES:
            return "stuck"

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state is not record.state or current.processing_retries > MAX_PROCESSING_RETRIES:
                return None
            return current.noted(processing_retries=MAX_PROCESSING_RETRIES + 1)

        change = self.records.change(record.ref, decide)
        if change is None or not change.mine:
            return "processing"
        log.error("processing given up", extra={"retries": record.processing_retries})
        return "given up"

    def _settled(self, record: VideoRecord) -> str:
        if record.notified_at is None:
            # The function died between the record and the notification: a repeated event finishes the work.
            return "processing" if record.updated_at > self.now() - PROCESSING_GRACE else self._retry(record)
        self.records.unmark(record.ref, record.size_bytes)
        return "cleaned"
