"""The program `video-upload`: its signals, its streams and its exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from video_upload.command_output import EPILOG, print_error, print_stopped
from video_upload.errors import OutputError
from video_upload.exit_codes import ExitCode
from video_upload.root_command import new_app
from video_upload.standard_streams import drop_output, prepare_streams


def main() -> NoReturn:
    prepare_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    as_json = "--json" in sys.argv
    code: str | int | None = ExitCode.OK
    try:
        app_for(sys.argv[1:])(prog_name="video-upload")
    except KeyboardInterrupt:
        code = _stopped(as_json=as_json)
    except SystemExit as ended:
        # A command that was stopped says so itself, and ends with our own code; typer ends with its number in silence.
        is_silent = ended.code == ExitCode.INTERRUPTED and not isinstance(ended.code, ExitCode)
        code = _stopped(as_json=as_json) if is_silent else ended.code
    except OSError as error:  # of a help text, which typer writes by itself
        code = _unwritten(error, as_json=as_json)
    try:
        sys.stdout.flush()
    except OSError as error:
        if not code:
            code = _unwritten(error, as_json=as_json)
        drop_output()
    sys.exit(code)


def app_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the app that these arguments need: an upload starts without the other commands' time and memory."""
    if arguments[:1] == ["upload"]:
        from video_upload.upload_command import upload  # noqa: PLC0415

        app = new_app()
        app.command(epilog=EPILOG)(upload)
        return app
    from video_upload.all_commands import app as whole  # noqa: PLC0415

    return whole


def _stopped(*, as_json: bool) -> ExitCode:
    print_stopped(as_json=as_json)
    return ExitCode.INTERRUPTED


def _unwritten(error: OSError, *, as_json: bool) -> ExitCode:
    print_error(OutputError(error.strerror or str(error)), as_json=as_json)
    return ExitCode.FAILED
