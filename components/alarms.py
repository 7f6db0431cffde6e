"""Alarms as data: what to watch, when to call somebody, and what it means. Knows no Pulumi."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

NAMESPACE = "VideoUpload"
"""Of the metrics that the functions write into their logs."""

Comparison = Literal["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One CloudWatch metric; statistic also a percentile such as `p99`."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Rings when `metric` compares with `threshold` in `periods` periods in a row.

    meaning: what the one who is called should know first.
    expression: metric math over `m0`, `m1`, … instead of the one metric.
    silence_is_fine: whether no data means that nothing happened.
    """

    name: str
    meaning: str
    metrics: tuple[Metric, ...]
    threshold: float
    comparison: Comparison = "GreaterThanThreshold"
    expression: str | None = None
    period_seconds: int = 300
    periods: int = 1
    silence_is_fine: bool = True


def alarms_of(
    *, stage: str, api_name: str, api_stage: str, function_names: Mapping[str, str], queue_name: str, paused: bool
) -> list[Alarm]:
    """All alarms of a stage. function_names: physical name by function."""
    api = {"ApiName": api_name, "Stage": api_stage}

    def own(name: str, statistic: str) -> Metric:
        return Metric(namespace=NAMESPACE, name=name, statistic=statistic, dimensions={"Stage": stage})

    def of_api(name: str, statistic: str) -> Metric:
        return Metric(namespace="AWS/ApiGateway", name=name, statistic=statistic, dimensions=api)

    def of_function(function: str, name: str, statistic: str) -> Metric:
        return Metric(
            namespace="AWS/Lambda",
            name=name,
            statistic=statistic,
            dimensions={"FunctionName": function_names[function]},
        )

    alarms = [
        Alarm(
            name="api-errors",
            meaning="More than 0.1 % of API calls fail on our side.",
            metrics=(of_api("5XXError", "Sum"), of_api("Count", "Sum")),
            expression="IF(m1>0, 100*m0/m1, 0)",
            threshold=0.1,
            periods=2,
        ),
        Alarm(
            name="api-latency",
            meaning="The average API call takes longer than the 245 ms we aim at, for a quarter of an hour.",
            metrics=(of_api("Latency", "Average"),),
            threshold=245,
            periods=3,
        ),
        Alarm(
            name="upload-success",
            meaning="Fewer than 99.9 % of the videos of an hour were accepted.",
            metrics=(own("UploadsReady", "Sum"), own("UploadsRejected", "Sum")),
            expression="IF(m0+m1>0, 100*m0/(m0+m1), 100)",
            threshold=99.9,
            comparison="LessThanThreshold",
            period_seconds=3_600,
        ),
        Alarm(
            name="uploads-stuck",
            meaning="A video is past all automatic retries: look for its videoId in the janitor's log.",
            metrics=(own("UploadsStuck", "Maximum"),),
            threshold=0,
        ),
        Alarm(
            name="failed-events",
            meaning="An event failed every retry and waits in the failure queue: find the cause, then redrive.",
            metrics=(
                Metric(
                    namespace="AWS/SQS",
                    name="ApproximateNumberOfMessagesVisible",
                    statistic="Maximum",
                    dimensions={"QueueName": queue_name},
                ),
            ),
            threshold=0,
        ),
        *(
            Alarm(
                name=f"{function.replace('_', '-')}-errors",
                meaning=f"The function {function} fails or is throttled.",
                metrics=(of_function(function, "Errors", "Sum"), of_function(function, "Throttles", "Sum")),
                expression="m0+m1",
                threshold=0,
                periods=2,
            )
            for function in function_names
        ),
    ]
    if not paused:
        alarms.append(
            Alarm(
                name="janitor-silent",
                meaning="The janitor has not run for half an hour: abandoned uploads pile up.",
                metrics=(of_function("janitor", "Invocations", "Sum"),),
                threshold=1,
                comparison="LessThanThreshold",
                period_seconds=1_800,
                silence_is_fine=False,
            )
        )
    return alarms
