"""Runs of the Pulumi program without an engine, one process a stage."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from functools import partial

from bench.document import REPOSITORY
from bench.rounds import Target, table, take_turns
from bench.transfers import SPEND, ResourceUse

SECTION = "bench.pulumi-program"
STAGES = ("dev", "staging", "prod")
QUICK_STAGES = ("dev",)
MOST_CPU_SECONDS = 2
PROGRAM = (
    "import sys; from components.declared_stage import HEARD, stage_program as p; p(sys.argv[1], dict(HEARD)).record()"
)


def run(stage: str) -> ResourceUse:
    """Run the program for a stage. Raises CalledProcessError and AssertionError."""
    command = [sys.executable, "-I", "-S", str(SPEND), sys.executable, "-W", "ignore", "-c", PROGRAM, stage]
    finished = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True)
    spent = json.loads(finished.stdout.strip().rsplit("\n", 1)[-1])
    assert spent.pop("exit_code") == 0, finished.stdout
    return ResourceUse(**spent)


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("pulumi", "pulumi-aws")}


def report(rounds: int, *, quick: bool) -> str:
    stages = QUICK_STAGES if quick else STAGES
    results = take_turns({stage: partial(run, stage) for stage in stages}, rounds)
    rows: list[list[str]] = []
    targets: list[Target] = []
    for stage in stages:
        cpu_seconds = results.median(stage, lambda spent: spent.cpu_seconds)
        wall_seconds = results.median(stage, lambda spent: spent.wall_seconds)
        rows.append([stage, f"{cpu_seconds:.2f}", f"{wall_seconds:.2f}"])
        targets.append(Target(text=f"{stage}, CPU s", figure=cpu_seconds, at_most=MOST_CPU_SECONDS))
    return f"{table(['Stage', 'CPU s', 'wall s'], rows)}\n\n" + "\n".join(map(str, targets))
