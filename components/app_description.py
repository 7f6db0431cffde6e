"""Description of the Chalice app: the API's document, the functions' handlers, and the events that trigger them."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

PROJECT = Path(__file__).resolve().parents[1]
VIDEO_BUCKET = "{{video_bucket}}"
"""Token for a bucket's name, which the app reads from its environment."""


class AppNotReadableError(Exception):
    """The app cannot be imported. folder: of the app; reason: the interpreter's error."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"cannot read the app in {folder}: {reason}")


class BucketEvents(TypedDict):
    """Events of a bucket, by type, for the keys with a prefix."""

    events: list[str]
    prefix: str


@dataclass(frozen=True, kw_only=True)
class AppDescription:
    """The parts of the app that the infrastructure needs.

    document: the API's document with tokens for values that only AWS knows (see components/api/document.py).
    handlers: entry point by function.
    schedule: of the janitor, in EventBridge's syntax.
    uploads, messages: events of the video bucket and the metadata bucket that functions receive.
    scan_events: EventBridge pattern of the malware scanner's results, with a token for the video bucket.
    conversion_events: EventBridge pattern of finished conversions, of any queue.
    delivery_batch_size: messages that one invocation delivers. delivery_attempts: before a message goes to the dead-
    letter queue.
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
        """Return the EventBridge pattern of this bucket's scan results."""
        return json.dumps(self.scan_events).replace(VIDEO_BUCKET, video_bucket)

    def conversion_events_of(self, queue_arn: str) -> str:
        """Return the EventBridge pattern of this queue's finished conversions."""
        pattern = self.conversion_events
        return json.dumps({**pattern, "detail": {**pattern["detail"], "queue": [queue_arn]}})


@functools.cache
def describe_app(folder: Path) -> AppDescription:
    """Import this folder's app in a separate process, or reuse the description of the same sources in `build/app`.

    Raises AppNotReadableError.
    """
    known = PROJECT / "build" / "app" / f"{_digest(folder)}.json"
    if not known.is_file():
        program = [sys.executable, "-m", "components.app_reader", str(folder.resolve())]
        asked = subprocess.run(program, cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
        if asked.returncode != 0:
            raise AppNotReadableError(folder, asked.stderr.strip())
        known.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=known.parent, delete=False) as written:
            written.write(asked.stdout)
        Path(written.name).replace(known)
    return AppDescription(**json.loads(known.read_text()))


def _digest(folder: Path) -> str:
    """Digest of everything that determines the description: the app, its reader, and the libraries that both import."""
    libraries = [f"{name} {importlib.metadata.version(name)}" for name in ("chalice", "msgspec")]
    known = hashlib.sha256(" ".join([sys.version, *libraries]).encode())
    for root in (folder, PROJECT / "components" / "api"):
        for path in sorted(root.rglob("*.py")):
            known.update(f"\0{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes())
    for path in (Path(__file__), PROJECT / "components" / "app_reader.py"):
        known.update(b"\0" + path.read_bytes())
    return known.hexdigest()[:16]
