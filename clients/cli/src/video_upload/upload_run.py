"""One run of a command over all its files, several at once."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console
from rich.filesize import decimal

from video_upload.api_refusals import OPEN_CAPS
from video_upload.backoff import Interruption
from video_upload.batch_journal import BatchJournal
from video_upload.command_output import (
    errors_console,
    print_error,
    print_json,
    results_console,
    video_in_json,
    writing_results,
)
from video_upload.engine import UploadEngine
from video_upload.errors import (
    LimitReachedError,
    SystemRefusedError,
    UploadCancelledError,
    UploadRunningError,
    VideoUploadError,
    path_text,
)
from video_upload.events import Report
from video_upload.exit_codes import ExitCode, exit_code_of
from video_upload.file_selection import Selection
from video_upload.presentation import plain, print_skipped, print_video
from video_upload.schemas import Video
from video_upload.upload_display import FileDisplay, UploadDisplay
from video_upload.video_file import VideoFile

DEFAULT_FILES = 2
CHECK_SECONDS = 0.2
JOIN_SECONDS = 6.0
"""A call that waits for its response may take longer; the next run repeats it."""


@dataclass(kw_only=True)
class UploadRun:
    """All files of a command, at most `files` at a time.

    new_engine: makes the engine of one file, from the function that shows its events.
    wait: until each video is checked. remember: told each file that has arrived.
    """

    selection: Selection
    batch: BatchJournal
    new_engine: Callable[[Report], UploadEngine]
    interruption: Interruption
    files: int
    wait: bool
    as_json: bool
    urls: bool
    is_stream: bool
    remember: Callable[[VideoFile, str], None]
    uploaded: int = 0
    done_before: int = 0
    failures: dict[Path, ExitCode] = field(default_factory=dict[Path, ExitCode])
    _unfinished: int = 0
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _results: Console = field(default_factory=results_console)

    def upload_all(self, display: UploadDisplay) -> None:
        """Raises what ends the command: NotSignedInError, UnauthorizedError, UploadCancelledError."""
        waiting = deque(self.selection.videos)
        ended: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

        def work() -> None:
            try:
                self._work(waiting, display)
            except BaseException as error:  # carried to the command's thread
                ended.put(error)
            else:
                ended.put(None)

        # Daemons: a call that waits for its answer must not keep the process from ending.
        workers = [
            threading.Thread(target=work, name=f"file-{index}", daemon=True)
            for index in range(min(self.files, len(waiting)))
        ]
        try:
            for worker in workers:
                worker.start()
            for _ in workers:
                if error := self._next_end(ended):
                    raise error
        finally:
            self._stop(workers)
        if not self._unfinished and not self.selection.refused:
            self.batch.forget()

    @staticmethod
    def _next_end(ended: queue.SimpleQueue[BaseException | None]) -> BaseException | None:
        while True:
            try:
                return ended.get(timeout=CHECK_SECONDS)  # signals are let in between
            except queue.Empty:
                continue

    def _stop(self, workers: list[threading.Thread]) -> None:
        self.interruption.request()
        give_up_at = time.monotonic() + JOIN_SECONDS
        for worker in workers:
            if worker.ident is not None:
                worker.join(max(give_up_at - time.monotonic(), 0))

    def _work(self, waiting: deque[Path], display: UploadDisplay) -> None:
        while True:
            self.interruption.check()
            with self._lock:
                if not waiting:
                    return
                path = waiting.popleft()
                self._running += 1
            refusal: LimitReachedError | None = None
            try:
                self._upload_or_fail(path, display)
            except LimitReachedError as error:
                refusal = error
            with self._lock:
                is_alone = self._running == 1
                self._running -= 1
                if refusal and refusal.code in OPEN_CAPS and not is_alone:
                    # The platform takes fewer of this user at once: one of the others goes on with this file.
                    waiting.appendleft(path)
                    return
            if refusal:
                self._fail(refusal, display, path)

    def _upload_or_fail(self, path: Path, display: UploadDisplay) -> None:
        """Raises LimitReachedError, and what ends the command."""
        shown: FileDisplay | None = None
        try:
            file = self.selection.videos[path].looked_at_again(path)
            shown = display.begin_file(path, path.name, file.size_bytes)
            self._upload_one(file, path, display, shown)
        except (LimitReachedError, UploadCancelledError):
            raise
        except VideoUploadError as error:
            if exit_code_of(error) is ExitCode.NOT_SIGNED_IN:
                raise
            self._fail(error, display, path)
        except OSError as error:
            self._fail(SystemRefusedError(error), display, path)
        finally:
            if shown:
                shown.drop()

    def _fail(self, error: VideoUploadError, display: UploadDisplay, path: Path) -> None:
        """Count and report the failure; the other files continue."""
        with display.paused():
            self.failures[path] = exit_code_of(error)
            self._unfinished += 1
            print_error(error, as_json=self.as_json, file=Path(path.name) if self.is_stream else path)

    def _upload_one(self, file: VideoFile, path: Path, display: UploadDisplay, shown: FileDisplay) -> None:
        if self.batch.finished(file) is not None:
            shown.finish()
            with self._lock:
                self.done_before += 1
            return

        def tell(video: Video) -> None:
            shown.finish()
            with display.paused():
                if self.as_json:
                    name = path.name if self.is_stream else path_text(path)
                    print_json({"file": name, "video": video_in_json(video, urls=self.urls)})
                else:
                    with writing_results():
                        print_video(self._results, video, urls=self.urls)
                self.batch.add(file, video.video_id)
            self.remember(file, video.video_id)

        engine = self.new_engine(shown.show)
        send = engine.upload_once if self.is_stream else engine.upload
        verdict = _verdict(send(file, wait=self.wait, tell=tell), waited=self.wait)
        with self._lock:
            if verdict is ExitCode.OK:
                self.uploaded += 1
            else:
                self.failures[path] = verdict

    def conclude(self) -> None:
        """Print the summary, where something was looked for or left out, and end with the code of the first failure."""
        skipped = self.selection.skipped
        codes = [exit_code_of(refused) for refused in self.selection.refused]
        codes += [self.failures[path] for path in self.selection.videos if path in self.failures]
        if self.selection.searched or self.done_before:
            if self.as_json:
                print_json(
                    {
                        "summary": {
                            "uploaded": self.uploaded,
                            "failed": len(codes),
                            "doneBefore": self.done_before,
                            "skipped": [{"file": path_text(one.path), "reason": one.reason} for one in skipped],
                        }
                    }
                )
            else:
                console = errors_console()
                console.print(
                    f"{self.uploaded} uploaded, {len(codes)} failed, {self.done_before} already uploaded, "
                    f"{len(skipped)} skipped.",
                    highlight=False,
                )
                print_skipped(console, skipped)
        if codes:
            raise typer.Exit(codes[0])


def print_plan(selection: Selection, batch: BatchJournal, engine: UploadEngine, *, as_json: bool) -> NoReturn:
    """List the files that a run would upload, and the uploads that it would resume; end the command."""
    codes = [exit_code_of(refused) for refused in selection.refused]
    for path, file in selection.videos.items():
        if batch.finished(file) is not None:
            continue
        try:
            plan = engine.plan(file)
        except UploadRunningError as error:
            print_error(error, as_json=as_json, file=path)
            codes.append(exit_code_of(error))
            continue
        if as_json:
            resumes = {
                "videoId": plan.resumes,
                "storedBytes": plan.stored_bytes,
                "begunElsewhere": plan.begun_elsewhere,
            }
            print_json(
                {"file": path_text(path), "sizeBytes": file.size_bytes, "resumes": resumes if plan.resumes else None}
            )
            continue
        with writing_results():
            print(path_text(path))
        if plan.resumes:
            where = "begun on another device" if plan.begun_elsewhere else "begun here"
            arrived = f"{decimal(plan.stored_bytes)} of {decimal(file.size_bytes)} already uploaded"
            note = f"{path.name}: resumes the upload {plan.resumes} {where}, {arrived}."
            errors_console().print(plain(note), highlight=False, soft_wrap=True)
    raise typer.Exit(codes[0] if codes else ExitCode.OK)


def _verdict(video: Video, *, waited: bool) -> ExitCode:
    if video.state == "rejected":
        return ExitCode.REFUSED
    return ExitCode.FAILED if video.state in {"aborted", "expired", "deleted"} and waited else ExitCode.OK
