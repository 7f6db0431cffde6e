"""The curve from 1 GB to 1 PB: the same videos and habits, with more or fewer people."""

from __future__ import annotations

from dataclasses import dataclass

from costs.bill import Driver
from costs.model import CostModel
from costs.units import GB

SIZES_BYTES = tuple(GB * 10**power for power in range(7))
"""1 GB to 1 PB."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """stored_bytes: held by the video bucket; uploaded_bytes: in the month; largest: the driver that costs most."""

    stored_bytes: float
    uploaded_bytes: float
    usd: float
    largest: Driver

    @property
    def usd_per_gb(self) -> float:
        """Stored."""
        return self.usd / (self.stored_bytes / GB)


def curve(model: CostModel) -> list[Point]:
    """Empty when the workload stores nothing."""
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
