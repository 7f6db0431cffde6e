"""CONTRIBUTING.md: what it shows by example works."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from components import setting_fields, settings_documents

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = (PROJECT / "CONTRIBUTING.md").read_text()


def section(title: str) -> str:
    return GUIDE.partition(f"### {title}\n")[2].partition("\n### ")[0].partition("\n## ")[0]


def test_the_example_of_a_setting_is_one_line_from_which_both_documents_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (group,) = re.findall(r"In `(\w+)`", section("A setting"))
    (line,) = (textwrap.dedent(found) for found in re.findall(r"```python\n(.*?)```", section("A setting"), re.DOTALL))
    source = (PROJECT / "components/settings.py").read_text()
    head, found, rest = source.partition(f"class {group}:\n")
    body, separator, after = rest.partition("\n\n\n")
    changed = ModuleType("settings_with_one_more")
    monkeypatch.setitem(sys.modules, changed.__name__, changed)
    exec(head + found + body.rstrip() + "\n" + textwrap.indent(line, "    ") + separator + after, vars(changed))  # noqa: S102 - our own source
    monkeypatch.setattr(settings_documents, "GROUPS", vars(changed)["GROUPS"])
    written = settings_documents.written()
    key = setting_fields.camel_case(line.partition(":")[0])
    assert yaml.safe_load(written["Pulumi.yaml"])["config"][key] == {"type": "integer", "default": 365}
    assert f"| `{key}` | days for which posters are kept | 365 |" in written["docs/deploying.md"]


@pytest.mark.parametrize("title", ["A setting", "A route", "A function", "A metric", "A container"])
def test_an_addition_takes_at_most_four_files_all_of_which_exist(title: str) -> None:
    steps = re.findall(r"^\d\. (.*?)(?=^\d\. |\Z)", section(title), re.DOTALL | re.MULTILINE)
    assert 0 < len(steps) <= 4
    named = set(re.findall(r"`([\w./]+/[\w./]*)`", section(title)))
    assert named
    assert all((PROJECT / path).exists() for path in named)
