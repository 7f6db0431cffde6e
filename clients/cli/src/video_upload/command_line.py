"""The command `video-upload`: parses, calls, shows."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from video_upload.answers import Video
from video_upload.api import VideoApi
from video_upload.backoff import Interruption
from video_upload.credentials import StoredCredentials
from video_upload.engine import DEFAULT_PARALLEL, UploadEngine
from video_upload.errors import ApiError, UploadNotFoundError, VideoUploadError
from video_upload.exit_codes import MEANINGS, ExitCode, exit_code_of
from video_upload.presentation import UploadDisplay, plain, print_open_uploads, print_video, print_videos
from video_upload.private_files import default_home
from video_upload.sign_in import sign_in
from video_upload.version import VERSION
from video_upload.video_file import CONTENT_TYPES, VideoFile

EPILOG = "Exit codes: " + "; ".join(f"{code.value} {meaning}" for code, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    help="Upload large videos: signed in, resumable, verified end to end.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs; errors go to stderr as JSON, too.")]
VideoId = Annotated[str, typer.Argument(metavar="VIDEO_ID")]


def main() -> None:
    app(prog_name="video-upload")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"video-upload {VERSION}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of the command itself."""


@app.command()
def login(
    site_url: Annotated[str, typer.Argument(metavar="SITE_URL", help="The site's address, as in a browser.")],
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser, or only print the address to open.")
    ] = True,
) -> None:
    """Sign in to a site, in the browser."""

    def show_url(url: str) -> None:
        if not (browser and webbrowser.open(url)):
            _errors().print("Open this address in a browser on this computer:", highlight=False)
            print(url, flush=True)

    with _exit_codes():
        signed_in = sign_in(site_url, show_url)
        StoredCredentials(default_home()).store(signed_in)
        _errors().print(f"Signed in to {plain(signed_in.site_url)}.", highlight=False)


@app.command()
def logout() -> None:
    """Sign out and forget the tokens."""
    with _exit_codes():
        was_signed_in = StoredCredentials(default_home()).forget()
        _errors().print("Signed out." if was_signed_in else "Nobody was signed in.")


@app.command(epilog=EPILOG)
def upload(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help=f"Videos: {' '.join(CONTENT_TYPES)}")],
    parallel: Annotated[
        int, typer.Option("--parallel", "-p", min=1, max=64, help="Parts sent at once.")
    ] = DEFAULT_PARALLEL,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the video has been checked.")] = True,
    as_json: AsJson = False,
) -> None:
    """Upload videos, one after another; run it again to resume what was interrupted."""
    with _exit_codes(as_json=as_json):
        for file in files:
            VideoFile.at(file)  # all of them before the first byte of any
        outcomes = [_upload_one(file, parallel=parallel, wait=wait, as_json=as_json) for file in files]
    failed = next((code for code in outcomes if code != ExitCode.OK), None)
    if failed is not None:
        raise typer.Exit(failed)


def _upload_one(file: Path, *, parallel: int, wait: bool, as_json: bool) -> ExitCode:
    """One file of several: its failure is shown and does not keep the others back."""
    interruption = Interruption()
    display = UploadDisplay(_errors(quiet=as_json), file.name)
    try:
        with display:
            engine = UploadEngine(
                _api(interruption),
                default_home(),
                parallel=parallel,
                report=display.show,
                interruption=interruption,
            )
            video = engine.upload(file, wait=wait)
    except VideoUploadError as error:
        code = exit_code_of(error)
        if code in {ExitCode.NOT_SIGNED_IN, ExitCode.INTERRUPTED}:
            raise
        _print_error(error, as_json=as_json, file=file)
        return code
    if as_json:
        _print_json({"file": str(file), "video": video})
    else:
        print_video(Console(), video)
    return _verdict(video, waited=wait)


def _verdict(video: Video, *, waited: bool) -> ExitCode:
    if video.state == "rejected":
        return ExitCode.REFUSED
    return ExitCode.FAILED if video.state in {"aborted", "expired", "deleted"} and waited else ExitCode.OK


