"""The specification's five ways to save, each switched off alone: what the month then costs more, what is assumed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from components.settings import PriceClass
from costs.inventory import Warm
from costs.model import CostModel
from costs.peak import instances_at_peak


@dataclass(frozen=True, kw_only=True)
class Effect:
    """Dollars of one month with the stage as it is, and with one strategy switched off.

    setting: what the stage says, as in its file. assumed: what "off" means here, and why when it changes nothing.
    """

    strategy: str
    setting: str
    with_usd: float
    without_usd: float
    assumed: str

    @property
    def saved_usd(self) -> float:
        return self.without_usd - self.with_usd


def effects(model: CostModel) -> list[Effect]:
    """In the specification's order."""
    return [_pay_per_use(model), _lifecycle(model), _tiering(model), _price_class(model), _auto_scaling(model)]


def _pay_per_use(model: CostModel) -> Effect:
    bill, inventory = model.bill(), model.inventory()
    warm = dict(inventory.warm)
    needed = {name: count for name, count in instances_at_peak(model.workload).items() if count}
    # A stage that keeps more than it needs keeps it.
    ready = {name: max(count, warm[name].low) if name in warm else count for name, count in needed.items()}
    fixed = warm | {name: Warm(low=count, high=count) for name, count in ready.items()}
    without = model.bill(inventory=dataclasses.replace(inventory, warm=fixed))
    settings = inventory.settings
    counted = ", ".join(f"{count:g} {name}" for name, count in ready.items())
    return Effect(
        strategy="Reserved Concurrency: 0",
        setting=f"provisionedConcurrency: {settings.compute.provisioned_concurrency}",
        with_usd=bill.usd,
        without_usd=without.usd,
        assumed=f"instances for the busiest moment stand ready all month: {counted}"
        if ready
        else "the workload has no peak",
    )


def _lifecycle(model: CostModel) -> Effect:
    bill, inventory = model.bill(), model.inventory()
    settings = inventory.settings
    without = model.bill(inventory=dataclasses.replace(inventory, keeps_everything=True))
    return Effect(
        strategy="Lifecycle Policies",
        setting=f"noncurrentDays: {settings.storage.noncurrent_days}, rejectedDays: {settings.storage.rejected_days}, "
        f"logDays: {settings.general.log_days}",
        with_usd=bill.usd,
        without_usd=without.usd,
        assumed="deleted and rejected videos, old versions of records and the log bucket are kept since the stage "
        f"began, {model.workload.months_in_operation:g} months ago; the janitor still drops unfinished uploads",
    )


def _tiering(model: CostModel) -> Effect:
    bill, settings = model.bill(), model.inventory().settings
    other = model.bill((("intelligentTiering", not settings.storage.intelligent_tiering),))
    in_use = settings.storage.intelligent_tiering
    return Effect(
        strategy="Intelligent Tiering",
        setting=f"intelligentTiering: {str(in_use).lower()}",
        with_usd=bill.usd,
        without_usd=other.usd if in_use else bill.usd,
        assumed="all videos stay in S3 Standard"
        if in_use
        else f"it is off already; on, the month would cost {_changed(other.usd - bill.usd)}",
    )


def _price_class(model: CostModel) -> Effect:
    bill, settings = model.bill(), model.inventory().settings
    everywhere = model.bill((("priceClass", PriceClass.ALL.value),))
    assumed = "everyone is served, and billed, where they live"
    if everywhere.usd == bill.usd:
        assumed += "; not in use: nobody far away watches, or no more than is free"
    if settings.edge.price_class is PriceClass.ALL:
        cheapest = model.bill((("priceClass", PriceClass.CHEAPEST.value),))
        assumed = (
            "not in use: this is the widest class; "
            f"with {PriceClass.CHEAPEST} the month would cost {_changed(cheapest.usd - bill.usd)}"
        )
    return Effect(
        strategy="CDN Price Classes",
        setting=f"priceClass: {settings.edge.price_class}",
        with_usd=bill.usd,
        without_usd=everywhere.usd,
        assumed=assumed,
    )


def _auto_scaling(model: CostModel) -> Effect:
    bill, inventory = model.bill(), model.inventory()
    highest = {name: Warm(low=warm.high, high=warm.high) for name, warm in inventory.warm.items()}
    without = model.bill(inventory=dataclasses.replace(inventory, warm=highest)) if highest else bill
    hours = model.workload.peak_hours_per_day
    return Effect(
        strategy="Auto-scaling",
        setting=f"provisionedConcurrencyMax: {inventory.settings.compute.provisioned_concurrency_max}",
        with_usd=bill.usd,
        without_usd=without.usd,
        assumed=f"warm instances stand at their upper end all day instead of {hours:g} hours of it"
        if highest
        else "nothing is provisioned: Lambda scales by itself and asks nothing for it; the first strategy counts that",
    )


def _changed(usd: float) -> str:
    return f"${abs(usd):,.2f} {'more' if usd > 0 else 'less'}"
