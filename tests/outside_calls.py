"""Calls of the core to the outside world, where tests and measurements come in between."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from tests.in_memory_platform import InMemoryPlatform

OUTSIDE_CALLS: Mapping[str, Iterable[str]] = {
    "metadata": ("get", "put", "put_if_new", "put_if_unchanged", "retire_if_unchanged", "delete", "list_keys"),
    "videos": (
        "create_multipart_upload",
        "list_parts",
        "complete_multipart_upload",
        "abort_multipart_upload",
        "list_upload_ids",
        "head",
        "list_videos",
        "read_range",
        "set_verdict",
        "delete",
        "delete_version",
    ),
    "mac": ("generate",),
    "notifier": ("announce",),
    "renditions": ("begin", "put_part", "complete"),
    "trigger": ("trigger",),
    "scanner": ("request_scan",),
}
"""Calls that can fail, by port of the platform in memory."""


class KilledError(BaseException):
    """Lambda ends a function: nothing that tidies up after an error runs."""


def around_calls(
    platform: InMemoryPlatform,
    calls: Mapping[str, Iterable[str]],
    around: Callable[[str, tuple[Any, ...], Callable[[], Any]], Any],
) -> None:
    """Let `around` make each of these calls, by port.

    It is given the call's name, as in `metadata.get`, its positional arguments, and a function that makes it.
    """

    def replaced(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **named: around(name, arguments, lambda: method(*arguments, **named))

    for port, methods in calls.items():
        fake = getattr(platform, port)
        for method in methods:
            setattr(fake, method, replaced(f"{port}.{method}", getattr(fake, method)))


class Interruption:
    """Ends one call of all that are made while it is armed: before it takes effect, or once it has.

    calls_left: to the call that it ends; above 0 where fewer were made.
    """

    def __init__(
        self,
        platform: InMemoryPlatform,
        at_call: int,
        when: Literal["before", "after"],
        error: type[BaseException] = KilledError,
    ) -> None:
        self.calls_left, self.is_armed = at_call, True
        self._when, self._error = when, error
        around_calls(platform, OUTSIDE_CALLS, self._around)

    def _around(self, _name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        self.calls_left -= self.is_armed
        ends_here = self.is_armed and self.calls_left == 0
        if ends_here and self._when == "before":
            raise self._error
        answer = call()
        if ends_here:
            raise self._error
        return answer
