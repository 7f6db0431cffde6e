"""The specification's two cost figures, and the settings that would meet a missed one, found by trial."""

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from components.declared_stage import Overrides, StageRefusedError
from costs.always_on import compared
from costs.model import Bill, CostModel

USD_PER_GB = 0.23


@dataclass(frozen=True)
class Target:
    """counts: the exact quantity measured. measure: infinite where the workload has nothing to measure."""

    name: str
    counts: str
    wanted: float
    better: Literal["lower", "higher"]
    measure: Callable[[Bill], float]

    def missing(self, figure: float) -> float:
        """The improvement that a figure lacks, in its unit: at most 0 where it meets the target."""
        return figure - self.wanted if self.better == "lower" else self.wanted - figure

    def written(self, figure: float) -> str:
        return f"${figure:,.3f}" if self.better == "lower" else f"{figure:.1f} %"


HELD = "the month's bill over what the video bucket holds, as the dashboard has it"
UPLOADED = "the month's bill over what was uploaded in it"
WHOLE = "of the whole bill, what both sides pay included"
RUNNING = "of what servers would stand in for: functions, API, network"
TARGETS = (
    Target("Cost per GB", HELD, USD_PER_GB, "lower", lambda bill: bill.usd_per(bill.stored_gb)),
    Target("Cost per GB, uploaded", UPLOADED, USD_PER_GB, "lower", lambda bill: bill.usd_per(bill.uploaded_gb)),
    Target("Saving", WHOLE, 95.0, "higher", lambda bill: compared(bill)[1].saving_percent),
    Target("Saving, what runs", RUNNING, 95.0, "higher", lambda bill: compared(bill)[0].saving_percent),
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


class Way(NamedTuple):
    """Changes, the figure that they reach, and what it lacks."""

    changes: Sequence[Change]
    reached: float
    missing: float


def verdict(model: CostModel, target: Target) -> list[Way]:
    """The stage as it is, then the ways to meet a target that it misses; empty where there is nothing to measure.

    The ways are the single changes that meet it, best first; where none does, the shortest list of best changes that
    does; and where that fails too, all that help.
    """
    figure = target.measure(model.bill())
    own = Way((), figure, target.missing(figure))
    if math.isinf(figure) or own.missing <= 0:
        return [] if math.isinf(figure) else [own]

    def way(*changes: Change) -> Way:
        try:
            reached = target.measure(model.bill(tuple(pair for change in changes for pair in change.overrides)))
        except StageRefusedError:
            reached = figure
        return Way(changes, reached, target.missing(reached))

    helpful = [tried for tried in map(way, CHANGES) if tried.missing < own.missing]
    helpful.sort(key=lambda tried: tried.missing)
    if alone := [tried for tried in helpful if tried.missing <= 0]:
        return [own, *alone]
    best = [change for tried in helpful for change in tried.changes]
    together = way(*best)
    if together.missing <= 0:
        shorter = (way(*best[:count]) for count in range(2, len(best)))
        together = next((tried for tried in shorter if tried.missing <= 0), together)
    return [own, together]
