"""A question before something is deleted permanently."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation; required without a terminal.")]


def is_terminal() -> bool:
    """Return whether there is a terminal for a question."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Return once the person agrees; raises Abort otherwise."""
    if yes:
        return
    if not is_terminal():
        raise typer.BadParameter(message="cannot ask for confirmation without a terminal: add --yes")
    typer.confirm(question, abort=True, err=True)
