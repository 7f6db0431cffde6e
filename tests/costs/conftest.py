"""The default workload, the price list, and the model of each stage."""

from __future__ import annotations

import functools

import pytest

from costs.model import CostModel
from costs.prices import PriceList
from costs.workload import Workload
from tests.infrastructure.recorded_program import Recording, record

STAGES = ("dev", "staging", "prod")


@functools.cache
def recorded(stage: str) -> Recording:
    """The whole program as the tests of the infrastructure see it."""
    return record(stage)


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
def dev(workload: Workload, prices: PriceList) -> CostModel:
    return CostModel(stage="dev", workload=workload, prices=prices)
