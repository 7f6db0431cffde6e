"""Description of the Chalice app: the API's document, the functions' handlers, and the events that trigger them."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

PROJECT = Path(__file__).resolve().parents[1]
VIDEO_BUCKET = "{{video_bucket}}"
"""Token for the bucket's name, which the app reads from its environment."""


class AppNotReadableError(Exception):
    """The app cannot be imported. folder: of the app; reason: the interpreter's words."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"cannot read the app in {folder}: {reason}")


class BucketEvents(TypedDict):
    """Events of a bucket, by type, for the keys with a prefix."""

    events: list[str]
    prefix: str


@dataclass(frozen=True, kw_only=True)
class AppDescription:
    """The app as the infrastructure sees it.

    document: the API's document with tokens for what only AWS knows (see components/api/document.py).
    handlers: entry point by function.
    schedule: of the janitor, as EventBridge writes it.
    uploads, messages: the events of the buckets of videos and metadata that functions receive.
    scan_events: EventBridge's pattern of the malware scanner's results, with a token for the video bucket.
    conversion_events: its pattern of the ends of conversions, of any queue.
    delivery_batch_size: messages of a destination that one call delivers. delivery_attempts: before a message is dead.
    """

    document: dict[str, Any]
    handlers: dict[str, str]
    schedule: str
    uploads: BucketEvents
    messages: BucketEvents
    delivery_batch_size: int
    delivery_attempts: int
    scan_events: dict[str, Any]
    conversion_events: dict[str, Any]

    def scan_events_of(self, video_bucket: str) -> str:
        """Return the pattern of this bucket's results as EventBridge takes it."""
        return json.dumps(self.scan_events).replace(VIDEO_BUCKET, video_bucket)

    def conversion_events_of(self, queue_arn: str) -> str:
        """Return the pattern of this queue's ends as EventBridge takes it."""
        pattern = self.conversion_events
        return json.dumps({**pattern, "detail": {**pattern["detail"], "queue": [queue_arn]}})


@functools.cache
def describe_app(folder: Path) -> AppDescription:
    """Import the app of this folder in a process of its own. Raises AppNotReadableError."""
    program = [sys.executable, "-m", "components.app_reader", str(folder.resolve())]
    asked = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if asked.returncode != 0:
        raise AppNotReadableError(folder, asked.stderr.strip())
    return AppDescription(**json.loads(asked.stdout))
