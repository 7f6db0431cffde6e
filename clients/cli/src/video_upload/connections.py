"""Connections for parts: one limit for all files of a run, idle ones kept for the next part."""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import SplitResult

from video_upload.backoff import Interruption
from video_upload.network import Line, open_line, tls_context

TIMEOUT_SECONDS = 60.0  # of one connect, one send of a buffer, or the wait for the answer
KEPT_SECONDS = 5.0
"""An idle connection may have ended at the other side: an older one is replaced."""
CHECK_SECONDS = 0.2

Peer = tuple[str, str]


class Connections:
    """Turns to send a part, first come, first served, so that files share them evenly.

    limit: turns at a time, and connections, idle ones included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._lent = 0
        self._waiting: deque[threading.Event] = deque()
        self._idle: deque[tuple[Peer, Line, float]] = deque()
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    @contextmanager
    def turn(self, interruption: Interruption) -> Generator[None]:
        """Wait for a turn and hold it. Raises UploadCancelledError while it waits."""
        granted = threading.Event()
        with self._lock:
            if self._used < self._limit:
                self._used += 1
                granted.set()
            else:
                self._waiting.append(granted)
        try:
            while not granted.wait(CHECK_SECONDS):
                interruption.check()
        except BaseException:
            self._give_up(granted)
            raise
        try:
            yield
        finally:
            self._pass_on()

    def _give_up(self, granted: threading.Event) -> None:
        with self._lock:
            if granted in self._waiting:
                self._waiting.remove(granted)
                return
        self._pass_on()  # it was granted meanwhile

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._used -= 1

    def open(self, url: SplitResult) -> Line:
        """Return a connection to the URL's host. For the holder of a turn; raises as `open_line` and `tls_context`."""
        peer = (url.scheme, url.netloc)
        dropped: list[Line] = []
        found: Line | None = None
        with self._lock:
            self._tls = self._tls or tls_context()
            fresh_since = time.monotonic() - KEPT_SECONDS
            dropped += [line for _, line, since in self._idle if since < fresh_since]
            kept = [each for each in self._idle if each[2] >= fresh_since]
            for each in reversed(kept):
                if each[0] == peer:
                    found = each[1]
                    kept.remove(each)
                    break
            # A holder of a turn may have given its connection back already: turns say less than what is lent.
            self._lent += 1
            while kept and self._lent + len(kept) > self._limit:
                dropped.append(kept.pop(0)[1])
            self._idle = deque(kept)
        for line in dropped:
            line.connection.close()
        if found is not None:
            return found
        try:
            return open_line(url, self._tls, TIMEOUT_SECONDS)
        except BaseException:
            with self._lock:
                self._lent -= 1
            raise

    def keep(self, url: SplitResult, line: Line) -> None:
        """Take back a connection that can carry another part."""
        with self._lock:
            self._lent -= 1
            self._idle.append(((url.scheme, url.netloc), line, time.monotonic()))

    def drop(self, line: Line) -> None:
        """Take back and close a connection that can carry none."""
        line.connection.close()
        with self._lock:
            self._lent -= 1

    def close(self) -> None:
        """Close idle connections."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for _, line, _ in idle:
            line.connection.close()
