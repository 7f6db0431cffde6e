"""Each strategy saves, or says why it does not."""

from __future__ import annotations

import dataclasses

from costs.model import CostModel
from costs.month import instances_at_peak
from costs.strategies import Effect, effects


def by_name(model: CostModel) -> dict[str, Effect]:
    return {effect.strategy: effect for effect in effects(model)}


def test_the_five_of_the_specification_are_there_and_none_costs_more_than_it_saves(model: CostModel) -> None:
    found = list(effects(model))
    assert [effect.strategy for effect in found] == [
        "Reserved Concurrency: 0",
        "Lifecycle Policies",
        "Intelligent Tiering",
        "CDN Price Classes",
        "Auto-scaling",
    ]
    for effect in found:
        assert effect.saved_usd >= 0
        assert (
            effect.saved_usd > 0
            or "not in use" in effect.assumed
            or "already" in effect.assumed
            or ("nothing is provisioned" in effect.assumed)
        )


def test_prod_saves_by_paying_per_use_tiering_expiry_and_scaling(full_prod: CostModel) -> None:
    found = by_name(full_prod)
    for strategy in ("Reserved Concurrency: 0", "Lifecycle Policies", "Intelligent Tiering", "Auto-scaling"):
        assert found[strategy].saved_usd > 0
    # Prod takes the widest price class: nothing is saved by it, and the other way is told.
    assert found["CDN Price Classes"].saved_usd == 0
    assert "PriceClass_100" in found["CDN Price Classes"].assumed


def test_a_stage_that_provisions_nothing_has_nothing_to_scale(dev: CostModel) -> None:
    found = by_name(dev)
    assert found["Auto-scaling"].saved_usd == 0
    assert found["Reserved Concurrency: 0"].saved_usd > 0
    assert "it is off already" in found["Intelligent Tiering"].assumed


def test_the_peak_takes_as_many_instances_as_calls_overlap(prod: CostModel) -> None:
    workload = dataclasses.replace(
        prod.workload,
        peak_concurrent_uploads=700.0,
        peak_users=0.0,
        peak_seconds=10.0,
        function_milliseconds=dict.fromkeys(prod.workload.function_milliseconds, 100.0),
    )
    # 70 calls a second of 0.1 s keep 7 instances at work: 10 at 70 %; three polls an upload for the first
    assert instances_at_peak(workload) == {
        "video_upload": 30,
        "multipart_init": 10,
        "multipart_complete": 10,
        "upload_token_authorizer": 10,
    }


def test_without_lifecycle_policies_the_month_costs_more_the_older_the_stage(prod: CostModel) -> None:
    older = dataclasses.replace(prod, workload=dataclasses.replace(prod.workload, months_in_operation=48.0))
    assert by_name(older)["Lifecycle Policies"].saved_usd > by_name(prod)["Lifecycle Policies"].saved_usd
