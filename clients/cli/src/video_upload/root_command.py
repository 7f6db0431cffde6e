"""The command itself, before it has any commands: its help, its options, its version."""

from __future__ import annotations

from typing import Annotated

import typer

from video_upload.command_output import EPILOG
from video_upload.version import VERSION


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"video-upload {VERSION}")
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options of the command itself."""


def new_app() -> typer.Typer:
    app = typer.Typer(
        help="Upload large videos: signed in, resumable, verified end to end.",
        epilog=EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    return app
