"""The file to upload: its type, its parts, and checks that it has not changed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from awscrt.checksums import crc64nvme

from video_upload.errors import FileChangedError, FileRefusedError, FileUnreadableError
from video_upload.video_types import EVERY_CONTAINER, SIGNATURE_BYTES, content_type_of, require_video

BUFFER_BYTES = 256 * 1024


def is_unicode(text: str) -> bool:
    """Return whether a name that the operating system gave is text: Python passes other bytes on as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _reading(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnreadableError(path, error) from error


@dataclass(frozen=True, kw_only=True)
class VideoFile:
    """A regular, non-empty file with a video's extension; size and time as they were when it was looked at.

    path: absolute, links resolved. name: as it was given; a link has its own.
    """

    path: Path
    name: str
    size_bytes: int
    modified_ns: int
    content_type: str

    @classmethod
    def at(cls, path: Path, accepted: frozenset[str] = EVERY_CONTAINER) -> VideoFile:
        """Raises FileRefusedError if this file can never be uploaded.

        accepted: containers that the site accepts.
        """
        try:
            status = path.stat()
            resolved = path.resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileRefusedError(path, error.strerror or str(error)) from error
        except OSError as error:
            raise FileUnreadableError(path, error) from error
        if not stat.S_ISREG(status.st_mode):
            raise FileRefusedError(path, "not a file")
        content_type = content_type_of(path, accepted)
        if status.st_size == 0:
            raise FileRefusedError(path, "the file is empty")
        if not os.access(path, os.R_OK):
            raise FileUnreadableError(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        if not is_unicode(path.name) or not is_unicode(str(resolved)):
            raise FileRefusedError(path, "its name is not UTF-8; rename it")
        with _reading(path), path.open("rb") as file:
            require_video(path, file.read(SIGNATURE_BYTES), accepted)
        return cls(
            path=resolved,
            name=path.name,
            size_bytes=status.st_size,
            modified_ns=status.st_mtime_ns,
            content_type=content_type,
        )

    def looked_at_again(self, path: Path) -> VideoFile:
        """Return the file as it is now. Its first bytes are read again only if size or time have changed.

        path: as it was given. Raises as `at`.
        """
        try:
            status = path.stat()
        except OSError:
            return VideoFile.at(path)
        return self if self._is(status) else VideoFile.at(path)

    @classmethod
    def for_site(cls, path: Path, accepted: frozenset[str], goes_on: Callable[[VideoFile], bool]) -> VideoFile:
        """Look at a file as `at` does, but let one through whose upload began when the site accepted more.

        goes_on: whether the site has an unfinished upload of the file; asked only where the file would be refused.
        """
        try:
            return cls.at(path, accepted)
        except FileRefusedError:
            file = _of_any_container(path)
            if file is None or not goes_on(file):
                raise
            return file

    def check_unchanged(self) -> None:
        """Raises FileChangedError if size or modification time differ from when it was looked at."""
        try:
            status = self.path.stat()
        except OSError as error:
            raise FileChangedError(self.path) from error
        if not self._is(status):
            raise FileChangedError(self.path)

    def _is(self, status: os.stat_result) -> bool:
        return (status.st_size, status.st_mtime_ns) == (self.size_bytes, self.modified_ns)


def _of_any_container(path: Path) -> VideoFile | None:
    try:
        return VideoFile.at(path)
    except FileRefusedError:
        return None


@dataclass(frozen=True, kw_only=True)
class PartLayout:
    """Layout of the file's parts, as the platform sets it: numbered from 1, all of one size but the last."""

    size_bytes: int
    part_size_bytes: int
    part_count: int

    def offset_bytes(self, part_number: int) -> int:
        return (part_number - 1) * self.part_size_bytes

    def length_bytes(self, part_number: int) -> int:
        return min(self.part_size_bytes, self.size_bytes - self.offset_bytes(part_number))

    @property
    def part_numbers(self) -> range:
        return range(1, self.part_count + 1)


class PartReader:
    """Reads parts of one file through one reused buffer. For one thread; close it.

    Raises FileChangedError when the file ends before the part does, and FileUnreadableError.
    """

    def __init__(self, file: VideoFile, layout: PartLayout) -> None:
        self._file = file
        self._layout = layout
        # Unbuffered: the parts go through our own buffer, another one would only copy.
        with _reading(file.path):
            self._source = file.path.open("rb", buffering=0)
        self._buffer = memoryview(bytearray(min(BUFFER_BYTES, layout.part_size_bytes)))

    def open_part(self, part_number: int) -> None:
        """Put the read position at the start of a part."""
        with _reading(self._file.path):
            self._source.seek(self._layout.offset_bytes(part_number))

    def read(self, wanted_bytes: int) -> memoryview:
        """The next bytes, at least one and at most the buffer. Valid until the next call."""
        try:  # not `_reading`: a context manager for each buffer costs as much as its checksum
            count = self._source.readinto(self._buffer[: min(wanted_bytes, len(self._buffer))])
        except OSError as error:
            raise FileUnreadableError(self._file.path, error) from error
        if not count:
            raise FileChangedError(self._file.path)
        return self._buffer[:count]

    def crc64nvme(self, part_number: int) -> int:
        """Reads the part for its checksum alone."""
        self.open_part(part_number)
        remaining_bytes = self._layout.length_bytes(part_number)
        checksum = 0
        while remaining_bytes:
            block = self.read(remaining_bytes)
            checksum = crc64nvme(block, checksum)  # pyrefly: ignore[bad-argument-type] - any buffer will do
            remaining_bytes -= len(block)
        return checksum

    def close(self) -> None:
        self._source.close()
