"""Metrics made of the clients' progress events by fixed filters: a client can fill them, not invent new ones.

The events: clients/web/src/telemetry.ts, clients/cli/src/video_upload/telemetry.py. Knows no Pulumi.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClientMetric:
    """Counts the events that match `pattern` (CloudWatch Logs User Guide, "Filter pattern syntax for JSON")."""

    name: str
    pattern: str


CLIENT_METRICS = (
    ClientMetric("UploadsBegan", '{ $.event = "uploadBegan" }'),
    ClientMetric("UploadsArrived", '{ ($.event = "uploadState") && ($.state = "processing") }'),
    ClientMetric("UploadsFailed", '{ ($.event = "uploadState") && ($.state = "failed") }'),
    ClientMetric("UploadsAborted", '{ ($.event = "uploadState") && ($.state = "aborted") }'),
    ClientMetric("PartsRetried", '{ $.event = "partRetried" }'),
    ClientMetric("PartsDiffered", '{ $.event = "partsDiffered" }'),
)

PROGRESS_QUERY = """\
filter event = "uploadProgress"
| fields 100 * sentBytes / sizeBytes as sentPercent, sizeBytes / 1000000 as megabytes
| stats latest(sentPercent) as percent, latest(megabytes) as sizeMegabytes,
        latest(client) as clientVersion, max(@timestamp) as toldAt by videoId
| sort toldAt desc
| limit 20"""
"""How far the uploads are, as their clients tell it (Logs Insights)."""
