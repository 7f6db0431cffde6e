"""Measure ourselves and our peers in one run: `python -m bench`.

Contestants take turns. Prints medians of the rounds, and medians of the ratios within a round. CPU seconds are
comparable on a machine that does other work, too; wall-clock times are not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import boto3

from bench import (
    browser_peers,
    cold_starts,
    document,
    functions,
    library,
    one_upload,
    page_uploads,
    peers,
    platform_starts,
    pulumi_program,
    signing,
    sweeps,
    transfers,
)

ROUNDS = 5
QUICK_ROUNDS = 1


class Report(Protocol):
    """Measures and returns Markdown."""

    def __call__(self, rounds: int, *, quick: bool) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison. section: its marks in docs/performance.md. versions: of what it compares with."""

    section: str
    report: Report
    versions: Callable[[], Mapping[str, str]]


ROWS: Mapping[str, Row] = {
    "signing": Row(section=signing.SECTION, report=signing.report, versions=lambda: peers.versions(*signing.PEERS)),
    "cold-starts": Row(section=cold_starts.SECTION, report=cold_starts.report, versions=cold_starts.versions),
    "transfers": Row(
        section=transfers.SECTION, report=transfers.report, versions=lambda: peers.versions(*transfers.PEERS)
    ),
    "page-uploads": Row(section=page_uploads.SECTION, report=page_uploads.report, versions=browser_peers.versions),
    "one-upload": Row(section=one_upload.SECTION, report=one_upload.report, versions=dict),
    "library": Row(section=library.SECTION, report=library.report, versions=dict),
    "sweeps": Row(section=sweeps.SECTION, report=sweeps.report, versions=dict),
    "pulumi-program": Row(
        section=pulumi_program.SECTION, report=pulumi_program.report, versions=pulumi_program.versions
    ),
    "platform-starts": Row(section=platform_starts.SECTION, report=platform_starts.report, versions=dict),
    "functions": Row(section=functions.SECTION, report=functions.report, versions=lambda: {"boto3": boto3.__version__}),
}


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in ROWS]:
        problem = f"{', '.join(unknown)} is not one of {', '.join(ROWS)}"
        raise argparse.ArgumentTypeError(problem)
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rows", type=_names, default=list(ROWS), help=f"some of {','.join(ROWS)} (all)")
    parser.add_argument("--rounds", type=int, help=f"number of rounds, whose medians are printed ({ROUNDS})")
    parser.add_argument("--quick", action="store_true", help="short forms, in one round")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    wanted = parser.parse_args(arguments)
    rounds = wanted.rounds or (QUICK_ROUNDS if wanted.quick else ROUNDS)
    for name in wanted.rows:
        row = ROWS[name]
        report = f"{document.about(rounds, row.versions())}\n\n{row.report(rounds, quick=wanted.quick)}"
        print(f"## {name}\n\n{report}\n", flush=True)
        if wanted.write:
            document.write(row.section, report)


if __name__ == "__main__":
    main()
