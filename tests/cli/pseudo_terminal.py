"""The command on a pseudo-terminal."""

from __future__ import annotations

import os
import pty
import subprocess

from tests.cli.conftest import Cli


def on_a_terminal(cli: Cli, *arguments: str, columns: int, term: str = "dumb", notes: bool = False) -> list[str]:
    """Return the lines that the command writes to a pseudo-terminal. notes: those on stderr, too."""
    master, slave = pty.openpty()
    cli.environment.update({"COLUMNS": str(columns), "TERM": term})
    with cli.start(*arguments, stdout=slave, stderr=slave if notes else subprocess.PIPE) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                block = os.read(master, 4096)
            except OSError:  # Linux says so at the end
                break
            if not block:
                break
            shown += block
    os.close(master)
    assert process.returncode == 0
    return shown.decode().splitlines()
