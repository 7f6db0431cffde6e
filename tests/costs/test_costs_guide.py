"""docs/costs.md speaks of the model as it is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields

from costs.strategies import effects
from costs.workload import Workload
from tests.costs.small_stage import SmallModel
from tests.infrastructure.recorded_program import PROJECT

GUIDE = (PROJECT / "docs" / "costs.md").read_text()


def test_every_key_of_a_workload_is_explained() -> None:
    explained = {
        key for row in re.findall(r"^\| (`.+?`) \|", GUIDE, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    }
    assert {field.name for field in fields(Workload)} <= explained


def test_every_strategy_is_explained(small: SmallModel) -> None:
    for effect in effects(small):
        assert f"| {effect.strategy} |" in GUIDE


def test_the_example_is_a_workload() -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", GUIDE, re.DOTALL)
    assert set(tomllib.loads(example)) <= {field.name for field in fields(Workload)}


def test_it_states_no_amount_of_money_but_the_target() -> None:
    assert set(re.findall(r"\$\d[\d.,]*\d", GUIDE)) == {"$0.23"}
