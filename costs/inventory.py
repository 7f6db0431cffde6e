"""The inventory of a stage: resources of its program that cost by existing, or that determine other costs."""

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from chalicelib.core.metric_catalogue import OWN_METRICS
from components.compute.function_table import CALLED_BY_GATEWAY, FUNCTIONS
from components.declared_stage import DeclaredStage
from components.program_recorder import Recorded
from components.settings import Settings
from costs.errors import ProgramChangedError
from costs.units import DAYS_A_MONTH, HOURS_A_MONTH

MIB_A_GIB = 1_024
LAMBDA_DEFAULT_GIB = 128 / 1_024  # Lambda API reference, CreateFunction: `MemorySize`
METRICS_A_METHOD = 5
"""Count, Latency, IntegrationLatency, 4XXError, 5XXError; API Gateway Developer Guide, "metrics and dimensions"."""
ALARMS_A_TARGET_TRACKING = 2  # Application Auto Scaling User Guide: one to scale out, one to scale in
DELIVERY_SOURCE = "lambda/eventSourceMapping:EventSourceMapping"
SMALL_DASHBOARD_METRICS = 50  # CloudWatch pricing page, "Free tier": metrics of a free dashboard
ANOMALY_METRICS = 3  # CloudWatch pricing page: the metric and both ends of its band
SCAN_PLAN = "guardduty/malwareProtectionPlan:MalwareProtectionPlan"


class Warm(NamedTuple):
    """Provisioned instances of a function: at least `low`, up to `high` under load."""

    low: float
    high: float


def _memory_gib(stage: DeclaredStage) -> dict[str, float]:
    return {name: spec.memory_mib(stage.settings.compute) / MIB_A_GIB for name, spec in FUNCTIONS.items()}


def _warm(stage: DeclaredStage) -> dict[str, Warm]:
    compute = stage.settings.compute
    each = Warm(low=compute.provisioned_concurrency, high=compute.provisioned_concurrency_max)
    return dict.fromkeys(CALLED_BY_GATEWAY, each) if each.low else {}


def _bill_requests(stage: DeclaredStage) -> float:
    """Requests of the janitor to Cost Explorer: one a day."""
    return DAYS_A_MONTH * (stage.settings.observability.cost_figure and not stage.settings.general.paused)


def _runs_a_month(rule: Recorded) -> float:
    expression = rule.inputs.get("scheduleExpression")
    if expression is None or rule.inputs.get("state") == "DISABLED":
        return 0
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if found is None:
        raise ProgramChangedError(rule.name, f"{expression} is not a rate")
    return HOURS_A_MONTH / ({"minute": 1 / 60, "hour": 1, "day": 24}[found[2]] * int(found[1]))


def _alarm_metrics(alarm: Recorded) -> int:
    queries: list[dict[str, Any]] = alarm.inputs.get("metricQueries", [])
    metrics = sum("metric" in query for query in queries) or 1
    has_band = any("ANOMALY_DETECTION_BAND" in query.get("expression", "") for query in queries)
    return metrics * ANOMALY_METRICS if has_band else metrics


def _is_large(dashboard: Recorded) -> bool:
    widgets = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    rows = [row for widget in widgets for row in widget["properties"].get("metrics", [])]
    # Namespace, name and dimensions of each; an expression has none.
    shown = {tuple(word for word in row if isinstance(word, str)) for row in rows} - {()}
    return len(shown) > SMALL_DASHBOARD_METRICS


def _keeps_management_events(trail: Recorded) -> bool:
    fields = [field for selector in trail.inputs["advancedEventSelectors"] for field in selector["fieldSelectors"]]
    return any(field["field"] == "eventCategory" and field.get("equals") == ["Management"] for field in fields)


def _detailed_api_metrics(stage: DeclaredStage) -> int:
    methods = stage.of("apigateway/methodSettings:MethodSettings")
    if not any(method.inputs["settings"].get("metricsEnabled") for method in methods):
        return 0
    bodies = [json.loads(api.inputs["body"]) for api in stage.of("apigateway/restApi:RestApi")]
    return METRICS_A_METHOD * sum(
        method != "options" for body in bodies for path in body["paths"].values() for method in path
    )


def _interface_zones(endpoint: Recorded) -> int:
    return len(endpoint.inputs["subnetIds"]) if endpoint.inputs.get("vpcEndpointType") == "Interface" else 0


def _has_insights(group: Recorded) -> bool:
    return group.inputs.get("insightsConfiguration", {}).get("insightsEnabled", False)


def _is_told_of_videos(subscription: Recorded) -> bool:
    return subscription.inputs["protocol"] == "email" and "filterPolicy" in subscription.inputs


def _token_function_gib(stage: DeclaredStage) -> float:
    """GiB of memory of the user pool's token triggers; 0 without one."""
    arns = {
        pool.inputs.get("lambdaConfig", {}).get("preTokenGenerationConfig", {}).get("lambdaArn")
        for pool in stage.of("cognito/userPool:UserPool")
    } - {None}
    return LAMBDA_DEFAULT_GIB * len(arns)


