"""Keyrings as `keyring` finds them on other people's computers; chosen with PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError

FILE_VARIABLE = "FAKE_KEYRING_FILE"
LONGEST_BYTES = 2560  # as on Windows


class OrderlyKeyring(KeyringBackend):
    """Keeps its entries in the file of FAKE_KEYRING_FILE, and none that is too long for Windows."""

    priority = 1  # pyrefly: ignore[bad-override-mutable-attribute] - the base has a descriptor of its own making

    @property
    def _file(self) -> Path:
        return Path(os.environ[FILE_VARIABLE])

    def _entries(self) -> dict[str, str]:
        return json.loads(self._file.read_text()) if self._file.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self._entries().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > LONGEST_BYTES:
            raise PasswordSetError("too long")
        self._file.write_text(json.dumps(self._entries() | {f"{service}/{username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        entries = self._entries()
        if f"{service}/{username}" not in entries:
            raise PasswordDeleteError(username)
        del entries[f"{service}/{username}"]
        self._file.write_text(json.dumps(entries))


class SilentKeyring(KeyringBackend):
    """Waits for a prompt on a screen that nobody sees."""

    priority = 1  # pyrefly: ignore[bad-override-mutable-attribute]

    def get_password(self, service: str, username: str) -> str | None:
        threading.Event().wait()

    def set_password(self, service: str, username: str, password: str) -> None:
        threading.Event().wait()
