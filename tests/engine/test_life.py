"""Stages under the real engine: what the mocked one of tests/infrastructure cannot show. `make engine` shows more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.engine.engine import Engine
from tests.engine.life import Life


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_production_goes_up_twice_rotates_its_secret_is_read_and_goes_down(engine: Engine) -> None:
    life = Life(engine, "prod", lambda *_: None)
    life.go_up_twice()
    life.rotate_the_origin_secret()
    life.read_outputs()
    life.destroy()
    assert life.failures == []


@pytest.mark.timeout(900)
def test_a_stage_with_little_switched_on_goes_up_and_down(engine: Engine) -> None:
    life = Life(engine, "dev", lambda *_: None)
    life.go_up()
    life.destroy()
    assert life.failures == []


@pytest.mark.slow
def test_the_accounts_own_part_goes_up_twice_and_goes_once_unprotected(
    engine_of: Callable[[str], Engine],
) -> None:
    engine = engine_of("account")
    life = Life(engine, "eu-central-1", lambda *_: None)
    life.go_up_twice()
    life.destroy()
    engine.pulumi("state", "unprotect", "--all", "--yes", "--stack", "eu-central-1")
    life.destroy()
    assert life.failures == []
