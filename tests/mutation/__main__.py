"""Mutants of the modules that decide who may and what is kept: `make mutants` (ARGS="--help" for more).

Prints the share of mutants that a test noticed, per file and in all, and every survivor with its reason from
survivors.toml. Exit code 1 where a file is below the least score or a survivor has no reason.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.mutation.kept import keep, noticed_before
from tests.mutation.operators import Mutant
from tests.mutation.reasons import read_reasons
from tests.mutation.subjects import SUBJECTS
from tests.mutation.trial import Subject, try_all

LEAST_PERCENT = 90


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="parts of paths (default: all files)")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (default: %(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="try each Nth mutant (default: all)")
    parser.add_argument("--again", action="store_true", help="try only what survived the last run of the same source")
    options = parser.parse_args(arguments)
    chosen = [each for each in SUBJECTS if not options.files or any(part in each.path for part in options.files)]
    results = [_measure(subject, options.workers, options.every, again=options.again) for subject in chosen]
    noticed, made = sum(each.noticed for each in results), sum(each.made for each in results)
    if len(results) > 1:
        print(f"all {len(results)} files: {noticed} of {made} noticed, {100 * noticed / made:.1f} %")
    return 0 if results and all(each.is_good for each in results) else 1


@dataclass(frozen=True)
class _Score:
    noticed: int
    made: int
    is_good: bool


def _measure(subject: Subject, workers: int, every: int, *, again: bool) -> _Score:
    started = time.monotonic()
    made = subject.mutants[::every]
    noticed = noticed_before(subject) & {mutant.change for mutant in made} if again else set[str]()
    survivors: list[Mutant] = []
    for mutant, was_noticed in try_all(subject, [each for each in made if each.change not in noticed], workers):
        if was_noticed:
            noticed.add(mutant.change)
        else:
            survivors.append(mutant)
    keep(subject, noticed)
    percent = 100 * len(noticed) / len(made)
    sample = f" (each {every}th)" if every > 1 else ""
    print(f"{subject.path}: {len(noticed)} of {len(made)}{sample} noticed, {percent:.1f} %")
    unexplained = _print_survivors(subject, survivors)
    print(f"  {time.monotonic() - started:.0f} s", flush=True)
    return _Score(len(noticed), len(made), percent >= LEAST_PERCENT and not unexplained)


def _print_survivors(subject: Subject, survivors: Sequence[Mutant]) -> int:
    """Print the survivors and return how many have no reason."""
    reasons = read_reasons().get(subject.path, {})
    for mutant in survivors:
        print(f"  line {mutant.line}, {mutant.change}\n    {reasons.get(mutant.change, 'NO REASON GIVEN')}")
    return sum(mutant.change not in reasons for mutant in survivors)


if __name__ == "__main__":
    sys.exit(main())
