"""The cost curve from 1 GB to 1 PB, in figures and as a picture: same videos and habits, varying number of people."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Template

from costs.model import Bill, CostModel

SIZES_GB = tuple(10**power for power in range(7))  # 1 GB to 1 PB


def curve(model: CostModel) -> list[Bill]:
    """Bills by size; none if the workload stores nothing."""
    held_gb = model.bill().stored_gb
    factors = [size / held_gb for size in SIZES_GB] if held_gb else []
    return [dataclasses.replace(model, workload=model.workload.scaled(factor)).bill() for factor in factors]


def svg(points: Sequence[Bill], *, stage: str, target_usd: float) -> str:
    """Draw cost per GB over GB stored, both axes logarithmic. points: at least two, ascending."""
    costs = [target_usd, *(point.usd_per(point.stored_gb) for point in points)]
    low_cost, high_cost = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    text = Path(__file__).with_name("curve.svg.jinja").read_text()
    return Template(text, autoescape=True, trim_blocks=True, keep_trailing_newline=True).render(
        title=f"{stage}: cost per GB stored, 1 GB to 1 PB",
        points=points,
        target_usd=target_usd,
        sizes_gb=SIZES_GB,
        costs_usd=[10.0**power for power in range(low_cost, high_cost + 1)],
        across=lambda gb: math.log10(gb) / math.log10(SIZES_GB[-1]),
        down=lambda usd: (high_cost - math.log10(usd)) / (high_cost - low_cost),
        amount=amount,
    )


def amount(gb: float) -> str:
    """`10 TB`."""
    power = min(max(int(round(math.log10(gb), 6) // 3), 0), 2)
    return f"{gb / 1000**power:,.4g} {('GB', 'TB', 'PB')[power]}"
