"""The specification's five ways to save, each with the extra monthly cost if it alone is off."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from components.settings import PriceClass
from costs.inventory import Inventory, Warm
from costs.model import CostModel
from costs.month import instances_at_peak


class Effect(NamedTuple):
    """Extra dollars per month with one strategy switched off.

    setting: the stage's, as in its file. assumed: the meaning of "off", and the reason if it changes nothing.
    """

    strategy: str
    setting: str
    saved_usd: float
    assumed: str


def effects(model: CostModel) -> Iterator[Effect]:
    """Effects of the strategies, in the specification's order."""
    inventory, workload = model.inventory(), model.workload
    settings, warm = inventory.settings, inventory.warm
    usd = model.bill(inventory=inventory).usd

    def extra_usd(other: Inventory) -> float:
        return model.bill(inventory=other).usd - usd

    none = Warm(low=0, high=0)
    # A stage with more instances than it needs keeps them.
    ready = {name: max(count, warm.get(name, none).low) for name, count in instances_at_peak(workload).items() if count}
    fixed = {name: Warm(low=count, high=count) for name, count in ready.items()}
    counted = ", ".join(f"{count:g} {name}" for name, count in ready.items())
    off = f"instances for the busiest moment stand ready all month: {counted}"
    yield Effect(
        "Reserved Concurrency: 0",
        f"provisionedConcurrency: {settings.compute.provisioned_concurrency}",
        extra_usd(dataclasses.replace(inventory, warm={**warm, **fixed})),
        off if ready else "the workload has no peak",
    )

    days = f"noncurrentDays: {settings.storage.noncurrent_days}, rejectedDays: {settings.storage.rejected_days}"
    yield Effect(
        "Lifecycle Policies",
        f"{days}, logDays: {settings.general.log_days}",
        extra_usd(dataclasses.replace(inventory, keeps_everything=True)),
        "deleted and rejected videos, old versions of records and the log bucket are kept since the stage "
        f"began, {workload.months_in_operation:g} months ago; the janitor still drops unfinished uploads",
    )

    is_on = settings.storage.intelligent_tiering
    otherwise = extra_usd(inventory.with_settings("storage", intelligent_tiering=not is_on))
    off = "all videos stay in S3 Standard"
    unused = f"it is off already; on, the month would cost {_changed(otherwise)}"
    saved_usd, assumed = (otherwise, off) if is_on else (0, unused)
    yield Effect("Intelligent Tiering", f"intelligentTiering: {str(is_on).lower()}", saved_usd, assumed)

    everywhere = extra_usd(inventory.with_settings("edge", price_class=PriceClass.ALL))
    cheapest = extra_usd(inventory.with_settings("edge", price_class=PriceClass.CHEAPEST))
    off = "everyone is served, and billed, where they live"
    if settings.edge.price_class is PriceClass.ALL:
        change = f"with {PriceClass.CHEAPEST} the month would cost {_changed(cheapest)}"
        off = f"not in use: this is the widest class; {change}"
    elif everywhere == 0:
        off += "; not in use: nobody far away watches, or no more than is free"
    yield Effect("CDN Price Classes", f"priceClass: {settings.edge.price_class}", everywhere, off)

    off = f"warm instances stand at their upper end all day instead of {workload.peak_hours_per_day:g} hours of it"
    unused = "nothing is provisioned: Lambda scales by itself and asks nothing for it; the first strategy counts that"
    highest = {name: Warm(low=each.high, high=each.high) for name, each in warm.items()}
    yield Effect(
        "Auto-scaling",
        f"provisionedConcurrencyMax: {settings.compute.provisioned_concurrency_max}",
        extra_usd(dataclasses.replace(inventory, warm=highest)),
        off if warm else unused,
    )


def _changed(usd: float) -> str:
    return f"${abs(usd):,.2f} {'more' if usd > 0 else 'less'}"
