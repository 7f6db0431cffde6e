"""Object bytes: each part or object is one file, written once and streamed, never whole in memory."""

import contextlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

PIECE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One file of an object's body. offset_bytes: position of its bytes in the object."""

    part_number: int
    offset_bytes: int
    size_bytes: int
    file_name: str


class Bodies:
    """Body files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, file_name: str) -> Path:
        """Path of a body file. Subfolders by its first two letters keep folders small."""
        return self._folder / file_name[:2] / file_name

    def new(self) -> str:
        """A new name whose folder exists."""
        file_name = uuid4().hex
        self.path(file_name).parent.mkdir(exist_ok=True)
        return file_name

    def link(self, file_name: str) -> str:
        """A second name for the same bytes: a free copy, since bodies never change."""
        twin = self.new()
        os.link(self.path(file_name), self.path(twin))
        return twin

    def remove(self, file_names: Collection[str]) -> None:
        """Delete these bodies. Missing ones are ignored."""
        for file_name in file_names:
            with contextlib.suppress(FileNotFoundError):
                self.path(file_name).unlink()

    def remove_all_but(self, kept: Collection[str]) -> None:
        """Delete the partial files of a killed process."""
        self.remove([path.name for path in self._folder.glob("*/*") if path.name not in kept])

    def read(self, segments: Iterator[Segment], start: int, stop: int) -> Iterator[bytes]:
        """The bytes start..stop (exclusive) of a body, in pieces, with one file open at a time."""
        for segment in segments:
            first = max(start - segment.offset_bytes, 0)
            remaining = min(stop - segment.offset_bytes, segment.size_bytes) - first
            with self.path(segment.file_name).open("rb", buffering=0) as file:
                file.seek(first)
                while remaining > 0:
                    piece = file.read(min(PIECE_BYTES, remaining))
                    if not piece:
                        raise EOFError(segment.file_name)
                    remaining -= len(piece)
                    yield piece
