"""Memory of `sync`: files that are or were in the library, so that a video deleted there is not uploaded again."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import msgspec

from video_upload.decoding import decode
from video_upload.private_files import open_private_folder, writing_to
from video_upload.video_file import VideoFile


class SyncedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One line. A file is the same by name, size and time, wherever it is moved."""

    name: str
    size_bytes: int
    modified_ns: int
    video_id: str


class SyncMemory:
    """The files of one profile at one site. May be added to from any thread."""

    def __init__(self, home: Path, api_url: str, profile: str) -> None:
        name = hashlib.sha256(f"{api_url}\n{profile}".encode()).hexdigest()[:32]
        self._path = home / "synced" / f"{name}.jsonl"
        self._lock = threading.Lock()
        self._known = {_key(line): line.video_id for line in self._lines()}

    def video_of(self, file: VideoFile) -> str | None:
        return self._known.get((file.name, file.size_bytes, file.modified_ns))

    def add(self, file: VideoFile, video_id: str) -> None:
        """Raises HomeError."""
        line = SyncedFile(name=file.name, size_bytes=file.size_bytes, modified_ns=file.modified_ns, video_id=video_id)
        with self._lock:
            if self._known.get(_key(line)) == video_id:
                return
            self._known[_key(line)] = video_id
            open_private_folder(self._path.parent)
            with writing_to(self._path.parent), self._path.open("ab", buffering=0) as memory:
                memory.write(b"\n" + msgspec.json.encode(line))  # apart from a line that a kill cut short
                os.fsync(memory.fileno())

    def _lines(self) -> list[SyncedFile]:
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found: list[SyncedFile] = []
        for line in lines:
            try:
                found.append(decode(line, SyncedFile))
            except msgspec.DecodeError:
                continue  # empty, or cut short when the process died
        return found


def _key(line: SyncedFile) -> tuple[str, int, int]:
    return line.name, line.size_bytes, line.modified_ns
