"""CloudWatch's statistics of a period, in a size that does not grow with the number of values."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

SIGNIFICANT_DIGITS = 3
"""Precision of the values behind percentiles: at most 900 different ones in each power of ten."""


class UnknownStatisticError(Exception):
    """The statistic is not one of those that the status view computes."""

    def __init__(self, statistic: str) -> None:
        self.statistic = statistic
        super().__init__(f"{statistic} is not Sum, Average, Minimum, Maximum, SampleCount or a percentile such as p50")


@dataclass
class StatisticSet:
    """counts: how often each value came, `rounded`."""

    sample_count: int = 0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    counts: Counter[float] = field(default_factory=Counter)

    def statistic(self, name: str) -> float | None:
        """None when there is no value. name: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, `p50`, `p99.9` ….

        Raises UnknownStatisticError.
        """
        if compute := _STATISTICS.get(name):
            return compute(self) if self.sample_count else None
        try:
            percent = float(name.removeprefix("p"))
        except ValueError:
            raise UnknownStatisticError(name) from None
        if not name.startswith("p") or not 0 <= percent <= 100:
            raise UnknownStatisticError(name)
        return self._percentile(percent)

    def _percentile(self, percent: float) -> float | None:
        wanted = max(1, math.ceil(percent / 100 * self.counts.total()))
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= wanted:
                # Rounding may not lead out of what there was.
                return min(max(value, self.minimum), self.maximum)
        return None


def rounded(value: float) -> float:
    """The value as percentiles see it."""
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def merged(several: Iterable[StatisticSet]) -> StatisticSet:
    """All of them as one."""
    sets = list(several)
    return StatisticSet(
        sum(each.sample_count for each in sets),
        sum(each.total for each in sets),
        min((each.minimum for each in sets), default=math.inf),
        max((each.maximum for each in sets), default=-math.inf),
        sum((each.counts for each in sets), Counter[float]()),
    )


_STATISTICS: Mapping[str, Callable[[StatisticSet], float]] = {
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.sample_count,
    "Minimum": lambda values: values.minimum,
    "Maximum": lambda values: values.maximum,
    "SampleCount": lambda values: float(values.sample_count),
}
