"""Alarms ring when something is wrong, and only then: simulated by the metric math of the local platform."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import pytest

from components.observability.alarms import Alarm, CompositeAlarm, alarms_of
from components.observability.figures import figures_of
from components.observability.metrics import Metric
from local.status.metric_math import evaluate
from tests.infrastructure.monitored_stage import ANY_STAGE, widgets
from tests.infrastructure.recorded_program import Recording, record

STEP_SECONDS = 300
HOUR_STEPS, DAY_STEPS = 12, 288
COMPARISONS = {
    "GreaterThanThreshold",
    "LessThanThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerThreshold",
}

MAX_OPEN_UPLOADS = 20
"""Open uploads that one user may have."""


def all_alarms(*, paused: bool = False) -> list[Alarm | CompositeAlarm]:
    return alarms_of(ANY_STAGE, paused=paused, max_open_uploads=MAX_OPEN_UPLOADS)


Traffic = Mapping[str, Sequence[float]]
"""Values of each metric, one for each five minutes; a metric that is not named has no data."""


def of_api(*spans: tuple[int, float, float]) -> Traffic:
    """(steps, calls in each, failed of these)."""
    counts = list(chain.from_iterable(repeat(calls, steps) for steps, calls, _ in spans))
    errors = list(chain.from_iterable(repeat(failed, steps) for steps, _, failed in spans))
    return {"Count": counts, "5XXError": errors}


def of_uploads(*spans: tuple[int, float, float, float]) -> Traffic:
    """(steps, ready in each, failed in each, expired of these)."""
    columns = [list(chain.from_iterable(repeat(span[at], span[0]) for span in spans)) for at in (1, 2, 3)]
    return dict(zip(("UploadsReady", "UploadsFailed", "UploadsExpired"), columns, strict=True))


def ringing(traffic: Traffic) -> dict[str, list[int]]:
    """Map each alarm that notifies somebody to the steps at which it is in ALARM."""
    alarms = all_alarms()
    stands = {
        alarm.name: standing(alarm, traffic)
        for alarm in alarms
        if isinstance(alarm, Alarm) and alarm.threshold is not None and alarm.silence_is_fine
    }
    silent = {alarm.name for alarm in alarms if isinstance(alarm, Alarm) and not alarm.notifies}
    calling = {name: steps for name, steps in stands.items() if name not in silent}
    for alarm in alarms:
        if isinstance(alarm, CompositeAlarm):
            calling[alarm.name] = [
                all(at_once) for at_once in zip(*(stands[each.name] for each in alarm.alarms), strict=True)
            ]
    return {name: [step for step, rings in enumerate(steps) if rings] for name, steps in calling.items() if any(steps)}


def standing(alarm: Alarm, traffic: Traffic) -> list[bool]:
    """At each step, looking back over periods that end there, as CloudWatch does; missing is not breaching."""
    steps = len(next(iter(traffic.values())))
    width = alarm.period_seconds // STEP_SECONDS
    series = [tuple(windows(metric, traffic, steps, width)) for metric in alarm.metrics]
    values = evaluate(alarm.expression or "m0", series)
    threshold = alarm.threshold
    assert threshold is not None
    breaching = [
        value is not None and (value < threshold if alarm.comparison == "LessThanThreshold" else value > threshold)
        for value in values
    ]
    least = alarm.datapoints or alarm.periods
    return [sum(breaching[at::-width][: alarm.periods]) >= least for at in range(steps)]


def windows(metric: Metric, traffic: Traffic, steps: int, width: int) -> list[float | None]:
    values = traffic.get(metric.name)
    if values is None:
        return [None] * steps
    whole = [values[max(0, at + 1 - width) : at + 1] for at in range(steps)]
    if metric.statistic == "Sum":
        return [sum(window) for window in whole]
    assert width == 1 or metric.statistic == "Maximum", "what the other statistics are of several steps is not known"
    return [max(window) for window in whole]


def test_one_failed_call_of_a_quiet_night_calls_nobody() -> None:
    for calls_per_step in (1, 2, 5, 12):
        night = of_api((HOUR_STEPS * 6, calls_per_step, 0), (1, calls_per_step, 1), (HOUR_STEPS * 6, calls_per_step, 0))
        assert ringing(night) == {}, f"{calls_per_step} calls in five minutes"


def test_an_outage_of_a_quiet_night_calls_somebody() -> None:
    night = of_api((HOUR_STEPS * 6, 2, 0), (HOUR_STEPS, 2, 2))
    begins = HOUR_STEPS * 6
    assert ringing(night)["api-errors-fast-burn"][0] - begins < 3, "within a quarter of an hour"


def test_an_outage_of_a_busy_day_rings_at_once_and_is_over_when_it_is_over() -> None:
    day = of_api((HOUR_STEPS * 6, 5_000, 0), (4, 5_000, 2_500), (HOUR_STEPS * 7, 5_000, 0))
    begins = HOUR_STEPS * 6
    assert ringing(day)["api-errors-fast-burn"] == list(range(begins, begins + 4))


def test_a_slow_leak_rings_though_no_hour_is_bad() -> None:
    leak = of_api((DAY_STEPS, 1_000, 0), (DAY_STEPS, 1_000, 8))
    rings = ringing(leak)
    assert set(rings) == {"api-errors-slow-burn"}
    assert 4 * HOUR_STEPS < rings["api-errors-slow-burn"][0] - DAY_STEPS < 6 * HOUR_STEPS


def test_failures_within_the_budget_set_off_no_alarm() -> None:
    assert ringing(of_api((DAY_STEPS, 3_000, 3))) == {}


def test_lost_uploads_ring_and_abandoned_ones_do_not() -> None:
    closed_laptops = of_uploads((DAY_STEPS, 3, 3, 3))
    assert ringing(closed_laptops) == {}
    one_lost = of_uploads((HOUR_STEPS * 6, 3, 0, 0), (1, 3, 1, 0), (HOUR_STEPS * 6, 3, 0, 0))
    assert ringing(one_lost) == {}
    lost = of_uploads((HOUR_STEPS * 6, 3, 0, 0), (HOUR_STEPS, 0, 3, 0))
    assert set(ringing(lost)) == {"upload-success-fast-burn", "upload-success-slow-burn"}


def of_clients(*, told_failed: float, started: float, completed: float, aborted: float = 0) -> Traffic:
    """All of it in one step after a quiet hour. Who makes failures up makes up beginnings, too."""
    names = {"Started": started, "Completed": completed, "Aborted": aborted}
    told = {"ClientUploadsFailed": told_failed, "ClientUploadsBegan": 20}
    return {
        name: [*[0] * HOUR_STEPS, count]
        for name, count in {**told, **{f"Uploads{step}": count for step, count in names.items()}}.items()
    }


def test_failures_that_one_user_makes_up_ring_nothing() -> None:
    one_call = of_clients(told_failed=5, started=0, completed=0)
    assert ringing(one_call) == {}
    assert ringing(of_clients(told_failed=25_000, started=30, completed=28)) == {}
    all_that_may_be_open = of_clients(told_failed=25_000, started=40, completed=0, aborted=40 - MAX_OPEN_UPLOADS)
    assert ringing(all_that_may_be_open) == {}


def test_clients_that_fail_and_leave_their_uploads_open_ring() -> None:
    broken_page = of_clients(told_failed=30, started=60, completed=30)
    assert set(ringing(broken_page)) == {"client-failures"}
    assert ringing(of_clients(told_failed=30, started=600, completed=570)) == {}, "a twentieth of a busy hour"


def test_a_stage_on_which_nothing_happens_is_quiet() -> None:
    idle: Traffic = {
        name: [0] * DAY_STEPS
        for name in ("UploadsReady", "UploadsFailed", "UploadsExpired", "UploadsStuck", "JanitorFailures")
    }
    assert ringing(idle) == {}


def test_a_failure_that_lasts_rings_and_a_passing_one_does_not() -> None:
    assert ringing({"JanitorFailures": [0, 1, 0, 0]}) == {}
    assert ringing({"JanitorFailures": [0, 1, 1, 0]}) == {"janitor-failures": [2, 3]}


def test_slow_calls_ring_only_where_there_are_enough_of_them() -> None:
    assert ringing({"Latency": [900] * 12, "Count": [5] * 12}) == {}
    assert ringing({"Latency": [900] * 3 + [80], "Count": [500] * 4}) == {"api-latency": [2]}


def test_an_outage_that_refuses_everybody_rings_and_a_few_refusals_do_not() -> None:
    assert set(ringing({**of_api((6, 30, 0)), "4XXError": [30] * 6})) == {"api-refusals"}
    assert ringing({**of_api((6, 30, 0)), "4XXError": [9] * 6}) == {}
    one_client_in_a_quiet_night = {**of_api((6, 10, 0)), "4XXError": [10] * 6}
    assert ringing(one_client_in_a_quiet_night) == {}


def test_silence_that_alarms_is_a_value_that_cloudwatch_cannot_skip() -> None:
    """CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data": it goes by the most recent points
    of several periods as long as there are any."""
    silent = [each for each in all_alarms() if isinstance(each, Alarm) and not each.silence_is_fine]
    assert [alarm.name for alarm in silent] == ["janitor-silent"]
    for alarm in silent:
        assert alarm.expression
        assert evaluate(alarm.expression, [(6.0, 1.0, None)]) == (6.0, 1.0, 0.0)
        assert alarm.threshold == 1
        assert alarm.comparison == "LessThanThreshold"


def test_a_paused_stage_has_no_alarm_that_would_stand_until_its_end() -> None:
    paused = {alarm.name for alarm in all_alarms(paused=True)}
    running = {alarm.name for alarm in all_alarms()}
    assert paused < running
    # Refused calls are answered by 500, events go to the dead-letter queue at once, and the schedule stands still.
    burns = {f"api-errors-{ending}" for ending in ("hour", "now", "fast-burn", "slow-burn")}
    assert running - paused == burns | {"failed-events", "function-throttles", "janitor-silent", "notifications-late"}


def test_cloudwatch_would_take_every_alarm(recording: Recording) -> None:
    """CloudWatch API reference, PutMetricAlarm and MetricDataQuery."""
    for alarm in recording.of("cloudwatch/metricAlarm:MetricAlarm"):
        given: Mapping[str, Any] = alarm.inputs
        queries: list[dict[str, Any]] = given["metricQueries"]
        metrics = [query["metric"] for query in queries if "metric" in query]
        expressions = {query["id"]: query["expression"] for query in queries if query.get("expression")}
        assert all(re.fullmatch(r"[a-z][a-zA-Z0-9_]*", query["id"]) for query in queries)
        assert len({query["id"] for query in queries}) == len(queries)
        assert 1 <= len(metrics) <= 10
        assert given["comparisonOperator"] in COMPARISONS
        assert 1 <= given["datapointsToAlarm"] <= given["evaluationPeriods"]
        assert len(given["alarmDescription"]) <= 1024
        assert not any("SEARCH" in expression or "METRICS" in expression for expression in expressions.values())
        (period,) = {metric["period"] for metric in metrics}
        assert period % 60 == 0
        assert period * given["evaluationPeriods"] <= (7 * 86_400 if period >= 3_600 else 86_400)
        returned = [query["id"] for query in queries if query["returnData"]]
        if band := given.get("thresholdMetricId"):
            assert given.get("threshold") is None
            assert returned == ["m0", band]
            assert re.fullmatch(r"ANOMALY_DETECTION_BAND\(m0, \d+(\.\d+)?\)", expressions[band])
            assert given["comparisonOperator"].endswith(("UpperThreshold", "LowerThreshold"))
        else:
            assert isinstance(given["threshold"], (int, float))
            assert len(returned) == 1
            assert given["comparisonOperator"] in {"GreaterThanThreshold", "LessThanThreshold"}


def test_a_composite_names_alarms_that_are_there_and_that_call_nobody_themselves(prod: Recording) -> None:
    alarms = {alarm.inputs["name"]: alarm for alarm in prod.of("cloudwatch/metricAlarm:MetricAlarm")}
    composites = prod.of("cloudwatch/compositeAlarm:CompositeAlarm")
    assert composites
    for composite in composites:
        rule = composite.inputs["alarmRule"]
        assert re.fullmatch(r'ALARM\("[\w-]+"\)( AND ALARM\("[\w-]+"\))+', rule)
        for name in re.findall(r'"([\w-]+)"', rule):
            assert alarms[name].inputs["alarmActions"] == []
            assert alarms[name].urn in prod.before(composite), "CloudWatch refuses a rule over what is not there"


def test_without_alarms_and_dashboard_nobody_pays_for_their_metrics(dev: Recording) -> None:
    for kind in ("metricAlarm:MetricAlarm", "compositeAlarm:CompositeAlarm", "dashboard:Dashboard"):
        assert dev.of(f"cloudwatch/{kind}") == []
    assert dev.of("cloudfront/monitoringSubscription:MonitoringSubscription") == []
    monitored = record("dev", overrides={"dashboard": True})
    assert monitored.of("cloudfront/monitoringSubscription:MonitoringSubscription")
    (dashboard,) = monitored.of("cloudwatch/dashboard:Dashboard")
    assert '"type": "alarm"' not in dashboard.inputs["dashboardBody"], "a widget of no alarms is refused"


@pytest.mark.parametrize("paused", [True, False])
def test_names_of_alarms_are_their_own(paused: bool) -> None:
    names = [alarm.name for alarm in all_alarms(paused=paused)]
    assert len(names) == len(set(names))


def test_a_figure_a_day_is_one_whatever_range_is_looked_at(prod: Recording) -> None:
    (dashboard,) = prod.of("cloudwatch/dashboard:Dashboard")
    assert '"periodOverride": "inherit"' in dashboard.inputs["dashboardBody"]
    by_title = {widget["properties"].get("title"): widget["properties"] for widget in widgets(prod)}
    for figure in figures_of(ANY_STAGE):
        shown = by_title[f"{figure.title} ({figure.unit})"]
        assert shown["period"] == figure.period_seconds
        assert (shown.get("start") == "-P14D") == (figure.period_seconds == 86_400), "or the chart is empty"


def test_the_gateways_own_latency_is_right_though_calls_are_refused_before_their_function() -> None:
    (figure,) = (each for each in figures_of(ANY_STAGE) if each.key == "api-gateway-latency")
    served, refused, gateway_milliseconds, function_milliseconds = 100, 300, 12, 80
    latency = served * (gateway_milliseconds + function_milliseconds) + refused * gateway_milliseconds
    points = [(float(latency),), (float(served * function_milliseconds),), (float(served + refused),)]
    assert figure.expression
    assert evaluate(figure.expression, points) == (gateway_milliseconds,)


def test_costs_that_the_bill_does_not_show_yet_are_not_counted_as_nothing() -> None:
    (figure,) = (each for each in figures_of(ANY_STAGE) if each.key == "cost-per-gb")
    assert figure.expression
    dollars, one_tier, without_data = (12.0, None, 12.0), (60e9, 60e9, None), (None, None, None)
    points = [dollars, one_tier, *([without_data] * (len(figure.metrics) - 2))]
    assert evaluate(figure.expression, points) == (0.2, None, None)


def test_a_day_on_which_more_was_deleted_than_came_is_seen(prod: Recording) -> None:
    (widget,) = (each for each in widgets(prod) if "Storage growth" in each["properties"].get("title", ""))
    assert "min" not in widget["properties"]["yAxis"]["left"]
