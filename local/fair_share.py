"""Slots for concurrent calls, of which no caller gets more than a share."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Share:
    free: threading.BoundedSemaphore
    callers: int = field(default=0)


class FairShare:
    """A limit on concurrent calls: those beyond a caller's share wait for the same caller's calls.

    slots: for all callers together. share: for each.
    """

    def __init__(self, slots: int, share: int) -> None:
        self._slots = threading.BoundedSemaphore(slots)
        self._share = share
        self._shares: dict[str, _Share] = {}
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, caller: str) -> Generator[None]:
        with self._lock:
            own = self._shares.setdefault(caller, _Share(threading.BoundedSemaphore(self._share)))
            own.callers += 1
        try:
            with own.free, self._slots:
                yield
        finally:
            with self._lock:
                own.callers -= 1
                if not own.callers:
                    del self._shares[caller]
