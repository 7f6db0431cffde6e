"""Tells the platform's operators how uploads go: small events, batched, and never in the way of an upload.

An event names the video, sizes, times and S3's error codes; no file names, addresses or tokens.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from video_upload.errors import VideoUploadError
from video_upload.events import (
    BytesSent,
    Completing,
    PartRetried,
    PartsDiffered,
    ProcessingWatched,
    UploadBegan,
    Uploaded,
    UploadEvent,
    UploadFailed,
)
from video_upload.version import VERSION

INTERVAL_SECONDS = 10.0
MOST_WAITING = 1000
"""Older ones are dropped."""
MOST_FAILURES = 3
"""In a row; then it is left alone for the rest of the run."""
LAST_WORDS_SECONDS = 3.0


class TelemetryEvent(msgspec.Struct, frozen=True, kw_only=True):
    """at_ms: milliseconds since 1970. message: one JSON object, as PutLogEvents takes it."""

    at_ms: int
    message: str


class EventSink(Protocol):
    """Where events go."""

    def write(self, events: Sequence[TelemetryEvent]) -> None:
        """At least one, oldest first. Raises VideoUploadError if they did not arrive."""
        ...


class Telemetry:
    """Give `note` to the engine; it returns at once. A context manager; leaving it takes three seconds at most."""

    def __init__(
        self, sink: EventSink, *, interval_seconds: float = INTERVAL_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._sink = sink
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._waiting: deque[TelemetryEvent] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._worker = threading.Thread(target=self._work, name="telemetry", daemon=True)
        self._video_id = ""
        self._correlation_id: str | None = None
        self._size_bytes = self._sent_bytes = 0
        self._progress_at = 0.0
        self._last_state = ""

    def __enter__(self) -> Telemetry:
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._worker.join(LAST_WORDS_SECONDS)

    def note(self, event: UploadEvent) -> None:
        with self._lock:
            match event:
                case UploadBegan(video_id=video_id, size_bytes=size_bytes, stored_bytes=stored_bytes):
                    self._video_id, self._correlation_id = video_id, event.correlation_id
                    self._size_bytes, self._sent_bytes = size_bytes, stored_bytes
                    self._progress_at, self._last_state = self._clock(), ""
                    self._add("uploadBegan", partCount=event.part_count)
                case BytesSent(count=count):
                    self._sent_bytes += count
                    if self._clock() - self._progress_at >= self._interval_seconds:
                        self._progress_at = self._clock()
                        self._add("uploadProgress")
                case PartRetried(part_number=number, failures=failures):
                    self._add("partRetried", partNumber=number, failures=failures)
                case PartsDiffered(part_numbers=numbers):
                    self._add("partsDiffered", partNumbers=numbers[:100])
                case Completing():
                    self._enter("completing")
                case Uploaded():
                    self._enter("processing")
                case ProcessingWatched(state=state):
                    self._enter(state)
                case UploadFailed(video_id=video_id, code=code) if video_id == self._video_id:
                    self._enter("failed", **({"code": code} if code else {}))
                case _:
                    return

    def _enter(self, state: str, **more: Any) -> None:
        if state != self._last_state:
            self._last_state = state
            self._add("uploadState", state=state, **more)

    def _add(self, name: str, **more: Any) -> None:
        body = {
            "event": name,
            "client": f"desktop/{VERSION}",
            "system": sys.platform,
            "videoId": self._video_id,
            "correlationId": self._correlation_id,
            "sizeBytes": self._size_bytes,
            "sentBytes": self._sent_bytes,
            **more,
        }
        message = msgspec.json.encode(body).decode()
        self._waiting.append(TelemetryEvent(at_ms=int(self._clock() * 1000), message=message))

    def _work(self) -> None:
        failures = 0
        while failures < MOST_FAILURES:
            is_last = self._ending.wait(self._interval_seconds)
            events = self._take()
            if events:
                try:
                    self._sink.write(events)
                    failures = 0
                except VideoUploadError:
                    failures += 1
            if is_last:
                return

    def _take(self) -> list[TelemetryEvent]:
        with self._lock:
            events = list(self._waiting)
            self._waiting.clear()
            return events
