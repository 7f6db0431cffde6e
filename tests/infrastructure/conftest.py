"""One recording per stage and process: the whole program runs once, every test reads it."""

from __future__ import annotations

import pytest

from tests.infrastructure.every_setting import BILLED_WHILE_IDLE
from tests.infrastructure.recorded_program import STAGES, Recording, record


@pytest.fixture(params=STAGES)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn."""
    return record(request.param)


@pytest.fixture(params=STAGES)
def preview(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn, as `pulumi preview` sees it before anything exists."""
    return record(request.param, preview=True)


@pytest.fixture
def prod() -> Recording:
    return record("prod")


@pytest.fixture
def full_prod() -> Recording:
    """Prod with all that is billed while nobody comes."""
    return record("prod", overrides=BILLED_WHILE_IDLE)


@pytest.fixture
def staging() -> Recording:
    return record("staging")


@pytest.fixture
def dev() -> Recording:
    return record("dev")


@pytest.fixture
def measured_prod() -> Recording:
    """Prod with everything that has metrics of its own."""
    return record("prod", overrides={"malwareScan": True, "retentionDays": 365, "renditions": True})
