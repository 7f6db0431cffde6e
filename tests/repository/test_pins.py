"""Versions: each pinned once, by locks that any registry can serve."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
WEB = PROJECT / "clients" / "web"
LOCKS = sorted((PROJECT / "requirements").glob("*.txt"))


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


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
