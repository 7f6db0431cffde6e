""".github/workflows: pull requests are previewed and main is deployed stage by stage, without any secret."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.deploy_role import DEPLOYING, PREVIEW
from tests.infrastructure.recorded_program import PROJECT, STAGES

FILES = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
DEPLOY = PROJECT / ".github" / "workflows" / "deploy.yml"
STAGE = PROJECT / ".github" / "workflows" / "stage.yml"
TESTS = PROJECT / ".github" / "workflows" / "tests.yml"
SLOW_TESTS = PROJECT / ".github" / "workflows" / "slow_tests.yml"


def workflow(path: Path) -> dict[Any, Any]:
    """YAML 1.1 takes the key `on` for true."""
    found: dict[Any, Any] = yaml.safe_load(path.read_text())
    return found


def steps() -> list[dict[str, Any]]:
    return workflow(STAGE)["jobs"]["stage"]["steps"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_workflow_holds_a_secret_or_asks_for_more_than_a_token(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"secrets\.|secrets:|AWS_SECRET_ACCESS_KEY|AKIA", text)
    deploys = {"id-token": "write"} if path in {DEPLOY, STAGE} else {}
    assert workflow(path)["permissions"] == {"contents": "read", **deploys}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_of_one_version(path: Path) -> None:
    for used in re.findall(r"uses: (\S+)", path.read_text()):
        if used.startswith("./"):
            assert (PROJECT / used).is_file()
        else:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", used)


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    made = {path: set(re.findall(r"- (?:if: .*\n +)?run: make ([a-z-]+)", path.read_text())) for path in FILES}
    assert made == {
        DEPLOY: set(),
        STAGE: {"install", "publish", "smoke"},
        TESTS: {"test", "coverage"},
        SLOW_TESTS: {"slow"},
    }
    assert set().union(*made.values()) <= targets


def test_every_push_and_pull_request_is_tested_with_the_oldest_python_and_the_one_that_deploys() -> None:
    document = workflow(TESTS)
    assert document[True] == {"pull_request": None, "push": None}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].removeprefix(">=")
    (deploying,) = (step["with"] for step in steps() if "setup-python" in step.get("uses", ""))
    newest = deploying["python-version"]
    assert document["jobs"]["tests"]["strategy"]["matrix"]["python"] == [oldest, newest]


def test_a_pull_request_is_previewed_and_main_goes_from_stage_to_stage() -> None:
    document = workflow(DEPLOY)
    assert set(document[True]) == {"pull_request", "push"}
    jobs = document["jobs"]
    assert jobs["preview"]["strategy"]["matrix"]["stage"] == list(STAGES)
    assert jobs["preview"]["with"]["environment"] == PREVIEW
    assert {job["with"]["environment"] for job in jobs.values()} == {PREVIEW, *DEPLOYING}
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]
    for stage, before in zip(STAGES, (None, *STAGES), strict=False):
        assert jobs[stage]["with"] == {"stage": stage, "environment": stage}
        assert jobs[stage].get("needs") == before
    assert jobs[STAGES[0]]["if"] == "github.event_name == 'push'"


def test_only_a_preview_leaves_the_stage_as_it_is() -> None:
    for step in steps():
        command: str = step.get("run", "")
        if re.search(r"pulumi up|make publish|make smoke", command):
            assert "inputs.environment != 'preview'" in step["if"], command
        if "pulumi preview" in command:
            assert step["if"] == "inputs.environment == 'preview'"


def test_the_role_is_the_environments_own() -> None:
    (sign_in,) = (step for step in steps() if "configure-aws-credentials" in step.get("uses", ""))
    assert sign_in["with"] == {"role-to-assume": "${{ vars.ROLE_ARN }}", "aws-region": "${{ vars.AWS_REGION }}"}
