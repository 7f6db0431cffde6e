"""What of a stage's program is billed by its mere existence or shapes the rest: read from what it declares."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from components.compute.function_table import FUNCTIONS
from components.declared_stage import PROJECT, Declared, DeclaredStage
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
SCHEDULED_MODULES = ("janitor.py", "stage_figures.py")
"""Their metrics come at every run of the janitor, used or not."""


@dataclass(frozen=True, kw_only=True)
class Warm:
    """Provisioned instances of a function: always `low`, and up to `high` while it is busy."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """memory_gib, warm: by function. emitted: names of metrics by use and of the schedule.

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

    @classmethod
    def of(cls, stage: DeclaredStage) -> Inventory:
        """Raises ProgramChangedError for what the model cannot read."""
        keys, acls = stage.of("kms/key:Key"), stage.of("wafv2/webAcl:WebAcl")
        sampling = stage.of("xray/samplingRule:SamplingRule")
        scheduled, used = emitted_metrics()
        return cls(
            settings=stage.settings,
            memory_gib=_memory(stage),
            warm=_warm(stage),
            janitor_runs=sum(_runs_a_month(rule) for rule in stage.of("cloudwatch/eventRule:EventRule")),
            bill_requests=DAYS_A_MONTH if _asks_cost_explorer(stage) and not stage.settings.general.paused else 0,
            keys=len(keys),
            rotating_keys=sum(bool(key.inputs.get("enableKeyRotation")) for key in keys),
            endpoint_zones=sum(
                len(endpoint.inputs["subnetIds"])
                for endpoint in stage.of("ec2/vpcEndpoint:VpcEndpoint")
                if endpoint.inputs.get("vpcEndpointType") == "Interface"
            ),
            flow_logs=len(stage.of("ec2/flowLog:FlowLog")),
            alarm_metrics=sum(_alarm_metrics(alarm) for alarm in stage.of("cloudwatch/metricAlarm:MetricAlarm"))
            + ALARMS_A_TARGET_TRACKING * len(stage.of("appautoscaling/policy:Policy")),
            composite_alarms=len(stage.of("cloudwatch/compositeAlarm:CompositeAlarm")),
            dashboards=len(stage.of("cloudwatch/dashboard:Dashboard")),
            has_large_dashboard=any(
                len(set(_shown_metrics(dashboard))) > SMALL_DASHBOARD_METRICS
                for dashboard in stage.of("cloudwatch/dashboard:Dashboard")
            ),
            scheduled_metrics=len(scheduled),
            used_metrics=len(used - scheduled),
            detailed_api_metrics=_detailed_api_metrics(stage),
            measured_distributions=len(stage.of("cloudfront/monitoringSubscription:MonitoringSubscription")),
            web_acls=len(acls),
            web_acl_rules=sum(len(acl.inputs["rules"]) for acl in acls),
            trails=len(stage.of("cloudtrail/trail:Trail")),
            management_trails=sum(_keeps_management_events(trail) for trail in stage.of("cloudtrail/trail:Trail")),
            traced_per_second=sum(rule.inputs["reservoirSize"] for rule in sampling),
            traced_share=sum(rule.inputs["fixedRate"] for rule in sampling),
            has_insights=any(
                group.inputs.get("insightsConfiguration", {}).get("insightsEnabled")
                for group in stage.of("xray/group:Group")
            ),
            has_plus_tier=any(
                pool.inputs.get("userPoolTier") == "PLUS" for pool in stage.of("cognito/userPool:UserPool")
            ),
            machine_clients=sum(
                "client_credentials" in client.inputs.get("allowedOauthFlows", [])
                for client in stage.of("cognito/userPoolClient:UserPoolClient")
            ),
        )


def _memory(stage: DeclaredStage) -> dict[str, float]:
    """By function. A trigger of the user pool has no name of its own in the workload: it runs once in a user's life."""
    found: dict[str, float] = {}
    for function in stage.of("lambda/function:Function"):
        variables = function.inputs.get("environment", {}).get("variables", {})
        if (name := variables.get("FUNCTION")) is None:
            continue
        if name not in FUNCTIONS:
            raise ProgramChangedError(function.name, f"a workload says nothing about the function {name}")
        found[name] = function.inputs.get("memorySize", DEFAULT_MEMORY_MIB) / MIB_A_GIB
    return found


