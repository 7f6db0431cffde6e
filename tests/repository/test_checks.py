"""One list of checks: `make check`, which hooks and workflows call and never repeat."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.distribution import GROUPS, LONGEST_FILES, scope

PROJECT = Path(__file__).resolve().parents[2]
HOOKS = PROJECT / ".pre-commit-config.yaml"
RUFF = ("check", "format")
"""Commands of ruff in `make check`."""


def prerequisites(target: str) -> list[str]:
    found = re.search(rf"^{target}:([^#\n]*)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].split()


def recipe(target: str) -> list[str]:
    found = re.search(rf"^{target}:[^\n]*\n((?:\t[^\n]*\n)+)", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return [line.strip() for line in found[1].splitlines()]


def hooks() -> list[dict[str, Any]]:
    repositories: list[dict[str, Any]] = yaml.safe_load(HOOKS.read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    return repositories[0]["hooks"]


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    assert [hook["entry"] for hook in hooks()] == [f"make {target}" for target in prerequisites("check")]
    assert {(hook["language"], hook["pass_filenames"]) for hook in hooks()} == {("system", False)}


def test_the_hooks_are_valid() -> None:
    validate = [sys.executable, "-m", "pre_commit", "validate-config", str(HOOKS)]
    checked = subprocess.run(validate, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_python_and_typescript_file_wakes_its_hook() -> None:
    python, page = (re.compile(hook["files"]) for hook in hooks())
    for path in ("app.py", "components/settings.py", "pyproject.toml", "requirements/dev.txt"):
        assert python.search(path), path
    for path in ("clients/uploader/src/api.ts", "clients/web/package.json", "clients/package.json"):
        assert page.search(path), path


def test_lint_format_types_and_layers_are_checked_in_both_languages() -> None:
    (ruff_check, ruff_format, types, layers) = recipe("check-python")
    assert [f"ruff {verb}" in line for verb, line in zip(RUFF, (ruff_check, ruff_format), strict=True)] == [True, True]
    assert "pyrefly check" in types
    assert "lint-imports" in layers
    scripts = yaml.safe_load((PROJECT / "clients/package.json").read_text())["scripts"]
    assert recipe("check-page") == ["$(NPM) run --silent check"]
    assert scripts["check"] == "biome check --error-on-warnings && tsc --noEmit"


def test_make_test_checks_and_tests_both_languages() -> None:
    assert prerequisites("test")[0] == "check"
    page, python = recipe("test")
    assert page == "$(NPM) run --silent test"
    assert "-m pytest" in python


def test_coverage_has_a_floor_that_a_run_is_held_to() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert 0 < settings["report"]["fail_under"] < 100
    assert [folder for folder in settings["run"]["source"] if not (PROJECT / folder).is_dir()] == []
    assert any("--cov " in line for line in recipe("coverage"))
    measured = re.search(r"^MEASURED_TESTS := .*tests/,(.*)\)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert measured
    assert [folder for folder in measured[1].split() if not (PROJECT / "tests" / folder).is_dir()] == []


def test_files_that_begin_first_are_there_and_make_test_keeps_their_order() -> None:
    assert [path for path in LONGEST_FILES if not (PROJECT / path).exists()] == []
    (tests,) = (line for line in recipe("test") if "pytest" in line)
    assert "--no-loadscope-reorder" in tests


def test_files_that_share_something_expensive_are_there_and_stay_on_one_worker() -> None:
    assert [path for paths in GROUPS.values() for path in paths if not list(PROJECT.glob(f"{path}*"))] == []
    assert scope("tests/costs/test_bill.py::test_a") == scope("tests/infrastructure/test_program.py::TestB::test_c")
    assert scope("tests/core/test_a.py::TestB::test_c") == "tests/core/test_a.py::TestB"
