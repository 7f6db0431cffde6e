"""Which invocation and which upload the code is busy with: the ids that every log line and metric carries.

Kept per thread of work (contextvars), so that nobody has to pass them on. Names are given as in Python and are written
as in the API: `video_id` becomes `videoId`.
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
"""What a client may call an upload."""

_NO_IDS: Mapping[str, str] = {}
_invocation: ContextVar[Mapping[str, str] | None] = ContextVar("invocation", default=None)
_upload: ContextVar[Mapping[str, str]] = ContextVar("upload", default=_NO_IDS)


@contextmanager
def invocation(**ids: str | None) -> Generator[None]:
    """Everything within belongs to one invocation; nothing of an earlier one is left, nothing is left behind."""
    before, before_upload = _invocation.set(_named(ids)), _upload.set(_NO_IDS)
    try:
        yield
    finally:
        _upload.reset(before_upload)
        _invocation.reset(before)


def about_upload(**ids: str | None) -> None:
    """From here on it is about this upload and no longer about another; without ids, about none.

    Nothing is kept outside an invocation: nobody would ever clear it.
    """
    if _invocation.get() is not None:
        _upload.set(_named(ids))


def current_ids() -> dict[str, str]:
    """An upload's own id wins over the one that a caller gave for it."""
    return {**(_invocation.get() or _NO_IDS), **_upload.get()}


def carried(call: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The same call for another thread, which starts with no ids of its own."""
    context = copy_context()

    def call_with_ids(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        # A context cannot be entered twice at once, and several threads may share this call.
        return context.copy().run(call, *args, **kwargs)

    return call_with_ids


def _named(ids: Mapping[str, str | None]) -> Mapping[str, str]:
    return {camel_case(name): value for name, value in ids.items() if value}
