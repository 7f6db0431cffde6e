"""Rebuild the index of the library from the records: `make index STAGE=prod`, or of one user: ARGS="ada@example.com".

The index is derived from the records: run this command once after an upgrade from version 0.1, and whenever the index
is in doubt. Reads every record, eight at a time, and changes none. The library stays available. Safe to repeat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from itertools import chain

from chalicelib.core.index.folding import UnreadableRecordsError
from deploy.command import chosen_outputs, exit_status, say, say_progress, stage_parser
from deploy.deployed_stage import DeployedStage
from deploy.errors import RecordsUnreadableError
from deploy.users import find_owner


def rebuild(stage: DeployedStage, owners: Iterable[str | None]) -> list[int]:
    """Rebuild the indexes of these owners (None for the stage's), and return the number of records of each.

    Raises IndexRacedError, RecordsUnreadableError once all are rebuilt.
    """
    counts: list[int] = []
    unreadable: dict[str, None] = {}
    for owner in owners:
        try:
            counts.append(stage.folding.rebuild(owner))
        except UnreadableRecordsError as error:
            unreadable |= dict.fromkeys(ref.record_key for ref in error.refs)
        say_progress(f"indexed {owner or 'the stage'} …")
    if unreadable:
        raise RecordsUnreadableError(list(unreadable))
    return counts


def parser() -> argparse.ArgumentParser:
    options = stage_parser(__file__, __doc__)
    options.add_argument("user", metavar="USER", nargs="?", help="e-mail address, user name or owner")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    return exit_status(lambda: _rebuild(DeployedStage.opened(chosen_outputs(options)), options))


def _rebuild(stage: DeployedStage, options: argparse.Namespace) -> None:
    owner = find_owner(stage, options.user).owner if options.user else None
    # The stage first, because later changes are folded into it as well.
    count = rebuild(stage, [owner] if owner else chain([None], stage.records.owners()))[0]
    say(f"{count} records of {owner or stage.context.stage} are indexed")


if __name__ == "__main__":
    sys.exit(main())
