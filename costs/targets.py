"""The specification's two figures for money, and which settings would meet the one that is missed: found by trying."""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True)
class Target:
    """measure: None where the workload has nothing to measure. counts: what exactly is measured."""

    name: str
    counts: str
    wanted: float
    better: Literal["lower", "higher"]
    measure: Callable[[Bill], float | None]

    def is_met_by(self, figure: float) -> bool:
        return figure <= self.wanted if self.better == "lower" else figure >= self.wanted

    def gain(self, before: float, after: float) -> float:
        """How much better, in the figure's unit."""
        return before - after if self.better == "lower" else after - before


@dataclass(frozen=True, kw_only=True)
class Change:
    """Settings to try, and what would be given up."""

    overrides: Overrides
    gives_up: str

    def __str__(self) -> str:
        return ", ".join(f"{key}: {_written(value)}" for key, value in self.overrides)


CHANGES = (
    Change(
        overrides=(("provisionedConcurrency", 0), ("provisionedConcurrencyMax", 0)),
        gives_up="first calls after a pause start cold",
    ),
    Change(overrides=(("threatProtection", "off"),), gives_up="Cognito no longer looks for stolen accounts"),
    Change(overrides=(("network", False),), gives_up="functions run outside a network of their own"),
    Change(overrides=(("waf", False),), gives_up="no web ACL"),
    Change(
        overrides=(("trail", False), ("trailManagementEvents", False)),
        gives_up="no audit of reads and writes",
    ),
    Change(overrides=(("dashboard", False),), gives_up="no dashboard"),
    Change(overrides=(("alarms", False),), gives_up="no alarms"),
    Change(overrides=(("costFigure", False),), gives_up="no cost on the dashboard"),
    Change(overrides=(("machineClient", False),), gives_up="programs cannot sign in"),
    Change(overrides=(("priceClass", PriceClass.CHEAPEST.value),), gives_up="far viewers are served from afar"),
    Change(overrides=(("transferAcceleration", False),), gives_up="uploads from afar take longer"),
    Change(overrides=(("intelligentTiering", True),), gives_up="nothing"),
    Change(overrides=(("tracedPercent", 1),), gives_up="fewer traces"),
    Change(overrides=(("logDays", 30),), gives_up="logs end after a month"),
    Change(overrides=(("noncurrentDays", 1), ("rejectedDays", 1)), gives_up="no way back after a day"),
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """alone: single changes that meet the target, best first, each with its figure.

    together: the shortest list of best changes that meets it, or all that help; together_figure: with them.
    """

    target: Target
    figure: float
    alone: tuple[tuple[Change, float], ...] = ()
    together: tuple[Change, ...] = ()
    together_figure: float | None = None

    @property
    def is_met(self) -> bool:
        return self.target.is_met_by(self.figure)


def targets(model: CostModel) -> list[Target]:
    """The dashboard's cost per GB and the saving, each with the other way to count it."""

    def saving(bill: Bill) -> float:
        return compared(bill, model.prices).saving_percent

    def running_saving(bill: Bill) -> float:
        return compared(bill, model.prices).running_saving_percent

    return [
        Target(
            name="Cost per GB",
            counts="the month's bill over what the video bucket holds, as the dashboard has it",
            wanted=USD_PER_GB,
            better="lower",
            measure=lambda bill: bill.usd_per_gb_stored,
        ),
        Target(
            name="Cost per GB, uploaded",
            counts="the month's bill over what was uploaded in it",
            wanted=USD_PER_GB,
            better="lower",
            measure=lambda bill: bill.usd_per_gb_uploaded,
        ),
        Target(
            name="Saving",
            counts="of the whole bill, what both sides pay included",
            wanted=SAVING_PERCENT,
            better="higher",
            measure=saving,
        ),
        Target(
            name="Saving, what runs",
            counts="of what servers would stand in for: functions, API, network",
            wanted=SAVING_PERCENT,
            better="higher",
            measure=running_saving,
        ),
    ]


def verdict(model: CostModel, target: Target) -> Verdict | None:
    """None where there is nothing to measure. Tries settings only when the target is missed."""
    figure = target.measure(model.bill())
    if figure is None:
        return None
    if target.is_met_by(figure):
        return Verdict(target=target, figure=figure)
    tried = sorted(
        ((change, after) for change in CHANGES if (after := _figure_with(model, target, change.overrides)) is not None),
        key=lambda pair: -target.gain(figure, pair[1]),
    )
    helpful = [(change, after) for change, after in tried if target.gain(figure, after) > 0]
    alone = tuple((change, after) for change, after in helpful if target.is_met_by(after))
    if alone:
        return Verdict(target=target, figure=figure, alone=alone)
    together, reached = _together(model, target, [change for change, _ in helpful])
    return Verdict(target=target, figure=figure, together=tuple(together), together_figure=reached)


def _together(model: CostModel, target: Target, helpful: Sequence[Change]) -> tuple[Sequence[Change], float | None]:
    """As many of them, best first, as meet the target; all when not even all do."""
    with_all = _figure_with(model, target, _joined(helpful))
    if with_all is None or not target.is_met_by(with_all):
        return helpful, with_all
    for count in range(1, len(helpful)):
        reached = _figure_with(model, target, _joined(helpful[:count]))
        if reached is not None and target.is_met_by(reached):
            return helpful[:count], reached
    return helpful, with_all


def _joined(changes: Sequence[Change]) -> Overrides:
    return tuple(pair for change in changes for pair in change.overrides)


def _figure_with(model: CostModel, target: Target, overrides: Overrides) -> float | None:
    """None when the stage would refuse these settings."""
    try:
        return target.measure(model.bill(overrides))
    except StageRefusedError:
        return None


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
