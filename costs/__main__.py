"""Estimate a stage's cost in a month: python -m costs --stage prod

The estimate uses the stage's own settings and program, a workload (costs/workload.toml) and list prices
(costs/prices.toml). It needs no account and no sign-in. docs/costs.md explains the report.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from components.declared_stage import StageError
from costs.curve import curve, svg
from costs.errors import CostModelError
from costs.model import CostModel
from costs.prices import PriceList
from costs.report import report
from costs.targets import USD_PER_GB
from costs.workload import Workload

PLAIN_WIDTH = 132  # of the report outside of a terminal


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report, or exit with 1 and an error message."""
    parser = argparse.ArgumentParser(
        prog="python -m costs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", required=True, help="name of the stage; without a file, it has the defaults")
    parser.add_argument(
        "--workload", type=Path, metavar="FILE", help="file with the values that differ from costs/workload.toml"
    )
    parser.add_argument("--svg", type=Path, metavar="PATH", help="draw the curve from 1 GB to 1 PB")
    parser.add_argument("--free-tier", action="store_true", help="subtract the account's always-free allowances")
    parser.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        type=_setting,
        metavar="KEY=VALUE",
        help="try a setting in place of the stage's own; may be repeated",
    )
    given = parser.parse_args(arguments)
    if given.svg and (given.svg.is_dir() or not given.svg.parent.is_dir()):
        parser.error(f"argument --svg: {given.svg} cannot be a file: it is a folder, or its folder is missing")
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    try:
        model = CostModel(
            stage=given.stage,
            workload=Workload.read(given.workload),
            prices=PriceList.read(),
            free_tier=given.free_tier,
            settings=tuple(given.settings),
        )
        with console.status("trying other settings …"):
            for section in report(model):
                # A terminal wraps its own lines; those in a file stay whole.
                console.print(section, highlight=False, soft_wrap=isinstance(section, str) and not console.is_terminal)
        if given.svg and (points := curve(model)):
            given.svg.write_text(svg(points, stage=model.stage, target_usd=USD_PER_GB))
    except (CostModelError, StageError, OSError) as error:
        sys.exit(str(error))


def _setting(text: str) -> tuple[str, str]:
    key, is_given, value = text.partition("=")
    if not is_given:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


if __name__ == "__main__":
    main()
