"""CONTRIBUTING.md: what it shows by example works."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from chalicelib.core import video_types
from components import setting_fields, settings, settings_documents
from tests.media.containers import SAMPLES

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = (PROJECT / "CONTRIBUTING.md").read_text()


def section(title: str) -> str:
    return GUIDE.partition(f"### {title}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


def examples(title: str) -> list[list[str]]:
    """Lines of each of the section's blocks of Python."""
    blocks = re.findall(r"```python\n(.*?)```", section(title), re.DOTALL)
    return [textwrap.dedent(block).splitlines() for block in blocks]


def test_the_example_of_a_setting_is_one_line_from_which_both_documents_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (group,) = re.findall(r"In `(\w+)`", section("A setting"))
    ((line,),) = examples("A setting")
    source = (PROJECT / "components/settings.py").read_text()
    head, found, rest = source.partition(f"class {group}:\n")
    body, separator, after = rest.partition("\n\n\n")
    changed = ModuleType("settings_with_one_more")
    monkeypatch.setitem(sys.modules, changed.__name__, changed)
    exec(head + found + body.rstrip() + f"\n    {line}" + separator + after, vars(changed))  # noqa: S102 - our own source
    monkeypatch.setattr(settings_documents, "GROUPS", vars(changed)["GROUPS"])
    written = settings_documents.written()
    key = setting_fields.camel_case(line.partition(":")[0])
    assert yaml.safe_load(written["Pulumi.yaml"])["config"][key] == {"type": "integer", "default": 365}
    assert f"| `{key}` | days for which posters are kept | 365 |" in written["docs/deploying.md"]


def with_rows(source: str, rows: dict[str, str]) -> str:
    """The module with one more row in each of its tables, or one more member of its enumeration.

    A row that it has already is left out: somebody may have added the example itself.
    """
    lines = source.splitlines(keepends=True)
    for table, row in rows.items():
        if f"    {row}\n" in lines:
            continue
        (beginning,) = (number for number, line in enumerate(lines) if re.match(rf"(class )?{table}\b", line))
        lines.insert(beginning + 1, f"    {row}\n")
    return "".join(lines)


def test_the_example_of_a_container_has_the_facts_that_its_row_says(tmp_path: Path) -> None:
    for folder in ("chalice_app/chalicelib", "tests/media"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    rows, (facts, sample) = examples("A container")
    types = tmp_path / "chalice_app/chalicelib/core/video_types.py"
    tables = ("Container", "FORMATS", "VIDEO_TYPES", "VIDEO_SIGNATURES")
    types.write_text(with_rows(types.read_text(), dict(zip(tables, rows, strict=True))))
    samples = tmp_path / "tests/media/containers.py"
    samples.write_text(
        with_rows(samples.read_text().replace("\nSAMPLES:", f"\n{facts}\nSAMPLES:"), {"SAMPLES": sample})
    )
    check = (
        "from pathlib import Path\n"
        "from tests.media import test_recipes\n"
        "test_recipes.test_a_video_has_the_right_facts_poster_and_thumbnails('flv', Path())"
    )
    paths = os.pathsep.join(str(tmp_path / folder) for folder in ("", "chalice_app"))
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", check], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_every_container_has_a_row_in_each_table_that_the_guide_names() -> None:
    tables: dict[str, Iterable[str]] = {
        "FORMATS": video_types.FORMATS,
        "VIDEO_TYPES": (known.container for known in video_types.VIDEO_TYPES.values()),
        "VIDEO_SIGNATURES": (each for known in video_types.VIDEO_SIGNATURES for each in known.containers),
        "ACCEPTED_CONTAINERS": (*settings.ACCEPTED_CONTAINERS, *settings.OTHER_CONTAINERS),
        "SAMPLES": (made.right.container for made in SAMPLES.values()),
    }
    for name, containers in tables.items():
        assert f"`{name}`" in section("A container")
        assert set(containers) == set(video_types.Container), name


@pytest.mark.parametrize("title", ["A setting", "A route", "A function", "A metric", "A container"])
def test_an_addition_takes_at_most_four_steps_whose_files_exist(title: str) -> None:
    steps = re.findall(r"^\d\. (.*?)(?=^\d\. |\Z)", section(title), re.DOTALL | re.MULTILINE)
    assert 0 < len(steps) <= 4
    named = set(re.findall(r"`([\w./]+/[\w./]*)`", section(title)))
    assert named
    assert all((PROJECT / path).exists() for path in named)
