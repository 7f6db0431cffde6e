"""Inventory of the cost model: its counts match the recorded program."""

from __future__ import annotations

import dataclasses
import json

import pytest

from chalicelib.core.metric_catalogue import OWN_METRICS
from components.compute.function_table import FUNCTIONS
from components.declared_stage import HEARD, declare
from components.program_recorder import Recorded
from costs.errors import ProgramChangedError
from costs.inventory import Inventory
from tests.costs.conftest import STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_counts_are_those_of_the_recorded_program(stage: str) -> None:
    recording = declare(stage, HEARD)
    inventory = Inventory.of(recording)
    assert inventory.keys == len(recording.of("kms/key:Key"))
    assert inventory.dashboards == len(recording.of("cloudwatch/dashboard:Dashboard"))
    assert inventory.composite_alarms == len(recording.of("cloudwatch/compositeAlarm:CompositeAlarm"))
    assert inventory.alarm_metrics >= len(recording.of("cloudwatch/metricAlarm:MetricAlarm"))
    assert set(inventory.memory_gib) == set(FUNCTIONS)
    interfaces = [
        endpoint
        for endpoint in recording.of("ec2/vpcEndpoint:VpcEndpoint")
        if endpoint.inputs["vpcEndpointType"] == "Interface"
    ]
    subnets = len(recording.of("ec2/subnet:Subnet"))
    assert inventory.endpoint_zones == len(interfaces) * subnets


def test_prod_keeps_instances_warm_as_its_settings_say() -> None:
    inventory = Inventory.of(declare("prod", HEARD))
    settings = inventory.settings
    assert len(inventory.warm) == 4
    assert {warm.low for warm in inventory.warm.values()} == {settings.compute.provisioned_concurrency}
    assert {warm.high for warm in inventory.warm.values()} == {settings.compute.provisioned_concurrency_max}


def test_the_janitor_runs_every_five_minutes_and_not_at_all_while_paused() -> None:
    stage = declare("dev", HEARD)
    assert Inventory.of(stage).janitor_runs == pytest.approx(730 * 12)
    paused = [
        dataclasses.replace(rule, inputs={**rule.inputs, "state": "DISABLED"})
        for rule in stage.of("cloudwatch/eventRule:EventRule")
    ]
    others = [resource for resource in stage.resources if not resource.type.endswith(":EventRule")]
    assert Inventory.of(dataclasses.replace(stage, resources=(*others, *paused))).janitor_runs == 0


def test_own_metrics_are_the_catalogues() -> None:
    inventory = Inventory.of(declare("dev", HEARD))
    assert inventory.scheduled_metrics + inventory.used_metrics == len(OWN_METRICS)
    assert 0 < inventory.scheduled_metrics < len(OWN_METRICS)


def test_an_anomaly_alarm_counts_for_three() -> None:
    stage = declare("dev", HEARD)
    metric = {"metric": {"namespace": "AWS/ApiGateway", "metricName": "Count"}}
    band = {"id": "e0", "expression": "ANOMALY_DETECTION_BAND(m0, 2)"}
    alarm = Recorded(
        type="aws:cloudwatch/metricAlarm:MetricAlarm", name="new", inputs={"metricQueries": [metric, band]}
    )
    with_alarm = dataclasses.replace(stage, resources=(*stage.resources, alarm))
    assert Inventory.of(with_alarm).alarm_metrics == Inventory.of(stage).alarm_metrics + 3


def test_a_function_that_no_workload_speaks_of_is_an_error() -> None:
    stage = declare("dev", HEARD)
    function = Recorded(
        type="aws:lambda/function:Function",
        name="compute-transcoder",
        inputs={"environment": {"variables": {"FUNCTION": "transcoder"}}},
    )
    with pytest.raises(ProgramChangedError, match="transcoder"):
        Inventory.of(dataclasses.replace(stage, resources=(*stage.resources, function)))


def test_prods_trail_keeps_management_events_and_stagings_does_not() -> None:
    assert [Inventory.of(declare(stage, HEARD)).management_trails for stage in ("staging", "prod")] == [0, 1]


@pytest.mark.parametrize(("count", "is_large"), [(50, False), (51, True)])
def test_a_dashboard_is_large_by_the_different_metrics_it_shows(count: int, *, is_large: bool) -> None:
    stage = declare("dev", HEARD)
    # Each shown twice, by two statistics; an expression is no metric.
    rows = [
        [*("VideoUpload", f"M{number}", "Stage", "dev"), {"stat": stat}] for number in range(count) for stat in "ab"
    ]
    body = {
        "widgets": [{"properties": {"markdown": "#"}}, {"properties": {"metrics": [*rows, [{"expression": "m0"}]]}}]
    }
    dashboard = Recorded(
        type="aws:cloudwatch/dashboard:Dashboard", name="new", inputs={"dashboardBody": json.dumps(body)}
    )
    with_dashboard = dataclasses.replace(stage, resources=(*stage.resources, dashboard))
    assert Inventory.of(with_dashboard).has_large_dashboard is is_large
