"""The command that uploads."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from video_upload.api import VideoApi
from video_upload.backoff import Backoff, Interruption
from video_upload.batch_journal import BatchJournal
from video_upload.command_output import (
    AsJson,
    Profile,
    Urls,
    api_of,
    errors_console,
    exit_codes,
    print_error,
    print_json,
    results_console,
    video_in_json,
    writing_results,
)
from video_upload.credentials import StoredCredentials
from video_upload.engine import DEFAULT_PARALLEL, UploadEngine
from video_upload.errors import SystemRefusedError, VideoUploadError, path_text
from video_upload.events import Report, UploadEvent, ignore_event
from video_upload.exit_codes import ExitCode, exit_code_of
from video_upload.file_selection import Selection, select_videos
from video_upload.presentation import UploadDisplay, print_skipped, print_video
from video_upload.private_files import default_home
from video_upload.rate_limit import RateLimit, parse_rate
from video_upload.schemas import Video
from video_upload.spooled_file import spooled_file
from video_upload.telemetry import Telemetry
from video_upload.video_file import CONTENT_TYPES, VideoFile

TellProgress = Annotated[
    bool,
    typer.Option(
        "--telemetry/--no-telemetry",
        envvar="VIDEO_UPLOAD_TELEMETRY",
        help="Report progress to the site's operators, if the site asks for it.",
    ),
]


def _rate_limit(text: str) -> RateLimit:
    try:
        return RateLimit(parse_rate(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def upload(  # noqa: PLR0917 - typer calls it by name
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...",
            help=f"Videos ({' '.join(CONTENT_TYPES)}), folders that contain videos, or patterns; - with --name is the "
            "standard input.",
        ),
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", "-p", min=1, max=64, help="Parts sent at once.")
    ] = DEFAULT_PARALLEL,
    limit_rate: Annotated[
        RateLimit | None,
        typer.Option(
            "--limit-rate",
            metavar="RATE",
            parser=_rate_limit,
            help="Maximum bytes per second for all parts together: 5MB, 500k, 1.5MiB.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the video has been checked.")] = True,
    telemetry: TellProgress = True,
    files_from: Annotated[
        str | None,
        typer.Option(
            "--files-from",
            metavar="FILE",
            help="Read further sources from a file, one a line or ended by NUL; - is the standard input.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="The file name of the video on the standard input. It is copied to this computer's disk first, and "
            "cannot be resumed.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the files that would be uploaded.")] = False,
    urls: Urls = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Upload videos, one after another. Ctrl-C pauses; run the same command again to resume."""
    with exit_codes(as_json=as_json), ExitStack() as held:
        is_stream = sources == ["-"]
        if is_stream != (name is not None) or (is_stream and (files_from or dry_run)):
            raise typer.BadParameter(
                message="--name goes with - as the only source, and neither with --files-from nor --dry-run"
            )
        if name is not None:
            sources = [str(held.enter_context(spooled_file(sys.stdin.buffer, name, default_home())))]
        sources = [*(sources or []), *(_listed_in(files_from) if files_from else [])]
        if not sources:
            raise typer.BadParameter(message="say what to upload: SOURCE or --files-from")
        selection = select_videos(sources)  # every file is looked at before the first byte of any is sent
        for refused in selection.refused:
            print_error(refused, as_json=as_json, file=refused.path)
        if not selection.videos:
            raise typer.Exit(exit_code_of(selection.refused[0]))
        if dry_run:
            _list_only(selection, as_json=as_json)
        console = errors_console(quiet=as_json)
        api = api_of(profile, console, interruption := Interruption())
        run = _Run(
            api=api,
            selection=selection,
            batch=BatchJournal(default_home(), api.url, sources),
            interruption=interruption,
            as_json=as_json,
            urls=urls,
            is_stream=is_stream,
            failures=[exit_code_of(refused) for refused in selection.refused],
            unfinished=len(selection.refused),
        )
        with (
            UploadDisplay(console, len(selection.videos), selection.size_bytes) as display,
            _telemetry(profile, wanted=telemetry) as tell,
        ):

            def report(event: UploadEvent) -> None:
                display.show(event)
                tell(event)

            engine = UploadEngine(
                api,
                default_home(),
                parallel=parallel,
                rate_limit=limit_rate,
                report=report,
                interruption=interruption,
            )
            run.upload_all(engine, display, wait=wait)
        run.conclude()


