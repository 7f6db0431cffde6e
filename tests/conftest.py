"""The platform in memory, for tests of every level."""

import functools
import gc
import itertools
import os
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import botocore.session
import hypothesis
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sign_in import signing_key, users
from tests.distribution import SharedScopes, turn
from tests.in_memory_platform import InMemoryPlatform, platform_in_memory

# A deadline would tell a slow machine from a fast one, and no test here is about time.
hypothesis.settings.register_profile("no_deadline", deadline=None)
hypothesis.settings.load_profile("no_deadline")

# An output that is formatted into a string raises. Pulumi's default puts an apology into the string.
os.environ["PULUMI_ERROR_OUTPUT_STRING"] = "true"

# Collected tests live to the end of the run: the garbage collector's passes over them were a third of collecting.
gc.set_threshold(100_000, 50, 1_000)

# `make test ARGS=…` hands these on to every `make` that a test starts.
for handed_on in ("ARGS", "STAGE", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"):
    os.environ.pop(handed_on, None)


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory()


@pytest.fixture(scope="session", autouse=True)
def quick_sign_ins() -> Iterator[None]:
    """Cheap hashes and a few keys in turn: making both took most of a sign-in's start.

    Sign-ins that run at the same time still have different keys.
    """
    make_key = signing_key.new_private_key

    def keys_in_turn() -> Iterator[rsa.RSAPrivateKey]:
        yield from itertools.cycle([make_key() for _ in range(3)])

    keys = keys_in_turn()  # made at the first sign-in: most tests have none
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(signing_key, "new_private_key", lambda: next(keys))
        changed.setattr(users, "SCRYPT_N", 2)
        yield


@pytest.fixture(scope="session", autouse=True)
def aws_models_parsed_once() -> Iterator[None]:
    """One loader of botocore's data files for all sessions: each of them would parse the files again."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(botocore.session, "create_loader", functools.cache(botocore.loaders.create_loader))
        yield


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: turn(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedScopes:
    return SharedScopes(config, log)
