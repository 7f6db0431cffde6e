"""Conversion of plain values to the contract's types, from any thread."""

import threading
from typing import Any

import msgspec

_described: set[object] = set()
_describing = threading.Lock()


def converted(value: object, kind: Any) -> Any:
    """Convert a value to a type. Raises msgspec.ValidationError.

    A type is converted to by one thread at a time until that has succeeded once: msgspec 0.22 hands an unfinished
    description of a type to a second thread that asks for it, and the process dies by SIGSEGV.
    """
    if kind in _described:
        return msgspec.convert(value, kind)
    with _describing:
        made = msgspec.convert(value, kind)
        _described.add(kind)
    return made
