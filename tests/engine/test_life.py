"""Stages under the real engine: what the mocked one of tests/infrastructure cannot show."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.engine import Engine, installed
from tests.engine.life import Life

pytestmark = [
    pytest.mark.skipif(not installed(), reason="there is no `pulumi` on the PATH"),
    pytest.mark.timeout(900),
]


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_a_stage_goes_up_twice_is_read_and_goes_down(stage: str, tmp_path: Path) -> None:
    life = Life(Engine(tmp_path / "engine"), stage, lambda *_: None)
    life.go_up_twice()
    life.read_outputs()
    life.destroy()
    assert life.failures == []
