"""The platform in memory, for whoever claims something about it."""

import pytest

from tests.world import World, world_in_memory


@pytest.fixture
def world() -> World:
    return world_in_memory()
