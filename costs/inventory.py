"""The inventory of a stage: resources of its program that are billed by existing, or that shape the rest."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.metric_catalogue import OWN_METRICS
from components.compute.function_table import FUNCTIONS
from components.declared_stage import DeclaredStage
from components.program_recorder import Recorded
from components.settings import Settings
from costs.errors import ProgramChangedError
from costs.units import DAYS_A_MONTH, HOURS_A_MONTH

MIB_A_GIB = 1_024
DEFAULT_MEMORY_MIB = 128  # Lambda API reference, CreateFunction
METRICS_A_METHOD = 5
"""Count, Latency, IntegrationLatency, 4XXError, 5XXError; API Gateway Developer Guide, "metrics and dimensions"."""
ALARMS_A_TARGET_TRACKING = 2  # Application Auto Scaling User Guide: one to scale out, one to scale in
SMALL_DASHBOARD_METRICS = 50  # CloudWatch pricing page, "Free tier": metrics of a dashboard that counts as free
ANOMALY_METRICS = 3  # CloudWatch pricing page: the metric and both ends of its band


@dataclass(frozen=True, kw_only=True)
class Warm:
    """Provisioned instances of a function: always `low`, and up to `high` while it is busy."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """memory_gib, warm: by function. scheduled_metrics: recorded at each run of the janitor; used_metrics: by use.

    traced_per_second, traced_share: X-Ray follows so many requests a second and this share of the others.
    keeps_everything: lifecycle policies are off; only to see what they save.
    """

    settings: Settings
    memory_gib: Mapping[str, float]
    warm: Mapping[str, Warm]
    janitor_runs: float
    bill_requests: float
    keys: int
    rotating_keys: int
    endpoint_zones: int
    flow_logs: int
    alarm_metrics: int
    composite_alarms: int
    dashboards: int
    has_large_dashboard: bool
    scheduled_metrics: int
    used_metrics: int
    detailed_api_metrics: int
    measured_distributions: int
    web_acls: int
    web_acl_rules: int
    trails: int
    management_trails: int
    traced_per_second: float
    traced_share: float
    has_insights: bool
    has_plus_tier: bool
    machine_clients: int
    keeps_everything: bool = False

    def with_settings(self, group: str, **settings: Any) -> Inventory:
        """The same resources under other settings, where a setting changes the use of a resource and no count."""
        changed = dataclasses.replace(getattr(self.settings, group), **settings)
        return dataclasses.replace(self, settings=dataclasses.replace(self.settings, **{group: changed}))

    @classmethod
    def of(cls, stage: DeclaredStage) -> Inventory:
        """Count a stage's resources. Raises ProgramChangedError for those that the model cannot read."""
        keys, acls = stage.of("kms/key:Key"), stage.of("wafv2/webAcl:WebAcl")
        trails = stage.of("cloudtrail/trail:Trail")
        sampling, boards = stage.of("xray/samplingRule:SamplingRule"), stage.of("cloudwatch/dashboard:Dashboard")
        endpoints, groups = stage.of("ec2/vpcEndpoint:VpcEndpoint"), stage.of("xray/group:Group")
        pools, clients = stage.of("cognito/userPool:UserPool"), stage.of("cognito/userPoolClient:UserPoolClient")
        alarms, tracking = stage.of("cloudwatch/metricAlarm:MetricAlarm"), stage.of("appautoscaling/policy:Policy")
        rights = stage.of("iam/rolePolicy:RolePolicy")
        # Whether a function may ask Cost Explorer: it asks once a day.
        asks = any('"ce:' in each.inputs["policy"] for each in rights) and not stage.settings.general.paused
        scheduled = sum(metric.is_scheduled for metric in OWN_METRICS.values())
        functions = _functions(stage)
        return cls(
            settings=stage.settings,
            memory_gib={
                name: function.inputs.get("memorySize", DEFAULT_MEMORY_MIB) / MIB_A_GIB
                for name, function in functions.items()
            },
            warm=_warm(stage, {function.inputs.get("name", ""): name for name, function in functions.items()}),
            janitor_runs=sum(_runs_a_month(rule) for rule in stage.of("cloudwatch/eventRule:EventRule")),
            bill_requests=DAYS_A_MONTH * asks,
            keys=len(keys),
            rotating_keys=sum(bool(key.inputs.get("enableKeyRotation")) for key in keys),
            endpoint_zones=sum(
                len(each.inputs["subnetIds"]) for each in endpoints if each.inputs.get("vpcEndpointType") == "Interface"
            ),
            flow_logs=len(stage.of("ec2/flowLog:FlowLog")),
            alarm_metrics=sum(_alarm_metrics(alarm) for alarm in alarms) + ALARMS_A_TARGET_TRACKING * len(tracking),
            composite_alarms=len(stage.of("cloudwatch/compositeAlarm:CompositeAlarm")),
            dashboards=len(boards),
            has_large_dashboard=any(len(set(_shown_metrics(board))) > SMALL_DASHBOARD_METRICS for board in boards),
            scheduled_metrics=scheduled,
            used_metrics=len(OWN_METRICS) - scheduled,
            detailed_api_metrics=_detailed_api_metrics(stage),
            measured_distributions=len(stage.of("cloudfront/monitoringSubscription:MonitoringSubscription")),
            web_acls=len(acls),
            web_acl_rules=sum(len(acl.inputs["rules"]) for acl in acls),
            trails=len(trails),
            management_trails=sum(_keeps_management_events(trail) for trail in trails),
            traced_per_second=sum(rule.inputs["reservoirSize"] for rule in sampling),
            traced_share=sum(rule.inputs["fixedRate"] for rule in sampling),
            has_insights=any(group.inputs.get("insightsConfiguration", {}).get("insightsEnabled") for group in groups),
            has_plus_tier=any(pool.inputs.get("userPoolTier") == "PLUS" for pool in pools),
            machine_clients=sum(
                "client_credentials" in client.inputs.get("allowedOauthFlows", []) for client in clients
            ),
        )


def _functions(stage: DeclaredStage) -> dict[str, Recorded]:
    """By name. A trigger of the user pool has none: it runs once in a user's life."""
    named = {
        function.inputs.get("environment", {}).get("variables", {}).get("FUNCTION"): function
        for function in stage.of("lambda/function:Function")
    }
    for name, function in named.items():
        if name is not None and name not in FUNCTIONS:
            raise ProgramChangedError(function.name, f"a workload says nothing about the function {name}")
    return {name: function for name, function in named.items() if name is not None}


def _warm(stage: DeclaredStage, names: Mapping[str, str]) -> dict[str, Warm]:
    """names: by the function's own name at AWS."""
    warm: dict[str, Warm] = {}
    for config in stage.of("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig"):
        count = config.inputs["provisionedConcurrentExecutions"]
        warm[names[config.inputs["functionName"]]] = Warm(low=count, high=count)
    for target in stage.of("appautoscaling/target:Target"):
        name = names[target.inputs["resourceId"].split(":")[1]]
        warm[name] = Warm(low=target.inputs["minCapacity"], high=target.inputs["maxCapacity"])
    return warm


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


def _shown_metrics(dashboard: Recorded) -> Iterator[tuple[str, ...]]:
    """Namespace, name and dimensions of each."""
    for widget in json.loads(dashboard.inputs["dashboardBody"])["widgets"]:
        for row in widget["properties"].get("metrics", []):
            if words := tuple(word for word in row if isinstance(word, str)):
                yield words


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
