"""Context of log lines and metrics: the ids of the current invocation and upload.

The ids are kept in contextvars, so that no function has to pass them on. Names are given in Python's spelling and
logged in the API's: `video_id` becomes `videoId`.
"""

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import ParamSpec, TypeVar

from chalicelib.core.json_values import camel_case

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

CORRELATION_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
"""Ids that a client may give an upload."""

_NO_IDS: Mapping[str, str] = {}
_invocation: ContextVar[Mapping[str, str] | None] = ContextVar("invocation", default=None)
_upload: ContextVar[Mapping[str, str]] = ContextVar("upload", default=_NO_IDS)


@contextmanager
def invocation(**ids: str | None) -> Generator[None]:
    """Attribute everything within to one invocation. Ids of an earlier one are cleared, and none are left behind."""
    before, before_upload = _invocation.set(_named(ids)), _upload.set(_NO_IDS)
    try:
        yield
    finally:
        _upload.reset(before_upload)
        _invocation.reset(before)


def about_upload(**ids: str | None) -> None:
    """Attribute the following log lines and metrics to this upload alone; without ids, to none.

    Nothing is kept outside an invocation, because nothing would ever clear it.
    """
    if _invocation.get() is not None:
        _upload.set(_named(ids))


def current_ids() -> dict[str, str]:
    """Return the ids; an upload's own id takes precedence over the caller's."""
    return {**(_invocation.get() or _NO_IDS), **_upload.get()}


def carried(call: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Wrap a call for another thread, so that it runs with this thread's ids."""
    context = copy_context()

    def call_with_ids(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # A context cannot be entered twice at the same time, and several threads may share this call.
        return context.copy().run(call, *args, **kwargs)

    return call_with_ids


def _named(ids: Mapping[str, str | None]) -> Mapping[str, str]:
    return {camel_case(name): value for name, value in ids.items() if value}
