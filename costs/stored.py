"""The bytes that S3 holds in the month that is billed: at their level, or grown since the stage began."""

from __future__ import annotations

from costs.inventory import Inventory
from costs.units import DAYS_A_MONTH
from costs.workload import Workload

DAYS_TO_INFREQUENT = 30  # S3 User Guide, "How S3 Intelligent-Tiering works": consecutive days without access
DAYS_TO_ARCHIVE_INSTANT = 90  # same page
HALF_SENT = 0.5
"""Share of an abandoned upload that was sent."""
POSTER_BYTES = 40_000
RECORD_BYTES = 1_500
RECORD_VERSIONS = 5
"""Begun, leased, arrived, settled, told: one write each, all but the last noncurrent."""


class Stored:
    """Bytes in the video bucket by tier (all `standard_bytes` without tiering), and in the metadata bucket.

    Videos are uploaded evenly, watched for a while, deleted at the end of their retention. A deleted or rejected video
    can be brought back for some days and then goes.
    """

    def __init__(self, workload: Workload, inventory: Inventory) -> None:
        settings, operation_days = inventory.settings, workload.months_in_operation * DAYS_A_MONTH
        forever = operation_days if inventory.keeps_everything else 0
        noncurrent_days = forever or settings.storage.noncurrent_days
        rejected_days = min(
            forever or settings.storage.rejected_days + settings.storage.noncurrent_days, operation_days
        )
        abandoned_per_day = workload.uploads_per_day * workload.abandoned_percent / 100
        completed_per_day = workload.uploads_per_day - abandoned_per_day
        rejected_per_day = completed_per_day * workload.rejected_percent / 100
        ready_per_day = completed_per_day - rejected_per_day
        # Of one video of each day: how many days of its life lie within the stage's.
        life_days = min(workload.retention_months * DAYS_A_MONTH + noncurrent_days, operation_days)
        frequent_days = archive_from = life_days
        if settings.storage.intelligent_tiering:
            frequent_days = min(workload.watched_days + DAYS_TO_INFREQUENT, life_days)
            archive_from = min(workload.watched_days + DAYS_TO_ARCHIVE_INSTANT, life_days)
        bytes_per_day, rejected = ready_per_day * workload.mean_video_bytes, rejected_per_day * rejected_days
        self.standard_bytes = bytes_per_day * frequent_days + rejected * workload.mean_video_bytes
        self.infrequent_bytes = bytes_per_day * (archive_from - frequent_days)
        self.archive_instant_bytes = bytes_per_day * (life_days - archive_from)
        # The janitor drops them before S3's own rule has to.
        self.incomplete_bytes = abandoned_per_day * settings.uploads.upload_days * workload.mean_video_bytes * HALF_SENT
        self.video_count = ready_per_day * life_days + rejected
        old_record_bytes = min(noncurrent_days, operation_days) * RECORD_BYTES * (RECORD_VERSIONS - 1)
        self.metadata_bytes = self.video_count * (POSTER_BYTES + RECORD_BYTES) + completed_per_day * old_record_bytes

    @property
    def video_bytes(self) -> float:
        """Bytes in the video bucket, unfinished parts included, as in S3's BucketSizeBytes. The dashboard divides the
        month's cost by them."""
        return self.standard_bytes + self.infrequent_bytes + self.archive_instant_bytes + self.incomplete_bytes
