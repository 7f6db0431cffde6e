"""Files that hold tokens: readable by their owner alone, and whole or not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from video_upload.errors import HomeError


def default_home() -> Path:
    """VIDEO_UPLOAD_HOME, or the place the operating system keeps for settings."""
    chosen = os.environ.get("VIDEO_UPLOAD_HOME")
    return Path(chosen) if chosen else platformdirs.user_config_path("video-upload", appauthor=False)


@contextmanager
def writing_to(folder: Path) -> Generator[None]:
    """Raise HomeError where the system refuses a write: a full disk, a folder that is only to be read."""
    try:
        yield
    except OSError as error:
        raise HomeError(folder, error.strerror or str(error)) from error


def open_private_folder(folder: Path) -> None:
    """Raises HomeError."""
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_privately(path: Path, content: bytes) -> None:
    """Replace the file in one step that survives a power cut; mode 0600 from the first byte on. Raises HomeError."""
    open_private_folder(path.parent)
    with writing_to(path.parent):
        _replace(path, content, is_durable=True)
        sync_folder(path.parent)


def write_privately_for_now(path: Path, content: bytes) -> None:
    """Replace the file as `write_privately`, for less: a power cut may leave the old one, an empty one or none."""
    open_private_folder(path.parent)
    with writing_to(path.parent):
        _replace(path, content, is_durable=False)


def open_privately(path: Path) -> BinaryIO:
    """Open a file to append to it, without a buffer; a new one has mode 0600 from the start. Raises OSError."""
    return open(path, "ab", buffering=0, opener=_open_for_its_owner)


def _open_for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def sync_folder(folder: Path) -> None:
    """Bring the names of a folder's files to the disk. Raises OSError."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace(path: Path, content: bytes, *, is_durable: bool) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp makes 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
