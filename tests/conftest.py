"""The platform in memory, for tests of every level."""

import os

import hypothesis
import pytest

from tests.in_memory_platform import InMemoryPlatform, platform_in_memory

# A deadline would tell a slow machine from a fast one, and no test here is about time.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

# An output that is formatted into a string raises. Pulumi's default puts an apology into the string.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# `make test ARGS=…` hands these on to every `make` that a test starts.
for handed_on in ("ARGS", "STAGE", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"):
    os.environ.pop(handed_on, None)


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory()
