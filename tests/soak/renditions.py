"""Promises about renditions at the end of a history in which every video needs one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.core.rendition import MAX_ATTEMPTS
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import State, VideoRecord
from tests.in_memory_films import COPY_MARK
from tests.in_memory_platform import InMemoryPlatform

FOLDER = "renditions/"


def broken_promises(platform: InMemoryPlatform, records: Mapping[VideoRef, VideoRecord]) -> Iterator[str]:
    """One copy of a ready video and none of another, told of, and readable in the version that the record names."""
    if platform.processing.renditions is None:
        return
    for ref, record in records.items():
        visible = platform.videos.visible(ref.rendition_key)
        if record.state is not State.READY:
            if visible is not None:
                yield f"a copy of a video that is {record.state} is visible"
            continue
        rendition = record.rendition
        if rendition is None or rendition.needs_care:
            yield f"{ref.video_id} is ready and its copy is not settled"
        elif rendition.is_ready:
            newest = platform.videos.versions[ref.rendition_key][-1]
            if (newest.version_id, newest.tags) != (rendition.version_id, {"verdict": "accepted"}):
                yield f"the newest copy of {ref.video_id} is not the one that is played"
            if visible != COPY_MARK + (platform.videos.visible(ref.file_key) or b""):
                yield f"the copy of {ref.video_id} holds other bytes"
        elif rendition.attempts < MAX_ATTEMPTS:
            yield f"the copy of {ref.video_id} was given up after {rendition.attempts} attempts"
