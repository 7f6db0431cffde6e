"""The janitor's work on renditions: it repeats lost attempts, and begins, watches and cancels conversions."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from chalicelib.core.conversions import Conversions
from chalicelib.core.ports import Clock, ProcessingTrigger, VideoBucket
from chalicelib.core.records import Records
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import State, VideoRecord

log = logging.getLogger(__name__)

RENDITION_GRACE = timedelta(minutes=20)
"""Time after which a rendition's attempt counts as dead: its function runs for 15 minutes at most (Lambda quotas)."""

WAITING = "waiting for the daily limits of conversions"


@dataclass(frozen=True, kw_only=True)
class PendingRenditions:
    """is_on: whether the stage makes renditions. conversions: None if it converts none."""

    records: Records
    videos: VideoBucket
    processing: ProcessingTrigger
    now: Clock
    is_on: bool = False
    conversions: Conversions | None = None

    def job_changed(self, ref: VideoRef) -> None:
        """Check one conversion before the sweep, which checks all of them."""
        record = self.records.find(ref)
        if record and record.awaits_rendition and record.may_be_converting:
            self.advance(record)

    def advance(self, record: VideoRecord) -> str:
        """Take the next step of an awaited rendition; return what the sweep counts it as.

        After renditions, or conversions, were turned off, none is awaited.
        """
        rendition = record.rendition
        is_for_converter = rendition is not None and rendition.is_converted and not rendition.job_end
        begun_at = rendition.changed_at if rendition else None
        is_old = (begun_at or record.updated_at) <= self.now() - RENDITION_GRACE
        if not self.is_on or (is_for_converter and self.conversions is None):
            # A deployment that turns them on changes one function after the other.
            return self._give_up(record) if is_old else "converting"
        if is_for_converter and self.conversions:
            return "converting" if self.conversions.advance(record) else WAITING
        if is_old:
            self.processing.trigger(record.ref.file_key, record.version_id or "", record.size_bytes)
            log.info("rendition requested again")
        return "converting"

    def _give_up(self, record: VideoRecord) -> str:
        if record.may_be_converting:
            # Its job has ended with its role, perhaps just after it had written.
            self.videos.delete(record.ref.rendition_key)
        self.records.change(record, lambda current: current.noted(rendition=None) if current.awaits_rendition else None)
        return "cleaned"

    def is_still_converted(self, record: VideoRecord) -> bool:
        """Cancel the job of a deleted or rejected video. True until it writes nothing more."""
        return record.may_be_converting and self.conversions is not None and not self.conversions.stopped(record)

    def forget(self, record: VideoRecord) -> None:
        """Hide what the job of a rejected video wrote before it was cancelled."""
        self.videos.delete(record.ref.rendition_key)
        self.records.change(
            record,
            lambda current: current.noted(rendition=None) if current.state is State.REJECTED else None,
        )
