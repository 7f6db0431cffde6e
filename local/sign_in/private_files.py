"""Files of the data directory: readable only by their owner, replaced atomically."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class PrivateFiles:
    """Named texts in one directory. Without a directory, texts are kept in memory only."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        if directory is not None:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, name: str) -> str | None:
        """Return a text; None if none was written under this name."""
        if self._directory is None:
            return None
        try:
            return (self._directory / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def write(self, name: str, make_text: Callable[[], str]) -> None:
        """Replace a text atomically: a killed process leaves the old text. The text is created only if there is a
        directory."""
        if self._directory is None:
            return
        unfinished = self._directory / f".{name}.{secrets.token_hex(4)}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make_text())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._directory / name)
