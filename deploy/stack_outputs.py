"""The outputs of a stage's stack: from Pulumi, or from a file that Pulumi wrote."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NoReturn

from deploy.errors import OutputsNotReadableError


class StackOutputs(dict[str, Any]):
    """Outputs by name; a missing one raises OutputsNotReadableError."""

    def __missing__(self, name: str) -> NoReturn:
        raise OutputsNotReadableError(f"it has no {name!r}; deploy it first (`pulumi up`)")

    @property
    def environment(self) -> StackOutputs:
        """Variables that all functions share, changed for a command, which publishes to the notification topic
        directly."""
        return StackOutputs({**self["functionEnvironment"], "MESSAGE_OUTBOX": "false"})

    @property
    def region(self) -> str:
        return self._topic_arn[3]

    @property
    def account_id(self) -> str:
        return self._topic_arn[4]

    @property
    def _topic_arn(self) -> list[str]:
        return self.environment["COMPLETION_TOPIC_ARN"].split(":")


def stack_outputs(stage: str | None = None, *, show_secrets: bool = False) -> StackOutputs:
    """Outputs of a stage's stack, or of the selected one. Raises OutputsNotReadableError."""
    command = ["pulumi", "stack", "output", "--json"]
    command += ["--stack", stage] if stage else []
    command += ["--show-secrets"] if show_secrets else []
    try:
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise OutputsNotReadableError("the command `pulumi` is not installed") from error
    if asked.returncode != 0:
        raise OutputsNotReadableError(asked.stderr.strip())
    return StackOutputs(json.loads(asked.stdout))


def outputs_in(file: Path) -> StackOutputs:
    """Outputs in a file written by `pulumi stack output --json`. Raises OutputsNotReadableError."""
    try:
        return StackOutputs(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise OutputsNotReadableError(f"{file}: {error}") from error