@app.command(name="list")
def list_videos(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 24,
    as_json: AsJson = False,
) -> None:
    """List your videos."""
    with _exit_codes(as_json=as_json):
        api = _api()
        videos: list[Video] = []
        cursor = None
        while len(videos) < limit:
            page = api.list_videos(limit=min(100, limit - len(videos)), cursor=cursor)
            videos.extend(page.videos)
            cursor = page.next_cursor
            if cursor is None:
                break
        if as_json:
            _print_json({"videos": videos})
        else:
            print_videos(Console(), videos)


@app.command()
def show(video_id: VideoId, as_json: AsJson = False) -> None:
    """Show all about one video."""
    with _exit_codes(as_json=as_json):
        video = _api().get_video(video_id)
        if as_json:
            _print_json(video)
        else:
            print_video(Console(), video)


@app.command()
def delete(
    video_id: VideoId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a video for good."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete {video_id} for good?", abort=True, err=True)
    with _exit_codes(as_json=as_json):
        answer = _api().delete_video(video_id)
        if as_json:
            _print_json(answer)
        else:
            _errors().print(f"Deleted {plain(video_id)}.", highlight=False)


@app.command()
def uploads(as_json: AsJson = False) -> None:
    """List your unfinished uploads, from all your devices."""
    with _exit_codes(as_json=as_json):
        unfinished = _api().list_open_uploads()
        if as_json:  # without their tokens: output ends up in logs
            _print_json({"uploads": [_without(upload, "uploadToken") for upload in unfinished]})
        else:
            print_open_uploads(Console(), unfinished)


@app.command()
def abort(
    upload: Annotated[
        str | None, typer.Argument(metavar="[FILE|VIDEO_ID]", help="Needed if there is more than one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give up an unfinished upload and free what it holds."""
    with _exit_codes(as_json=as_json):
        api = _api()
        engine = UploadEngine(api, default_home())
        if upload is None:
            unfinished = api.list_open_uploads()
            if len(unfinished) > 1:
                print_open_uploads(_errors(), unfinished)
                raise typer.BadParameter(message="several uploads are unfinished: say which")
            if not unfinished:
                raise UploadNotFoundError(name="any file")
            upload = unfinished[0].video_id
        video_id = _abort(engine, upload)
        if as_json:
            _print_json({"status": "aborted", "videoId": video_id})
        else:
            _errors().print(f"Aborted {plain(video_id)}.", highlight=False)


def _abort(engine: UploadEngine, file_or_video_id: str) -> str:
    path = Path(file_or_video_id)
    if path.suffix.lower() in CONTENT_TYPES:  # the file itself may be gone by now
        return engine.abort(path)
    engine.abort_video(file_or_video_id)
    return file_or_video_id


def _api(interruption: Interruption | None = None) -> VideoApi:
    credentials = StoredCredentials(default_home())
    return VideoApi(credentials.load().api_url, credentials, pause=(interruption or Interruption()).pause)


def _errors(*, quiet: bool = False) -> Console:
    """Progress, notes and errors go to stderr, results to stdout."""
    return Console(stderr=True, quiet=quiet)


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode(), flush=True)


def _without(body: msgspec.Struct, name: str) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(body)
    return {key: value for key, value in fields.items() if key != name}


def _print_error(error: VideoUploadError, *, as_json: bool, file: Path | None = None) -> None:
    if as_json:
        detail: dict[str, Any] = {"code": type(error).__name__, "message": str(error)}
        if isinstance(error, ApiError):
            detail = {
                "code": error.code,
                "message": error.message,
                "details": error.details,
                "requestId": error.request_id,
            }
        if file is not None:
            detail["file"] = str(file)
        print(msgspec.json.encode({"error": detail}).decode(), file=sys.stderr, flush=True)
        return
    place = f"{file.name}: " if file is not None else ""
    console = _errors()
    console.print(f"[bold red]Error:[/] {plain(place + str(error))}", soft_wrap=True, highlight=False)
    if isinstance(error, ApiError):
        console.print(f"[dim]{plain(error.code)}, request {plain(error.request_id or 'unknown')}[/]", highlight=False)


@contextmanager
def _exit_codes(*, as_json: bool = False) -> Generator[None]:
    try:
        yield
    except VideoUploadError as error:
        _print_error(error, as_json=as_json)
        raise typer.Exit(exit_code_of(error)) from error
    except KeyboardInterrupt as error:
        _errors().print("Stopped. What was uploaded is kept: run the same command again to resume.")
        raise typer.Exit(ExitCode.INTERRUPTED) from error
