"""Metrics and the arithmetic over them, as CloudWatch names them. Knows no Pulumi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.core.metric_catalogue import NAMESPACE, OWN_METRICS

EDGE_REGION = "us-east-1"
"""Region in which CloudFront and its web ACL publish their metrics."""

STORAGE_TYPES = (
    "StandardStorage",
    "IntelligentTieringFAStorage",
    "IntelligentTieringIAStorage",
    "IntelligentTieringAIAStorage",
)
"""Storage types of S3's byte counts (S3 User Guide, "Metrics and dimensions"): the tiers that a video can reach."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One CloudWatch metric. The statistic may be a percentile such as `p99`."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class MonitoredResources:
    """Physical names of one stage's resources, in the dimensions of their metrics.

    function_names: by function. delivery_queue_names: of the destinations of notifications. web_acl_name: the ACL's
    metric name; None without one.
    scans: whether videos are scanned for malware. deletes_old: whether retention deletes videos. makes_renditions:
    whether the stage makes renditions.
    """

    stage: str
    region: str
    api_name: str
    api_stage: str
    distribution_id: str
    video_bucket: str
    function_names: Mapping[str, str]
    queue_name: str
    delivery_queue_names: Sequence[str]
    data_key_arn: str
    web_acl_name: str | None
    scans: bool
    deletes_old: bool
    makes_renditions: bool

    def own(self, recorded: str, statistic: str) -> Metric:
        """One of the platform's own metrics. recorded: its key in the app's catalogue of metrics."""
        name = OWN_METRICS[recorded].name
        return Metric(namespace=NAMESPACE, name=name, statistic=statistic, dimensions={"Stage": self.stage})

    def of_api(self, name: str, statistic: str) -> Metric:
        dimensions = {"ApiName": self.api_name, "Stage": self.api_stage}
        return Metric(namespace="AWS/ApiGateway", name=name, statistic=statistic, dimensions=dimensions)

    def of_function(self, function: str, name: str, statistic: str) -> Metric:
        dimensions = {"FunctionName": self.function_names[function]}
        return Metric(namespace="AWS/Lambda", name=name, statistic=statistic, dimensions=dimensions)

    def of_functions(self, name: str, statistic: str) -> tuple[Metric, ...]:
        return tuple(self.of_function(function, name, statistic) for function in self.function_names)

    def of_queue(self, name: str, statistic: str) -> Metric:
        return Metric(namespace="AWS/SQS", name=name, statistic=statistic, dimensions={"QueueName": self.queue_name})

    def of_delivery_queues(self, name: str, statistic: str, suffix: str = "") -> tuple[Metric, ...]:
        """A metric of each destination's queue. suffix: of the dead-letter queues."""
        return tuple(
            Metric(namespace="AWS/SQS", name=name, statistic=statistic, dimensions={"QueueName": f"{queue}{suffix}"})
            for queue in self.delivery_queue_names
        )

    def of_distribution(self, name: str, statistic: str) -> Metric:
        dimensions = {"DistributionId": self.distribution_id, "Region": "Global"}
        return Metric(namespace="AWS/CloudFront", name=name, statistic=statistic, dimensions=dimensions)

    def stored_bytes(self) -> tuple[Metric, ...]:
        """A metric of each storage tier, once a day."""
        return tuple(
            Metric(
                namespace="AWS/S3",
                name="BucketSizeBytes",
                statistic="Average",
                dimensions={"BucketName": self.video_bucket, "StorageType": storage_type},
            )
            for storage_type in STORAGE_TYPES
        )

    def of_data_key(self, operation: str) -> Metric:
        dimensions = {"KeyArn": self.data_key_arn, "Operation": operation}
        return Metric(namespace="AWS/KMS", name="SuccessfulRequest", statistic="Sum", dimensions=dimensions)

    def of_web_acl(self, name: str, rule: str) -> Metric:
        """Raises ValueError without a web ACL."""
        if self.web_acl_name is None:
            raise ValueError(name)
        dimensions = {"WebACL": self.web_acl_name, "Rule": rule}
        return Metric(namespace="AWS/WAFV2", name=name, statistic="Sum", dimensions=dimensions)
