"""A bill: lines with quantity and price, grouped by the specification's five cost drivers and the rest."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from costs.month import Month
from costs.prices import Price, PriceList
from costs.units import GB


class Driver(StrEnum):
    """The specification's five cost drivers, and the others that AWS bills."""

    LAMBDA = "Lambda invocations"
    STORAGE = "S3 storage"
    TRANSFER = "Data transfer"
    API = "API Gateway requests"
    CDN = "CDN usage"
    SECURITY = "Keys, web ACL, sign-in"
    WATCHING = "Monitoring and audit"
    NETWORK = "Network and messages"
    CONVERSIONS = "Conversions"


FIVE_DRIVERS = (Driver.LAMBDA, Driver.STORAGE, Driver.TRANSFER, Driver.API, Driver.CDN)


@dataclass(frozen=True, kw_only=True)
class Line:
    """quantity: in the price's unit."""

    driver: Driver
    item: str
    quantity: float
    price: Price
    usd: float


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Cost of one month, without tax and discounts."""

    month: Month
    prices: PriceList
    lines: tuple[Line, ...]

    @property
    def usd(self) -> float:
        return sum(line.usd for line in self.lines)

    def of(self, *drivers: Driver) -> float:
        """Dollars of these drivers."""
        return sum(line.usd for line in self.lines if line.driver in drivers)

    @property
    def stored_gb(self) -> float:
        """GB in the video bucket."""
        return self.month.stored.video_bytes / GB

    @property
    def uploaded_gb(self) -> float:
        """GB uploaded in the month."""
        return self.month.workload.uploaded_bytes / GB

    @property
    def usd_per_gb_stored(self) -> float:
        """The dashboard's figure: the month's cost per GB in the video bucket; infinite when the bucket is empty."""
        return self.usd / self.stored_gb if self.stored_gb else math.inf

    @property
    def usd_per_gb_uploaded(self) -> float:
        """The month's cost per GB uploaded in it; infinite without uploads."""
        return self.usd / self.uploaded_gb if self.uploaded_gb else math.inf


def unconfirmed(prices: Iterable[Price]) -> list[Price]:
    """Unconfirmed prices, each once."""
    return list({price.key: price for price in prices if not price.confirmed}.values())
