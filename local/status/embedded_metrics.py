"""Metrics in log lines: writer and reader of CloudWatch's embedded metric format.

Source: CloudWatch User Guide, "Specification: Embedded metric format".
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

_Values = float | Annotated[list[float], msgspec.Meta(max_length=100)]  # same page: the length of an array of values


@dataclass(frozen=True)
class Sample:
    """Values of a series, named by `series_name`, at one moment in seconds since 1970."""

    series: str
    at_seconds: float
    values: tuple[float, ...]


class _Metric(msgspec.Struct, rename="pascal"):
    name: str


class _Directive(msgspec.Struct, rename="pascal"):
    namespace: str
    dimensions: list[list[str]]
    metrics: list[_Metric]


class _Metadata(msgspec.Struct, rename="pascal"):
    timestamp: float
    cloud_watch_metrics: list[_Directive]


_DESCRIBED = msgspec.json.Decoder(_Metadata)
"""Created before any thread reads: msgspec 0.22 crashes if two threads describe a type at the same time."""


def series_name(namespace: str, name: str, dimensions: Mapping[str, str]) -> str:
    """Name of a series: one metric with one set of dimensions."""
    return json.dumps([namespace, name, sorted(dimensions.items())])


def read_samples(line: str) -> list[Sample]:
    """All values in a line; none for another kind of line, or one that CloudWatch would drop."""
    if not line.startswith("{") or '"_aws"' not in line:
        return []
    samples: list[Sample] = []
    try:
        document: dict[str, Any] = msgspec.json.decode(line)
        metadata = msgspec.convert(document["_aws"], _Metadata)
        for directive, names in ((each, names) for each in metadata.cloud_watch_metrics for names in each.dimensions):
            dimensions = msgspec.convert({name: document[name] for name in names}, dict[str, str])
            # A declared metric may be absent.
            for name in (metric.name for metric in directive.metrics if metric.name in document):
                values = msgspec.convert(document[name], _Values)
                values = tuple(values) if isinstance(values, list) else (values,)
                series = series_name(directive.namespace, name, dimensions)
                samples.append(Sample(series, metadata.timestamp / 1000, values))
    except (msgspec.MsgspecError, LookupError, ValueError, RecursionError):
        return []
    return samples


def write_metrics(
    namespace: str, dimensions: Mapping[str, str], values_by_name: Mapping[str, tuple[float, MetricUnit]]
) -> None:
    """Print one line of metrics with one write, so that threads' lines are not interleaved."""
    metrics = EphemeralMetrics(namespace=namespace)
    metrics.set_default_dimensions(**dimensions)
    for name, (value, unit) in values_by_name.items():
        metrics.add_metric(name=name, unit=unit, value=value)
    sys.stdout.write(json.dumps(metrics.serialize_metric_set(), separators=(",", ":")) + "\n")
