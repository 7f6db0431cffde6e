"""The operating system's keyring, where one works: macOS Keychain, Windows Credential Locker, Secret Service, KWallet.

A keyring may be missing, locked or waiting for a prompt that nobody sees: every call here ends after a bounded time.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

from video_upload.errors import KeyringUnavailableError

SERVICE = "video-upload"
TIMEOUT_SECONDS = 20.0  # long enough to unlock it by hand
# CRED_MAX_CREDENTIAL_BLOB_SIZE of Windows: 2,560 bytes, in UTF-16. Cognito's refresh tokens alone are longer.
CHUNK_CHARACTERS = 1_200
PROBE = "probe"

Result = TypeVar("Result")


class OsKeyring:
    """Texts by name. Raises KeyringUnavailableError from every method but `works`."""

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._timeout_seconds = timeout_seconds

    def works(self) -> bool:
        """Return whether the keyring gives back a probe that was written to it."""
        try:
            self.write(PROBE, "it works")
            found = self.read(PROBE)
            self.delete(PROBE)
        except KeyringUnavailableError:
            return False
        return found == "it works"

    def read(self, name: str) -> str | None:
        return self._bounded(lambda: _read(name))

    def write(self, name: str, text: str) -> None:
        self._bounded(lambda: _write(name, text))

    def delete(self, name: str) -> None:
        """Delete the tokens, if there are any."""
        self._bounded(lambda: _delete(name))

    def _bounded(self, call: Callable[[], Result]) -> Result:
        outcome: queue.SimpleQueue[tuple[bool, Result | Exception]] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put((True, call()))
            except Exception as error:
                outcome.put((False, error))

        # A daemon: a keyring that never answers must not keep the process from ending.
        threading.Thread(target=work, name="os-keyring", daemon=True).start()
        try:
            succeeded, result = outcome.get(timeout=self._timeout_seconds)
        except queue.Empty:
            raise KeyringUnavailableError(f"no answer within {self._timeout_seconds:.0f} s") from None
        if succeeded:
            return result  # pyrefly: ignore[bad-return] - what the call returned
        raise KeyringUnavailableError(str(result) or type(result).__name__)


def _entry(name: str, index: int) -> str:
    return name if index == 0 else f"{name} part {index + 1}"


def _write(name: str, text: str) -> None:
    import keyring  # noqa: PLC0415 - a tenth of a second, and loads the platform's backend

    chunks = [text[start : start + CHUNK_CHARACTERS] for start in range(0, len(text), CHUNK_CHARACTERS)]
    for index, chunk in reversed(list(enumerate(chunks))):  # the first, which names their number, comes last
        keyring.set_password(SERVICE, _entry(name, index), f"{len(chunks)}:{chunk}" if index == 0 else chunk)


def _read(name: str) -> str | None:
    import keyring  # noqa: PLC0415

    first = keyring.get_password(SERVICE, name)
    if first is None:
        return None
    count, colon, chunk = first.partition(":")
    if not (colon and count.isdigit()):
        return first  # written by the person, with the `keyring` command or the system's own window
    chunks: list[str] = [chunk]
    for index in range(1, int(count)):
        more = keyring.get_password(SERVICE, _entry(name, index))
        if more is None:
            return None
        chunks.append(more)
    return "".join(chunks)


def _delete(name: str) -> None:
    import keyring  # noqa: PLC0415
    from keyring.errors import PasswordDeleteError  # noqa: PLC0415

    first = keyring.get_password(SERVICE, name) or ""
    count = first.partition(":")[0]
    for index in range(int(count) if count.isdigit() else 1):
        try:
            keyring.delete_password(SERVICE, _entry(name, index))
        except PasswordDeleteError:
            continue
