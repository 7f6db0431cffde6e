"""Inventory of the cost model: its counts match the recorded program."""

from __future__ import annotations

import dataclasses
import json

import pytest

from chalicelib.core.metric_catalogue import DELIVERY, OWN_METRICS
from components.declared_stage import HEARD, declare
from components.program_recorder import Recorded
from costs.inventory import Inventory, Warm
from tests.costs.conftest import STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_counts_are_those_of_the_recorded_program(stage: str) -> None:
    recording = declare(stage, HEARD)
    inventory = Inventory.of(recording)
    assert inventory.keys == len(recording.of("kms/key:Key"))
    assert inventory.dashboards == len(recording.of("cloudwatch/dashboard:Dashboard"))
    assert inventory.composite_alarms == len(recording.of("cloudwatch/compositeAlarm:CompositeAlarm"))
    assert inventory.alarm_metrics >= len(recording.of("cloudwatch/metricAlarm:MetricAlarm"))
    interfaces = [
        endpoint
        for endpoint in recording.of("ec2/vpcEndpoint:VpcEndpoint")
        if endpoint.inputs["vpcEndpointType"] == "Interface"
    ]
    subnets = len(recording.of("ec2/subnet:Subnet"))
    assert inventory.endpoint_zones == len(interfaces) * subnets


@pytest.mark.parametrize("stage", STAGES)
def test_functions_are_as_large_and_as_warm_as_the_recorded_programs(stage: str) -> None:
    recording = declare(stage, HEARD)
    inventory = Inventory.of(recording)
    functions = {
        function.inputs["name"]: function.inputs["environment"]["variables"]["FUNCTION"]
        for function in recording.of("lambda/function:Function")
        if "FUNCTION" in function.inputs.get("environment", {}).get("variables", {})
    }
    assert inventory.memory_gib == {
        functions[function.inputs["name"]]: function.inputs["memorySize"] / 1024
        for function in recording.of("lambda/function:Function")
        if function.inputs["name"] in functions
    }
    assert inventory.warm == {
        functions[target.inputs["resourceId"].split(":")[1]]: Warm(
            low=target.inputs["minCapacity"], high=target.inputs["maxCapacity"]
        )
        for target in recording.of("appautoscaling/target:Target")
    }


def test_the_janitor_runs_every_five_minutes_and_not_at_all_while_paused() -> None:
    stage = declare("dev", HEARD)
    assert Inventory.of(stage).janitor_runs == pytest.approx(730 * 12)
    paused = [
        dataclasses.replace(rule, inputs={**rule.inputs, "state": "DISABLED"})
        for rule in stage.of("cloudwatch/eventRule:EventRule")
    ]
    others = [resource for resource in stage.resources if not resource.type.endswith(":EventRule")]
    assert Inventory.of(dataclasses.replace(stage, resources=(*others, *paused))).janitor_runs == 0


def test_the_function_that_reads_a_companys_groups_is_known() -> None:
    assert Inventory.of(declare("dev", HEARD)).token_function_gib == 0
    company = ("samlProviders", '["acme=https://login.acme.example/metadata"]')
    group = ("companyAdministrators", '["acme=groups=video-admins"]')
    stage = declare("dev", (*HEARD, company, group))
    (function,) = (each for each in stage.of("lambda/function:Function") if each.name.endswith("company-groups"))
    memory_mib = function.inputs.get("memorySize", 128)  # Lambda API reference, CreateFunction
    assert Inventory.of(stage).token_function_gib == memory_mib / 1024


def test_own_metrics_are_the_catalogues() -> None:
    inventory = Inventory.of(declare("dev", HEARD))
    assert 0 < inventory.scheduled_metrics < len(OWN_METRICS)
    names = [metric.name for metric in OWN_METRICS.values()]
    features = {
        ("malwareScan", True): sum(name.startswith("Scan") for name in names),
        ("eventBusName", "videos"): sum(DELIVERY in metric.emitters for metric in OWN_METRICS.values()),
        ("retentionDays", 365): sum(name.startswith("Retention") for name in names),
        ("renditions", True): sum(name.startswith("Rendition") for name in names),
    }
    count = inventory.scheduled_metrics + inventory.used_metrics
    assert count == len(OWN_METRICS) - sum(features.values())
    for feature, metrics in features.items():
        with_it = Inventory.of(declare("dev", (*HEARD, feature)))
        assert with_it.scheduled_metrics + with_it.used_metrics == count + metrics


def test_an_anomaly_alarm_counts_for_three() -> None:
    stage = declare("dev", HEARD)
    metric = {"metric": {"namespace": "AWS/ApiGateway", "metricName": "Count"}}
    band = {"id": "e0", "expression": "ANOMALY_DETECTION_BAND(m0, 2)"}
    alarm = Recorded(
        type="aws:cloudwatch/metricAlarm:MetricAlarm", name="new", inputs={"metricQueries": [metric, band]}
    )
    with_alarm = dataclasses.replace(stage, resources=(*stage.resources, alarm))
    assert Inventory.of(with_alarm).alarm_metrics == Inventory.of(stage).alarm_metrics + 3


def test_a_schedule_of_another_form_is_an_error() -> None:
    stage = declare("dev", HEARD)
    schedule = {"scheduleExpression": "cron(0 3 * * ? *)", "state": "ENABLED"}
    rule = Recorded(type="aws:cloudwatch/eventRule:EventRule", name="new", inputs=schedule)
    with pytest.raises(ValueError, match="unpack"):
        Inventory.of(dataclasses.replace(stage, resources=(*stage.resources, rule)))


@pytest.mark.parametrize("stage", STAGES)
def test_dashboards_show_more_metrics_than_free_ones_and_methods_have_none(stage: str) -> None:
    declared = declare(stage, HEARD)
    for dashboard in declared.of("cloudwatch/dashboard:Dashboard"):
        widgets = json.loads(dashboard.inputs["dashboardBody"])["widgets"]
        rows = [row for widget in widgets for row in widget["properties"].get("metrics", [])]
        # Namespace, name and dimensions of each; an expression has none.
        shown = {tuple(word for word in row if isinstance(word, str)) for row in rows} - {()}
        assert len(shown) > 50  # CloudWatch pricing page, "Free tier"
    for methods in declared.of("apigateway/methodSettings:MethodSettings"):
        assert methods.inputs["settings"]["metricsEnabled"] is False
    assert all(group.inputs["insightsConfiguration"]["insightsEnabled"] for group in declared.of("xray/group:Group"))
