"""Figures of a stage that only AWS knows."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.in_memory_platform import InMemoryPlatform


def test_scaling_is_counted_over_the_last_day_only(platform: InMemoryPlatform) -> None:
    platform.scaling.moments = [platform.clock() - timedelta(hours=hours) for hours in (1, 23, 25)]
    platform.stage_figures.record()
    assert platform.meter.values["scaling_activities_count"] == [2]


def test_without_provisioned_capacity_nothing_is_scaled(platform: InMemoryPlatform) -> None:
    replace(platform.stage_figures, scaling=None).record()
    assert platform.meter.values["scaling_activities_count"] == [0]


def test_the_bill_of_the_last_thirty_days_is_asked_for_once_a_day(platform: InMemoryPlatform) -> None:
    for _ in range(3):
        platform.stage_figures.record()
    assert platform.bill.asked == [(date(2026, 1, 1), date(2026, 1, 31))]
    assert platform.meter.values["month_cost_usd"] == [30]
    platform.clock.pass_time(days=1)
    platform.stage_figures.record()
    assert platform.bill.asked[1:] == [(date(2026, 1, 2), date(2026, 2, 1))]


def test_two_janitors_at_once_ask_for_the_bill_once(platform: InMemoryPlatform) -> None:
    platform.stage_figures.record()
    platform.clock.pass_time(days=1)
    stale = platform.metadata.get("figures/month-cost.json")
    platform.stage_figures.record()
    platform.metadata.get = lambda key: stale  # pyrefly: ignore[method-assign]
    platform.stage_figures.record()
    assert len(platform.bill.asked) == 2


def test_a_bill_that_cannot_be_had_is_missed_at_every_run_but_not_asked_for_again_that_day(
    platform: InMemoryPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    platform.bill.fails = True
    for _ in range(3):
        platform.stage_figures.record()
    assert len(platform.bill.asked) == 1
    assert platform.meter.values["janitor_failures_count"] == [1, 1, 1], "one a day would never ring"
    assert all("PermissionError" in str(record.exc_info) for record in caplog.records), "each says why"
    assert "month_cost_usd" not in platform.meter.values
    assert len(platform.meter.values["scaling_activities_count"]) == 3
    platform.bill.fails = False
    platform.clock.pass_time(days=1)
    for _ in range(2):
        platform.stage_figures.record()
    assert platform.meter.values["month_cost_usd"] == [30]
    assert len(platform.meter.values["janitor_failures_count"]) == 3


def test_nothing_is_noted_if_nobody_asks_for_the_bill(platform: InMemoryPlatform) -> None:
    replace(platform.stage_figures, bill=None).record()
    assert not platform.metadata.objects
