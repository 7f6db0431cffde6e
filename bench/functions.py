"""The function multipart init: ours, and the same function on boto3's presigner."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.document import REPOSITORY
from bench.programs.call_init import PARTS
from bench.rounds import Target, table, take_turns
from chalicelib.environment import stand_in_environment
from local.api_environment import CHALICE_APP

SECTION = "bench.functions"
CALLS = 20
QUICK_CALLS = 1
PROGRAM = "bench.programs.call_init"
TITLES = {"start": "POST /multipart/init, 100 URLs", "page": "POST /multipart/parts, 500 URLs"}
TARGETS = {"start": 1 / 8, "page": 1 / 20}


def cpu_seconds(signer: str, work: str, calls: int) -> float:
    """CPU time of one warm call, JSON included."""
    environment = {
        **stand_in_environment(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{CHALICE_APP}",
        "FUNCTION": "multipart_init",
        "AWS_ENDPOINT_URL": "",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2Vj+/=" * 52,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "BOTO_DISABLE_CRT": "true",
    }
    command = [sys.executable, "-W", "ignore", "-m", PROGRAM, signer, work, str(calls)]
    finished = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(finished.stdout.splitlines()[-1])


def report(rounds: int, *, quick: bool) -> str:
    calls = QUICK_CALLS if quick else CALLS
    rows: list[list[str]] = []
    targets: list[Target] = []
    for work in PARTS:
        names = ("ours", "boto3")
        results = take_turns(
            {name: lambda name=name, work=work: cpu_seconds(name, work, calls) for name in names}, rounds
        )
        ratio = results.ratio("ours", "boto3", float)
        figures = [f"{results.median(name, float) * 1000:.2f}" for name in names]
        rows.append([TITLES[work], *figures, f"{1 / ratio:.1f}"])
        targets.append(Target(text=f"ours / boto3, {TITLES[work]}", figure=ratio, at_most=TARGETS[work]))
    head = ["Call", "ours, CPU ms", "on boto3's presigner, CPU ms", "boto3 / ours"]
    return f"{table(head, rows)}\n\n" + "\n".join(map(str, targets))
