"""The specification's two figures for money, and the settings that would meet a missed one, found by trying."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from components.declared_stage import Overrides, StageRefusedError
from components.settings import PriceClass
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


@dataclass(frozen=True)
class Change:
    """Settings to try, and their disadvantage."""

    gives_up: str
    overrides: Overrides

    def __str__(self) -> str:
        return ", ".join(
            f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in self.overrides
        )


def _change(gives_up: str, **settings: str | int | bool) -> Change:
    return Change(gives_up, tuple(settings.items()))


CHANGES = (
    _change("first calls after a pause start cold", provisionedConcurrency=0, provisionedConcurrencyMax=0),
    _change("Cognito no longer looks for stolen accounts", threatProtection="off"),
    _change("functions run outside a network of their own", network=False),
    _change("no web ACL", waf=False),
    _change("no audit of reads and writes", trail=False, trailManagementEvents=False),
    _change("no dashboard", dashboard=False),
    _change("no alarms", alarms=False),
    _change("no cost on the dashboard", costFigure=False),
    _change("programs cannot sign in", machineClient=False),
    _change("far viewers are served from afar", priceClass=PriceClass.CHEAPEST.value),
    _change("uploads from afar take longer", transferAcceleration=False),
    _change("nothing", intelligentTiering=True),
    _change("fewer traces", tracedPercent=1),
    _change("logs end after a month", logDays=30),
    _change("no way back after a day", noncurrentDays=1, rejectedDays=1),
)


@dataclass(frozen=True)
class Verdict:
    """alone: single changes that meet the target, best first, each with its figure.

    together: where none does, the shortest list of best changes that meets it, or all that help; together_figure: with
    them.
    """

    figure: float
    is_met: bool
    alone: Sequence[tuple[Change, float]] = ()
    together: Sequence[Change] = ()
    together_figure: float = math.nan


def verdict(model: CostModel, target: Target) -> Verdict | None:
    """None where there is nothing to measure. Tries settings only when the target is missed."""
    figure = target.measure(model.bill())
    if math.isinf(figure):
        return None
    if target.is_met_by(figure):
        return Verdict(figure, is_met=True)
    tried = [(change, _figure_with(model, target, change)) for change in CHANGES]
    helpful = sorted(
        ((change, after) for change, after in tried if target.gain(figure, after) > 0),
        key=lambda pair: -target.gain(figure, pair[1]),
    )
    if alone := [(change, after) for change, after in helpful if target.is_met_by(after)]:
        return Verdict(figure, is_met=False, alone=alone)
    together = [change for change, _ in helpful]
    if target.is_met_by(_figure_with(model, target, *together)):
        shorter = (together[:count] for count in range(1, len(together)))
        together = next((few for few in shorter if target.is_met_by(_figure_with(model, target, *few))), together)
    reached = _figure_with(model, target, *together)
    return Verdict(figure, is_met=False, together=together, together_figure=reached)


def joined(*changes: Change) -> Overrides:
    """All settings of these changes."""
    return tuple(pair for change in changes for pair in change.overrides)


def _figure_with(model: CostModel, target: Target, *changes: Change) -> float:
    """nan, which gains nothing, when the stage would refuse these settings."""
    try:
        return target.measure(model.bill(joined(*changes)))
    except StageRefusedError:
        return math.nan
