"""Nothing that the program declares is forgotten on the bill."""

from __future__ import annotations

import tomllib

import pytest

from components.declared_stage import HEARD, declare
from costs.always_on import bill_of_materials
from costs.model import CostModel
from costs.prices import PriceList
from costs.workload import Workload
from tests.costs.conftest import STAGES
from tests.infrastructure.recorded_program import PROJECT

BILLED: dict[str, dict[str, list[str]]] = tomllib.loads((PROJECT / "costs" / "billed_resources.toml").read_text())
PRICES_BY_TYPE, FREE_BY_TYPE = BILLED["priced"], BILLED["free"]


@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_resource_has_a_price_or_a_reason_to_have_none(stage: str) -> None:
    declared = {resource.type for resource in declare(stage, HEARD).resources}
    assert not declared - set(PRICES_BY_TYPE) - set(FREE_BY_TYPE)


def test_no_type_is_both_billed_and_free() -> None:
    assert not set(PRICES_BY_TYPE) & set(FREE_BY_TYPE)


def test_every_price_that_a_type_names_exists_and_every_price_is_used(prices: PriceList, workload: Workload) -> None:
    of_types = {key for keys in PRICES_BY_TYPE.values() for key in keys}
    of_servers = {part.price.key for part in bill_of_materials(workload, prices)}
    assert of_types | of_servers == set(prices.by_key)


@pytest.mark.parametrize("stage", STAGES)
def test_a_bill_has_a_line_for_every_price_of_the_types_it_declares(
    stage: str, prices: PriceList, workload: Workload
) -> None:
    """But for alternatives: one tier of users, one class of edge locations, acceleration only where it is on."""
    declared = declare(stage, HEARD)
    bill = CostModel(stage=stage, workload=workload, prices=prices).bill()
    lines = {line.price.key for line in bill.lines}
    wanted = {key for resource in declared.resources for key in PRICES_BY_TYPE.get(resource.type, ())}
    alternatives = {"cognito.users_essentials", "cognito.users_plus"}
    optional = {key for key in wanted if key.startswith(("cloudfront.transfer_", "cloudfront.requests_", "s3.tier"))}
    optional |= {"s3.infrequent_tier_storage", "s3.archive_instant_tier_storage"}
    assert not wanted - lines - alternatives - optional
    assert len(lines & alternatives) == 1
    assert "cloudfront.transfer_europe" in lines
