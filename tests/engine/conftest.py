"""Engines that are thrown away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.engine import Engine, installed

EngineOf = Callable[[str], Engine]


@pytest.fixture
def engine_of(tmp_path: Path) -> EngineOf:
    """One of its own for each test, by where the program lies in the project."""
    if not installed():
        pytest.skip("there is no `pulumi` on the PATH")
    return lambda program: Engine(tmp_path / "engine", program)


@pytest.fixture
def engine(engine_of: EngineOf) -> Engine:
    """Engine with the stages' program."""
    return engine_of(".")
