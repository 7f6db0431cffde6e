"""Reasons for surviving mutants, by file and change: survivors.toml."""

import tomllib
from pathlib import Path

REASONS_FILE = Path(__file__).with_name("survivors.toml")


def read_reasons() -> dict[str, dict[str, str]]:
    return tomllib.loads(REASONS_FILE.read_text())
