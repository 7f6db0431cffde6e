"""Estimate a stage's cost in a month: python -m costs --stage prod

The estimate uses the stage's own settings and program, a workload (costs/workload.toml) and list prices
(costs/prices.toml). It needs no account and no sign-in. docs/costs.md explains the report.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from components.declared_stage import StageError
from costs.always_on import compared
from costs.bill import unconfirmed
from costs.curve import curve, svg
from costs.errors import CostModelError
from costs.model import CostModel
from costs.prices import PriceList
from costs.report import PLAIN_WIDTH, Report
from costs.strategies import effects
from costs.targets import USD_PER_GB, targets, verdict
from costs.workload import Workload


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report, or exit with 1 and one message."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.svg and (given.svg.is_dir() or not given.svg.parent.is_dir()):
        parser.error(f"argument --svg: {given.svg} cannot be a file: it is a folder, or its folder is missing")
    console = Console()
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH)
    try:
        model = CostModel(
            stage=given.stage,
            workload=Workload.read(given.workload),
            prices=PriceList.read(),
            free_tier=given.free_tier,
        )
        _print(model, Report(console), given.svg)
    except (CostModelError, StageError, OSError) as error:
        sys.exit(str(error))


def _print(model: CostModel, report: Report, picture: Path | None) -> None:
    bill, idle = model.bill(), model.idle_bill()
    report.head(model, bill)
    report.drivers(bill, idle)
    report.lines(bill, title="Every line")
    report.lines(idle, title="What it costs while nobody comes")
    report.strategies(effects(model))
    comparison = compared(bill, model.prices)
    report.always_on(comparison)
    for target in targets(model):
        with report.waiting("trying other settings …"):
            found = verdict(model, target)
        report.verdict(target, found)
    points = curve(model)
    report.curve(points)
    used = [line.price for line in bill.lines if line.usd > 0] + [part.price for part in comparison.parts]
    report.notes(unconfirmed(used))
    if picture and points:
        title = f"{model.stage}: cost per GB stored, 1 GB to 1 PB"
        picture.write_text(svg(points, title=title, target_usd_per_gb=USD_PER_GB))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m costs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", required=True, help="name of the stage; a stage without a file has dev's settings")
    parser.add_argument(
        "--workload", type=Path, metavar="FILE", help="file with the values that differ from costs/workload.toml"
    )
    parser.add_argument("--svg", type=Path, metavar="PATH", help="draw the curve from 1 GB to 1 PB")
    parser.add_argument("--free-tier", action="store_true", help="subtract the account's always-free allowances")
    return parser
