"""Delays between retries, and waits that can be interrupted."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

from video_upload.errors import UploadCancelledError


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential with full jitter: many clients that failed together do not come back together.

    tries: attempts in all, the first included.
    base_seconds: upper bound of the first wait; doubles with every further one.
    cap_seconds: upper bound of any wait.
    """

    tries: int = 8
    base_seconds: float = 0.5
    cap_seconds: float = 30.0

    def wait_seconds(self, failures: int) -> float:
        """A random wait after that many failures in a row (1 or more)."""
        bound = min(self.cap_seconds, self.base_seconds * 2 ** min(failures - 1, 30))
        return random.uniform(0, bound)  # noqa: S311 - spreads load, guards nothing


class Interruption:
    """A stop sign shared by everything that belongs to one upload."""

    def __init__(self) -> None:
        self._requested = threading.Event()

    def request(self) -> None:
        self._requested.set()

    def clear(self) -> None:
        self._requested.clear()

    def check(self) -> None:
        """Raises UploadCancelledError once a stop was requested."""
        if self._requested.is_set():
            raise UploadCancelledError

    def pause(self, seconds: float) -> None:
        """Sleep. Raises UploadCancelledError as soon as a stop is requested."""
        if self._requested.wait(seconds):
            raise UploadCancelledError
