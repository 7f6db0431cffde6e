"""CloudWatch's statistics of a period, in a size that does not grow with the number of values."""

import json
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
    """counts: how often each value came, rounded to SIGNIFICANT_DIGITS."""

    sample_count: int = 0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    counts: Counter[float] = field(default_factory=Counter)

    def add(self, values: Iterable[float]) -> None:
        for value in values:
            self.sample_count += 1
            self.total += value
            self.minimum = min(self.minimum, value)
            self.maximum = max(self.maximum, value)
            self.counts[float(f"{value:.{SIGNIFICANT_DIGITS}g}")] += 1

    def merge(self, other: "StatisticSet") -> None:
        self.sample_count += other.sample_count
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.counts.update(other.counts)

    def statistic(self, name: str) -> float | None:
        """None when there is no value. name: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, `p50`, `p99.9` ….

        Raises UnknownStatisticError.
        """
        if name.startswith("p"):
            return self._percentile(name)
        compute = _STATISTICS.get(name)
        if compute is None:
            raise UnknownStatisticError(name)
        return compute(self) if self.sample_count else None

    def counts_as_json(self) -> str:
        return json.dumps({repr(value): count for value, count in self.counts.items()}, separators=(",", ":"))

    @staticmethod
    def counts_from_json(text: str) -> Counter[float]:
        return Counter({float(value): count for value, count in json.loads(text).items()})

    def _percentile(self, name: str) -> float | None:
        try:
            share = float(name.removeprefix("p")) / 100
        except ValueError:
            raise UnknownStatisticError(name) from None
        if not 0 <= share <= 1:
            raise UnknownStatisticError(name)
        wanted = max(1, math.ceil(share * self.counts.total()))
        passed = 0
        for value in sorted(self.counts):
            passed += self.counts[value]
            if passed >= wanted:
                # Rounding may not lead out of what there was.
                return min(max(value, self.minimum), self.maximum)
        return None


def merged(several: Iterable[StatisticSet]) -> StatisticSet:
    """All of them as one."""
    together = StatisticSet()
    for one in several:
        together.merge(one)
    return together


_STATISTICS: Mapping[str, Callable[[StatisticSet], float]] = {
    "Sum": lambda values: values.total,
    "Average": lambda values: values.total / values.sample_count,
    "Minimum": lambda values: values.minimum,
    "Maximum": lambda values: values.maximum,
    "SampleCount": lambda values: float(values.sample_count),
}
