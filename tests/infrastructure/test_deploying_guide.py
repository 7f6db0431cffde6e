"""docs/deploying.md: its settings, commands and outputs are those of the program."""

from __future__ import annotations

import importlib.util
import re
import shlex

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.session import get_session

from components.settings_documents import all_settings
from deploy.deploy_role import DEPLOYING, PREVIEW, policies
from tests.infrastructure.recorded_program import PROJECT, Recording

GUIDE = (PROJECT / "docs" / "deploying.md").read_text()
COMMANDS = "\n".join(
    fenced or inline for fenced, inline in re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", GUIDE, re.DOTALL)
)
PREFIX = "video-upload-platform:"


def test_every_setting_that_the_text_sets_exists() -> None:
    known = {setting.key for setting in all_settings()}
    named = set(re.findall(r"pulumi config (?:set|rm) (?:--\w+ )*'?(\w+)\b(?!:)", GUIDE)) | set(
        re.findall(rf"{PREFIX}(\w+)", GUIDE)
    )
    assert named
    assert named <= known


def test_every_command_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    made = set(re.findall(r"\bmake ([a-z]+)\b", COMMANDS))
    modules = set(re.findall(r"python -m (deploy\.\w+)", COMMANDS))
    assert made >= {"install", "smoke"}
    assert made <= targets
    assert modules
    assert all(importlib.util.find_spec(module) for module in modules)


def test_every_aws_command_is_an_operation_with_such_options() -> None:
    commands = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in _aws_commands(block)]
    assert len(commands) > 10
    loader: Loader = get_session().get_component("data_loader")
    for command in commands:
        _, service, operation, *rest = shlex.split(command, comments=True)
        model = ServiceModel(loader.load_service_model(SERVICES.get(service, service), "service-2"))
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        assert operation in operations, command
        shape = model.operation_model(operations[operation]).input_shape
        members = {xform_name(name, "-") for name in (shape.members if shape else {})}
        options = {word.removeprefix("--") for word in rest if word.startswith("--")}
        assert options <= members | {"query", "output"}, command


SERVICES = {"s3api": "s3"}
"""Services by their name on the command line, where botocore's differs."""


def _aws_commands(block: str) -> list[str]:
    """AWS commands of a fenced block, continued lines joined, including those whose answer becomes a variable."""
    lines = re.sub(r"\$\(pulumi [^)]*\)", "output", block.replace("\\\n", " ")).splitlines()
    return [found[0].strip() for line in lines if (found := re.search(r"\baws [a-z0-9-]+ [a-z-]+[^)]*", line))]


def test_only_main_deploys_before_any_role_is_named_to_github() -> None:
    steps = re.split(r"^\*\*\d\. ", _section("### A role that deploys"), flags=re.MULTILINE)
    (restricts,) = (number for number, step in enumerate(steps) if "deployment-branch-policies" in step)
    (names_role,) = (number for number, step in enumerate(steps) if "| `ROLE_ARN` |" in step)
    assert restricts < names_role
    assert f"for environment in {' '.join(DEPLOYING)}; do" in steps[restricts]
    assert "custom_branch_policies]=true" in steps[restricts]
    assert '/deployment-branch-policies" -f name=main' in steps[restricts]
    assert PREVIEW not in steps[restricts]


def test_every_policy_that_is_attached_is_written() -> None:
    section = _section("### A role that deploys")
    named = set(re.findall(r"\b(?<!\$)([\w-]+)\.json", section)) | set(
        re.findall(r"for policy in (.+); do", section)[0].split()
    )
    assert named == {*policies("123456789012"), "state", "trust", "preview", "preview-state", "preview-trust"}


def test_the_guide_promises_no_more_than_the_role_that_deploys_keeps() -> None:
    """It makes roles without a boundary."""
    section = _section("### A role that deploys")
    assert "equals an administrator of the account" in section
    assert "reads no object" not in section


def _section(heading: str) -> str:
    return GUIDE.partition(f"{heading}\n")[2].partition("\n### ")[0]


def test_every_output_that_is_asked_for_is_exported(full_prod: Recording) -> None:
    asked = set(re.findall(r"pulumi stack output (?:--[\w-]+ )*(\w+)", GUIDE))
    assert asked
    assert asked <= set(full_prod.exports)


def test_every_file_and_heading_that_is_linked_exists() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", GUIDE):
        path, _, anchor = link.partition("#")
        assert not path or (PROJECT / "docs" / path).exists(), link
        assert path or anchor in headings, link
