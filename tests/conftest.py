"""The platform in memory, for whoever claims something about it."""

import hypothesis
import pytest

from tests.world import World, world_in_memory

# A deadline would tell a slow machine from a fast one, and no claim here is about time.
hypothesis.settings.register_profile("claims", deadline=None)
hypothesis.settings.load_profile("claims")


@pytest.fixture
def world() -> World:
    return world_in_memory()
