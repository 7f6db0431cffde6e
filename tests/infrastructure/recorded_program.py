"""Recordings of the whole program, for each stage and with other settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from components import declared_stage
from components.declared_stage import PROJECT, stage_file, stage_program
from components.program_recorder import Program, Recorded, Recording, recorded
from components.simulated_aws import ACCOUNT_ID, SimulatedAws

__all__ = ["ACCOUNT_ID", "PROJECT", "Recorded", "Recording", "stage_file"]

HEARS_ALARMS = "alarms@example.com"
"""Address that the deployer sets; no stage file holds one."""
STAGES = ("dev", "staging", "prod")


def documents(value: object) -> Iterator[Any]:
    """All JSON documents hidden as text in an input."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            yield json.loads(value)
        except json.JSONDecodeError:
            return
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from documents(inner)
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for inner in value:
            yield from documents(inner)


def stage_config(stage: str, overrides: Mapping[str, object] | None = None) -> dict[str, str]:
    """Configuration as the engine hands it to the program, for a stage whose alarms somebody hears."""
    return declared_stage.stage_config(stage, _heard(overrides))


def program(
    stage: str,
    *,
    preview: bool = False,
    overrides: Mapping[str, object] | None = None,
    settings_of: str | None = None,
    zone_ids: tuple[str, ...] | None = None,
) -> Program:
    """The program of this stage, ready to be recorded.

    preview: nothing is known that only AWS decides. settings_of: the stage whose file is taken, when it is another's.
    zone_ids: of the region, in the order in which AWS lists them.
    """
    made = stage_program(stage, _heard(overrides), settings_of=settings_of)
    aws = replace(made.aws, zone_ids=zone_ids) if zone_ids else made.aws
    return replace(made, preview=preview, aws=aws)


def record(
    stage: str,
    *,
    preview: bool = False,
    overrides: Mapping[str, object] | None = None,
    settings_of: str | None = None,
    zone_ids: tuple[str, ...] | None = None,
) -> Recording:
    """The recording of this stage's program; see `program`."""
    return recorded(program(stage, preview=preview, overrides=overrides, settings_of=settings_of, zone_ids=zone_ids))


def record_account(stack: str, region: str) -> Recording:
    """The recording of `account/__main__.py`, the part of an account that all its stages share."""
    return recorded(
        Program(
            main=PROJECT / "account" / "__main__.py",
            project="video-upload-platform",
            stack=stack,
            config=(("aws:region", region),),
            aws=SimulatedAws(region=region),
        )
    )


def _heard(overrides: Mapping[str, object] | None) -> dict[str, object]:
    return {"alarmEmails": [HEARS_ALARMS], **(overrides or {})}
