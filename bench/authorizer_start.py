"""Measure what Powertools would add to the upload authorizer's cold start: `python -m bench.authorizer_start`.

The figure is the CPU time of a process that logs its cold start, refuses one token and exits. The three variants take
turns. The command prints the median of each, and the median ratio to today's variant in the same turn.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from statistics import median

from local.api_environment import api_environment

TURNS = 40
NOWHERE = "http://127.0.0.1:9"

REFUSE = """
from chalicelib.routes.upload_tokens import upload_token_authorizer
class Context:
    aws_request_id = "bench"
try:
    event = {"type": "TOKEN", "authorizationToken": "Bearer a.b", "methodArn": "a:b:c:d:e:f/g"}
    upload_token_authorizer(event, Context())
except Exception as error:
    assert str(error) == "Unauthorized", error
"""
STARTS = {
    "as it is": REFUSE,
    "powertools' formatter imported": f"import aws_lambda_powertools.logging.formatter\n{REFUSE}",
    "powertools' metrics imported": f"import aws_lambda_powertools.metrics\n{REFUSE}",
}


def cpu_milliseconds(script: str) -> float:
    """CPU time of one process, from the start of its interpreter to its exit."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = api_environment(
        stand_in_url=NOWHERE,
        sign_in_url=NOWHERE,
        site_url=NOWHERE,
        overrides={
            "FUNCTION": "upload_token_authorizer",
            "AWS_CHALICE_CLI_MODE": "",
            "AWS_LAMBDA_FUNCTION_NAME": "video-upload-bench",
        },
    )
    program = [sys.executable, "-W", "ignore", "-c", script]
    subprocess.run(program, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    # A busy moment of the machine then meets all of them.
    turns = [[cpu_milliseconds(script) for script in STARTS.values()] for _ in range(TURNS)]
    version = ".".join(map(str, sys.version_info[:2]))
    print(f"CPU ms and ratio, medians of {TURNS}, Python {version}, {os.cpu_count()} cores")
    for position, name in enumerate(STARTS):
        spent = median(turn[position] for turn in turns)
        ratio = median(turn[position] / turn[0] for turn in turns)
        print(f"{spent:7.1f}  {ratio:5.2f}  {name}")


if __name__ == "__main__":
    main()
