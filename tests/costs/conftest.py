"""The default workload, the price list, and the model of each stage."""

from __future__ import annotations

import dataclasses

import pytest

from costs.model import CostModel
from costs.prices import PriceList
from costs.workload import Workload
from tests.costs.small_stage import SmallModel
from tests.infrastructure.every_setting import BILLED_WHILE_IDLE

STAGES = ("dev", "staging", "prod")


@pytest.fixture
def workload() -> Workload:
    return Workload.read()


@pytest.fixture
def prices() -> PriceList:
    return PriceList.read()


@pytest.fixture(params=STAGES)
def model(request: pytest.FixtureRequest, workload: Workload, prices: PriceList) -> CostModel:
    """Each stage in turn."""
    return CostModel(stage=request.param, workload=workload, prices=prices)


@pytest.fixture
def prod(workload: Workload, prices: PriceList) -> CostModel:
    return CostModel(stage="prod", workload=workload, prices=prices)


@pytest.fixture
def full_prod(prod: CostModel) -> CostModel:
    """Prod with all that is billed while nobody comes."""
    return dataclasses.replace(prod, settings=tuple(BILLED_WHILE_IDLE.items()))


@pytest.fixture
def dev(workload: Workload, prices: PriceList) -> CostModel:
    return CostModel(stage="dev", workload=workload, prices=prices)


@pytest.fixture
def small(workload: Workload, prices: PriceList) -> SmallModel:
    """A model that runs no program."""
    return SmallModel(workload=workload, prices=prices)
