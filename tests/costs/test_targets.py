"""Targets of the specification: each is measured, and settings that would meet a missed one are found by trial."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from components.declared_stage import HEARD, Overrides, settings_of
from costs.always_on import SERVER_MEGABITS, bill_of_materials, compared
from costs.prices import Driver
from costs.report import verdict_text
from costs.targets import CHANGES, TARGETS, Change, Target, verdict
from costs.units import GB
from tests.costs.conftest import STAGES
from tests.costs.small_stage import SmallModel


def joined(changes: Sequence[Change]) -> Overrides:
    return tuple(pair for change in changes for pair in change.overrides)


def target(name: str) -> Target:
    return next(each for each in TARGETS if each.name == name)


def test_cost_per_gb_is_the_bill_over_what_is_held_and_over_what_was_uploaded(small: SmallModel) -> None:
    bill = small.bill()
    held, uploaded = target("Cost per GB"), target("Cost per GB, uploaded")
    assert held.measure(bill) == pytest.approx(bill.usd / (bill.month.stored.video_bytes / GB))
    # 15 GB a day
    assert uploaded.measure(bill) == pytest.approx(bill.usd / (15 * 730 / 24))
    assert held.wanted == uploaded.wanted == 0.23


def test_servers_are_sized_by_the_peak(small: SmallModel) -> None:
    parts = {part.item: part for part in bill_of_materials(small.workload, small.prices)}
    # 1,247 uploads of 10 Mbit/s over 6,250 Mbit/s used to 70 %: 2.9, so 3 and a spare one
    assert SERVER_MEGABITS == 6_250
    assert parts["upload servers"].count == 4
    assert parts["upload servers"].usd == pytest.approx(4 * 730 * 0.1424)
    twice = dataclasses.replace(small.workload, peak_concurrent_uploads=2 * 1_247.0)
    assert next(iter(bill_of_materials(twice, small.prices))).count == 7


def test_both_sides_pay_the_same_for_what_servers_do_not_replace(small: SmallModel) -> None:
    bill = small.bill()
    running, whole = compared(bill)
    shared = bill.usd - bill.of(Driver.LAMBDA, Driver.API, Driver.NETWORK)
    assert running.always_on_usd == sum(part.usd for part in bill_of_materials(small.workload, small.prices))
    assert whole.always_on_usd == pytest.approx(shared + running.always_on_usd)
    assert whole.saving_percent == pytest.approx(100 * (1 - bill.usd / whole.always_on_usd))
    assert whole.saving_percent < running.saving_percent


def test_a_setting_that_meets_a_missed_target_alone_is_named_and_really_does(small: SmallModel) -> None:
    wanted = target("Saving, what runs")
    found = verdict(small, wanted)
    assert found
    own, ((change,), figure, missing), *_ = found
    assert own.missing > 0
    assert str(change).startswith("provisionedConcurrency: 0")
    assert wanted.measure(small.bill(change.overrides)) == figure
    assert missing <= 0


def test_settings_that_only_together_meet_a_target_are_no_more_than_needed(small: SmallModel) -> None:
    bill = small.bill()

    # Below what the best single change reaches, so that two are needed.
    no_warm = small.bill((("provisionedConcurrency", 0), ("provisionedConcurrencyMax", 0))).usd
    wanted = Target("", "", no_warm - 1, "lower", lambda bill: bill.usd)
    found = verdict(small, wanted)
    assert found
    own, (together, usd, _) = found
    assert own.reached == bill.usd
    assert len(together) == 2
    assert small.bill(joined(together)).usd == usd
    assert usd <= wanted.wanted


def test_a_target_out_of_reach_is_told_with_the_best_combination(small: SmallModel) -> None:
    wanted = Target("", "", 1.0, "lower", lambda bill: bill.usd)
    found = verdict(small, wanted)
    assert found
    own, (together, usd, _) = found
    assert usd == small.bill(joined(together)).usd
    assert 1.0 < usd < own.reached
    settings = {key for change in together for key, _ in change.overrides}
    assert {"provisionedConcurrency", "network", "waf", "threatProtection"} <= settings


@pytest.mark.parametrize("stage", STAGES)
def test_no_change_is_left_untried_because_the_stage_refuses_it(stage: str) -> None:
    for change in CHANGES:
        assert settings_of(stage, (*HEARD, *change.overrides))


def test_settings_that_the_stage_refuses_are_not_proposed(small: SmallModel, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = Change("videos", (("protect", False),))
    monkeypatch.setattr("costs.targets.CHANGES", (refused,))
    found = verdict(small, target("Saving"))
    assert found
    own, way = found
    assert way == own
    assert own.missing > 0
    said = verdict_text(target("Saving"), found)
    assert "no setting helps" in said
    assert "together" not in said


def test_a_workload_of_nothing_has_no_cost_per_gb(small: SmallModel) -> None:
    idle = dataclasses.replace(small, workload=small.workload.idle())
    assert verdict(idle, target("Cost per GB")) == []
