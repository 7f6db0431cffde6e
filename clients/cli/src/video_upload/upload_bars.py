"""Bars of a run on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from video_upload.presentation import printable


class UploadBars:
    """A bar for each file being sent, and above several files one for all. For one thread at a time."""

    def __init__(self, console: Console, file_count: int, size_bytes: int) -> None:
        names = Column(no_wrap=True, overflow="ellipsis", max_width=max(console.width * 2 // 5, 20))
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=names),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            # Results belong to stdout, wherever that goes.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._file_count = file_count
        self._completed_bytes = 0
        self._total = self._progress.add_task(self._title(0), total=size_bytes, visible=file_count > 1)

    def start(self) -> None:
        self._progress.start()

    def stop(self) -> None:
        self._progress.stop()

    def count_files(self, begun: int) -> None:
        """Say how many files have begun."""
        self._progress.update(self._total, description=self._title(begun))

    def add(self, name: str, size_bytes: int, stored_bytes: int) -> TaskID:
        return self._progress.add_task(printable(name), total=size_bytes, completed=stored_bytes)

    def remove(self, bar: TaskID) -> None:
        self._progress.remove_task(bar)

    def advance(self, bar: TaskID | None, count: int) -> None:
        """Count bytes that were sent now, for their file's bar as long as it has one."""
        if bar is not None:
            self._progress.advance(bar, count)
        self._completed_bytes += count
        self._progress.advance(self._total, count)

    def move_total(self, count: int) -> None:
        """Count bytes of which none was sent now."""
        if count:
            self._completed_bytes += count
            # Not by `update`, which would take what was there before for speed.
            self._progress.reset(self._total, completed=self._completed_bytes)

    def _title(self, begun: int) -> str:
        return f"Total ({begun} of {self._file_count})"
