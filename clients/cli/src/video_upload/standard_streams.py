"""Standard output and error of the command: any encoding, full disks, closed ends."""

from __future__ import annotations

import io
import os
import sys
from typing import IO, Any


class _LossyStream:
    """A stream of notes: a write that the system refuses is dropped, for no upload may end because of it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            drop(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare_streams() -> None:
    """Let every letter be written, spelled by its number where the encoding has none, and no note end an upload."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = _LossyStream(sys.stderr)


def drop_output() -> None:
    """Discard pending output, so that Python reports no error about it at exit."""
    drop(sys.stdout)


def drop(stream: IO[str]) -> None:
    """Point a stream at the null device, as the documentation of `signal` does for SIGPIPE."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
