"""A file as the storage lends it: by ranges, and every range remembered."""

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


def inspect_file(path: Path, limits: InspectionLimits | None = None) -> Inspection:
    """Inspect as processing does: container by magic bytes, then facts and poster."""
    stored = StoredFile(path)
    return inspect_media(stored.read_range, stored.size_bytes, limits=limits)
