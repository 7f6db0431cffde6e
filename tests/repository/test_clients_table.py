"""The comparison of clients: what it says of ours is shown by tests that exist."""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TABLE = (REPOSITORY / "docs" / "clients.md").read_text()


def test_every_test_that_the_table_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", TABLE)
    assert named
    missing = [name for file, name in named if f"def {name}(" not in (REPOSITORY / file).read_text()]
    assert missing == []


def test_every_footnote_of_the_table_is_there_and_every_one_is_used() -> None:
    table, _, notes = TABLE.partition("\n[^")
    used = set(re.findall(r"\[\^([\w-]+)\]", table))
    assert used == set(re.findall(r"^\[\^([\w-]+)\]:", f"[^{notes}", re.MULTILINE))


def test_every_cell_of_ours_has_a_footnote() -> None:
    rows = [line.split("|")[2:4] for line in TABLE.splitlines() if line.startswith("| ") and "[^" in line]
    assert len(rows) > 5
    bare = [cell for row in rows for cell in row if cell.strip() and "[^" not in cell]
    assert bare == []
