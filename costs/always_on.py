"""The same platform on always-on servers that receive the bytes themselves, sized for peak load.

Doubts about the size are decided in favour of the servers.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from components.compute.functions import WARM_USE
from costs.model import Bill, Line
from costs.prices import Driver, PriceList
from costs.units import GIB, HOURS_A_MONTH
from costs.workload import Workload

SERVER_MEGABITS = 6_250  # EC2 Instance Types guide, "Compute optimized: network": baseline of c7gn.large
SPARE_SERVERS = 1
ZONES = 2
VOLUME_GB = 30
DATABASE_GB = 20
REPLACED = (Driver.LAMBDA, Driver.API, Driver.NETWORK)  # by servers; both sides pay the same for the rest


@dataclass(frozen=True, kw_only=True)
class Part(Line):
    """One line of the bill of materials. reason: for the quantity."""

    count: int
    reason: str


class Comparison(NamedTuple):
    """Dollars per month on both sides."""

    platform_usd: float
    always_on_usd: float

    @property
    def saving_percent(self) -> float:
        return 100 * (1 - self.platform_usd / self.always_on_usd)


def compared(bill: Bill) -> tuple[Comparison, Comparison]:
    """Compare the replaced drivers with servers of equal peak capacity, and the whole bill with one that uses them."""
    replaced_usd = bill.of(*REPLACED)
    servers_usd = sum(part.usd for part in bill_of_materials(bill.month.workload, bill.prices))
    return Comparison(replaced_usd, servers_usd), Comparison(bill.usd, bill.usd - replaced_usd + servers_usd)


def bill_of_materials(workload: Workload, prices: PriceList) -> list[Part]:
    """Bill of materials of the servers, at on-demand list prices."""
    megabits = workload.always_on["client_megabits_per_second"]
    uploads = workload.peak_concurrent_uploads
    at_work = math.ceil(uploads * megabits / (SERVER_MEGABITS * WARM_USE)) + SPARE_SERVERS
    sized = (
        f"{uploads:,.0f} uploads at {megabits:g} Mbit/s each, {SERVER_MEGABITS:,} Mbit/s a server used to "
        f"{WARM_USE:.0%}, and {SPARE_SERVERS} spare; they answer {workload.peak_users:,.0f} users beside it"
    )
    queued = "one a zone: videos wait in a queue, where the platform looks at all of them at once"
    streamed = f"{VOLUME_GB} GB for each server's system; bytes are streamed on"
    records = "records and open uploads, which the platform keeps in S3; with a standby"
    by_zone = "one a zone: keys, messages, sign-in; S3 by its endpoint"
    hours, uploaded_gib = HOURS_A_MONTH, workload.uploaded_bytes / GIB
    parts = [
        ("upload servers", at_work, hours, "ec2.c7gn_large", sized),
        ("media workers", ZONES, hours, "ec2.c7g_xlarge", queued),
        ("volumes", at_work + ZONES, VOLUME_GB, "ec2.gp3_volumes", streamed),
        ("load balancer", 1, hours, "elb.application_load_balancers", "one, across the zones"),
        ("load balancer, use", 1, uploaded_gib, "elb.capacity_units", "every uploaded GB passes it"),
        ("database", 1, hours, "rds.t4g_medium_multi_az", records),
        ("database storage", 1, DATABASE_GB, "rds.gp3_multi_az", "the smallest RDS has"),
        ("NAT gateways", ZONES, hours, "ec2.nat_gateways", by_zone),
        ("public addresses", 2 * ZONES, hours, "ec2.public_addresses", "load balancer and NAT gateways"),
    ]
    return [Part(item, count * each, prices[key], count=count, reason=why) for item, count, each, key, why in parts]
