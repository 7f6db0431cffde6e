"""Every boolean setting, flipped: what else must be set with it, and which flips a stage refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from tests.engine.engine import PROJECT

TOGETHER: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("paused", "true"): {"provisionedConcurrency": "0", "provisionedConcurrencyMax": "0"},
    ("localUsers", "false"): {"samlProviders[0]": "acme=https://login.example.com/metadata"},
    ("trail", "false"): {"trailManagementEvents": "false"},
    ("trailManagementEvents", "true"): {"trail": "true"},
}
"""Settings that the settings themselves demand beside a flipped one."""

REFUSED = {("prod", "protect"): "cannot be off in prod"}
"""Flips that a stage refuses, by name of the stage, with its reason."""


def flips(configuration: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Settings of one preview for each flag, which is the first of them.

    configuration: what the stage is configured by, as `pulumi config` has it.
    """
    declared: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    for name, setting in declared.items():
        if setting.get("type") == "boolean":
            flipped = "false" if configuration[name] == "true" else "true"
            yield {name: flipped, **TOGETHER.get((name, flipped), {})}


def as_configured(settings: Mapping[str, object]) -> dict[str, str]:
    """Settings as `pulumi config set` takes them, lists by `--path`."""
    return dict(_configured(settings))


def _configured(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in settings.items():
        if isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for position, each in enumerate(value):
                yield f"{name}[{position}]", str(each)
        else:
            yield name, str(value)
