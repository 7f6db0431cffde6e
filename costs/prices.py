"""The price list: AWS's price of each unit, with date and source."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costs.errors import PriceListError

PRICES = Path(__file__).with_name("prices.toml")
_REQUIRED = {"unit", "usd", "confirmed"}
_FIELDS = _REQUIRED | {"per", "free", "region", "note"}


@dataclass(frozen=True, kw_only=True)
class Price:
    """usd_steps: (from quantity, dollars for `per` units above it), ascending from 0.

    free: units that every account has free each month. source: the vendor's page.
    """

    key: str
    unit: str
    usd_steps: tuple[tuple[float, float], ...]
    per: float = 1
    free: float = 0
    region: str
    source: str
    confirmed: bool
    note: str = ""

    @property
    def usd(self) -> float:
        """Price of `per` units in the first step."""
        return self.usd_steps[0][1]

    def cost_usd(self, quantity: float, *, free: float = 0) -> float:
        """Cost of `quantity` units, of which `free` are not billed."""
        billed = max(quantity - free, 0)
        ends = [start for start, _ in self.usd_steps[1:]] + [float("inf")]
        return sum(
            max(min(billed, end) - start, 0) * usd / self.per
            for (start, usd), end in zip(self.usd_steps, ends, strict=True)
        )


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """by_key: `service.item`. region: where the stages live."""

    checked_on: dt.date
    region: str
    by_key: Mapping[str, Price]

    def __getitem__(self, key: str) -> Price:
        if key not in self.by_key:
            raise PriceListError(key, "is missing")
        return self.by_key[key]

    @classmethod
    def read(cls, path: Path = PRICES) -> PriceList:
        """Read the price file. Raises PriceListError."""
        try:
            table = tomllib.loads(path.read_text())
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise PriceListError(path.name, f"cannot be read: {error}") from error
        checked_on, region = table.pop("checked_on", None), table.pop("region", None)
        if not isinstance(checked_on, dt.date) or not isinstance(region, str):
            raise PriceListError("checked_on, region", "are missing")
        prices: dict[str, Price] = {}
        for service, items in table.items():
            defaults = {key: value for key, value in items.items() if not isinstance(value, dict)}
            for item, values in items.items():
                if isinstance(values, dict):
                    key = f"{service}.{item}"
                    prices[key] = _price(key, values, {"region": region, **defaults})
        return cls(checked_on=checked_on, region=region, by_key=prices)


def _price(key: str, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> Price:
    usd: Any = values.get("usd", 0)
    steps = tuple((float(start), float(each)) for start, each in (usd if isinstance(usd, list) else [(0, usd)]))
    starts = [start for start, _ in steps]
    wrong = {
        f"has {', '.join(sorted(set(values) - _FIELDS))}, which means nothing": set(values) - _FIELDS,
        f"lacks {', '.join(sorted(_REQUIRED - set(values)))}": _REQUIRED - set(values),
        "has no source": not str(defaults.get("source", "")).startswith("https://"),
        "is not confirmed and does not say where it comes from": not (values.get("confirmed") or values.get("note")),
        "has steps that do not ascend from 0, or a negative price": starts[0] != 0
        or starts != sorted(set(starts))
        or any(price < 0 for _, price in steps),
    }
    for problem, is_wrong in wrong.items():
        if is_wrong:
            raise PriceListError(key, problem)
    named = {name: value for name, value in values.items() if name != "usd"}
    return Price(key=key, usd_steps=steps, **{**defaults, **named})
