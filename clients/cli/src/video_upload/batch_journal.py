"""Journal of the files that a command has finished, so that the same command continues with the rest.

It exists from a command's first finished file until all files are done. Then the same command starts over.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

from video_upload.decoding import decode
from video_upload.private_files import open_private_folder, sync_folder, writing_to
from video_upload.video_file import VideoFile


class FinishedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One line. A file of another size or time at the same path does not count as finished."""

    path: str
    size_bytes: int
    modified_ns: int
    video_id: str


class BatchJournal:
    """The journal of one command at one site, named by the command's sources."""

    def __init__(self, home: Path, api_url: str, sources: Iterable[str | Path]) -> None:
        meant = sorted(str(Path(source).absolute()) for source in sources)
        name = hashlib.sha256(os.fsencode("\n".join([api_url, *meant]))).hexdigest()[:32]
        self._path = home / "batches" / f"{name}.jsonl"
        self._finished = {line.path: line for line in self._lines()}

    def finished(self, file: VideoFile) -> str | None:
        """The video id, if an earlier run of this command has finished this very file."""
        line = self._finished.get(str(file.path))
        if line is None or (line.size_bytes, line.modified_ns) != (file.size_bytes, file.modified_ns):
            return None
        return line.video_id

    def add(self, file: VideoFile, video_id: str) -> None:
        """Raises HomeError."""
        line = FinishedFile(
            path=str(file.path), size_bytes=file.size_bytes, modified_ns=file.modified_ns, video_id=video_id
        )
        self._finished[line.path] = line
        open_private_folder(self._path.parent)
        is_new = not self._path.exists()
        with writing_to(self._path.parent), self._path.open("ab", buffering=0) as journal:
            journal.write(b"\n" + msgspec.json.encode(line))  # apart from a line that a kill cut short
            # On the disk before the upload's journal goes: a power cut that lost both would have the file sent again.
            os.fsync(journal.fileno())
            if is_new:
                sync_folder(self._path.parent)

    def forget(self) -> None:
        with writing_to(self._path.parent):
            self._path.unlink(missing_ok=True)

    def _lines(self) -> list[FinishedFile]:
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found: list[FinishedFile] = []
        for line in lines:
            try:
                found.append(decode(line, FinishedFile))
            except msgspec.DecodeError:
                continue  # empty, or cut short when the process died
        return found
