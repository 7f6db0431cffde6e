"""Places for calls that run at once, of which no caller gets more than a share."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class _Share:
    free: threading.BoundedSemaphore
    callers: int = field(default=0)


class FairPlaces:
    """Calls beyond a caller's share wait for the same caller's calls, and keep no place from others.

    places: for all callers together. share: for each.
    """

    def __init__(self, places: int, share: int) -> None:
        self._places = threading.BoundedSemaphore(places)
        self._share = share
        self._shares: dict[str, _Share] = {}
        self._lock = threading.Lock()

    @contextmanager
    def place(self, caller: str) -> Generator[None]:
        with self._lock:
            own = self._shares.setdefault(caller, _Share(threading.BoundedSemaphore(self._share)))
            own.callers += 1
        try:
            with own.free, self._places:
                yield
        finally:
            with self._lock:
                own.callers -= 1
                if not own.callers:
                    del self._shares[caller]
