"""The specification's two cost figures, and the settings that would meet a missed one, found by trial."""

import math
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from components.declared_stage import Overrides, StageRefusedError
from costs.always_on import compared
from costs.bill import Bill
from costs.model import CostModel

USD_PER_GB = 0.23
SAVING_PERCENT = 95.0


@dataclass(frozen=True)
class Target:
    """counts: the exact quantity measured. measure: infinite where the workload has nothing to measure."""

    name: str
    counts: str
    wanted: float
    better: Literal["lower", "higher"]
    measure: Callable[[Bill], float]

    def is_met_by(self, figure: float) -> bool:
        return self.gain(self.wanted, figure) >= 0

    def gain(self, before: float, after: float) -> float:
        """The improvement, in the figure's unit."""
        return before - after if self.better == "lower" else after - before

    def written(self, figure: float) -> str:
        return f"${figure:,.3f}" if self.better == "lower" else f"{figure:.1f} %"


HELD = "the month's bill over what the video bucket holds, as the dashboard has it"
UPLOADED = "the month's bill over what was uploaded in it"
WHOLE = "of the whole bill, what both sides pay included"
RUNNING = "of what servers would stand in for: functions, API, network"
TARGETS = (
    Target("Cost per GB", HELD, USD_PER_GB, "lower", lambda bill: bill.usd_per_gb_stored),
    Target("Cost per GB, uploaded", UPLOADED, USD_PER_GB, "lower", lambda bill: bill.usd_per_gb_uploaded),
    Target("Saving", WHOLE, SAVING_PERCENT, "higher", lambda bill: compared(bill)[1].saving_percent),
    Target("Saving, what runs", RUNNING, SAVING_PERCENT, "higher", lambda bill: compared(bill)[0].saving_percent),
)
"""The dashboard's cost per GB and the saving, each with the other way to count it."""


class Change(NamedTuple):
    """Settings to try, and their disadvantage."""

    gives_up: str
    overrides: Overrides

    def __str__(self) -> str:
        return ", ".join(
            f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in self.overrides
        )


_CHANGES = tomllib.loads(Path(__file__).with_name("changes.toml").read_text())
CHANGES = tuple(Change(gives_up, tuple(settings.items())) for gives_up, settings in _CHANGES.items())


class Verdict(NamedTuple):
    """figure: the stage's own. ways: changes that would meet a missed target, each with the figure that they reach.

    They are the single changes that meet it, best first; where none does, the shortest list of best changes that does;
    and where that fails too, all that help.
    """

    figure: float
    ways: Sequence[tuple[Sequence[Change], float]] = ()


def verdict(model: CostModel, target: Target) -> Verdict | None:
    """None where there is nothing to measure. Tries settings only when the target is missed."""
    figure = target.measure(model.bill())
    if math.isinf(figure) or target.is_met_by(figure):
        return None if math.isinf(figure) else Verdict(figure)
    tried = [([change], _figure_with(model, target, [change])) for change in CHANGES]
    helpful = [way for way in tried if target.gain(figure, way[1]) > 0]
    helpful.sort(key=lambda way: -target.gain(figure, way[1]))
    if alone := [way for way in helpful if target.is_met_by(way[1])]:
        return Verdict(figure, alone)
    together = [change for (change,), _ in helpful]
    if target.is_met_by(_figure_with(model, target, together)):
        shorter = (together[:count] for count in range(1, len(together)))
        together = next((few for few in shorter if target.is_met_by(_figure_with(model, target, few))), together)
    return Verdict(figure, [(together, _figure_with(model, target, together))])


def joined(changes: Iterable[Change]) -> Overrides:
    """All settings of these changes."""
    return tuple(pair for change in changes for pair in change.overrides)


def _figure_with(model: CostModel, target: Target, changes: Iterable[Change]) -> float:
    """Figure under these changes; nan, which gains nothing, when the stage refuses them."""
    try:
        return target.measure(model.bill(joined(changes)))
    except StageRefusedError:
        return math.nan
