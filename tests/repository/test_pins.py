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
CLIENTS = PROJECT / "clients"
NPM_PACKAGES = ("uploader", "web")
REACT_EXAMPLE = "uploader/examples/react"
UPLOADERS_USERS = ("web", REACT_EXAMPLE)
LOCKS = sorted((PROJECT / "requirements").glob("*.txt"))


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def test_the_version_is_the_same_wherever_a_tool_reads_it() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    locked = read_json(CLIENTS / "package-lock.json")["packages"]
    repeated = {
        "clients/cli/src/video_upload/version.py": VERSION,
        **{
            f"clients/{name}/package.json": read_json(CLIENTS / name / "package.json")["version"]
            for name in NPM_PACKAGES
        },
        **{f"clients/package-lock.json, {name}": locked[name]["version"] for name in NPM_PACKAGES},
        **{
            f"clients/{name}/package.json, uploader": read_json(CLIENTS / name / "package.json")["dependencies"][
                "video-uploader"
            ]
            for name in UPLOADERS_USERS
        },
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
    packages: dict[str, dict[str, Any]] = read_json(CLIENTS / "package-lock.json")["packages"]
    links = {package["resolved"] for package in packages.values() if package.get("link")}
    assert links == {*NPM_PACKAGES, REACT_EXAMPLE}
    fetched = {name: each for name, each in packages.items() if name not in {"", *links} and not each.get("link")}
    assert [name for name, package in fetched.items() if "resolved" in package] == []
    assert [name for name, package in fetched.items() if "integrity" not in package] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_of_python_packages_names_no_registry(lock: Path) -> None:
    assert "://" not in lock.read_text()


def test_the_page_pins_each_package_to_one_version() -> None:
    packages = [read_json(CLIENTS / name / "package.json") for name in (".", *NPM_PACKAGES, REACT_EXAMPLE)]
    pins: dict[str, str] = {
        name: pin
        for package in packages
        for kind in ("dependencies", "devDependencies")
        for name, pin in package.get(kind, {}).items()
    }
    assert {"vite", "oidc-client-ts"} <= pins.keys()
    assert {name: pin for name, pin in pins.items() if not re.fullmatch(r"\d+\.\d+\.\d+", pin)} == {}
