"""Trouble at the calls to the outside: kills, refusals, and other work that comes in between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.core.ports import OutcomeUnknownError, StorageBusyError
from tests.in_memory_platform import InMemoryPlatform
from tests.outside_calls import OUTSIDE_CALLS, KilledError, around_calls

LAST_CALL = 12
"""Most operations make fewer calls than this; trouble beyond an operation's end does not happen."""


TROUBLES = (KilledError, ConnectionError, StorageBusyError, OutcomeUnknownError)
"""Errors that end an operation after trouble, as its caller sees them."""


@dataclass
class Trouble:
    """at_call: which call of the operation it meets, from 1. what: see `Interference.meet`."""

    at_call: int
    what: str


class Interference:
    """Stands between the services and the platform's ports. other_work: runs whole in the middle of an operation."""

    def __init__(self, platform: InMemoryPlatform, rng: random.Random, other_work: Callable[[], None]) -> None:
        self._rng = rng
        self._other_work = other_work
        self._trouble: Trouble | None = None
        self._calls = 0
        around_calls(platform, OUTSIDE_CALLS, self._around)

    @property
    def is_planned(self) -> bool:
        """Check whether trouble may still meet the operation."""
        return self._trouble is not None

    def plan(self) -> Trouble | None:
        """Trouble for one operation in three."""
        if self._rng.random() > 0.34:
            return None
        what = self._rng.choice(["kill before", "kill after", "refuse before", "refuse after", "other work", "busy"])
        return Trouble(self._rng.randint(1, LAST_CALL), what)

    def during(self, trouble: Trouble | None, operation: Callable[[], None]) -> None:
        """Run an operation; whatever trouble raises ends here."""
        self._trouble, self._calls = trouble, 0
        try:
            operation()
        except TROUBLES:
            pass
        finally:
            self._trouble = None

    def _around(self, _name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        trouble = self._trouble
        self._calls += 1
        if trouble is None or self._calls != trouble.at_call:
            return call()
        self._trouble = None
        return self._meet(trouble.what, call)

    def _meet(self, what: str, call: Callable[[], Any]) -> Any:
        match what:
            case "kill before":
                raise KilledError
            case "refuse before":
                raise ConnectionError
            case "busy":
                raise StorageBusyError
            case "other work":
                self._other_work()
                return call()
            case _:
                answer = call()
                raise KilledError if what == "kill after" else ConnectionError(answer)
