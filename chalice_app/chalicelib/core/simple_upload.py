"""An upload in one request: a form whose policy lets exactly one file through."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.core.caps import Room
from chalicelib.core.download_name import content_disposition
from chalicelib.core.ports import Clock, Meter, PostSigner, PresignedPost
from chalicelib.core.records import Records
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import VideoRecord

log = logging.getLogger(__name__)

SENDING_TIME = timedelta(hours=1)
"""S3 looks at a form's expiry when it begins to arrive; how long a slow line may then take to send the file."""


@dataclass(frozen=True)
class OfferedUpload:
    """expires_at: of the form; its record lives longer."""

    ref: VideoRef
    form: PresignedPost
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class SimpleUploads:
    records: Records
    signer: PostSigner
    meter: Meter
    now: Clock
    room: Room
    form_ttl: timedelta

    def start(self, owner: str, request: StartUpload, correlation_id: str | None = None) -> OfferedUpload:
        """Raises CapError's leaves. The S3 event of the arriving object takes it from there."""
        now = self.now()
        ref = VideoRef(owner, new_video_id(now))
        self.room.require(ref, request.size_bytes)
        self.room.reserve(ref, request.size_bytes)
        record = VideoRecord.begun(
            ref,
            request,
            part_size_bytes=request.size_bytes,
            upload_id=None,
            now=now,
            ttl=self.form_ttl + SENDING_TIME,
            correlation_id=correlation_id,
        )
        self.records.create(record)
        ttl_seconds = int(self.form_ttl.total_seconds())
        form = self.signer.presign_post(
            ref.file_key,
            request.content_type,
            content_disposition(request.file_name),
            size_bytes=request.size_bytes,
            ttl_seconds=ttl_seconds,
        )
        self.meter.record(uploads_started_count=1, upload_size_bytes=request.size_bytes)
        log.info("small upload started", extra={"sizeBytes": request.size_bytes})
        return OfferedUpload(ref, form, now + self.form_ttl)
