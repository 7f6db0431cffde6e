"""Controls for tests: deliberate faults, a shifted clock, and a log of answered requests."""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from local.stand_in.errors import WrongControlError

LOGGED_REQUESTS = 50_000


@dataclass(kw_only=True)
class Fault:
    """One injected fault.

    operation: the affected operation of S3 or action of another service; key_contains: only for such keys. times:
    remaining repetitions. delay_seconds: delay before the operation. status and code: of the refusal. lose_response:
    carry out the operation, and break the connection instead of responding.
    """

    operation: str
    times: int = 1
    delay_seconds: float = 0.0
    status: int | None = None
    code: str = "InternalError"
    lose_response: bool = False
    key_contains: str = ""


_FIELDS = {
    "operation": ("operation", str),
    "times": ("times", int),
    "delaySeconds": ("delay_seconds", (int, float)),
    "status": ("status", int),
    "code": ("code", str),
    "loseResponse": ("lose_response", bool),
    "keyContains": ("key_contains", str),
}


def parse_fault(document: object) -> Fault:
    """Parse a fault from JSON. Raises WrongControlError for anything else."""
    if not isinstance(document, dict):
        raise WrongControlError("a fault is a JSON object")
    fields: dict[str, object] = {}
    for name, value in cast("dict[str, object]", document).items():
        if name not in _FIELDS:
            raise WrongControlError(f"{name} is not one of {', '.join(_FIELDS)}")
        field, kind = _FIELDS[name]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise WrongControlError(f"{name} cannot be {value!r}")
        fields[field] = value
    if not fields.get("operation"):
        raise WrongControlError("operation is missing")
    return Fault(**fields)  # pyrefly: ignore[bad-argument-type] (checked field by field above)


class Faults:
    """The active faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Activate a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._faults.clear()

    def take(self, operation: str, key: str) -> Fault | None:
        """Return the fault for this request, and count it as used once."""
        with self._lock:
            for fault in self._faults:
                if fault.operation == operation and fault.key_contains in key and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None


@dataclass(frozen=True, kw_only=True)
class LoggedRequest:
    """One request. status: 0 for a response lost on purpose."""

    operation: str
    key: str
    part_number: int | None
    status: int


class RequestLog:
    """Counters of all requests, and the last LOGGED_REQUESTS requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()
        self._requests: deque[LoggedRequest] = deque(maxlen=LOGGED_REQUESTS)

    def add(self, request: LoggedRequest) -> None:
        """Note an answered request."""
        with self._lock:
            self._counters[request.operation] += 1
            self._requests.append(request)

    def clear(self) -> None:
        """Clear the log."""
        with self._lock:
            self._counters.clear()
            self._requests.clear()

    def document(self) -> Mapping[str, object]:
        """Counters and requests in the format of `GET /_stand-in/requests`."""
        with self._lock:
            return {
                "counters": dict(self._counters),
                "requests": [
                    {
                        "operation": request.operation,
                        "key": request.key,
                        "partNumber": request.part_number,
                        "status": request.status,
                    }
                    for request in self._requests
                ],
            }


class Clock:
    """The object store's clock."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def timestamp(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.offset_seconds

    def now(self) -> datetime:
        """The same, in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)
