"""Random histories of the state machine: `make soak` (ARGS="--help" for more).

Prints how many histories were played, what became of their videos, and each broken promise with its seed. Exit code 1
if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak.history import STEPS, USERS, History

DEFAULT_HISTORIES = 5_000
CHUNK = 50


@dataclass
class Played:
    """Result of one seed."""

    seed: int
    broken: list[str]
    states: Counter[str] = field(default_factory=Counter[str])
    troubles: Counter[str] = field(default_factory=Counter[str])


def play(seed: int, steps: int = STEPS) -> Played:
    history = History(seed)
    broken = history.run(steps)
    states = Counter(record.state.value for owner in USERS for record in history.all_records(owner))
    troubles = Counter(step.partition(" (")[2].rpartition(" call")[0] for step in history.steps if " (" in step)
    return Played(seed, broken, states, troubles)


def show(seed: int) -> int:
    history = History(seed)
    broken = history.run()
    print("\n".join([*history.steps, "", *(broken or ["no promise was broken"])]))
    return 1 if broken else 0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=DEFAULT_HISTORIES, help="how many (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first (default: %(default)s)")
    parser.add_argument("--show", type=int, metavar="SEED", help="play one history and print its steps")
    parser.add_argument("--seeds", type=Path, default=Path("build/soak.json"), help="where broken seeds are kept")
    options = parser.parse_args(arguments)
    if options.show is not None:
        return show(options.show)
    return soak(options.first_seed, options.histories, options.seeds)


def soak(first_seed: int, histories: int, kept_at: Path) -> int:
    started = time.monotonic()
    states, troubles, broken = Counter[str](), Counter[str](), dict[int, list[str]]()
    with ProcessPoolExecutor() as workers:
        seeds = range(first_seed, first_seed + histories)
        for count, played in enumerate(workers.map(play, seeds, chunksize=CHUNK), start=1):
            states += played.states
            troubles += played.troubles
            if played.broken:
                broken[played.seed] = played.broken
                print(f"seed {played.seed}: {'; '.join(played.broken)}", flush=True)
            if count % 500 == 0:
                print(f"{count} of {histories} histories, {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(f"{histories} histories of {STEPS} steps, seeds {first_seed} to {first_seed + histories - 1}")
    print("videos:   " + ", ".join(f"{count} {state}" for state, count in states.most_common()))
    print("troubles: " + ", ".join(f"{count} {what}" for what, count in troubles.most_common()))
    print(f"broken promises: {sum(map(len, broken.values()))} in {len(broken)} histories")
    if broken:
        kept_at.parent.mkdir(parents=True, exist_ok=True)
        kept_at.write_text(json.dumps(broken, indent=2))
        print(f"seeds kept in {kept_at}; see one with --show SEED")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
