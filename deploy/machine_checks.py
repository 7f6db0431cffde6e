"""Checks of the deploying machine: Pulumi, and the interpreter that compiles the bundles' bytecode."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from components.compute.lambda_package import PYTHON, InterpreterNotFoundError, bytecode_interpreter
from components.settings import Settings
from deploy.findings import Finding, cannot_tell, ok, will_fail

PROJECT = Path(__file__).resolve().parents[1]


def interpreter(settings: Settings) -> Finding:
    """Check that the stage's bundles can be compiled."""
    if not settings.compute.bytecode:
        return ok("not needed, bytecode is false")
    try:
        return ok(bytecode_interpreter())
    except InterpreterNotFoundError:
        return will_fail(
            f"no python{PYTHON} on the PATH; install it, or allow slow cold starts: `pulumi config set bytecode false`"
        )


def pulumi_version(project: Path = PROJECT) -> Finding:
    """Check that the Pulumi on the PATH is new enough for the project."""
    document: dict[str, Any] = yaml.safe_load((project / "Pulumi.yaml").read_text())
    required = str(document.get("requiredPulumiVersion", ">=3.0.0"))
    try:
        asked = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=False)  # noqa: S607 - the operator's own
    except FileNotFoundError:
        return will_fail(f"not on the PATH, {required} needed; install the Pulumi CLI")
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", asked.stdout)
    if asked.returncode != 0 or found is None:
        return cannot_tell(f"`pulumi version` answers {(asked.stdout or asked.stderr).strip()!r}; run it yourself")
    least = re.match(r">=\s*v?(\d+)\.(\d+)\.(\d+)", required)
    if least is None:
        return cannot_tell(f"{found[0]} on the PATH; Pulumi.yaml wants {required}: compare them yourself")
    if tuple(map(int, found.groups())) < tuple(map(int, least.groups())):
        return will_fail(f"{found[0]} on the PATH, {required} needed; update the Pulumi CLI")
    return ok(f"{found[0]}, {required} needed")
