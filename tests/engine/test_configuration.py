"""Configuration as the engine writes, checks and refuses it."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
import yaml

from tests.engine.engine import PROJECT, Engine, EngineError
from tests.engine.program_runs import Run

DECLARED: dict[str, Any] = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
OURS = {name: declared for name, declared in DECLARED.items() if ":" not in name}
SHIPPED = sorted(path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml"))
LONG = "eu-central-1-Xy7Qp2Lm9"
"""Random enough to look like a secret, under a name that sounds like one."""


@pytest.mark.parametrize("stage", SHIPPED)
def test_making_a_stack_adds_one_line_to_its_file(engine: Engine, stage: str) -> None:
    file = engine.project / f"Pulumi.{stage}.yaml"
    before = file.read_text().splitlines()
    engine.pulumi("stack", "init", stage)
    after = file.read_text().splitlines()
    assert after[:-1] == before
    assert after[-1].startswith("encryptionsalt: ")


@pytest.mark.parametrize("stage", SHIPPED)
def test_a_changed_setting_changes_its_line_and_keeps_every_comment(engine: Engine, stage: str) -> None:
    file = engine.project / f"Pulumi.{stage}.yaml"
    engine.pulumi("stack", "init", stage)
    before = file.read_text().splitlines()
    engine.pulumi("config", "set", "maxReservedGib", "4321")
    after = file.read_text().splitlines()
    assert [line for line in after if line not in before] == ['  video-upload-platform:maxReservedGib: "4321"']
    is_new = not any("maxReservedGib" in line for line in before)
    assert [line for line in before if line not in after and "maxReservedGib" not in line] == []
    assert len(after) == len(before) + is_new


def test_every_text_and_every_list_can_be_set_without_looking_like_a_secret(engine: Engine) -> None:
    engine.pulumi("stack", "init", "dev")
    for name, declared in OURS.items():
        if declared["type"] == "array":
            engine.pulumi("config", "set", "--path", f"{name}[0]", LONG)
        elif declared["type"] == "string":
            engine.pulumi("config", "set", name, LONG)


def test_a_value_of_another_type_is_refused_by_name_before_the_program_runs(engine: Engine) -> None:
    (ran,) = engine.run("dev", [Run(operation="preview", settings={"maxVideoGib": "many"})])
    assert "configuration key 'maxVideoGib' must be of type 'integer'" in ran.error
    assert not ran.changes


def test_an_engine_of_another_version_is_refused(engine: Engine) -> None:
    engine.pulumi("stack", "init", "dev")
    file = engine.project / "Pulumi.yaml"
    needed = yaml.safe_load(file.read_text())["requiredPulumiVersion"]
    file.write_text(file.read_text().replace(needed, ">=99.0.0"))
    with pytest.raises(EngineError, match=r"does not satisfy the version range .>=99\.0\.0"):
        engine.pulumi("preview")


def test_the_runbook_rotates_the_upload_token_key(engine: Engine) -> None:
    runbook = (PROJECT / "docs" / "runbook.md").read_text()
    section = runbook.partition("## Rotate the upload token key\n")[2].partition("\n## ")[0]
    set_new, keep_old, drop_old = re.findall(r"pulumi (config (?:set|rm) --path '[^']+'(?: \w+)?)", section)
    engine.pulumi("stack", "init", "prod")
    for command in (set_new, keep_old):
        engine.pulumi(*shlex.split(command))
    assert json.loads(engine.pulumi("config", "get", "uploadKeyNames")) == ["k2", "k1"]
    engine.pulumi(*shlex.split(drop_old))
    assert json.loads(engine.pulumi("config", "get", "uploadKeyNames")) == ["k2"]
