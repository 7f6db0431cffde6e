"""The specification's five ways to save, each with the extra monthly cost if it alone is off."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from components.settings import PriceClass
from costs.inventory import Inventory, Warm
from costs.model import CostModel
from costs.month import instances_at_peak
from costs.workload import Workload

_Extra = Callable[[Inventory], float]
"""Extra cost of the month with another inventory, in dollars."""


class Effect(NamedTuple):
    """Extra dollars per month with one strategy switched off.

    setting: the stage's, as in its file. assumed: the meaning of "off", and the reason if it changes nothing.
    """

    strategy: str
    setting: str
    saved_usd: float
    assumed: str


def effects(model: CostModel) -> list[Effect]:
    """Effects of the strategies, in the specification's order."""
    inventory, usd = model.inventory(), model.bill().usd

    def extra_usd(other: Inventory) -> float:
        return model.bill(inventory=other).usd - usd

    strategies = (_pay_per_use, _lifecycle, _tiering, _price_class, _auto_scaling)
    return [strategy(inventory, model.workload, extra_usd) for strategy in strategies]


def _pay_per_use(inventory: Inventory, workload: Workload, extra_usd: _Extra) -> Effect:
    warm = inventory.warm
    needed = {name: count for name, count in instances_at_peak(workload).items() if count}
    # A stage with more instances than it needs keeps them.
    ready = {name: max(count, warm[name].low) if name in warm else count for name, count in needed.items()}
    fixed = {name: Warm(low=count, high=count) for name, count in ready.items()}
    counted = ", ".join(f"{count:g} {name}" for name, count in ready.items())
    assumed = f"instances for the busiest moment stand ready all month: {counted}"
    return Effect(
        "Reserved Concurrency: 0",
        f"provisionedConcurrency: {inventory.settings.compute.provisioned_concurrency}",
        extra_usd(dataclasses.replace(inventory, warm={**warm, **fixed})),
        assumed if ready else "the workload has no peak",
    )


def _lifecycle(inventory: Inventory, workload: Workload, extra_usd: _Extra) -> Effect:
    storage, log_days = inventory.settings.storage, inventory.settings.general.log_days
    return Effect(
        "Lifecycle Policies",
        f"noncurrentDays: {storage.noncurrent_days}, rejectedDays: {storage.rejected_days}, logDays: {log_days}",
        extra_usd(dataclasses.replace(inventory, keeps_everything=True)),
        "deleted and rejected videos, old versions of records and the log bucket are kept since the stage "
        f"began, {workload.months_in_operation:g} months ago; the janitor still drops unfinished uploads",
    )


def _tiering(inventory: Inventory, _: Workload, extra_usd: _Extra) -> Effect:
    in_use = inventory.settings.storage.intelligent_tiering
    otherwise = extra_usd(inventory.with_settings("storage", intelligent_tiering=not in_use))
    on, off = "all videos stay in S3 Standard", f"it is off already; on, the month would cost {_changed(otherwise)}"
    setting = f"intelligentTiering: {str(in_use).lower()}"
    return Effect("Intelligent Tiering", setting, otherwise if in_use else 0, on if in_use else off)


def _price_class(inventory: Inventory, _: Workload, extra_usd: _Extra) -> Effect:
    everywhere, cheapest = (
        extra_usd(inventory.with_settings("edge", price_class=price_class))
        for price_class in (PriceClass.ALL, PriceClass.CHEAPEST)
    )
    in_use = inventory.settings.edge.price_class
    assumed = "everyone is served, and billed, where they live"
    if in_use is PriceClass.ALL:
        change = f"with {PriceClass.CHEAPEST} the month would cost {_changed(cheapest)}"
        assumed = f"not in use: this is the widest class; {change}"
    elif everywhere == 0:
        assumed += "; not in use: nobody far away watches, or no more than is free"
    return Effect("CDN Price Classes", f"priceClass: {in_use}", everywhere, assumed)


def _auto_scaling(inventory: Inventory, workload: Workload, extra_usd: _Extra) -> Effect:
    highest = {name: Warm(low=warm.high, high=warm.high) for name, warm in inventory.warm.items()}
    hours = workload.peak_hours_per_day
    on = f"warm instances stand at their upper end all day instead of {hours:g} hours of it"
    off = "nothing is provisioned: Lambda scales by itself and asks nothing for it; the first strategy counts that"
    saved_usd = extra_usd(dataclasses.replace(inventory, warm=highest))
    setting = f"provisionedConcurrencyMax: {inventory.settings.compute.provisioned_concurrency_max}"
    return Effect("Auto-scaling", setting, saved_usd, on if highest else off)


def _changed(usd: float) -> str:
    return f"${abs(usd):,.2f} {'more' if usd > 0 else 'less'}"
