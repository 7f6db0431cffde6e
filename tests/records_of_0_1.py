"""Records as version 0.1 wrote them."""

import json
from typing import Any

FIELDS = (
    *("owner", "videoId", "fileName", "contentType", "sizeBytes", "partSizeBytes", "uploadId", "state", "createdAt"),
    *("updatedAt", "expiresAt", "checksumCrc64nvme", "completionStartedAt", "completedAt", "processingRetries"),
    *("versionId", "media", "rejection", "notifiedAt"),
)
"""Fields of a record of version 0.1. A record that begins with these and no others is one."""
MEDIA = {
    "container": "mp4",
    "durationSeconds": 2.0,
    "bitRateBitsPerSecond": 900_000,
    "video": {"codec": "h264", "width": 320, "height": 180, "rotationDegrees": 0, "frameRate": 25.0},
    "audio": {"codec": "aac", "channels": 2, "sampleRateHz": 48_000},
}


def as_written_by_0_1(record: bytes) -> bytes:
    """Take from a record what version 0.1 did not write."""
    fields: dict[str, Any] = json.loads(record)
    assert fields.keys() >= set(FIELDS)
    kept = {name: fields[name] for name in FIELDS}
    kept["media"] = kept["media"] and MEDIA
    return json.dumps(kept).encode()
