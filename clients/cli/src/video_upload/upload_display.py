"""Progress of a run: bars on a terminal, and lines about what needs words."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal

from video_upload.events import (
    BytesSent,
    Completing,
    PartRetried,
    PartsDiffered,
    ProcessingPolled,
    StartedOver,
    UploadBegan,
    UploadEvent,
)
from video_upload.presentation import print_line

if TYPE_CHECKING:
    from rich.progress import TaskID

    from video_upload.upload_bars import UploadBars


class UploadDisplay:
    """Progress of all files; give each file's `show` to its engine.

    Where there is no terminal, several files get a line each when they begin.
    """

    def __init__(self, console: Console, file_count: int, size_bytes: int) -> None:
        self._console = console
        self._begun: set[Path] = set()
        self.has_several = file_count > 1
        self.bars: UploadBars | None = None
        self.lock = threading.RLock()
        if console.is_terminal and not console.quiet:
            # Bars that nobody sees would cost time and memory all the same.
            from video_upload.upload_bars import UploadBars  # noqa: PLC0415

            self.bars = UploadBars(console, file_count, size_bytes)

    def __enter__(self) -> UploadDisplay:
        if self.bars:
            self.bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bars:
            self.bars.stop()

    @contextmanager
    def paused(self) -> Generator[None]:
        """Clear the display while something else writes to the same terminal; one writer at a time."""
        with self.lock:
            if not self.bars:
                yield
                return
            self.bars.stop()
            try:
                yield
            finally:
                self.bars.start()

    def begin_file(self, path: Path, name: str, size_bytes: int) -> FileDisplay:
        with self.lock:
            self._begun.add(path)
            if self.bars:
                self.bars.count_files(len(self._begun))
        return FileDisplay(self, name, size_bytes)

    def note(self, text: str) -> None:
        with self.lock:
            print_line(self._console, text)


class FileDisplay:
    """The bar and the notes of one file."""

    def __init__(self, display: UploadDisplay, name: str, size_bytes: int) -> None:
        self._display = display
        self._name = name
        self._size_bytes = size_bytes
        self._counted_bytes = 0
        self._bar: TaskID | None = None
        self._last_note = ""

    def finish(self) -> None:
        """Count the file as done, no matter in which run it was sent."""
        self._count_from(self._size_bytes)
        self.drop()

    def drop(self) -> None:
        """Take the bar away."""
        with self._display.lock:
            if self._display.bars and self._bar is not None:
                self._display.bars.remove(self._bar)
                self._bar = None

    def show(self, event: UploadEvent) -> None:
        match event:
            case BytesSent(count=count):
                self._advance(count)
            case UploadBegan(size_bytes=size_bytes, stored_bytes=stored_bytes):
                self._begin(size_bytes, stored_bytes)
                if stored_bytes:
                    self._note(f"Resuming: {decimal(stored_bytes)} of {decimal(size_bytes)} already uploaded.")
                elif self._display.has_several and not self._display.bars:
                    self._note(f"Uploading {decimal(size_bytes)}.")
            case PartRetried(part_number=number, reason=reason, wait_seconds=wait_seconds):
                self._note(f"Part {number}: {reason}. Trying again in {wait_seconds:.1f} s.")
            case PartsDiffered(part_numbers=numbers):
                self._note(f"{len(numbers)} part(s) were damaged on the way and are sent again.")
            case Completing():
                self._note("S3 is assembling the parts.")
            case StartedOver(reason=reason):
                self._note(f"Starting over: {reason}.")
            case ProcessingPolled(state="processing" | "completing", waits_for=waits_for):
                self._note(f"Uploaded. The video is being checked{' for malware' if waits_for else ''}.")
            case _:
                return

    def _begin(self, size_bytes: int, stored_bytes: int) -> None:
        self.drop()
        with self._display.lock:
            if self._display.bars:
                self._bar = self._display.bars.add(self._name, size_bytes, stored_bytes)
        self._count_from(stored_bytes)

    def _advance(self, count: int) -> None:
        if self._display.bars is None or self._bar is None:
            return
        with self._display.lock:
            self._counted_bytes += count
            self._display.bars.advance(self._bar, count)

    def _count_from(self, done_bytes: int) -> None:
        with self._display.lock:
            moved, self._counted_bytes = done_bytes - self._counted_bytes, done_bytes
            if self._display.bars:
                self._display.bars.move_total(moved)

    def _note(self, text: str) -> None:
        if text != self._last_note:
            self._last_note = text
            self._display.note(f"{self._name}: {text}" if self._display.has_several else text)
