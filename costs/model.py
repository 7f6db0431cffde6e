"""The model of one stage: its bill under its own settings, under others, and with another program or workload."""

import dataclasses
from dataclasses import dataclass
from typing import Self

from components.declared_stage import HEARD, Overrides, declare
from costs.bill import Bill, bill_of
from costs.errors import PriceListError
from costs.inventory import Inventory
from costs.prices import PriceList
from costs.workload import Workload


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """free_tier: whether the account's always-free allowances are taken off."""

    stage: str
    workload: Workload
    prices: PriceList
    free_tier: bool = False

    def inventory(self, overrides: Overrides = ()) -> Inventory:
        """Inventory of the program with these settings in place of the stage's own.

        Raises StageRefusedError, ProgramChangedError, and PriceListError where prices are of another region.
        """
        declared = declare(self.stage, (*HEARD, *sorted(overrides)))
        if declared.region != self.prices.region:
            raise PriceListError(
                "region",
                f"is {self.prices.region}, the stage lives in {declared.region}; "
                "costs are known for that region alone until costs/prices.toml holds the other's prices",
            )
        return Inventory.of(declared)

    def bill(self, overrides: Overrides = (), *, inventory: Inventory | None = None) -> Bill:
        """Bill of the workload's month. inventory: replaces that of the program."""
        return bill_of(self.workload, inventory or self.inventory(overrides), self.prices, free_tier=self.free_tier)

    def idle_bill(self) -> Bill:
        """Bill of a month without users."""
        return self.with_workload(self.workload.idle()).bill()

    def with_workload(self, workload: Workload) -> Self:
        return dataclasses.replace(self, workload=workload)
