"""A stage as its settings and the Pulumi program declare it, without an engine and without AWS.

The cost estimate, the preflight and the tests read it, so that they all follow the program.

StageError
└── StageRefusedError     the stage's settings or its name are wrong
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.program_recorder import Declarations, Program, Recorded, recorded
from components.settings import Settings
from components.simulated_aws import ACCOUNT_ID, SimulatedAws
from components.stack_configuration import SettingsError, load_settings

PROJECT = Path(__file__).resolve().parents[1]

Setting = str | int | bool
Overrides = tuple[tuple[str, Setting], ...]
"""Settings by name that override the stage's file."""
HEARD: Overrides = (("alarmEmails", '["alarms@example.com"]'),)
"""Placeholder for the recipient of alarms on stages whose settings name none."""


class StageError(Exception):
    """No program can be recorded for the stage."""


class StageRefusedError(StageError):
    """problems: pairs of a setting and its fault."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["wrong settings:", *(f"  {key}: {problem}" for key, problem in problems)]))


@dataclass(frozen=True, kw_only=True)
class DeclaredStage(Declarations):
    """A stage's settings and the resources that its program declares with them."""

    settings: Settings
    region: str
    resources: tuple[Recorded, ...]


def declare(stage: str, overrides: Overrides = (), *, account_id: str = ACCOUNT_ID) -> DeclaredStage:
    """Run the program for this stage in this account. Raises StageRefusedError."""
    program = stage_program(stage, dict(overrides), account_id=account_id)
    settings = _settings(program)
    return DeclaredStage(settings=settings, region=program.aws.region, resources=tuple(recorded(program).resources))


def settings_of(stage: str, overrides: Overrides = ()) -> Settings:
    """The settings that the program uses. Raises StageRefusedError."""
    return _settings(stage_program(stage, dict(overrides)))


def stage_program(
    stage: str, overrides: Mapping[str, object], *, settings_of: str | None = None, account_id: str = ACCOUNT_ID
) -> Program:
    """The program as the engine runs it for this stage. settings_of: the stage whose file is used, if another's."""
    config = stage_config(settings_of or stage, overrides)
    return Program(
        main=PROJECT / "__main__.py",
        project=_project()["name"],
        stack=stage,
        config=tuple(sorted(config.items())),
        aws=SimulatedAws(region=config["aws:region"], account_id=account_id),
    )


def stage_config(stage: str, overrides: Mapping[str, object]) -> dict[str, str]:
    """Configuration as the engine passes it to the program: defaults, the stage's file if it has one, overrides."""
    project = _project()
    name: str = project["name"]
    values: dict[str, object] = {
        key if ":" in key else f"{name}:{key}": declared.get("value", declared.get("default"))
        for key, declared in project["config"].items()
    }
    values |= stage_file(stage)
    values |= {key if ":" in key else f"{name}:{key}": value for key, value in overrides.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def stage_file(stage: str) -> dict[str, object]:
    """Settings in the stage's own file; none without a file. Raises StageRefusedError."""
    file_name = f"Pulumi.{stage}.yaml"
    try:
        stage_values: object = yaml.safe_load((PROJECT / file_name).read_text()) or {}
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise StageRefusedError([(file_name, f"is no YAML: {error}")]) from error
    config: object = (stage_values.get("config") or {}) if isinstance(stage_values, dict) else None
    if not isinstance(config, dict):
        raise StageRefusedError([(file_name, "holds no settings by name below config:")])
    return config


@functools.cache
def _project() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())


def _settings(program: Program) -> Settings:
    try:
        return program.configured(load_settings)
    except SettingsError as error:
        raise StageRefusedError(error.problems) from error
