"""Hostile requests to a platform of its own: `make hostile` (ARGS="--help" for more).

Prints what was sent and answered, and each answer that breaks a bound with its seed. Exit code 1 if one did.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.hostile.attack import Findings, attack, running_target, send

DEFAULT_REQUESTS = 10_000


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.hostile", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--requests", type=int, default=DEFAULT_REQUESTS, help="number of requests (default: %(default)s)"
    )
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first (default: %(default)s)")
    parser.add_argument("--show", type=int, metavar="SEED", help="send one request and print it with its response")
    parser.add_argument("--seeds", type=Path, default=Path("build/hostile.json"), help="where broken seeds are kept")
    options = parser.parse_args(arguments)
    with running_target() as target:
        if options.show is not None:
            request, answer, problem = send(target, options.show)
            print(request.kind, request.sent[:2000], answer, problem or "nothing is wrong", *target.slips, sep="\n")
            return 1 if problem else 0
        started = time.monotonic()
        seeds = range(options.first_seed, options.first_seed + options.requests)
        findings = attack(target, seeds)
    _print(findings, seeds, time.monotonic() - started)
    if not findings.is_flawless:
        options.seeds.parent.mkdir(parents=True, exist_ok=True)
        options.seeds.write_text(json.dumps({"broken": findings.broken, "slips": findings.slips}, indent=2))
        print(f"seeds kept in {options.seeds}; see one with --show SEED")
    return 0 if findings.is_flawless else 1


def _print(findings: Findings, seeds: range, seconds: float) -> None:
    print(f"{findings.requests} requests in {seconds:.0f} s, seeds {seeds.start} to {seeds.stop - 1}")
    print("sent:     " + ", ".join(f"{count} {kind}" for kind, count in findings.kinds.most_common()))
    print("answered: " + ", ".join(f"{count} times {status}" for status, count in sorted(findings.statuses.items())))
    print("codes:    " + ", ".join(f"{count} {code}" for code, count in findings.codes.most_common() if code))
    print(f"largest response: {findings.largest_response_bytes} bytes")
    for seed, problem in findings.broken.items():
        print(f"seed {seed}: {problem}")
    for slip in findings.slips:
        print(f"log of {slip}")
    print(f"broken bounds: {len(findings.broken)}, faults in the logs: {len(findings.slips)}")


if __name__ == "__main__":
    sys.exit(main())
