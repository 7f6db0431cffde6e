"""Cold starts: our functions, and bare Chalice apps: alone, with an HTTPS client, and with a boto3 client of S3."""

from __future__ import annotations

import importlib.metadata
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from functools import partial

from bench.document import REPOSITORY
from bench.rounds import Target, table, take_turns
from chalicelib.environment import stand_in_environment
from local.api_environment import CHALICE_APP

SECTION = "bench.cold-starts"
PROGRAM = "bench.programs.cold_start"
BARE, WITH_HTTPS, WITH_BOTO3 = "chalice alone", "chalice and http.client", "chalice and boto3's S3 client"
AGAINST_BARE, AGAINST_BOTO3 = 1.3, 1.1
FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "authorizer": ("upload_token_authorizer", BARE),
    "init": ("multipart_init", WITH_BOTO3),
    "complete": ("multipart_complete", WITH_BOTO3),
    "library": ("video_upload", WITH_BOTO3),
}
"""By name: the function, and what it is compared with."""


def cpu_milliseconds(work: str, function: str = "") -> float:
    """CPU time of one process, from the start of its interpreter to its exit after the first call."""
    environment = {
        **stand_in_environment(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{CHALICE_APP}",
        "FUNCTION": function,
        "AWS_CHALICE_CLI_MODE": "",
        "AWS_LAMBDA_FUNCTION_NAME": "video-upload-bench",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-W", "ignore", "-m", PROGRAM, work]
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("chalice", "boto3")}


def report(rounds: int, *, quick: bool) -> str:
    shown = {"authorizer": FUNCTIONS["authorizer"]} if quick else FUNCTIONS
    results = take_turns(
        {
            BARE: partial(cpu_milliseconds, "bare"),
            WITH_HTTPS: partial(cpu_milliseconds, "https"),
            WITH_BOTO3: partial(cpu_milliseconds, "boto3"),
            **{name: partial(cpu_milliseconds, name, function) for name, (function, _) in shown.items()},
        },
        rounds,
    )
    rows = [[name, f"{results.median(name, float):.0f}", ""] for name in (BARE, WITH_HTTPS, WITH_BOTO3)]
    targets: list[Target] = []
    for name, (_, peer) in shown.items():
        ratio = results.ratio(name, peer, float)
        rows.append([name, f"{results.median(name, float):.0f}", f"{ratio:.2f}"])
        most = AGAINST_BARE if peer == BARE else AGAINST_BOTO3
        targets.append(Target(text=f"{name} / {peer}", figure=ratio, at_most=most))
    return f"{table(['Process', 'CPU ms', 'ratio'], rows)}\n\n" + "\n".join(map(str, targets))
