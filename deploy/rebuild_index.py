"""Rebuild the index of the library from the records: `make index STAGE=prod`, or of one user: ARGS="ada@example.com".

The records are the truth, and the index is derived from them: run this once after an upgrade from version 0.1, and
whenever the index is in doubt. Reads every record, eight at a time, and changes none. People may use the library
meanwhile. Safe to repeat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.command import chosen_outputs, exit_status, say, say_progress, stage_parser
from deploy.deployed_stage import DeployedStage
from deploy.users import find_owner


def rebuild(stage: DeployedStage, owner: str | None = None) -> int:
    """Rebuild the index of the stage and of all owners, or of one owner; the number of records.

    Raises IndexRacedError.
    """
    if owner:
        return stage.folding.rebuild(owner)
    # The stage first: what is written meanwhile is folded into it as well.
    count = stage.folding.rebuild(None)
    for each in stage.records.owners():
        stage.folding.rebuild(each)
        say_progress(f"indexed {each} …")
    return count


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("user", metavar="USER", nargs="?", help="e-mail address, user name or owner")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _rebuild(DeployedStage.opened(chosen_outputs(options)), options))


def _rebuild(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user).owner if options.user else None
    say(f"{rebuild(stage, owner)} records of {owner or stage.context.stage} are indexed")


if __name__ == "__main__":
    sys.exit(main())
