"""The catalogue of the platform's own metrics: the name in code, the name and unit at CloudWatch, the emitters.

The functions' meter accepts no other metric, the cost estimate counts these, and figures, dashboard, alarms and the
local status view take their names from here. docs/metrics.md lists which of them shows which metric.
"""

from typing import NamedTuple

NAMESPACE = "VideoUpload"
JANITOR, PROCESSING, SCAN = "janitor", "video_processing", "scan_verdict"
INIT, COMPLETE, UPLOAD = "multipart_init", "multipart_complete", "video_upload"
DELIVERY = "notification_delivery"
ANY_FUNCTION = "any function"


class OwnMetric(NamedTuple):
    """unit: as CloudWatch's API spells it. emitters: functions that record the metric, or ANY_FUNCTION."""

    name: str
    unit: str
    emitters: tuple[str, ...]

    @property
    def is_scheduled(self) -> bool:
        """True if each run of the janitor records the metric, whatever happens on the stage."""
        return JANITOR in self.emitters


OWN_METRICS = {
    "client_parts_differed_count": OwnMetric("ClientPartsDiffered", "Count", (UPLOAD,)),
    "client_parts_retried_count": OwnMetric("ClientPartsRetried", "Count", (UPLOAD,)),
    "client_uploads_aborted_count": OwnMetric("ClientUploadsAborted", "Count", (UPLOAD,)),
    "client_uploads_arrived_count": OwnMetric("ClientUploadsArrived", "Count", (UPLOAD,)),
    "client_uploads_began_count": OwnMetric("ClientUploadsBegan", "Count", (UPLOAD,)),
    "client_uploads_failed_count": OwnMetric("ClientUploadsFailed", "Count", (UPLOAD,)),
    "cold_starts_count": OwnMetric("ColdStarts", "Count", (ANY_FUNCTION,)),
    "completion_milliseconds": OwnMetric("Completion", "Milliseconds", (COMPLETE, PROCESSING)),
    "completions_refused_count": OwnMetric("CompletionsRefused", "Count", (COMPLETE,)),
    "janitor_failures_count": OwnMetric("JanitorFailures", "Count", (JANITOR,)),
    "month_cost_usd": OwnMetric("MonthCost", "None", (JANITOR,)),  # CloudWatch has no unit for money
    "notification_attempts_failed_count": OwnMetric("NotificationAttemptsFailed", "Count", (DELIVERY,)),
    "notifications_delivered_count": OwnMetric("NotificationsDelivered", "Count", (DELIVERY,)),
    "parts_completed_count": OwnMetric("PartsCompleted", "Count", (COMPLETE, PROCESSING)),
    "parts_signed_count": OwnMetric("PartsSigned", "Count", (INIT,)),
    "processing_milliseconds": OwnMetric("Processing", "Milliseconds", (PROCESSING,)),
    "rendition_milliseconds": OwnMetric("Rendition", "Milliseconds", (PROCESSING,)),
    "renditions_failed_count": OwnMetric("RenditionsFailed", "Count", (PROCESSING,)),
    "renditions_ready_count": OwnMetric("RenditionsReady", "Count", (PROCESSING,)),
    "renditions_waiting_count": OwnMetric("RenditionsWaiting", "Count", (JANITOR,)),
    "retention_deletions_count": OwnMetric("RetentionDeletions", "Count", (JANITOR,)),
    "retention_warnings_count": OwnMetric("RetentionWarnings", "Count", (JANITOR,)),
    "reserved_size_bytes": OwnMetric("ReservedSize", "Bytes", (JANITOR,)),
    "scaling_activities_count": OwnMetric("ScalingActivities", "Count", (JANITOR,)),
    "scan_wait_milliseconds": OwnMetric("ScanWait", "Milliseconds", (PROCESSING,)),
    "scans_access_denied_count": OwnMetric("ScansAccessDenied", "Count", (SCAN,)),
    "scans_clean_count": OwnMetric("ScansClean", "Count", (SCAN,)),
    "scans_failed_count": OwnMetric("ScansFailed", "Count", (SCAN,)),
    "scans_infected_count": OwnMetric("ScansInfected", "Count", (SCAN,)),
    "scans_unanswered_count": OwnMetric("ScansUnanswered", "Count", (PROCESSING,)),
    "scans_unsupported_count": OwnMetric("ScansUnsupported", "Count", (SCAN,)),
    "stage_stored_bytes": OwnMetric("StageStored", "Bytes", (JANITOR,)),
    "stage_stored_videos_count": OwnMetric("StageStoredVideos", "Count", (JANITOR,)),
    "stored_size_bytes": OwnMetric("StoredSize", "Bytes", (PROCESSING,)),
    "unknown_objects_count": OwnMetric("UnknownObjects", "Count", (PROCESSING,)),
    "upload_size_bytes": OwnMetric("UploadSize", "Bytes", (INIT, UPLOAD)),
    "upload_throughput_bytes_per_second": OwnMetric("UploadThroughput", "Bytes/Second", (COMPLETE, PROCESSING)),
    "uploads_aborted_count": OwnMetric("UploadsAborted", "Count", (INIT,)),
    "uploads_completed_count": OwnMetric("UploadsCompleted", "Count", (COMPLETE, PROCESSING)),
    "uploads_expired_count": OwnMetric("UploadsExpired", "Count", (JANITOR,)),
    "uploads_failed_count": OwnMetric("UploadsFailed", "Count", (COMPLETE, JANITOR)),
    "uploads_in_flight_count": OwnMetric("UploadsInFlight", "Count", (JANITOR,)),
    "uploads_processing_count": OwnMetric("UploadsProcessing", "Count", (JANITOR,)),
    "uploads_ready_count": OwnMetric("UploadsReady", "Count", (JANITOR, PROCESSING)),
    "uploads_rejected_count": OwnMetric("UploadsRejected", "Count", (PROCESSING,)),
    "uploads_started_count": OwnMetric("UploadsStarted", "Count", (INIT, UPLOAD)),
    "uploads_stuck_count": OwnMetric("UploadsStuck", "Count", (JANITOR,)),
    "users_in_flight_count": OwnMetric("UsersInFlight", "Count", (JANITOR,)),
    "videos_deleted_count": OwnMetric("VideosDeleted", "Count", (UPLOAD,)),
}
"""The catalogue, by the name with which the code records a metric: in snake case, the unit last."""
