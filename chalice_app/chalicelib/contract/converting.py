"""Conversion of plain values to the contract's types, from any thread."""

import threading
from typing import Any

import msgspec

_described: set[object] = set()
_describing = threading.Lock()


def converted(value: object, kind: Any) -> Any:
    """Convert a value to a type. Raises msgspec.ValidationError.

    One thread at a time converts to a type until the first conversion has succeeded: msgspec 0.22 hands an unfinished
    description of the type to a second thread, and the process dies with SIGSEGV.
    """
    if kind in _described:
        return msgspec.convert(value, kind)
    with _describing:
        made = msgspec.convert(value, kind)
        _described.add(kind)
    return made
