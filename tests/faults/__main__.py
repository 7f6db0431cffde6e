"""The real command and the real page under every kind of fault: `make faults` (ARGS="--help" for more).

Starts a platform of its own on free ports. Prints what was played and each broken promise with its kind and seed. Exit
code 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

DEFAULT_SEEDS = 20
DEFAULT_LANES = 3


def main(arguments: Sequence[str] | None = None) -> int:
    # The process that commands are forked from must not load all this.
    from tests.faults.campaign import Findings, play_all, wanted_kinds
    from tests.faults.kinds import Client

    parser = argparse.ArgumentParser(
        prog="make faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=DEFAULT_SEEDS, help="runs of each kind (default: %(default)s)")
    parser.add_argument("--first-seed", type=int, default=0, help="seed of the first (default: %(default)s)")
    parser.add_argument("--kinds", metavar="WORDS", default="", help="only kinds whose name holds one of these words")
    parser.add_argument("--client", choices=tuple(client.value for client in Client), help="only this client")
    parser.add_argument("--lanes", type=int, default=DEFAULT_LANES, help="runs at once (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="print the kinds and exit")
    parser.add_argument("--show", action="store_true", help="print the steps of each run")
    parser.add_argument("--kept", type=Path, default=Path("build/faults.json"), help="where broken seeds are kept")
    options = parser.parse_args(arguments)
    kinds = wanted_kinds(options.kinds.split(), options.client)
    if options.list:
        print(*(kind.name for kind in kinds), sep="\n")
        return 0
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    findings: Findings = play_all(kinds, seeds, lanes=options.lanes, show=options.show)
    print("\n".join(findings.lines()))
    if findings.broken:
        options.kept.parent.mkdir(parents=True, exist_ok=True)
        options.kept.write_text(json.dumps(findings.kept(), indent=2))
        print(f"seeds kept in {options.kept}; play one with --kinds NAME --first-seed SEED --seeds 1 --show")
    return 1 if findings.broken else 0


if __name__ == "__main__":
    sys.exit(main())
