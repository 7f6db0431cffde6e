"""Slots for concurrent calls, with a maximum share per caller."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Share:
    free: threading.BoundedSemaphore
    callers: int = field(default=0)


class FairShare:
    """A limit of concurrent calls: calls beyond a caller's share wait for that caller's other calls.

    slots: for all callers together. share: for each caller.
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
