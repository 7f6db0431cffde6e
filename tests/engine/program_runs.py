"""Runs of the program under the engine, in a process of their own: `python -m tests.engine.program_runs STACK RUNS`.

The working directory is the project; RUNS is a JSON list of Run. Each run prints one line of JSON. The program runs in
this process, so that no language plugin is needed. `pulumi up` starts one, in which the program sees the same.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pulumi import automation

from components.compute import lambda_package

Operation = Literal["preview", "up"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the program.

    settings: what the stage's file says otherwise, for this run only; of a list, each `name[position]`.
    """

    operation: Operation
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Change:
    """One step of the engine that changes something."""

    operation: str
    type: str
    name: str
    properties: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """Result of a run. error: the engine's words, where it refused."""

    seconds: float
    changes: tuple[Change, ...]
    error: str = ""

    def changed(self, *operations: str) -> list[Change]:
        """Changes by one of these operations."""
        return [change for change in self.changes if change.operation in operations]


UNCHANGED = frozenset({"same", "refresh", "read"})


def changes_in(events: Sequence[automation.EngineEvent]) -> tuple[Change, ...]:
    """Steps of resources that are not the engine's own, such as stack and providers."""
    steps = [event.resource_pre_event.metadata for event in events if event.resource_pre_event]
    return tuple(
        Change(
            operation=step.op.value,
            type=step.type,
            name=step.urn.rpartition("::")[2],
            properties=tuple(step.diffs or ()),
        )
        for step in steps
        if step.op.value not in UNCHANGED and not step.type.startswith("pulumi:")
    )


def small_bundle(
    app: Path, locks: tuple[Path, ...], folder: Path, name: str, _max_zip_bytes: int, *, bytecode: bool
) -> Path:
    """A bundle under the real one's name, which changes when its content would. It holds that name alone."""
    digest = lambda_package._digest(dict(lambda_package._app_files(app)), locks, bytecode=bytecode)
    path = folder / f"{name}-{digest}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(zipfile.ZipInfo("content"), path.name)
    return path


def perform(stack: automation.Stack, run: Run) -> Ran:
    events: list[automation.EngineEvent] = []
    printed: list[str] = []
    watch: dict[str, Any] = {"on_event": events.append, "on_output": printed.append, "color": "never"}
    began = time.monotonic()
    error = ""
    try:
        match run.operation:
            case "preview":
                stack.preview(**watch)
            case "up":
                stack.up(**watch)
    except automation.CommandError as failed:
        error = "\n".join([*printed, str(failed)])
    return Ran(seconds=time.monotonic() - began, changes=changes_in(events), error=error)


def with_settings(stack: automation.Stack, run: Run) -> Ran:
    """The run, with the stage's file as it was afterwards."""
    file = Path(f"Pulumi.{stack.name}.yaml")
    before = file.read_text()
    for key, value in run.settings.items():
        stack.set_config(key, automation.ConfigValue(value), path="[" in key)
    try:
        return perform(stack, run)
    finally:
        file.write_text(before)


def run_the_program() -> None:
    lambda_package.BUNDLER.set(small_bundle)
    runpy.run_path(str(Path("__main__.py").resolve()), run_name="__main__")


def _project_name(folder: Path) -> str:
    return yaml.safe_load((folder / "Pulumi.yaml").read_text())["name"]


def main() -> None:
    name, runs = sys.argv[1], [Run(**run) for run in json.loads(sys.argv[2])]
    folder = Path.cwd()
    options = automation.LocalWorkspaceOptions(work_dir=str(folder))
    stack = automation.create_or_select_stack(
        name, work_dir=str(folder), project_name=_project_name(folder), program=run_the_program, opts=options
    )
    for run in runs:
        print(json.dumps(asdict(with_settings(stack, run))), flush=True)


if __name__ == "__main__":
    main()
