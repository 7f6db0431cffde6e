"""Shared parts of all commands: options, results and errors on the terminal, exit codes."""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from video_upload.api import VideoApi
from video_upload.backoff import Interruption
from video_upload.credentials import StoredCredentials
from video_upload.errors import (
    ApiError,
    FileRefusedError,
    OutputError,
    SystemRefusedError,
    UploadCancelledError,
    VideoUploadError,
    path_text,
)
from video_upload.exit_codes import MEANINGS, ExitCode, exit_code_of
from video_upload.presentation import plain
from video_upload.private_files import default_home
from video_upload.schemas import Video
from video_upload.video_file import is_unicode

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."

PIPE_COLUMNS = 4096  # of a table that goes into a pipe or a file: more than any row has
URL_FIELDS = frozenset({"posterUrl", "thumbnailsUrl", "playbackUrl", "downloadUrl", "urlsExpireAt"})

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON; errors go to stderr as JSON, too.")]
Urls = Annotated[
    bool,
    typer.Option("--urls", help="Print the signed URLs, too: anyone who has one can watch the video until it expires."),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile", envvar="VIDEO_UPLOAD_PROFILE", help="The sign-in to use; see `profiles`.", show_default=False
    ),
]


Title = Annotated[
    str | None, typer.Option("--title", metavar="TEXT", help="Shown in place of the file's name.", show_default=False)
]
Description = Annotated[str | None, typer.Option("--description", metavar="TEXT", show_default=False)]
Tag = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="May be given several times.", show_default=False)
]


Reference = Annotated[
    str | None,
    typer.Option("--reference", metavar="TEXT", help="A program's own name for the upload.", show_default=False),
]
OnBehalfOf = Annotated[
    str | None,
    typer.Option(
        "--on-behalf-of", metavar="TEXT", help="A program's own name for the person it uploads for.", show_default=False
    ),
]


def _not_empty(video_id: str) -> str:
    """Refuse an empty id: a script's unset variable would list all videos."""
    if not video_id:
        raise typer.BadParameter(message="it is empty")
    if not is_unicode(video_id):
        raise typer.BadParameter(message="it is not UTF-8")
    return video_id


def is_video_id_given(video_ids: list[str]) -> list[str]:
    return [_not_empty(video_id) for video_id in video_ids]


class Sort(StrEnum):
    """Orders of the library, as the API names them."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    NAME_DESCENDING = "nameDescending"
    LARGEST = "largest"
    SMALLEST = "smallest"


Query = Annotated[
    str,
    typer.Option(
        "--query",
        metavar="WORDS",
        help="Only videos with these words in their texts or tags.",
    ),
]
SortBy = Annotated[Sort, typer.Option("--sort", help="Sort order.")]
VideoId = Annotated[str, typer.Argument(metavar="VIDEO_ID", callback=_not_empty)]


def errors_console(*, quiet: bool = False) -> Console:
    """Progress, notes and errors go to stderr, results to stdout."""
    return _console(stderr=True, quiet=quiet)


def _console(*, stderr: bool = False, quiet: bool = False) -> Console:
    # Else it would read `:on:` in a name as an emoji.
    return Console(stderr=stderr, quiet=quiet, emoji=False)


def results_console() -> Console:
    """Results go to stdout: as wide as the terminal, and nothing is cut where there is none."""
    console = _console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPE_COLUMNS
    return console


def video_in_json(video: Video, *, urls: bool) -> dict[str, Any]:
    """Return the API's fields; signed URLs open a video to everybody who reads the output's log."""
    fields: dict[str, Any] = msgspec.to_builtins(video)
    return {name: value for name, value in fields.items() if urls or name not in URL_FIELDS}


def api_of(profile: str | None, console: Console, interruption: Interruption | None = None) -> VideoApi:
    """Raises NotSignedInError and ProfileNameError. console: where a person is told that the platform is silent."""
    credentials = StoredCredentials(default_home(), profile)
    url = credentials.load().api_url

    def on_silence(reason: str) -> None:
        tell_silence(console, url, reason)

    return VideoApi(url, credentials, pause=(interruption or Interruption()).pause, on_silence=on_silence)


def tell_silence(console: Console, where: str, reason: str) -> None:
    note = f"No answer from {where} ({reason}). Retrying; press Ctrl-C to stop."
    console.print(plain(note), soft_wrap=True, highlight=False)


@contextmanager
def writing_results() -> Generator[None]:
    """Raise OutputError where stdout takes nothing: a full disk, /dev/full."""
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        raise OutputError(error.strerror or str(error)) from error


def print_json(value: object) -> None:
    """Raises OutputError."""
    with writing_results():
        print(_json_text(value, sys.stdout.encoding))


def print_result(value: object, show: Callable[[Console], None], *, as_json: bool) -> None:
    """Print a result as JSON, or as `show` writes it for a person. Raises OutputError."""
    if as_json:
        print_json(value)
    else:
        with writing_results():
            show(results_console())


def _json_text(value: object, encoding: str | None) -> str:
    """One line that is JSON in any encoding: where that is not UTF-8, letters beyond ASCII are escaped."""
    text = msgspec.json.encode(value).decode()
    if codecs.lookup(encoding or "utf-8").name == "utf-8":
        return text
    return json.dumps(json.loads(text), separators=(",", ":"))


def print_error(error: VideoUploadError, *, as_json: bool, file: Path | None = None) -> None:
    """file: which of several it belongs to."""
    if as_json:
        detail: dict[str, Any] = {"code": type(error).__name__, "message": str(error)}
        if isinstance(error, ApiError):
            detail = {
                "code": error.code,
                "message": error.message,
                "details": error.details,
                "requestId": error.request_id,
            }
        if error.correlation_id:
            detail["correlationId"] = error.correlation_id
        if file is not None:
            detail["file"] = path_text(file)
        print(_json_text({"error": detail}, sys.stderr.encoding), file=sys.stderr, flush=True)
        return
    names_itself = isinstance(error, FileRefusedError)
    place = f"{path_text(Path(file.name))}: " if file is not None and not names_itself else ""
    console = errors_console()
    console.print(f"[bold red]Error:[/] {plain(place + str(error))}", soft_wrap=True, highlight=False)
    traces = [error.code, f"request {error.request_id or 'unknown'}"] if isinstance(error, ApiError) else []
    if error.correlation_id:
        traces.append(f"upload {error.correlation_id}")
    if traces:
        console.print(f"[dim]{plain(', '.join(traces))}[/]", soft_wrap=True, highlight=False)


def print_stopped(*, as_json: bool) -> None:
    """Tell how to resume after Ctrl-C."""
    if as_json:
        print_error(UploadCancelledError(), as_json=True)
    else:
        errors_console().print("Stopped. Run the same command again to continue; uploads of files resume.")


@contextmanager
def exit_codes(*, as_json: bool = False) -> Generator[None]:
    """Errors of the tree end the command with a text and their code."""
    try:
        yield
    except VideoUploadError as error:
        print_error(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from error
    except OSError as error:
        refused = SystemRefusedError(error)
        print_error(refused, as_json=as_json)
        raise typer.Exit(exit_code_of(refused)) from error
    except KeyboardInterrupt as error:
        print_stopped(as_json=as_json)
        raise typer.Exit(ExitCode.INTERRUPTED) from error
