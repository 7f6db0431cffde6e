"""Fault modes of calls, and the faults planned for a line."""

import threading
from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """Mode of a failing call. The values are part of the names of kinds."""

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
    """Something on the line answers 200 with a page of its own."""
    TWICE = "twice"
    """Something on the line sends the request twice."""
    EXPIRED = "expired"
    """S3 refuses the URL as expired."""
    DIES_BEFORE = "dies-before"
    """The client ends before the request arrives."""
    DIES_AFTER = "dies-after"
    """The call is carried out, and the client ends before the answer."""
    DIES_THEN = "dies-then"
    """The client ends once it has the answer."""


@dataclass
class PlannedFault:
    """A fault in a call. first: its first affected occurrence, from 1. times: number of occurrences in a row."""

    call: str
    mode: Mode
    first: int = 1
    times: int = 1
    seen: int = 0
    struck: int = 0


@dataclass
class Line:
    """The line between one client and the platform.

    struck: set when a fault has struck that ends the client; client_gone: set once the client has ended.
    """

    planned_faults: list[PlannedFault] = field(default_factory=list[PlannedFault])
    calls: list[str] = field(default_factory=list[str])
    client_must_end: threading.Event = field(default_factory=threading.Event)
    client_gone: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, call: str) -> Mode | None:
        """Note a call, and return its fault mode, None if it succeeds."""
        with self._lock:
            mode = None
            for planned in self.planned_faults:
                if planned.call != call:
                    continue
                planned.seen += 1
                if mode is None and planned.first <= planned.seen < planned.first + planned.times:
                    planned.struck += 1
                    mode = planned.mode
            self.calls.append(f"{call} {mode}" if mode else call)
            return mode

    def begin(self, *planned_faults: PlannedFault) -> None:
        """Replace the planned faults of the line."""
        with self._lock:
            self.planned_faults = list(planned_faults)
            self.client_must_end.clear()
            self.client_gone.clear()

    def lift(self) -> None:
        """End all planned faults."""
        with self._lock:
            self.planned_faults = []
        self.client_gone.set()
