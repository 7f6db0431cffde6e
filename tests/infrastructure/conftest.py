"""One recording per stage and session: the whole program runs once, every test reads it."""

from __future__ import annotations

import functools

import pytest

from tests.infrastructure.recorded_program import STAGES, Recording, record


@functools.cache
def _recorded(stage: str, preview: bool) -> Recording:
    return record(stage, preview=preview)


@pytest.fixture(params=STAGES)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn."""
    return _recorded(request.param, preview=False)


@pytest.fixture(params=STAGES)
def preview(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn, as `pulumi preview` sees it before anything exists."""
    return _recorded(request.param, preview=True)


@pytest.fixture
def prod() -> Recording:
    return _recorded("prod", preview=False)


@pytest.fixture
def staging() -> Recording:
    return _recorded("staging", preview=False)


@pytest.fixture
def dev() -> Recording:
    return _recorded("dev", preview=False)
