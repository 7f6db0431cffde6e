"""JSON as types, from any thread."""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

Decoded = TypeVar("Decoded", bound=msgspec.Struct)

_decoders: dict[type[msgspec.Struct], msgspec.json.Decoder[Any]] = {}
_making = threading.Lock()


def decode(text: bytes | str, kind: type[Decoded]) -> Decoded:
    """Return what the text holds. Raises msgspec.DecodeError.

    A type's first decoder is made by one thread at a time: msgspec 0.22 hands an unfinished description of a type to a
    second thread that asks for it, and the process dies by SIGSEGV.
    """
    decoder = _decoders.get(kind)
    if decoder is None:
        with _making:
            decoder = _decoders.get(kind) or msgspec.json.Decoder(kind)
            _decoders[kind] = decoder
    return decoder.decode(text)
