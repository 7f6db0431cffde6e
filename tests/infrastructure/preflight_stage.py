"""A stage, with all that is billed while nobody comes, as the preflight reads it, with settings that a test changes."""

from __future__ import annotations

import dataclasses
from typing import Any

from components.declared_stage import HEARD, DeclaredStage, declare
from tests.infrastructure.every_setting import BILLED_WHILE_IDLE

ACCOUNT_ID = "210987654321"


def declared(**settings: Any) -> DeclaredStage:
    prod = declare("prod", (*HEARD, *BILLED_WHILE_IDLE.items()), account_id=ACCOUNT_ID)
    groups = {
        field.name: getattr(prod.settings, field.name)
        for field in dataclasses.fields(prod.settings)
        if dataclasses.is_dataclass(getattr(prod.settings, field.name))
    }
    # Each setting stands in one group, whose name no test needs to know.
    changed = {
        group: dataclasses.replace(value, **{key: settings[key] for key in vars(value).keys() & settings.keys()})
        for group, value in groups.items()
    }
    assert settings.keys() <= {key for value in groups.values() for key in vars(value)}
    return dataclasses.replace(prod, settings=dataclasses.replace(prod.settings, **changed))
