"""The price list: AWS's price of each unit, with date and source."""

import datetime as dt
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import msgspec

from costs.errors import PriceListError

PRICES = Path(__file__).with_name("prices.toml")
_Usd = Annotated[float, msgspec.Meta(ge=0)]


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


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price of the file.

    usd: dollars for `per` units; or steps, each with the dollars for units above its quantity, ascending from 0. free:
    free units per account and month. source: the vendor's page. driver: none for servers.
    """

    key: str
    unit: str
    usd: _Usd | Annotated[tuple[tuple[float, _Usd], ...], msgspec.Meta(min_length=1)]
    per: float = 1
    free: float = 0
    region: str
    driver: Driver | None = None
    source: Annotated[str, msgspec.Meta(pattern="^https://")]
    confirmed: bool
    note: str = ""

    def __post_init__(self) -> None:
        starts = [start for start, _ in self.steps]
        if starts[0] != 0 or starts != sorted(set(starts)):
            raise ValueError("has steps that do not ascend from 0")
        if not (self.confirmed or self.note):
            raise ValueError("is not confirmed and does not say where it comes from")

    @property
    def steps(self) -> tuple[tuple[float, float], ...]:
        return self.usd if isinstance(self.usd, tuple) else ((0, self.usd),)

    def cost_usd(self, quantity: float, *, free: float = 0) -> float:
        """Cost of `quantity` units, of which `free` are not billed."""
        billed = max(quantity - free, 0)
        steps = pairwise([*self.steps, (math.inf, 0)])
        return sum(max(min(billed, end) - start, 0) * usd / self.per for (start, usd), (end, _) in steps)


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """by_key: `service.item`. region: of the stages."""

    checked_on: dt.date
    region: str
    by_key: Mapping[str, Price]

    def __getitem__(self, key: str) -> Price:
        return self.by_key[key]

    @classmethod
    def read(cls, path: Path = PRICES) -> Self:
        """Read the price file. Raises PriceListError for a wrong price."""
        table = tomllib.loads(path.read_text())
        checked_on, region = table.pop("checked_on"), table.pop("region")
        by_key: dict[str, Price] = {}
        for service, items in table.items():
            of_all = {key: value for key, value in items.items() if not isinstance(value, dict)}
            for key, values in {f"{service}.{item}": items[item] for item in items if item not in of_all}.items():
                try:
                    by_key[key] = msgspec.convert({"key": key, "region": region} | of_all | values, Price)
                except msgspec.ValidationError as error:
                    raise PriceListError(f"prices.toml: {key} {error}") from error
        return cls(checked_on=checked_on, region=region, by_key=by_key)
