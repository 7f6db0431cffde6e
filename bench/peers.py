"""The programs that we compare with, and our command as a user installs it: environments of their own under build/."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys

from uv import find_uv_bin

from bench.document import REPOSITORY

LOCK = REPOSITORY / "requirements" / "peers.txt"
FOLDER = REPOSITORY / "build" / "bench-peers"
BIN = FOLDER / "bin"
PYTHON = BIN / "python"
COMMAND_FOLDER = REPOSITORY / "build" / "bench-command"
COMMAND_BIN = COMMAND_FOLDER / "bin"


def install() -> None:
    """Install the locked peers, unless they are there."""
    installed, wanted = FOLDER / "installed", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if installed.is_file() and installed.read_text() == wanted:
        return
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(FOLDER)], check=True)
    options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python", str(PYTHON)]
    subprocess.run([uv, "pip", "sync", *options, str(LOCK)], check=True)
    installed.write_text(wanted)


def install_command() -> None:
    """Install our command from its source, with its own dependencies alone, in the versions that we test."""
    uv = find_uv_bin()
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(COMMAND_FOLDER)], check=True)
    options = [
        "--quiet",
        "--compile-bytecode",
        "--python",
        str(COMMAND_BIN / "python"),
        "--reinstall-package",
        "video-upload",
    ]
    tested = REPOSITORY / "requirements" / "dev.txt"
    source = str(REPOSITORY / "clients" / "cli")
    subprocess.run([uv, "pip", "install", *options, "--constraint", str(tested), source], check=True)


def versions(*names: str) -> dict[str, str]:
    """Versions of peers as the lock pins them."""
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    return {name: pinned[name] for name in names}
