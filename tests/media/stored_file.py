"""Files as the storage and the inspecting process's parent lend them, every range remembered."""

import os
from pathlib import Path

from chalicelib.core.media.facts import Inspection, InspectionLimits
from chalicelib.core.media.inspection import inspect_media


class StoredFile:
    """`read_range` over a file on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size_bytes = path.stat().st_size
        self.ranges: list[tuple[int, int]] = []

    def read_range(self, start: int, end_exclusive: int, /) -> bytes:
        self.ranges.append((start, end_exclusive))
        with self._path.open("rb") as file:
            return os.pread(file.fileno(), end_exclusive - start, start)

    @property
    def fetched_bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)


class RecordedFile:
    """Bytes in memory as the inspecting process reads them, inside the test's own process."""

    name = "media"

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size_bytes = len(data)
        self._position = 0
        self.ranges: list[tuple[int, int]] = []

    def read(self, size: int, /) -> bytes:
        data = self._data[self._position : self._position + size]
        self.ranges.append((self._position, self._position + len(data)))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._position = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def expect(self, start: int, end: int) -> None:
        """Do nothing: all is here."""

    def prefetch(self, ranges: list[tuple[int, int]]) -> None:
        """Do nothing, for the same reason."""


def inspect_file(path: Path, limits: InspectionLimits | None = None) -> Inspection:
    """Inspect as processing does: container by magic bytes, then facts and poster."""
    stored = StoredFile(path)
    return inspect_media(stored.read_range, stored.size_bytes, limits=limits)
