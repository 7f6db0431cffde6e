"""The curve from 1 GB to 1 PB, in figures and as an SVG picture: the same videos and habits, more or fewer people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from costs.bill import Driver
from costs.model import CostModel
from costs.units import GB

SIZES_BYTES = tuple(GB * 10**power for power in range(7))
"""1 GB to 1 PB."""
WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 80, 30, 60, 60
LINE, TARGET, GRID, TEXT = "#1b5e20", "#c62828", "#d0d0d0", "#333333"


@dataclass(frozen=True, kw_only=True)
class Point:
    """stored_bytes: held by the video bucket; uploaded_bytes: in the month; largest: the driver that costs most."""

    stored_bytes: float
    uploaded_bytes: float
    usd: float
    largest: Driver

    @property
    def usd_per_gb(self) -> float:
        """Cost per stored GB."""
        return self.usd / (self.stored_bytes / GB)


def curve(model: CostModel) -> list[Point]:
    """Points of the curve; empty when the workload stores nothing."""
    held_bytes = model.bill().month.stored.video_bytes
    return [_point(model, size / held_bytes) for size in SIZES_BYTES] if held_bytes else []


def _point(model: CostModel, factor: float) -> Point:
    bill = model.with_workload(model.workload.scaled(factor)).bill()
    return Point(
        stored_bytes=bill.month.stored.video_bytes,
        uploaded_bytes=bill.month.workload.uploaded_bytes,
        usd=bill.usd,
        largest=max(Driver, key=bill.of),
    )


def svg(points: Sequence[Point], *, title: str, target_usd_per_gb: float) -> str:
    """Draw cost per GB over GB stored, both axes logarithmic. points: at least two, ascending."""
    sizes = [math.log10(point.stored_bytes / GB) for point in points]
    costs = [math.log10(point.usd_per_gb) for point in points]
    low_cost = math.floor(min(*costs, math.log10(target_usd_per_gb)))
    high_cost = math.ceil(max(*costs, math.log10(target_usd_per_gb)))
    low_size, high_size = math.floor(round(sizes[0], 6)), math.ceil(round(sizes[-1], 6))

    def x(size: float) -> float:
        return LEFT + (size - low_size) / (high_size - low_size) * (WIDTH - LEFT - RIGHT)

    def y(cost: float) -> float:
        return TOP + (high_cost - cost) / (high_cost - low_cost) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" font-family="sans-serif" font-size="12" fill="{TEXT}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        _label(WIDTH / 2, TOP / 2, title, "middle", size=15),
    ]
    for size in range(low_size, high_size + 1):
        parts.append(_stroke(x(size), TOP, x(size), HEIGHT - BOTTOM, GRID))
        parts.append(_label(x(size), HEIGHT - BOTTOM + 18, amount(10**size * GB), "middle"))
    for cost in range(low_cost, high_cost + 1):
        parts.append(_stroke(LEFT, y(cost), WIDTH - RIGHT, y(cost), GRID))
        parts.append(_label(LEFT - 8, y(cost) + 4, f"${10**cost:g}", "end"))
    target = y(math.log10(target_usd_per_gb))
    parts.append(_stroke(LEFT, target, WIDTH - RIGHT, target, TARGET, dashes="6 4"))
    parts.append(_label(WIDTH - RIGHT - 4, target - 6, f"target ${target_usd_per_gb:g}", "end"))
    line = " ".join(f"{x(size):.1f},{y(cost):.1f}" for size, cost in zip(sizes, costs, strict=True))
    parts.append(f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    for point, size, cost in zip(points, sizes, costs, strict=True):
        named = f"{amount(point.stored_bytes)}: ${point.usd_per_gb:,.4f} per GB, ${point.usd:,.2f} a month"
        parts.append(
            f'<circle cx="{x(size):.1f}" cy="{y(cost):.1f}" r="4" fill="{LINE}"><title>{escape(named)}</title></circle>'
        )
    parts.append(_label(WIDTH / 2, HEIGHT - 14, "stored in the video bucket", "middle"))
    parts.append(_label(LEFT, TOP - 10, "$ per GB stored and month", "start"))
    return "\n".join([*parts, "</svg>", ""])


def amount(size_bytes: float) -> str:
    """`10 TB`."""
    power = min(max(int(round(math.log10(size_bytes / GB), 6) // 3), 0), 2)
    return f"{size_bytes / GB / 1000**power:,.4g} {('GB', 'TB', 'PB')[power]}"


def _label(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _stroke(x1: float, y1: float, x2: float, y2: float, colour: str, *, dashes: str = "") -> str:
    pattern = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"{pattern}/>'
