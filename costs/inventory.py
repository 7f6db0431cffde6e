"""The inventory of a stage: resources of its program that cost by existing, or that determine other costs."""

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from chalicelib.core.metric_catalogue import OWN_METRICS
from components.compute.function_table import CALLED_BY_GATEWAY, FUNCTIONS
from components.declared_stage import DeclaredStage
from components.program_recorder import Recorded
from components.settings import Settings
from costs.units import HOURS_A_MONTH

MIB_A_GIB = 1_024
LAMBDA_DEFAULT_GIB = 128 / 1_024  # Lambda API reference, CreateFunction: `MemorySize`
ALARMS_A_TARGET_TRACKING = 2  # Application Auto Scaling User Guide: one to scale out, one to scale in
DELIVERY_SOURCE = "lambda/eventSourceMapping:EventSourceMapping"
ANOMALY_METRICS = 3  # CloudWatch pricing page: the metric and both ends of its band


class Warm(NamedTuple):
    """Provisioned instances of a function: at least `low`, up to `high` under load."""

    low: float
    high: float


def _warm(stage: DeclaredStage) -> dict[str, Warm]:
    compute = stage.settings.compute
    each = Warm(low=compute.provisioned_concurrency, high=compute.provisioned_concurrency_max)
    return dict.fromkeys(CALLED_BY_GATEWAY, each) if each.low else {}


def _runs_a_month(rule: Recorded) -> float:
    expression = rule.inputs.get("scheduleExpression")
    if expression is None or rule.inputs["state"] == "DISABLED":
        return 0
    # A schedule of another form fails here, in the tests.
    ((minutes,),) = re.findall(r"^rate\((\d+) minutes\)$", expression)
    return HOURS_A_MONTH * 60 / int(minutes)


def _alarm_metrics(alarm: Recorded) -> int:
    queries: list[dict[str, Any]] = alarm.inputs.get("metricQueries", [])
    metrics = sum("metric" in query for query in queries) or 1
    has_band = any("ANOMALY_DETECTION_BAND" in query.get("expression", "") for query in queries)
    return metrics * ANOMALY_METRICS if has_band else metrics


def _token_function_gib(pool: Recorded) -> float:
    return LAMBDA_DEFAULT_GIB * ("preTokenGenerationConfig" in pool.inputs.get("lambdaConfig", {}))


def _own_metrics(stage: DeclaredStage, *, is_scheduled: bool) -> int:
    """Count the platform's own metrics per run of the janitor, or per use. A disabled feature has none."""
    features = {
        "notification": stage.of(DELIVERY_SOURCE),
        "rendition": stage.settings.playback.renditions,
        "retention": stage.settings.storage.retention_days,
        "scan": stage.settings.malware.malware_scan,
    }
    off = tuple(feature for feature, is_on in features.items() if not is_on)
    return sum(own.is_scheduled == is_scheduled and not name.startswith(off) for name, own in OWN_METRICS.items())


def _counted(count: Callable[[DeclaredStage], Any]) -> Any:
    """A field that `count` computes from the declared stage."""
    return dataclasses.field(metadata={"count": count})


def _total(kind: str, count: Callable[[Recorded], float] = lambda _: 1) -> Any:
    """A field that sums `count` over the declared resources of one type."""
    return _counted(lambda stage: sum(count(resource) for resource in stage.of(kind)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inventory:
    """memory_gib, warm: by function. scheduled_metrics: recorded at each run of the janitor; used_metrics: by use.

    traced_per_second, traced_share: X-Ray traces so many requests a second, and this share of the others.
    keeps_everything: whether lifecycle policies are off, to estimate their savings.
    """

    settings: Settings
    memory_gib: Mapping[str, float] = _counted(
        lambda stage: {name: spec.memory_mib(stage.settings.compute) / MIB_A_GIB for name, spec in FUNCTIONS.items()}
    )
    warm: Mapping[str, Warm] = _counted(_warm)
    janitor_runs: float = _total("cloudwatch/eventRule:EventRule", _runs_a_month)
    keys: int = _total("kms/key:Key")
    rotating_keys: int = _total("kms/key:Key", lambda key: bool(key.inputs.get("enableKeyRotation")))
    endpoint_zones: int = _total("ec2/vpcEndpoint:VpcEndpoint", lambda each: len(each.inputs.get("subnetIds", [])))
    flow_logs: int = _total("ec2/flowLog:FlowLog")
    alarm_metrics: int = _total("cloudwatch/metricAlarm:MetricAlarm", _alarm_metrics)
    scaling_alarms: int = _total("appautoscaling/policy:Policy", lambda _: ALARMS_A_TARGET_TRACKING)
    composite_alarms: int = _total("cloudwatch/compositeAlarm:CompositeAlarm")
    dashboards: int = _total("cloudwatch/dashboard:Dashboard")
    scheduled_metrics: int = _counted(lambda stage: _own_metrics(stage, is_scheduled=True))
    used_metrics: int = _counted(lambda stage: _own_metrics(stage, is_scheduled=False))
    scan_plans: int = _total("guardduty/malwareProtectionPlan:MalwareProtectionPlan")
    measured_distributions: int = _total("cloudfront/monitoringSubscription:MonitoringSubscription")
    web_acls: int = _total("wafv2/webAcl:WebAcl")
    web_acl_rules: int = _total("wafv2/webAcl:WebAcl", lambda acl: len(acl.inputs["rules"]))
    trails: int = _total("cloudtrail/trail:Trail")
    traced_per_second: float = _total("xray/samplingRule:SamplingRule", lambda rule: rule.inputs["reservoirSize"])
    traced_share: float = _total("xray/samplingRule:SamplingRule", lambda rule: rule.inputs["fixedRate"])
    insight_groups: int = _total("xray/group:Group")
    plus_pools: int = _total("cognito/userPool:UserPool", lambda pool: pool.inputs.get("userPoolTier") == "PLUS")
    destinations: int = _total(DELIVERY_SOURCE, lambda source: bool(source.inputs["enabled"]))
    companies: int = _total("cognito/identityProvider:IdentityProvider")
    token_function_gib: float = _total("cognito/userPool:UserPool", _token_function_gib)
    keeps_everything: bool = False

    @classmethod
    def of(cls, stage: DeclaredStage) -> Self:
        """Count a stage's resources."""
        counted = [field for field in dataclasses.fields(cls) if field.metadata]
        return cls(settings=stage.settings, **{field.name: field.metadata["count"](stage) for field in counted})

    def with_settings(self, group: str, **settings: Any) -> Self:
        """The same resources under other settings that change the use of resources but not their number."""
        changed = dataclasses.replace(getattr(self.settings, group), **settings)
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **{group: changed}))
