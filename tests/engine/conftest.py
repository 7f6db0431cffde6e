"""Engines that are thrown away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.engine import Engine, installed


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """One of its own for each test."""
    if not installed():
        pytest.skip("there is no `pulumi` on the PATH")
    return Engine(tmp_path / "engine")
