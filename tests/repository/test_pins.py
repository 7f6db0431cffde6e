"""Versions: each pinned once, by locks that any registry can serve."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from video_upload.version import VERSION

PROJECT = Path(__file__).resolve().parents[2]
WEB = PROJECT / "clients" / "web"
LOCKS = sorted((PROJECT / "requirements").glob("*.txt"))


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_the_version_is_the_same_wherever_a_tool_reads_it() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    lock = read_json(WEB / "package-lock.json")
    repeated = {
        "clients/cli/src/video_upload/version.py": VERSION,
        "clients/web/package.json": read_json(WEB / "package.json")["version"],
        "clients/web/package-lock.json": lock["version"],
        "clients/web/package-lock.json, packages": lock["packages"][""]["version"],
    }
    assert {place: found for place, found in repeated.items() if found != version} == {}


def test_the_changelog_ends_what_is_unreleased_at_the_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    first, newest, *older = re.findall(r"^## (.+)$", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first == "Unreleased"
    for release in (newest, *older):
        assert re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", release)
    assert newest.startswith(f"{version} - ")


def test_the_pages_lock_names_no_registry() -> None:
    packages: dict[str, dict[str, Any]] = read_json(WEB / "package-lock.json")["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_of_python_packages_names_no_registry(lock: Path) -> None:
    assert "://" not in lock.read_text()


def test_the_page_pins_each_package_to_one_version() -> None:
    package = read_json(WEB / "package.json")
    pins: dict[str, str] = {**package["dependencies"], **package["devDependencies"]}
    assert {name: pin for name, pin in pins.items() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)} == {}
