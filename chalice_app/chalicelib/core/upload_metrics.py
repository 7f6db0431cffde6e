"""Metrics of a whole upload, measured once, by the first call that records its end.

That call is the completion. It is the processing if S3's event overtakes the completion's response, or if there is no
completion (a form).
"""

from datetime import datetime

from chalicelib.core.ports import Meter
from chalicelib.core.video_record import VideoRecord


def record_completed_upload(record: VideoRecord, meter: Meter, now: datetime) -> None:
    asked = record.completion_started_at
    transfer_seconds = max(((asked or now) - record.created_at).total_seconds(), 0.001)
    meter.record(uploads_completed_count=1, upload_throughput_bytes_per_second=record.size_bytes / transfer_seconds)
    if record.upload_id:
        meter.record(parts_completed_count=record.plan.part_count)
    if asked:
        meter.record(completion_milliseconds=(now - asked).total_seconds() * 1000)
