"""docs/security.md: every arrow of the security drawing is held by tests that are there."""

import re

import pytest

from tests.infrastructure.recorded_program import PROJECT

PAGE = (PROJECT / "docs" / "security.md").read_text()
DRAWING = (PROJECT / "docs" / "architecture.md").read_text().partition("\n## Security\n")[2].partition("```\n\n")[0]
ARROW = re.compile(r"(\w+) --> (\w+)")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROWS = [line.split(" | ") for line in PAGE.splitlines() if " → " in line and line.startswith("| ")]
TABLE = PAGE.partition("\n| Entry point |")[2].partition("\n\n")[0]
ENTRY_POINTS = [line.split(" | ") for line in TABLE.splitlines()[2:]]


def test_every_arrow_of_the_drawing_is_on_the_page_and_no_other() -> None:
    drawn = {f"{start} → {end}" for start, end in ARROW.findall(DRAWING)}
    assert len(drawn) == 12
    assert {row[0].removeprefix("| ") for row in ROWS} == drawn


def test_every_entry_point_of_the_edge_and_of_a_client_has_a_row() -> None:
    named = " ".join(row[0] for row in ENTRY_POINTS)
    for entry_point in (
        *("`/share`", "`/.well-known/`", "Native client", "`<video-uploader>`", "Window to sign in again"),
        *("Account view", "Company sign-in", "Administrators' view", "Upload links", "Webhooks", "Event bus"),
        *("Mail about videos", "Malware verdicts", "Notifications of the page", "`GET /usage`"),
    ):
        assert entry_point in named, entry_point


@pytest.mark.parametrize("row", [*ROWS, *ENTRY_POINTS], ids=lambda row: row[1][:60])
def test_every_row_names_tests_that_exist(row: list[str]) -> None:
    named = NAMED.findall(row[2])
    assert named, "a row without a test"
    for path, name in named:
        assert f"\ndef {name}(" in (PROJECT / path).read_text(), f"{path}::{name}"


def test_every_file_that_the_page_names_exists() -> None:
    for path in re.findall(r"`((?:components|tests)/[\w/.]+\.(?:py|toml))`", PAGE):
        assert (PROJECT / path).is_file(), path


def test_every_command_of_the_page_can_be_made() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    for command in re.findall(r"`make ([a-z]+)`", PAGE):
        assert f"\n{command}:" in makefile, command
