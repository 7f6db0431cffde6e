"""The resources in the state of a stage's stack, including those of an `up` that failed half-way."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Set
from typing import Any

from deploy.errors import StateNotReadableError

StackResources = Mapping[str, Set[str]]
"""Ids by type, such as `s3/bucket:Bucket`."""


def stack_resources(stage: str) -> StackResources:
    """AWS resources in a stage's stack; none without a stack. Raises StateNotReadableError."""
    try:
        asked = subprocess.run(
            ["pulumi", "stack", "export", "--non-interactive", "--stack", stage],  # noqa: S607 - the operator's own
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise StateNotReadableError("the command `pulumi` is not installed") from error
    if asked.returncode == 0:
        return _resources_in(json.loads(asked.stdout))
    if "no stack named" in asked.stderr:
        return {}
    raise StateNotReadableError(asked.stderr.strip())


def _resources_in(state: Mapping[str, Any]) -> StackResources:
    ids: dict[str, set[str]] = defaultdict(set)
    for resource in state["deployment"].get("resources") or ():
        kind: str = resource["type"]
        if kind.startswith("aws:") and not resource.get("external"):
            ids[kind.removeprefix("aws:")].add(resource["id"])
    return dict(ids)
