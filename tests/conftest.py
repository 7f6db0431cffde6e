"""The platform in memory, for whoever claims something about it."""

import hypothesis
import pytest

from tests.in_memory_platform import InMemoryPlatform, platform_in_memory

# A deadline would tell a slow machine from a fast one, and no claim here is about time.
hypothesis.settings.register_profile("claims", deadline=None)
hypothesis.settings.load_profile("claims")


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory()
