"""What is measured when an upload is whole: once, by whoever is first to write it down.

That is the completion, or the processing when S3's event overtakes its answer or nobody completes at all (a form).
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
