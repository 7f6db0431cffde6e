"""docs/performance.md: machine and versions, and the figures that a command writes between its marks."""

from __future__ import annotations

import os
import platform as machine
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
DOCUMENT = REPOSITORY / "docs" / "performance.md"


def about(rounds: int, versions: Mapping[str, str]) -> str:
    """Date, machine and versions in one line."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{datetime.now(UTC).date().isoformat()}, {machine.machine()} with {os.cpu_count()} cores, {machine.system()} "
        f"{machine.release()}, Python {machine.python_version()}{named and f'; {named}'}; rounds: {rounds}."
    )


def write(section: str, report: str) -> None:
    """Replace what an earlier run wrote into a section. Raises LookupError if the document has no marks for it."""
    text = DOCUMENT.read_text()
    marks = f"<!-- {section} -->", f"<!-- /{section} -->"
    pattern = re.compile(re.escape(marks[0]) + ".*" + re.escape(marks[1]), re.DOTALL)
    written, count = pattern.subn(lambda _: f"{marks[0]}\n{report}\n{marks[1]}", text)
    if count != 1:
        problem = f"{DOCUMENT.name} has the marks of {section} {count} times"
        raise LookupError(problem)
    DOCUMENT.write_text(written)
