"""Files for contributors: licence, vulnerability reports, templates, uniform formatting."""

from __future__ import annotations

import hashlib
from configparser import ConfigParser
from typing import Any

import pytest
import yaml

from tests.repository.tracked_files import PROJECT, tracked

GITHUB = PROJECT / ".github"

APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of https://www.apache.org/licenses/LICENSE-2.0.txt."""


def test_the_licence_is_the_exact_text() -> None:
    assert hashlib.sha256((PROJECT / "LICENSE").read_bytes()).hexdigest() == APACHE_2


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_an_issue_form_asks_only_in_ways_that_github_knows(name: str) -> None:
    form: dict[str, Any] = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / f"{name}.yml").read_text())
    assert {"name", "description", "body"} <= set(form)
    questions = [question for question in form["body"] if question["type"] != "markdown"]
    assert {question["type"] for question in questions} <= {"input", "textarea", "dropdown", "checkboxes"}
    ids = [question["id"] for question in questions]
    assert len(ids) == len(set(ids))
    assert all(question["attributes"]["label"] for question in questions)


def test_updates_are_looked_for_wherever_versions_are_pinned() -> None:
    updates: list[dict[str, Any]] = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    searched = {(update["package-ecosystem"], PROJECT / update["directory"].lstrip("/")) for update in updates}
    npm = {("npm", lock.parent) for lock in tracked("*package-lock.json")}
    assert len(npm) == 3
    assert searched == {("github-actions", PROJECT), ("uv", PROJECT / "requirements"), *npm}
    assert (PROJECT / "requirements" / "dev.in").is_file()


def test_every_file_has_the_form_that_editors_are_told() -> None:
    ends = ConfigParser()
    ends.read_string("[root]\n" + (PROJECT / ".editorconfig").read_text())
    assert dict(ends["*"]) | {"trim_trailing_whitespace": "true", "end_of_line": "lf"} == dict(ends["*"])
    wrong: list[str] = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        if b"\r\n" in content or (content and not content.endswith(b"\n")):
            wrong.append(f"{path.relative_to(PROJECT)}: line ends")
        if any(line != line.rstrip() for line in content.decode().split("\n")):
            wrong.append(f"{path.relative_to(PROJECT)}: trailing blanks")
    assert wrong == []
