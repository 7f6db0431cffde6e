"""Metrics in log lines: CloudWatch's embedded metric format, written and read as CloudWatch reads it.

Source: CloudWatch User Guide, "Specification: Embedded metric format".
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

MAX_VALUES = 100  # same page: the length of an array of values

_MARK = '"_aws"'


@dataclass(frozen=True)
class Series:
    """One metric with one set of dimensions, sorted by name: what CloudWatch keeps apart."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: Mapping[str, str]) -> "Series":
        return cls(namespace, name, tuple(sorted(dimensions.items())))


@dataclass(frozen=True)
class Sample:
    """Values of a series at one moment, in seconds since 1970."""

    series: Series
    unit: str
    at_seconds: float
    values: tuple[float, ...]


def read_samples(line: str) -> list[Sample]:
    """Everything that a line measures; nothing for a line that is something else, or that CloudWatch would drop."""
    if not line.startswith("{") or _MARK not in line:
        return []
    try:
        document = json.loads(line)
        return list(_samples(document))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return []


def write_metrics(
    namespace: str, dimensions: Mapping[str, str], values_by_name: Mapping[str, tuple[float, MetricUnit]]
) -> None:
    """Print one line of metrics, in one write: threads' lines must not run into each other."""
    metrics = EphemeralMetrics(namespace=namespace)
    metrics.set_default_dimensions(**dimensions)
    for name, (value, unit) in values_by_name.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")


def _samples(document: dict[str, Any]) -> Iterator[Sample]:
    described: dict[str, Any] = document["_aws"]
    at_seconds = _finite(described["Timestamp"]) / 1000
    for directive in described["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: document[name] for name in names}
            if not all(isinstance(value, str) for value in dimensions.values()):
                raise TypeError(dimensions)
            for metric in directive["Metrics"]:
                # A metric may be declared and absent.
                if metric["Name"] not in document:
                    continue
                yield Sample(
                    Series.of(directive["Namespace"], metric["Name"], dimensions),
                    metric.get("Unit", "None"),
                    at_seconds,
                    _values(document[metric["Name"]]),
                )


def _values(target: object) -> tuple[float, ...]:
    listed = cast("list[object]", target) if isinstance(target, list) else [target]
    if len(listed) > MAX_VALUES:
        raise ValueError(len(listed))
    return tuple(_finite(value) for value in listed)


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(value)
    return float(value)
