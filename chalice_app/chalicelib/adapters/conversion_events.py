"""MediaConvert's events: which of its jobs has ended, and of which video it was.

MediaConvert User Guide, "List of MediaConvert EventBridge events".
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.core.video_id import VideoRef

CONVERTER = "aws.mediaconvert"
JOB_CHANGED = "MediaConvert Job State Change"
"""Source and type of its events."""

ENDS = ("COMPLETE", "ERROR", "CANCELED")

OWNER, VIDEO_ID = "owner", "videoId"
"""User metadata of each job, which its events bring back."""


def video_in(detail: Mapping[str, Any]) -> VideoRef | None:
    """Read an event's `detail`. None where the job is not the platform's: a person may put one into its queue."""
    told = detail.get("userMetadata", {})
    return VideoRef.from_file_key(VideoRef(told.get(OWNER, ""), told.get(VIDEO_ID, "")).file_key)
