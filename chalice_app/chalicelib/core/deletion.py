"""Deletion of a video: the tombstone, then delete markers over the objects. `Deleter` lists who may delete one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.announcements import Announcements
from chalicelib.core.ports import Clock, MetadataBucket, VideoBucket
from chalicelib.core.records import Change, Records
from chalicelib.core.video_events import owed_event
from chalicelib.core.video_record import Deleter, State, VideoRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Deletions:
    records: Records
    videos: VideoBucket
    metadata: MetadataBucket
    announcements: Announcements
    now: Clock

    def delete(
        self, record: VideoRecord, by: Deleter, is_wanted: Callable[[VideoRecord], bool] = lambda current: True
    ) -> Change | None:
        """Write the tombstone, then hide the objects. Safe to repeat. Returns None if the record is gone.

        is_wanted: False for a record that has changed since and must stay.
        """
        # The last chance for it: a tombstone owes only the message about the deletion.
        record = self.announcements.try_to_send_owed(record)
        # Once the tombstone is written, its owner no longer sees it: if this breaks off, the janitor continues.
        self.records.watch(record.ref)

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state is State.DELETED or not is_wanted(current):
                return None
            return current.deleted(by, self.now())

        change = self.records.change(record, decide)
        if change is None or change.record.state is not State.DELETED:
            return change
        told = self.announcements.try_to_send_owed(change.record)
        remove_objects(told, self.videos, self.metadata, self.records, self.now())
        if not owed_event(told) and not told.may_arrive_again(self.now()) and not told.may_be_converting:
            self.records.unwatch(record.ref)
        log.info("video deleted", extra={"sizeBytes": told.size_bytes, "deletedBy": by.value})
        return change


def remove_objects(
    record: VideoRecord, videos: VideoBucket, metadata: MetadataBucket, records: Records, now: datetime
) -> None:
    """Hide or abort everything that S3 holds of a deleted or rejected video. Safe to repeat."""
    if record.upload_id:
        videos.abort_multipart_upload(record.ref.file_key, record.upload_id)
    videos.delete(record.ref.file_key)
    if record.rendition:
        videos.delete(record.ref.rendition_key)
    for key in record.ref.picture_keys:
        metadata.delete(key)
    records.close(record, now)
