"""The specification's two figures for money, and the settings that would meet a missed one, found by trying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from components.declared_stage import Overrides, StageRefusedError
from components.settings import PriceClass
from costs.always_on import Comparison, compared
from costs.bill import Bill
from costs.model import CostModel

USD_PER_GB = 0.23
SAVING_PERCENT = 95.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """measure: None where the workload has nothing to measure. counts: the exact quantity measured."""

    name: str
    counts: str
    wanted: float
    better: Literal["lower", "higher"]
    measure: Callable[[Bill], float | None]

    def is_met_by(self, figure: float) -> bool:
        return self.gain(self.wanted, figure) >= 0

    def gain(self, before: float, after: float) -> float:
        """The improvement, in the figure's unit."""
        return before - after if self.better == "lower" else after - before


@dataclass(frozen=True, kw_only=True)
class Change:
    """Settings to try, and their disadvantage."""

    overrides: Overrides
    gives_up: str

    def __str__(self) -> str:
        return ", ".join(
            f"{key}: {str(value).lower() if isinstance(value, bool) else value}" for key, value in self.overrides
        )


def _change(gives_up: str, **settings: str | int | bool) -> Change:
    return Change(overrides=tuple(settings.items()), gives_up=gives_up)


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

    def cost(name: str, counts: str, measure: Callable[[Bill], float | None]) -> Target:
        return Target(name=name, counts=counts, wanted=USD_PER_GB, better="lower", measure=measure)

    def saving(name: str, counts: str, measure: Callable[[Comparison], float]) -> Target:
        def percent(bill: Bill) -> float:
            return measure(compared(bill, model.prices))

        return Target(name=name, counts=counts, wanted=SAVING_PERCENT, better="higher", measure=percent)

    held = "the month's bill over what the video bucket holds, as the dashboard has it"
    uploaded = "the month's bill over what was uploaded in it"
    whole = "of the whole bill, what both sides pay included"
    running = "of what servers would stand in for: functions, API, network"
    return [
        cost("Cost per GB", held, lambda bill: bill.usd_per_gb_stored),
        cost("Cost per GB, uploaded", uploaded, lambda bill: bill.usd_per_gb_uploaded),
        saving("Saving", whole, lambda both: both.saving_percent),
        saving("Saving, what runs", running, lambda both: both.running_saving_percent),
    ]


def verdict(model: CostModel, target: Target) -> Verdict | None:
    """None where there is nothing to measure. Tries settings only when the target is missed."""
    figure = target.measure(model.bill())
    if figure is None or target.is_met_by(figure):
        return None if figure is None else Verdict(target=target, figure=figure)
    tried = [(change, _figure_with(model, target, change)) for change in CHANGES]
    helpful = sorted(
        ((change, after) for change, after in tried if after is not None and target.gain(figure, after) > 0),
        key=lambda pair: -target.gain(figure, pair[1]),
    )
    if alone := tuple((change, after) for change, after in helpful if target.is_met_by(after)):
        return Verdict(target=target, figure=figure, alone=alone)
    together = [change for change, _ in helpful]
    reached = _figure_with(model, target, *together)
    if reached is not None and target.is_met_by(reached):
        for count in range(1, len(helpful)):
            fewer = _figure_with(model, target, *together[:count])
            if fewer is not None and target.is_met_by(fewer):
                together, reached = together[:count], fewer
                break
    return Verdict(target=target, figure=figure, together=tuple(together), together_figure=reached)


def joined(*changes: Change) -> Overrides:
    """All settings of these changes."""
    return tuple(pair for change in changes for pair in change.overrides)


def _figure_with(model: CostModel, target: Target, *changes: Change) -> float | None:
    """None when the stage would refuse these settings."""
    try:
        return target.measure(model.bill(joined(*changes)))
    except StageRefusedError:
        return None