def _is_machine(client: Recorded) -> bool:
    return "client_credentials" in client.inputs.get("allowedOauthFlows", [])


def _own_metrics(stage: DeclaredStage, *, is_scheduled: bool) -> int:
    """Count the platform's own metrics per run of the janitor, or per use. A disabled feature has none."""
    features = {
        "notification": stage.of(DELIVERY_SOURCE),
        "rendition": stage.settings.playback.renditions,
        "retention": stage.settings.storage.retention_days,
        "scan": stage.of(SCAN_PLAN),
    }
    off = tuple(feature for feature, is_on in features.items() if not is_on)
    return sum(own.is_scheduled == is_scheduled and not name.startswith(off) for name, own in OWN_METRICS.items())


def _counted(count: Callable[[DeclaredStage], Any]) -> Any:
    """A field that `count` computes from the declared stage."""
    return dataclasses.field(metadata={"count": count})


def _total(kind: str, count: Callable[[Recorded], float] = lambda _: 1) -> Any:
    """A field that sums `count` over the declared resources of one type."""
    return _counted(lambda stage: sum(count(resource) for resource in stage.of(kind)))


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """memory_gib, warm: by function. scheduled_metrics: recorded at each run of the janitor; used_metrics: by use.

    traced_per_second, traced_share: X-Ray traces so many requests a second, and this share of the others.
    keeps_everything: whether lifecycle policies are off, to estimate their savings.
    """

    settings: Settings
    memory_gib: Mapping[str, float] = _counted(_memory_gib)
    warm: Mapping[str, Warm] = _counted(_warm)
    janitor_runs: float = _total("cloudwatch/eventRule:EventRule", _runs_a_month)
    bill_requests: float = _counted(_bill_requests)
    keys: int = _total("kms/key:Key")
    rotating_keys: int = _total("kms/key:Key", lambda key: bool(key.inputs.get("enableKeyRotation")))
    endpoint_zones: int = _total("ec2/vpcEndpoint:VpcEndpoint", _interface_zones)
    flow_logs: int = _total("ec2/flowLog:FlowLog")
    alarm_metrics: int = _total("cloudwatch/metricAlarm:MetricAlarm", _alarm_metrics)
    scaling_alarms: int = _total("appautoscaling/policy:Policy", lambda _: ALARMS_A_TARGET_TRACKING)
    composite_alarms: int = _total("cloudwatch/compositeAlarm:CompositeAlarm")
    dashboards: int = _total("cloudwatch/dashboard:Dashboard")
    large_dashboards: int = _total("cloudwatch/dashboard:Dashboard", _is_large)
    scheduled_metrics: int = _counted(lambda stage: _own_metrics(stage, is_scheduled=True))
    used_metrics: int = _counted(lambda stage: _own_metrics(stage, is_scheduled=False))
    scan_plans: int = _total(SCAN_PLAN)
    detailed_api_metrics: int = _counted(_detailed_api_metrics)
    measured_distributions: int = _total("cloudfront/monitoringSubscription:MonitoringSubscription")
    web_acls: int = _total("wafv2/webAcl:WebAcl")
    web_acl_rules: int = _total("wafv2/webAcl:WebAcl", lambda acl: len(acl.inputs["rules"]))
    trails: int = _total("cloudtrail/trail:Trail")
    management_trails: int = _total("cloudtrail/trail:Trail", _keeps_management_events)
    traced_per_second: float = _total("xray/samplingRule:SamplingRule", lambda rule: rule.inputs["reservoirSize"])
    traced_share: float = _total("xray/samplingRule:SamplingRule", lambda rule: rule.inputs["fixedRate"])
    insight_groups: int = _total("xray/group:Group", _has_insights)
    plus_pools: int = _total("cognito/userPool:UserPool", lambda pool: pool.inputs.get("userPoolTier") == "PLUS")
    destinations: int = _total(DELIVERY_SOURCE, lambda source: bool(source.inputs["enabled"]))
    mail_addresses: int = _total("sns/topicSubscription:TopicSubscription", _is_told_of_videos)
    companies: int = _total("cognito/identityProvider:IdentityProvider")
    token_function_gib: float = _counted(_token_function_gib)
    machine_clients: int = _total("cognito/userPoolClient:UserPoolClient", _is_machine)
    keeps_everything: bool = False

    @classmethod
    def of(cls, stage: DeclaredStage) -> Self:
        """Count a stage's resources. Raises ProgramChangedError for those that the model cannot read."""
        counted = [field for field in dataclasses.fields(cls) if field.metadata]
        return cls(settings=stage.settings, **{field.name: field.metadata["count"](stage) for field in counted})

    def with_settings(self, group: str, **settings: Any) -> Self:
        """The same resources under other settings that change the use of resources but not their number."""
        changed = dataclasses.replace(getattr(self.settings, group), **settings)
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **{group: changed}))
