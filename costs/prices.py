"""The price list: AWS's price of each unit, with date and source."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec

from costs.errors import PriceListError

PRICES = Path(__file__).with_name("prices.toml")
_Usd = Annotated[float, msgspec.Meta(ge=0)]
_Steps = Annotated[tuple[tuple[float, _Usd], ...], msgspec.Meta(min_length=1)]


class Price(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price of the file.

    usd: dollars for `per` units; or steps, each with the dollars for units above its quantity, ascending from 0. free:
    free units per account and month. source: the vendor's page.
    """

    key: str
    unit: str
    usd: _Usd | _Steps
    per: float = 1
    free: float = 0
    region: str
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

    @property
    def first_usd(self) -> float:
        """Price of `per` units in the first step."""
        return self.steps[0][1]

    def cost_usd(self, quantity: float, *, free: float = 0) -> float:
        """Cost of `quantity` units, of which `free` are not billed."""
        billed = max(quantity - free, 0)
        ends = [start for start, _ in self.steps[1:]] + [float("inf")]
        return sum(
            max(min(billed, end) - start, 0) * usd / self.per
            for (start, usd), end in zip(self.steps, ends, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """by_key: `service.item`. region: of the stages."""

    checked_on: dt.date
    region: str
    by_key: Mapping[str, Price]

    def __getitem__(self, key: str) -> Price:
        if key not in self.by_key:
            raise PriceListError(key, "is missing")
        return self.by_key[key]

    @classmethod
    def read(cls, path: Path = PRICES) -> Self:
        """Read the price file. Raises PriceListError."""
        try:
            table = tomllib.loads(path.read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise PriceListError(path.name, f"cannot be read: {error}") from error
        checked_on, region = table.pop("checked_on", None), table.pop("region", None)
        if not isinstance(checked_on, dt.date) or not isinstance(region, str):
            raise PriceListError("checked_on, region", "are missing")
        by_key: dict[str, Price] = {}
        for service, items in table.items():
            of_all = {"region": region} | {key: value for key, value in items.items() if not isinstance(value, dict)}
            keys = {f"{service}.{item}": of_all | values for item, values in items.items() if item not in of_all}
            by_key |= {key: _price(key, values) for key, values in keys.items()}
        return cls(checked_on=checked_on, region=region, by_key=by_key)


def _price(key: str, values: dict[str, Any]) -> Price:
    try:
        return msgspec.convert({"key": key, **values}, Price)
    except msgspec.ValidationError as error:
        raise PriceListError(key, str(error)) from error
