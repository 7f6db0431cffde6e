"""The other way to do it: servers, always on, that take the bytes themselves. As large as the busiest moment needs, and
no larger, with what is in doubt decided in its favour."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.compute.functions import WARM_USE
from costs.bill import Bill, Driver
from costs.prices import Price, PriceList
from costs.units import GIB, HOURS_A_MONTH
from costs.workload import Workload

SERVER_MEGABITS = 6_250  # EC2 Instance Types guide, "Compute optimized: network": baseline of c7gn.large
SPARE_SERVERS = 1
ZONES = 2
VOLUME_GB = 30
DATABASE_GB = 20
BALANCER_ADDRESSES = ZONES
REPLACED = (Driver.LAMBDA, Driver.API, Driver.NETWORK)
"""What servers would stand in for. All else is the same on both sides: storage, edge, sign-in, keys, watching."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One line of the bill of materials; quantity in the price's unit, reason: of its size."""

    item: str
    count: int
    quantity: float
    price: Price
    reason: str

    @property
    def usd(self) -> float:
        return self.price.cost_usd(self.quantity)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Dollars of a month: what runs, and the whole bill, on both sides."""

    parts: tuple[Part, ...]
    platform_running_usd: float
    platform_usd: float

    @property
    def always_on_running_usd(self) -> float:
        return sum(part.usd for part in self.parts)

    @property
    def always_on_usd(self) -> float:
        return self.platform_usd - self.platform_running_usd + self.always_on_running_usd

    @property
    def saving_percent(self) -> float:
        """Of the whole bill."""
        return 100 * (1 - self.platform_usd / self.always_on_usd)

    @property
    def running_saving_percent(self) -> float:
        """Of what runs alone."""
        return 100 * (1 - self.platform_running_usd / self.always_on_running_usd)


def compared(bill: Bill, prices: PriceList) -> Comparison:
    """The bill beside that of servers of equal peak capacity."""
    return Comparison(
        parts=tuple(bill_of_materials(bill.month.workload, prices)),
        platform_running_usd=bill.of(*REPLACED),
        platform_usd=bill.usd,
    )


def bill_of_materials(workload: Workload, prices: PriceList) -> list[Part]:
    """Everything that would run, list prices, on demand."""
    megabits = workload.always_on["client_megabits_per_second"]
    at_work = math.ceil(workload.peak_concurrent_uploads * megabits / (SERVER_MEGABITS * WARM_USE))
    workers = ZONES
    servers = at_work + SPARE_SERVERS + workers

    def always(item: str, count: int, key: str, reason: str) -> Part:
        return Part(item=item, count=count, quantity=count * HOURS_A_MONTH, price=prices[key], reason=reason)

    return [
        always(
            "upload servers",
            at_work + SPARE_SERVERS,
            "ec2.c7gn_large",
            f"{workload.peak_concurrent_uploads:,.0f} uploads at {megabits:g} Mbit/s each, {SERVER_MEGABITS:,} Mbit/s "
            f"a server used to {WARM_USE:.0%}, and {SPARE_SERVERS} spare; they answer "
            f"{workload.peak_users:,.0f} users beside it",
        ),
        always(
            "media workers",
            workers,
            "ec2.c7g_xlarge",
            "one a zone: videos wait in a queue, where the platform looks at all of them at once",
        ),
        Part(
            item="volumes",
            count=servers,
            quantity=servers * VOLUME_GB,
            price=prices["ec2.gp3_volumes"],
            reason=f"{VOLUME_GB} GB for each server's system; bytes are streamed on",
        ),
        always("load balancer", 1, "elb.application_load_balancers", "one, across the zones"),
        Part(
            item="load balancer, use",
            count=1,
            quantity=workload.uploaded_bytes / GIB,
            price=prices["elb.capacity_units"],
            reason="every uploaded GB passes it",
        ),
        always(
            "database",
            1,
            "rds.t4g_medium_multi_az",
            "records and open uploads, which the platform keeps in S3; with a standby",
        ),
        Part(
            item="database storage",
            count=1,
            quantity=DATABASE_GB,
            price=prices["rds.gp3_multi_az"],
            reason="the smallest RDS has",
        ),
        always("NAT gateways", ZONES, "ec2.nat_gateways", "one a zone: keys, messages, sign-in; S3 by its endpoint"),
        always(
            "public addresses", BALANCER_ADDRESSES + ZONES, "ec2.public_addresses", "load balancer and NAT gateways"
        ),
    ]
