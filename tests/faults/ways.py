"""Ways in which a call goes wrong, and which of a line's calls they strike."""

import threading
from dataclasses import dataclass, field
from enum import StrEnum


class Way(StrEnum):
    """One way. The values stand in the names of kinds."""

    REFUSED = "refused"
    """The connection is reset, and for a while no new one is taken."""
    RESET = "reset"
    """The connection is reset before the request has arrived."""
    HALF_REQUEST = "half-request"
    """The connection breaks in the middle of the body, for both sides."""
    LOST = "lost"
    """The call is carried out, and the connection is reset instead of the answer."""
    HALF_ANSWER = "half-answer"
    """The call is carried out, and the answer ends in its middle."""
    LATE = "late"
    """The call is carried out, and no answer comes while the client waits."""
    INTERNAL_ERROR = "500"
    UNAVAILABLE = "503"
    TOO_MANY = "429"
    GATEWAY_TIMEOUT = "504"
    """The call is carried out, and the gateway gives up before its answer."""
    GARBAGE = "garbage"
    """Something on the way answers 200 with a page of its own."""
    TWICE = "twice"
    """Something on the way sends the request twice."""
    EXPIRED = "expired"
    """S3 refuses the URL as expired."""
    DIES_BEFORE = "dies-before"
    """The client ends before the request arrives."""
    DIES_AFTER = "dies-after"
    """The call is carried out, and the client ends before the answer."""
    DIES_THEN = "dies-then"
    """The client ends once it has the answer."""


@dataclass
class Trouble:
    """A way that strikes a call. first: of its occurrences, from 1. times: how many in a row."""

    call: str
    way: Way
    first: int = 1
    times: int = 1
    seen: int = 0
    struck: int = 0


@dataclass
class Line:
    """The way between one client and the platform.

    struck: set when a trouble has struck that ends the client; client_gone: set once the client has ended.
    """

    troubles: list[Trouble] = field(default_factory=list[Trouble])
    calls: list[str] = field(default_factory=list[str])
    client_must_end: threading.Event = field(default_factory=threading.Event)
    client_gone: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, call: str) -> Way | None:
        """Note a call; the way in which it goes wrong, None if it does not."""
        with self._lock:
            way = None
            for trouble in self.troubles:
                if trouble.call != call:
                    continue
                trouble.seen += 1
                if way is None and trouble.first <= trouble.seen < trouble.first + trouble.times:
                    trouble.struck += 1
                    way = trouble.way
            self.calls.append(f"{call} {way}" if way else call)
            return way

    def begin(self, *troubles: Trouble) -> None:
        """Replace the troubles of the line."""
        with self._lock:
            self.troubles = list(troubles)
            self.client_must_end.clear()
            self.client_gone.clear()

    def lift(self) -> None:
        """End all troubles."""
        with self._lock:
            self.troubles = []
        self.client_gone.set()
