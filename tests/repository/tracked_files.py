"""The repository's files under version control."""

from __future__ import annotations

import subprocess
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def tracked(*patterns: str) -> list[Path]:
    """List the files under version control; those that match a pattern, if there are patterns."""
    names = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    return [PROJECT / name for name in names.split("\0") if name and (PROJECT / name).is_file()]
