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
SUMMARY = "bench.summary"
_TARGET = re.compile(r"- (.+): ([0-9.e+]+) \(target: at (least|most) ([0-9.e+]+)\), \*\*(met|not met)\*\*")
"""A line as `rounds.Target` prints it."""
_NOT_IN_ANCHORS = re.compile(r"[^a-z0-9 -]")


def about(rounds: int, versions: Mapping[str, str]) -> str:
    """Date, machine and versions in one line."""
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{datetime.now(UTC).date().isoformat()}, {machine.machine()} with {os.cpu_count()} cores, {machine.system()} "
        f"{machine.release()}, load average {os.getloadavg()[0]:.0f}, Python {machine.python_version()}"
        f"{named and f'; {named}'}; rounds: {rounds}."
    )


def write(section: str, report: str) -> None:
    """Replace what an earlier run wrote into a section, and the summary. Raises LookupError if the document has no
    marks for it."""
    text = _replaced(DOCUMENT.read_text(), section, report)
    DOCUMENT.write_text(_replaced(text, SUMMARY, summary(text)))


def summary(text: str) -> str:
    """One table of what all sections of the document ask for."""
    rows = ["| Section | Figure | Asked | Measured | Met |", "|---|---|---:|---:|---|"]
    heading = ""
    for line in text.splitlines():
        if line.startswith("##"):
            heading = line.lstrip("# ")
        elif found := _TARGET.fullmatch(line):
            what, measured, bound, asked, verdict = found.groups()
            sign = "≥" if bound == "least" else "≤"
            link = f"[{heading}](#{_NOT_IN_ANCHORS.sub('', heading.lower()).replace(' ', '-')})"
            rows.append(f"| {link} | {what} | {sign} {asked} | {measured} | {'yes' if verdict == 'met' else 'no'} |")
    return "\n".join(rows)


def _replaced(text: str, section: str, report: str) -> str:
    marks = f"<!-- {section} -->", f"<!-- /{section} -->"
    pattern = re.compile(re.escape(marks[0]) + ".*" + re.escape(marks[1]), re.DOTALL)
    written, count = pattern.subn(lambda _: f"{marks[0]}\n{report}\n{marks[1]}", text)
    if count != 1:
        problem = f"{DOCUMENT.name} has the marks of {section} {count} times"
        raise LookupError(problem)
    return written
