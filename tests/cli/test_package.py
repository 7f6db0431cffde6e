"""The package as pipx and pip install it."""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from types import ModuleType

import pytest

import video_upload
from tests.cli.conftest import REPOSITORY
from video_upload import Client
from video_upload.version import VERSION

PACKAGE = REPOSITORY / "clients" / "cli"


def run(*arguments: str | Path, cwd: Path) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source archive, and a wheel that was built from nothing but that."""
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=PACKAGE)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(folder / "source", filter="data")
    (unpacked,) = (folder / "source").iterdir()
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=unpacked)
    return folder


def test_the_wheel_of_the_source_archive_runs_in_a_fresh_environment(built: Path, tmp_path: Path) -> None:
    """The steps of pipx. The dependencies are this environment's: nothing is fetched."""
    fresh = tmp_path / "fresh"
    run(sys.executable, "-m", "venv", "--without-pip", fresh, cwd=tmp_path)
    python = fresh / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    uv = Path(sys.executable).with_name("uv")
    run(uv, "pip", "install", "--no-index", "--no-deps", "--python", python, wheel, cwd=tmp_path)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    assert "upload" in run(fresh / "bin" / "video-upload", "--help", cwd=tmp_path)
    assert run(fresh / "bin" / "video-upload", "--version", cwd=tmp_path).strip() == f"video-upload {VERSION}"
    where = run(python, "-c", "import video_upload; print(video_upload.__file__)", cwd=tmp_path)
    assert where.startswith(str(packages))


def test_its_metadata_are_complete(built: Path) -> None:
    (source,) = (built / "source").iterdir()
    about = Parser().parsestr((source / "PKG-INFO").read_text())
    for name in ("Name", "Version", "Summary", "License-Expression", "Requires-Python", "Keywords"):
        assert about[name], name
    assert "Typing :: Typed" in about.get_all("Classifier", [])
    assert about["Description-Content-Type"] == "text/markdown"
    assert (source / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()


def documented_names() -> dict[str, set[str]]:
    """Return the public names of each module, as the guide lists them."""
    table = (PACKAGE / "README.md").read_text().partition("| Module | Public names |")[2].partition("\n\n")[0]
    rows = (line.split("|")[1:3] for line in table.splitlines() if "`" in line)
    return {module.strip(" `"): set(re.findall(r"`(\w+)`", names)) for module, names in rows}


def modules() -> Iterator[ModuleType]:
    yield video_upload
    for found in pkgutil.iter_modules(video_upload.__path__, "video_upload."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def test_the_public_names_are_those_that_the_guide_lists() -> None:
    public = {module.__name__: set(module.__all__) for module in modules() if hasattr(module, "__all__")}
    assert public == documented_names()
    missing = [
        (module.__name__, name)
        for module in modules()
        for name in getattr(module, "__all__", ())
        if not hasattr(module, name)
    ]
    assert missing == [], "an import of all names would fail"


def test_the_guide_names_every_private_module() -> None:
    guide = (PACKAGE / "README.md").read_text()
    hidden = {module.__name__.rpartition(".")[2] for module in modules()} - {"video_upload", "version"}
    assert {name for name in hidden if f"`{name}`" not in guide} == set()


def test_an_editor_shows_what_each_public_class_is() -> None:
    bare = [
        f"{module}.{name}"
        for module, names in documented_names().items()
        for name in names
        if inspect.isclass(kind := getattr(importlib.import_module(module), name))
        and not vars(kind).get("__doc__", "").strip()
    ]
    assert bare == []


def test_an_editor_shows_what_each_public_name_of_the_client_does() -> None:
    for name, member in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            first = (inspect.getdoc(member) or "").partition("\n")[0]
            assert first, f"{name} has no docstring"
            assert not first.startswith("Raises"), f"{name} says what it raises and not what it does"
