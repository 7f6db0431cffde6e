"""The specification's five ways to save, each with the extra cost of a month in which it alone is off."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from components.settings import PriceClass
from costs.inventory import Inventory, Warm
from costs.model import CostModel
from costs.month import instances_at_peak


@dataclass(frozen=True)
class Effect:
    """Dollars that one month would cost more with one strategy switched off.

    setting: the stage's own, as in its file. assumed: what "off" means here, and why when it changes nothing.
    """

    strategy: str
    setting: str
    saved_usd: float
    assumed: str


def effects(model: CostModel) -> list[Effect]:
    """Effects of the strategies, in the specification's order."""
    inventory, usd = model.inventory(), model.bill().usd
    found = [_pay_per_use, _lifecycle, _tiering, _price_class, _auto_scaling]
    told = [strategy(model, inventory, usd) for strategy in found]
    return [Effect(name, setting, without_usd - usd, assumed) for name, setting, without_usd, assumed in told]


def _pay_per_use(model: CostModel, inventory: Inventory, _: float) -> tuple[str, str, float, str]:
    warm = inventory.warm
    needed = {name: count for name, count in instances_at_peak(model.workload).items() if count}
    # A stage that keeps more than it needs keeps it.
    ready = {name: max(count, warm[name].low) if name in warm else count for name, count in needed.items()}
    fixed = {**warm, **{name: Warm(low=count, high=count) for name, count in ready.items()}}
    counted = ", ".join(f"{count:g} {name}" for name, count in ready.items())
    assumed = f"instances for the busiest moment stand ready all month: {counted}"
    return (
        "Reserved Concurrency: 0",
        f"provisionedConcurrency: {inventory.settings.compute.provisioned_concurrency}",
        model.bill(inventory=dataclasses.replace(inventory, warm=fixed)).usd,
        assumed if ready else "the workload has no peak",
    )


def _lifecycle(model: CostModel, inventory: Inventory, _: float) -> tuple[str, str, float, str]:
    settings = inventory.settings
    return (
        "Lifecycle Policies",
        f"noncurrentDays: {settings.storage.noncurrent_days}, rejectedDays: {settings.storage.rejected_days}, "
        f"logDays: {settings.general.log_days}",
        model.bill(inventory=dataclasses.replace(inventory, keeps_everything=True)).usd,
        "deleted and rejected videos, old versions of records and the log bucket are kept since the stage "
        f"began, {model.workload.months_in_operation:g} months ago; the janitor still drops unfinished uploads",
    )


def _tiering(model: CostModel, inventory: Inventory, usd: float) -> tuple[str, str, float, str]:
    in_use = inventory.settings.storage.intelligent_tiering
    other = model.bill(inventory=inventory.with_settings("storage", intelligent_tiering=not in_use)).usd
    off = f"it is off already; on, the month would cost {_changed(other - usd)}"
    return (
        "Intelligent Tiering",
        f"intelligentTiering: {str(in_use).lower()}",
        other if in_use else usd,
        "all videos stay in S3 Standard" if in_use else off,
    )


def _price_class(model: CostModel, inventory: Inventory, usd: float) -> tuple[str, str, float, str]:
    def usd_with(price_class: PriceClass) -> float:
        return model.bill(inventory=inventory.with_settings("edge", price_class=price_class)).usd

    everywhere, price_class = usd_with(PriceClass.ALL), inventory.settings.edge.price_class
    assumed = "everyone is served, and billed, where they live"
    if everywhere == usd:
        assumed += "; not in use: nobody far away watches, or no more than is free"
    if price_class is PriceClass.ALL:
        change = _changed(usd_with(PriceClass.CHEAPEST) - usd)
        assumed = f"not in use: this is the widest class; with {PriceClass.CHEAPEST} the month would cost {change}"
    return "CDN Price Classes", f"priceClass: {price_class}", everywhere, assumed


def _auto_scaling(model: CostModel, inventory: Inventory, usd: float) -> tuple[str, str, float, str]:
    highest = {name: Warm(low=warm.high, high=warm.high) for name, warm in inventory.warm.items()}
    hours = model.workload.peak_hours_per_day
    on = f"warm instances stand at their upper end all day instead of {hours:g} hours of it"
    off = "nothing is provisioned: Lambda scales by itself and asks nothing for it; the first strategy counts that"
    return (
        "Auto-scaling",
        f"provisionedConcurrencyMax: {inventory.settings.compute.provisioned_concurrency_max}",
        model.bill(inventory=dataclasses.replace(inventory, warm=highest)).usd if highest else usd,
        on if highest else off,
    )


def _changed(usd: float) -> str:
    return f"${abs(usd):,.2f} {'more' if usd > 0 else 'less'}"
