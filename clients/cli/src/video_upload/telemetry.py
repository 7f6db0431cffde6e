"""Telemetry for the platform's operators: small events, in batches, that never delay an upload.

An event names the video, sizes, times and S3's error codes; no file names, addresses or tokens.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, Protocol

from video_upload.errors import ApiError, VideoUploadError
from video_upload.events import (
    BytesSent,
    Completing,
    PartRetried,
    PartsDiffered,
    ProcessingPolled,
    Report,
    UploadBegan,
    Uploaded,
    UploadEvent,
    UploadFailed,
)
from video_upload.schemas import ProgressBatch
from video_upload.version import VERSION

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 30.0
"""Between two calls, at least: ten of the calls that a token may make in five minutes."""
LONGEST_PAUSE_SECONDS = 600.0
MOST_DOUBLINGS = 5
LAST_WORDS_SECONDS = 3.0
MOST_WAITING = 1000
"""Older ones are dropped."""
MOST_EVENTS = 25  # of one call: docs/openapi.json, ProgressBatch
MOST_PART_NUMBERS = 20  # of one event: PartsDiffered
MOST_FAILURES = 1_000  # PartRetried
WORTH_REPEATING = frozenset({401, 408, 429})
"""Statuses among the 4xx after which another call may succeed."""

_CODE = re.compile(r"[0-9A-Za-z._-]{1,64}")


class ProgressSink(Protocol):
    """Destination of events."""

    def tell_progress(self, batch: ProgressBatch) -> None:
        """Raises VideoUploadError if they did not arrive."""
        ...


class Telemetry:
    """Events of several uploads on their way to a sink. A context manager; leaving it takes three seconds at most.

    What cannot be delivered waits for a later call, up to MOST_WAITING events and ever more rarely; a batch that the
    platform refuses permanently is dropped. Either is said once, at debug level.
    """

    def __init__(
        self, sink: ProgressSink, *, interval_seconds: float = INTERVAL_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        self._sink = sink
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._worker = threading.Thread(target=self._work, name="telemetry", daemon=True)
        self._failures = 0
        self._asked_pause_seconds = 0.0
        self._has_complained = False

    def __enter__(self) -> Telemetry:
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._worker.join(LAST_WORDS_SECONDS)

    def for_upload(self) -> Report:
        """Return a function for the engine of one file after another; it returns at once."""
        return _Narrator(self._add, self._interval_seconds, self._clock).note

    def _add(self, event: dict[str, Any]) -> None:
        with self._lock:
            self._waiting.append(event)

    def _work(self) -> None:
        while not self._ending.wait(self._pause_seconds()):
            self._tell()
        while self._tell():
            pass  # what is left, call by call, until one fails or nobody waits for it any more

    def _pause_seconds(self) -> float:
        pause_seconds = min(self._interval_seconds * 2**self._failures, LONGEST_PAUSE_SECONDS)
        return max(pause_seconds, self._asked_pause_seconds)

    def _tell(self) -> bool:
        """Send waiting events and return whether that succeeded and there may be more."""
        events = self._take()
        if not events:
            return False
        try:
            self._sink.tell_progress(
                ProgressBatch(client=f"desktop/{VERSION}", system=sys.platform, events=tuple(events))
            )
        except VideoUploadError as error:
            self._failures = min(self._failures + 1, MOST_DOUBLINGS)
            self._asked_pause_seconds = (isinstance(error, ApiError) and error.retry_after_seconds) or 0.0
            self._complain(error)
            if not _is_refused_for_good(error):
                self._put_back(events)
            return False
        self._failures, self._asked_pause_seconds = 0, 0.0
        return True

    def _take(self) -> list[dict[str, Any]]:
        with self._lock:
            events = list(islice(self._waiting, MOST_EVENTS))
            for _ in events:
                self._waiting.popleft()
            return events

    def _put_back(self, events: list[dict[str, Any]]) -> None:
        with self._lock:
            room = MOST_WAITING - len(self._waiting)
            self._waiting.extendleft(reversed(events[max(len(events) - room, 0) :]))

    def _complain(self, error: VideoUploadError) -> None:
        if not self._has_complained:
            self._has_complained = True
            log.debug("progress could not be reported: %s", error)


class _Narrator:
    """Translates the events of one upload at a time, which may come from any thread."""

    def __init__(
        self, add: Callable[[dict[str, Any]], None], interval_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._tell = add
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._video_id = ""
        self._correlation_id: str | None = None
        self._size_bytes = self._sent_bytes = 0
        self._progress_at = 0.0
        self._last_state = ""

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
                    self._add("partRetried", partNumber=number, failures=min(failures, MOST_FAILURES))
                case PartsDiffered(part_numbers=numbers):
                    self._add("partsDiffered", partNumbers=numbers[:MOST_PART_NUMBERS])
                case Completing():
                    self._enter("completing")
                case Uploaded():
                    self._enter("processing")
                case ProcessingPolled(state=state):
                    self._enter(state)
                case UploadFailed(video_id=video_id, code=code) if video_id == self._video_id:
                    self._enter("failed", **({"code": code} if code and _CODE.fullmatch(code) else {}))
                case _:
                    return

    def _enter(self, state: str, **more: Any) -> None:
        if state != self._last_state:
            self._last_state = state
            self._add("uploadState", state=state, **more)

    def _add(self, name: str, **more: Any) -> None:
        self._tell(
            {
                "event": name,
                "at": int(self._clock() * 1000),
                "videoId": self._video_id,
                "correlationId": self._correlation_id,
                "sizeBytes": self._size_bytes,
                "sentBytes": max(self._sent_bytes, 0),
                **more,
            }
        )


def _is_refused_for_good(error: VideoUploadError) -> bool:
    return isinstance(error, ApiError) and 400 <= error.status < 500 and error.status not in WORTH_REPEATING