def _listed_in(name: str) -> list[str]:
    """Read sources as `find -print` and `find -print0` write them."""
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    separator = b"\0" if b"\0" in content else b"\n"
    return [os.fsdecode(line) for line in content.split(separator) if line.strip()]


def _list_only(selection: Selection, *, as_json: bool) -> NoReturn:
    for path in selection.videos:
        size_bytes = VideoFile.at(path).size_bytes
        if as_json:
            print_json({"file": path_text(path), "sizeBytes": size_bytes})
        else:
            with writing_results():
                print(path_text(path))
    raise typer.Exit(exit_code_of(selection.refused[0]) if selection.refused else ExitCode.OK)


@contextmanager
def _telemetry(profile: str | None, *, wanted: bool) -> Generator[Report]:
    """Report progress to sites that ask for it, and to no others."""
    credentials = StoredCredentials(default_home(), profile)
    signed_in = credentials.load()
    if not wanted or not signed_in.tell_progress:
        yield ignore_event
        return
    # One try a call: what does not arrive goes with a later one.
    with Telemetry(VideoApi(signed_in.api_url, credentials, backoff=Backoff(tries=1))) as telemetry:
        yield telemetry.note


@dataclass(kw_only=True)
class _Run:
    """One run of the command over all its files."""

    api: VideoApi
    selection: Selection
    batch: BatchJournal
    interruption: Interruption
    as_json: bool
    urls: bool
    is_stream: bool
    failures: list[ExitCode] = field(default_factory=list[ExitCode])
    uploaded: int = 0
    done_before: int = 0
    unfinished: int = 0

    def upload_all(self, engine: UploadEngine, display: UploadDisplay, *, wait: bool) -> None:
        for path in self.selection.videos:
            try:
                self._upload_one(engine, display, path, wait=wait)
            except VideoUploadError as error:
                if exit_code_of(error) in {ExitCode.NOT_SIGNED_IN, ExitCode.INTERRUPTED}:
                    raise
                self._fail(error, display, path)
            except OSError as error:
                self._fail(SystemRefusedError(error), display, path)
        if not self.unfinished:
            self.batch.forget()

    def _fail(self, error: VideoUploadError, display: UploadDisplay, path: Path) -> None:
        """Count and tell; one file's failure does not keep the others back."""
        self.failures.append(exit_code_of(error))
        self.unfinished += 1
        with display.paused():
            print_error(error, as_json=self.as_json, file=Path(path.name) if self.is_stream else path)

    def _upload_one(self, engine: UploadEngine, display: UploadDisplay, path: Path, *, wait: bool) -> None:
        file = VideoFile.at(path)
        display.next_file(path.name, file.size_bytes)
        if self.batch.finished(file) is not None:
            self.done_before += 1
            display.finish_file()
            return

        def tell(video: Video) -> None:
            display.finish_file()
            if self.as_json:
                shown = path.name if self.is_stream else path_text(path)
                print_json({"file": shown, "video": video_in_json(video, urls=self.urls)})
            else:
                with display.paused(), writing_results():
                    print_video(results_console(), video, urls=self.urls)
            self.batch.add(file, video.video_id)

        send = engine.upload_once if self.is_stream else engine.upload
        verdict = _verdict(send(path, wait=wait, tell=tell), waited=wait)
        if verdict is ExitCode.OK:
            self.uploaded += 1
        else:
            self.failures.append(verdict)

    def conclude(self) -> None:
        """The summary, where something was looked for or left out, and the exit code of the first failure."""
        skipped = self.selection.skipped
        if self.selection.searched or self.done_before:
            if self.as_json:
                print_json(
                    {
                        "summary": {
                            "uploaded": self.uploaded,
                            "failed": len(self.failures),
                            "doneBefore": self.done_before,
                            "skipped": [{"file": path_text(one.path), "reason": one.reason} for one in skipped],
                        }
                    }
                )
            else:
                console = errors_console()
                console.print(
                    f"{self.uploaded} uploaded, {len(self.failures)} failed, {self.done_before} done before, "
                    f"{len(skipped)} skipped.",
                    highlight=False,
                )
                print_skipped(console, skipped)
        if self.failures:
            raise typer.Exit(self.failures[0])


def _verdict(video: Video, *, waited: bool) -> ExitCode:
    if video.state == "rejected":
        return ExitCode.REFUSED
    return ExitCode.FAILED if video.state in {"aborted", "expired", "deleted"} and waited else ExitCode.OK
