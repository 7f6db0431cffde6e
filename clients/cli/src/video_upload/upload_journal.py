"""Journal of an unfinished upload on this computer, so that the next run continues from there.

A journal is a file of JSON lines: the id under which the upload is requested, the upload as the platform has opened it,
then one line per part that S3 has taken. If it was rewritten for an upload that is resumed, it begins with the
upload. A line is one write, so a killed process loses at most the line it was writing, and S3 knows that part anyway.
(Rewriting the whole file for each of 10,000 parts would write gigabytes.)

A power cut may take more: the newest lines, whose parts S3 lists, or a young journal, whose upload then expires. Only
before S3 completes is the journal brought to the disk: a run that did not know of the video would make another one of
the file.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import filelock
import msgspec

from video_upload.decoding import decode
from video_upload.errors import UploadRunningError
from video_upload.private_files import (
    open_private_folder,
    open_privately,
    sync_folder,
    write_privately_for_now,
    writing_to,
)
from video_upload.video_file import PartLayout, VideoFile

FOLDER = "uploads"
"""Folder of the journals, below the home folder."""


class JournaledUpload(msgspec.Struct, frozen=True, kw_only=True):
    """The upload. Its token opens it: the file is private.

    begun_elsewhere: by another device, whose file may still be the right one.
    """

    api_url: str
    path: str
    size_bytes: int
    modified_ns: int
    video_id: str
    upload_token: str
    part_size_bytes: int
    part_count: int
    correlation_id: str | None
    begun_elsewhere: bool = False

    @property
    def layout(self) -> PartLayout:
        return PartLayout(size_bytes=self.size_bytes, part_size_bytes=self.part_size_bytes, part_count=self.part_count)

    def is_of(self, file: VideoFile) -> bool:
        """Return whether the file has not changed since the upload began."""
        return (self.size_bytes, self.modified_ns) == (file.size_bytes, file.modified_ns)


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """The first line, and the only one until the platform has responded. A repeated init with its id opens the same
    upload."""

    beginning: str
    size_bytes: int
    modified_ns: int


class SentPart(msgspec.Struct, frozen=True, kw_only=True):
    """A part that S3 has taken, and the checksum of the bytes that were sent."""

    part_number: int
    etag: str
    crc64nvme: int


class UnfinishedUploads:
    """Journals of one site that a run finds on this computer, looked through once for all its files."""

    def __init__(self, folder: Path, api_url: str) -> None:
        self._folder = folder
        self._api_url = api_url
        self._lock = threading.Lock()
        self._by_size_and_time: dict[tuple[int, int], list[Path]] | None = None

    def alike(self, file: VideoFile) -> Sequence[Path]:
        """Journals of uploads of files of the same size and time, as they were at the first call."""
        with self._lock:
            if self._by_size_and_time is None:
                self._by_size_and_time = {}
                for path, entry in _entries(self._folder, self._api_url):
                    self._by_size_and_time.setdefault((entry.size_bytes, entry.modified_ns), []).append(path)
        return self._by_size_and_time.get((file.size_bytes, file.modified_ns), ())


class UploadJournal:
    """The journal of one file at one site; hold it (`with journal:`) while uploading. path: its own."""

    def __init__(self, folder: Path, api_url: str, path: Path) -> None:
        name = hashlib.sha256(os.fsencode(f"{api_url}\n{path}")).hexdigest()[:32]
        self.path = folder / f"{name}.jsonl"
        self._lock = filelock.FileLock(folder / f"{name}.lock", mode=0o600)
        self._api_url = api_url
        self._video_path = path
        self._appending: BinaryIO | None = None
        self._is_begun = False

    def __enter__(self) -> UploadJournal:
        """Raises UploadRunningError if another process holds it; a killed holder does not count. Raises HomeError, as
        all that writes here does."""
        open_private_folder(self.path.parent)
        with writing_to(self.path.parent):
            try:
                self._lock.acquire(blocking=False)
            except filelock.Timeout as error:
                raise UploadRunningError(self._video_path) from error
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._lock.release()

    def load(self) -> tuple[JournaledUpload, dict[int, SentPart]] | None:
        """The upload and its parts by number; None without a usable journal."""
        return read_journal(self.path)

    def entry(self) -> JournaledUpload | None:
        """The upload without its parts; None without a usable journal."""
        return read_entry(self.path)

    def take_over_moved(self, file: VideoFile, unfinished: UnfinishedUploads) -> None:
        """If the file has no journal, take that of a file that was moved here: same size and time, old path gone."""
        for path in self._of_moved(file, unfinished):
            try:
                with filelock.FileLock(path.with_suffix(".lock"), mode=0o600).acquire(blocking=False):
                    found = read_journal(path)
                    if found is None:  # a copy that is uploaded at the same time has taken it
                        continue
                    self.start(msgspec.structs.replace(found[0], path=str(file.path)), found[1].values())
                    path.unlink(missing_ok=True)
            except filelock.Timeout:  # it was moved while it is being uploaded
                continue
            return

    def load_or_moved(
        self, file: VideoFile, unfinished: UnfinishedUploads
    ) -> tuple[JournaledUpload, dict[int, SentPart]] | None:
        """Return what `load` would after `take_over_moved`, and change nothing."""
        return next((found for path in self._of_moved(file, unfinished) if (found := read_journal(path))), self.load())

    def _of_moved(self, file: VideoFile, unfinished: UnfinishedUploads) -> Iterator[Path]:
        if self.path.exists():
            return
        for path in unfinished.alike(file):
            entry = read_entry(path)
            if entry and entry.is_of(file) and not Path(entry.path).exists():
                yield path

    def begin(self, correlation_id: str, file: VideoFile) -> None:
        """Store the id before init is called, so that a killed run does not lead to a second upload."""
        self._close()
        line = Beginning(beginning=correlation_id, size_bytes=file.size_bytes, modified_ns=file.modified_ns)
        text = msgspec.json.encode(line) + b"\n"
        # The journal holds an id that was used before at every moment.
        is_new = not self.path.exists()
        if not is_new:
            write_privately_for_now(self.path, text)
        with writing_to(self.path.parent):
            self._appending = open_privately(self.path)
            if is_new:
                self._append(self._appending, text)
        self._is_begun = True

    def begun_as(self, file: VideoFile) -> str | None:
        """The id with which a killed run called init for exactly this file."""
        try:
            with self.path.open("rb") as lines:
                line = decode(lines.readline(), Beginning)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return line.beginning if (line.size_bytes, line.modified_ns) == (file.size_bytes, file.modified_ns) else None

    def start(self, entry: JournaledUpload, sent: Iterable[SentPart] = ()) -> None:
        """Add the upload to the id that `begin` has written, or replace the file by these contents."""
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in (entry, *sent))
        with writing_to(self.path.parent):
            if self._appending is not None and self._is_begun:
                self._append(self._appending, text)
                self._is_begun = False
                return
            self._close()
            write_privately_for_now(self.path, text)
            self._appending = open_privately(self.path)

    def add(self, part: SentPart) -> None:
        """Append a part; its later line replaces an earlier one."""
        if self._appending is None:
            raise RuntimeError(f"{self.path} was not started")
        with writing_to(self.path.parent):
            self._append(self._appending, msgspec.json.encode(part) + b"\n")

    @staticmethod
    def _append(journal: BinaryIO, line: bytes) -> None:
        unwritten = memoryview(line)
        while unwritten:
            # A disk that is nearly full takes some of it, and refuses the rest.
            unwritten = unwritten[journal.write(unwritten) :]

    def make_durable(self) -> None:
        """Bring what this run has written to the disk. Raises HomeError."""
        if self._appending is not None:
            with writing_to(self.path.parent):
                os.fsync(self._appending.fileno())
                sync_folder(self.path.parent)

    def forget(self) -> None:
        self._close()
        with writing_to(self.path.parent):
            self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._appending is not None:
            self._appending.close()
            self._appending = None
        self._is_begun = False


def read_journal(path: Path) -> tuple[JournaledUpload, dict[int, SentPart]] | None:
    sent: dict[int, SentPart] = {}
    try:
        with path.open("rb") as lines:
            entry = _entry_in(lines)
            for line in lines:
                try:
                    part = decode(line, SentPart)
                except msgspec.DecodeError:
                    break  # the line that was being written when the process died
                sent[part.part_number] = part
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return entry, sent


def read_entry(path: Path) -> JournaledUpload | None:
    """Return what `read_journal` would, without the parts."""
    try:
        with path.open("rb") as lines:
            return _entry_in(lines)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _entry_in(lines: BinaryIO) -> JournaledUpload:
    """Read on to the upload's line. Raises msgspec.DecodeError."""
    first = lines.readline()
    try:
        return decode(first, JournaledUpload)
    except msgspec.DecodeError:
        decode(first, Beginning)
        return decode(lines.readline(), JournaledUpload)


def _entries(folder: Path, api_url: str) -> Iterator[tuple[Path, JournaledUpload]]:
    for path in sorted(folder.glob("*.jsonl")):
        entry = read_entry(path)
        if entry and entry.api_url == api_url:
            yield path, entry


def journaled_video_ids(folder: Path, api_url: str) -> set[str]:
    """Return the videos whose uploads have a journal on this computer."""
    return {entry.video_id for _, entry in _entries(folder, api_url)}


def find_journal(folder: Path, api_url: str, video_id: str) -> JournaledUpload | None:
    """Return the journal entry of an upload that this computer began, by its video."""
    return next((entry for _, entry in _entries(folder, api_url) if entry.video_id == video_id), None)
