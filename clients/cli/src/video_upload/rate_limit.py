"""One limit on the bytes per second of all workers together, and how people write it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable

UNITS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}
SMALLEST_BYTES_PER_SECOND = 16_000
"""Below, S3 would take the workers' pauses for dead connections."""
SLICE_SECONDS = 0.1
SMALLEST_SLICE_BYTES = 4096
LARGEST_SLICE_BYTES = 1024 * 1024


class RateLimit:
    """A token bucket that holds one slice; shared by all workers of all files.

    slice_bytes: what to send at a time, a tenth of a second's worth.
    """

    def __init__(self, bytes_per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError below SMALLEST_BYTES_PER_SECOND."""
        if bytes_per_second < SMALLEST_BYTES_PER_SECOND:
            raise ValueError(f"a limit is at least {SMALLEST_BYTES_PER_SECOND // 1000} kB per second")
        self.bytes_per_second = bytes_per_second
        self.slice_bytes = int(min(max(bytes_per_second * SLICE_SECONDS, SMALLEST_SLICE_BYTES), LARGEST_SLICE_BYTES))
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at = clock()

    def wait_seconds(self, count_bytes: int) -> float:
        """Book that many bytes; how long to wait before they may go."""
        with self._lock:
            now = self._clock()
            start = max(now, self._free_at)
            self._free_at = start + count_bytes / self.bytes_per_second
            return start - now


def parse_rate(text: str) -> float:
    """Bytes per second of `5MB`, `500k`, `1.5MiB/s`; decimal units unless there is an i. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?i?)b?(?:/s)?\s*", text, re.IGNORECASE)
    unit = match[2].lower() if match else "i"
    if match is None or unit not in UNITS:
        raise ValueError(f"{text!r} is not a rate such as 5MB, 500k or 1.5MiB (per second)")
    return float(match[1]) * UNITS[unit]