def _warm(stage: DeclaredStage) -> dict[str, Warm]:
    functions = {
        function.inputs["name"]: function.inputs["environment"]["variables"]["FUNCTION"]
        for function in stage.of("lambda/function:Function")
        if "FUNCTION" in function.inputs.get("environment", {}).get("variables", {})
    }
    warm = {
        functions[config.inputs["functionName"]]: Warm(
            low=config.inputs["provisionedConcurrentExecutions"], high=config.inputs["provisionedConcurrentExecutions"]
        )
        for config in stage.of("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    }
    for target in stage.of("appautoscaling/target:Target"):
        name = target.inputs["resourceId"].split(":")[1]
        warm[functions[name]] = Warm(low=target.inputs["minCapacity"], high=target.inputs["maxCapacity"])
    return warm


def _runs_a_month(rule: Declared) -> float:
    expression = rule.inputs.get("scheduleExpression")
    if expression is None or rule.inputs.get("state") == "DISABLED":
        return 0
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if found is None:
        raise ProgramChangedError(rule.name, f"{expression} is not a rate")
    hours = {"minute": 1 / 60, "hour": 1, "day": 24}[found[2]] * int(found[1])
    return HOURS_A_MONTH / hours


def _asks_cost_explorer(stage: DeclaredStage) -> bool:
    """Whether a function may: it asks once a day."""
    return any('"ce:' in rights.inputs["policy"] for rights in stage.of("iam/rolePolicy:RolePolicy"))


def _alarm_metrics(alarm: Declared) -> int:
    queries: list[dict[str, Any]] = alarm.inputs.get("metricQueries", [])
    metrics = sum("metric" in query for query in queries) or 1
    has_band = any("ANOMALY_DETECTION_BAND" in query.get("expression", "") for query in queries)
    return metrics * ANOMALY_METRICS if has_band else metrics


def _shown_metrics(dashboard: Declared) -> Iterator[tuple[str, ...]]:
    """Namespace, name and dimensions of each."""
    for widget in json.loads(dashboard.inputs["dashboardBody"])["widgets"]:
        for row in widget["properties"].get("metrics", []):
            if words := tuple(word for word in row if isinstance(word, str)):
                yield words


def _keeps_management_events(trail: Declared) -> bool:
    fields = [field for selector in trail.inputs["advancedEventSelectors"] for field in selector["fieldSelectors"]]
    return any(field["field"] == "eventCategory" and field.get("equals") == ["Management"] for field in fields)


def _detailed_api_metrics(stage: DeclaredStage) -> int:
    detailed = any(
        method.inputs["settings"].get("metricsEnabled")
        for method in stage.of("apigateway/methodSettings:MethodSettings")
    )
    bodies = [json.loads(api.inputs["body"]) for api in stage.of("apigateway/restApi:RestApi")]
    methods = sum(method != "options" for body in bodies for path in body["paths"].values() for method in path)
    return METRICS_A_METHOD * methods if detailed else 0


@functools.cache
def emitted_metrics() -> tuple[frozenset[str], frozenset[str]]:
    """What the functions' code gives to its meter, as CloudWatch names it: that of the schedule, and all."""
    scheduled: set[str] = set()
    everything: set[str] = set()
    for path in sorted((PROJECT / "chalice_app").rglob("*.py")):
        names = {cloudwatch_name(name) for name in recorded_names(ast.parse(path.read_text()))}
        everything |= names
        if path.name in SCHEDULED_MODULES:
            scheduled |= names
    return frozenset(scheduled), frozenset(everything)


def recorded_names(tree: ast.AST) -> Iterator[str]:
    """Keywords of every call of a `record`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "record":
            yield from (keyword.arg for keyword in node.keywords if keyword.arg)


def cloudwatch_name(recorded: str) -> str:
    """`uploads_ready_count` is `UploadsReady`, as the functions' meter names it."""
    return "".join(word.capitalize() for word in _UNIT.sub("", recorded).split("_"))


_UNIT = re.compile(r"_(count|bytes|bytes_per_second|milliseconds|usd)$")
