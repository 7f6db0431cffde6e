"""The twelve figures of the specification, each computed from existing metrics. Knows no Pulumi.

The dashboard shows them on AWS; the local platform's status page shows those that exist without AWS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from components.observability.metrics import Metric, MonitoredResources

FIVE_MINUTES, HOUR, DAY = 300, 3_600, 86_400
GROUPS = ("Real-time metrics", "Performance indicators", "Scalability metrics")
"""The specification's three."""


@dataclass(frozen=True, kw_only=True)
class InterimMeasurement:
    """The functions' own counts of quantities that AWS publishes only once a day."""

    label: str
    metrics: tuple[Metric, ...]
    expression: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`expression` is CloudWatch's metric math over `metrics`, which it calls m0, m1, …; None shows m0 itself.

    target: the specification's value, drawn as a line. source: description of the measurement. better: the good side of
    the target; None for a load that the platform must be able to bear. only_on_aws: whether the local platform lacks
    the figure. may_fall: whether it may be negative.
    """

    key: str
    title: str
    group: str
    unit: str
    metrics: tuple[Metric, ...]
    expression: str | None = None
    interim: InterimMeasurement | None = None
    period_seconds: int
    target: float
    better: Literal["higher", "lower"] | None
    source: str
    only_on_aws: bool = False
    may_fall: bool = False


def figures_of(monitored: MonitoredResources) -> list[Figure]:
    """Four of each group, in the specification's order."""
    return [*_real_time(monitored), *_performance(monitored), *_scalability(monitored)]


def _real_time(monitored: MonitoredResources) -> list[Figure]:
    return [
        Figure(
            key="upload-success-rate",
            title="Upload success rate",
            group=GROUPS[0],
            unit="%",
            # A file that is no video is refused, which is no failure of the platform.
            metrics=(monitored.own("uploads_ready_count", "Sum"), monitored.own("uploads_failed_count", "Sum")),
            expression="IF(FILL(m0,0)+FILL(m1,0)>0, 100*FILL(m0,0)/(FILL(m0,0)+FILL(m1,0)))",
            period_seconds=HOUR,
            target=99.9,
            better="higher",
            source="video processing counts what is ready; multipart complete and the janitor what is lost",
        ),
        Figure(
            key="average-response-time",
            title="Average response time",
            group=GROUPS[0],
            unit="ms",
            metrics=(monitored.of_api("Latency", "Average"),),
            period_seconds=FIVE_MINUTES,
            target=245,
            better="lower",
            source="API Gateway, from the request's arrival to the answer",
        ),
        Figure(
            key="concurrent-uploads",
            title="Concurrent uploads",
            group=GROUPS[0],
            unit="uploads",
            metrics=(monitored.own("uploads_in_flight_count", "Maximum"),),
            period_seconds=FIVE_MINUTES,
            target=1_247,
            better=None,
            source="the janitor counts open uploads at each of its runs",
        ),
        Figure(
            key="error-rate",
            title="Error rate",
            group=GROUPS[0],
            unit="%",
            metrics=(monitored.of_api("5XXError", "Sum"), monitored.of_api("Count", "Sum")),
            expression="IF(m1>0, 100*m0/m1)",
            period_seconds=FIVE_MINUTES,
            target=0.1,
            better="lower",
            source="API Gateway: answers of 500 and above",
        ),
    ]


def _performance(monitored: MonitoredResources) -> list[Figure]:
    invocations = monitored.of_functions("Invocations", "Sum")
    return [
        Figure(
            key="lambda-cold-starts",
            title="Lambda cold starts",
            group=GROUPS[1],
            unit="%",
            metrics=(monitored.own("cold_starts_count", "Sum"), *invocations),
            expression=f"100*FILL(m0,0)/SUM([{_ids(1, len(invocations))}])",
            period_seconds=HOUR,
            target=0.5,
            better="lower",
            source="each function's first call in a new environment; Lambda counts all calls",
            only_on_aws=True,
        ),
        Figure(
            key="s3-upload-speed",
            title="S3 upload speed",
            group=GROUPS[1],
            unit="MB/s",
            metrics=(monitored.own("upload_throughput_bytes_per_second", "p50"),),
            expression="m0/1000000",
            period_seconds=FIVE_MINUTES,
            target=50,
            better="higher",
            source="multipart complete: size over time from init to complete, the client's pauses included; the median",
        ),
        Figure(
            key="api-gateway-latency",
            title="API Gateway latency",
            group=GROUPS[1],
            unit="ms",
            # Sums: a call refused before its function has a latency, but no function latency.
            metrics=(
                monitored.of_api("Latency", "Sum"),
                monitored.of_api("IntegrationLatency", "Sum"),
                monitored.of_api("Count", "Sum"),
            ),
            expression="IF(m2>0, (m0-FILL(m1,0))/m2)",
            period_seconds=FIVE_MINUTES,
            target=12,
            better="lower",
            source="API Gateway: its latency less that of the functions behind it, by all calls",
        ),
        Figure(
            key="cdn-hit-rate",
            title="CDN hit rate",
            group=GROUPS[1],
            unit="%",
            metrics=(monitored.of_distribution("CacheHitRate", "Average"),),
            period_seconds=HOUR,
            target=94,
            better="higher",
            source="CloudFront's additional metrics, in us-east-1",
            only_on_aws=True,
        ),
    ]


def _scalability(monitored: MonitoredResources) -> list[Figure]:
    stored = monitored.stored_bytes()
    return [
        Figure(
            key="auto-scaling-events",
            title="Auto-scaling events",
            group=GROUPS[2],
            unit="a day",
            metrics=(monitored.own("scaling_activities_count", "Maximum"),),
            period_seconds=HOUR,
            target=23,
            better="lower",
            source="the janitor asks Application Auto Scaling for the last 24 hours; 0 where nothing is provisioned",
            only_on_aws=True,
        ),
        Figure(
            key="peak-concurrent-users",
            title="Peak concurrent users",
            group=GROUPS[2],
            unit="users",
            metrics=(monitored.own("users_in_flight_count", "Maximum"),),
            period_seconds=DAY,
            target=2_500,
            better=None,
            source="the janitor counts the different owners of unsettled videos at each of its runs",
        ),
        Figure(
            key="storage-growth",
            title="Storage growth",
            group=GROUPS[2],
            unit="GB a day",
            metrics=stored,
            expression=f"DIFF(SUM([{_ids(0, len(stored))}]))/1000000000",
            interim=InterimMeasurement(
                label="accepted",
                metrics=(monitored.own("stored_size_bytes", "Sum"),),
                expression="m0/1000000000",
            ),
            period_seconds=DAY,
            target=15,
            better=None,
            source="S3 measures its buckets once a day; video processing adds up what it accepts",
            may_fall=True,
        ),
        Figure(
            key="cost-per-gb",
            title="Cost per GB",
            group=GROUPS[2],
            unit="$ a month",
            metrics=(monitored.own("month_cost_usd", "Maximum"), *stored),
            # A missing point counts as 0, and an unknown cost would count as none; hence both in the condition.
            expression=f"IF(m0*SUM([{_ids(1, len(stored))}])>0, m0/(SUM([{_ids(1, len(stored))}])/1000000000))",
            period_seconds=DAY,
            target=0.23,
            better="lower",
            source="the janitor asks Cost Explorer once a day what carries the stage's tag; over what S3 holds",
            only_on_aws=True,
        ),
    ]


def _ids(first: int, count: int) -> str:
    return ",".join(f"m{number}" for number in range(first, first + count))
