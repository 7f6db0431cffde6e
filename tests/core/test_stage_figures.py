"""What only AWS can tell about a stage."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.world import World


def test_scaling_is_counted_over_the_last_day_only(world: World) -> None:
    world.scaling.moments = [world.clock() - timedelta(hours=hours) for hours in (1, 23, 25)]
    world.stage_figures.record()
    assert world.meter.values["scaling_activities_count"] == [2]


def test_without_provisioned_capacity_nothing_is_scaled(world: World) -> None:
    replace(world.stage_figures, scaling=None).record()
    assert world.meter.values["scaling_activities_count"] == [0]


def test_the_bill_of_the_last_thirty_days_is_asked_for_once_a_day(world: World) -> None:
    for _ in range(3):
        world.stage_figures.record()
    assert world.bill.asked == [(date(2026, 1, 1), date(2026, 1, 31))]
    assert world.meter.values["month_cost_usd"] == [30]
    world.clock.pass_time(days=1)
    world.stage_figures.record()
    assert world.bill.asked[1:] == [(date(2026, 1, 2), date(2026, 2, 1))]


def test_two_janitors_at_once_ask_for_the_bill_once(world: World) -> None:
    world.stage_figures.record()
    world.clock.pass_time(days=1)
    stale = world.metadata.get("figures/month-cost.json")
    world.stage_figures.record()
    world.metadata.get = lambda key: stale
    world.stage_figures.record()
    assert len(world.bill.asked) == 2


def test_a_bill_that_cannot_be_had_is_missed_at_every_run_but_not_asked_for_again_that_day(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.bill.fails = True
    for _ in range(3):
        world.stage_figures.record()
    assert len(world.bill.asked) == 1
    assert world.meter.values["janitor_failures_count"] == [1, 1, 1], "one a day would never ring"
    assert all("PermissionError" in str(record.exc_info) for record in caplog.records), "each says why"
    assert "month_cost_usd" not in world.meter.values
    assert len(world.meter.values["scaling_activities_count"]) == 3
    world.bill.fails = False
    world.clock.pass_time(days=1)
    for _ in range(2):
        world.stage_figures.record()
    assert world.meter.values["month_cost_usd"] == [30]
    assert len(world.meter.values["janitor_failures_count"]) == 3


def test_where_nobody_asks_for_the_bill_nothing_is_noted(world: World) -> None:
    replace(world.stage_figures, bill=None).record()
    assert not world.metadata.objects
