"""docs/architecture.md: everything that is drawn has a row, and what a row names is really there."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from chalicelib.core.metric_catalogue import OWN_METRICS
from tests.infrastructure.recorded_program import PROJECT, Recording
from tests.infrastructure.safety.reading import operations

DOCUMENT = PROJECT / "docs" / "architecture.md"
STATES = {"stands", "otherwise", "not yet"}
RESOURCE = re.compile(r"[A-Z]\w+ [a-z][\w-]*")
ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) /[\w/{}]*")
NOT_OURS = {"node_modules", "dist"}
PATH = re.compile(r"[\w./-]+\.(py|md|js|ts|html|json|yaml)|[\w./-]+/")
METRIC_KEYS = {metric.name: key for key, metric in OWN_METRICS.items()}
"""The names by which code calls the platform's own metrics."""
LINK = re.compile(r"\]\(([^)#]+)\)")


@dataclass(frozen=True)
class Row:
    """One row of a map: what is drawn, how it stands, and where."""

    drawn: str
    state: str
    where: str

    @property
    def named(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.where)

    @property
    def paths(self) -> list[str]:
        return [name for name in self.named if PATH.fullmatch(name)]

    @property
    def links(self) -> list[str]:
        return LINK.findall(self.where)


@dataclass(frozen=True)
class Section:
    """One drawing with its maps."""

    title: str
    drawing: str
    rows: tuple[Row, ...]

    def drawn(self) -> list[str]:
        """Return the drawing's boxes, arrows and steps, in the words of the rows."""
        boxes = re.findall(r"^\s*(\w+)\[(.+)\]$", self.drawing, re.MULTILINE)
        arrows = re.findall(r"^\s*(\w+) --> (\w+)$", self.drawing, re.MULTILINE)
        steps = re.findall(r"^\s*(\w+)--?>>(\w+): (.+)$", self.drawing, re.MULTILINE)
        return [
            *(f"{box} {label}" for box, label in boxes),
            *(f"{start} → {end}" for start, end in arrows),
            *(f"{start} → {end}: {message}" for start, end, message in steps),
        ]

    def mapped(self) -> list[str]:
        return [each for row in self.rows for each in _unfolded(row.drawn)]


def _unfolded(drawn: str) -> Iterator[str]:
    """`M, N → U` stands for the arrows M → U and N → U."""
    starts, arrow, ends = drawn.partition(" → ")
    if not arrow or ":" in ends:
        yield drawn
        return
    for start in starts.split(", "):
        for end in ends.split(", "):
            yield f"{start} → {end}"


@cache
def sections() -> tuple[Section, ...]:
    found: list[Section] = []
    for text in DOCUMENT.read_text().split("\n## ")[1:]:
        drawing = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL)
        if drawing:
            found.append(Section(text.partition("\n")[0], drawing[1], tuple(_rows(text))))
    return tuple(found)


def _rows(text: str) -> Iterator[Row]:
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| Drawn "):
            drawn, state, *where = (cell.strip() for cell in line.strip("|").split("|"))
            yield Row(drawn, state, " | ".join(where))


def every_row() -> list[Row]:
    return [row for section in sections() for row in section.rows]


def _text_of(paths: list[str]) -> str:
    files = [PROJECT / path for path in paths]
    inside = [
        inner
        for path in files
        if path.is_dir()
        for inner in path.rglob("*")
        if inner.suffix in {".py", ".ts"} and not NOT_OURS & set(inner.parts)
    ]
    return "\n".join(path.read_text() for path in [*files, *inside] if path.is_file())


def test_all_five_drawings_are_there() -> None:
    assert [section.title for section in sections()] == [
        "System overview",
        "Upload in parts",
        "Security",
        "Costs",
        "Dashboard",
    ]


@pytest.mark.parametrize("position", range(5))
def test_every_box_arrow_and_step_of_a_drawing_has_exactly_one_row(position: int) -> None:
    section = sections()[position]
    assert section.drawn()
    assert sorted(section.mapped()) == sorted(section.drawn())


def test_every_row_says_how_it_stands() -> None:
    assert {row.state for row in every_row()} <= STATES
    for row in every_row():
        if row.state == "stands":
            assert row.paths, f"{row.drawn}: names no file"
        if row.state == "otherwise":
            assert any("adr/" in link for link in row.links), f"{row.drawn}: names no decision"


def test_every_file_and_link_that_a_row_names_exists() -> None:
    missing = [
        f"{row.drawn}: {path}"
        for row in every_row()
        for path in [*row.paths, *(f"docs/{link}" for link in row.links)]
        if not (PROJECT / path).exists()
    ]
    assert not missing


def test_every_resource_that_the_page_names_is_in_the_program_of_prod(prod: Recording, full_prod: Recording) -> None:
    resources = [*prod.resources, *full_prod.resources]
    made = {f"{each.type.rpartition(':')[2]} {each.name}" for each in resources}
    in_backticks = re.findall(r"`([^`\n]+)`", DOCUMENT.read_text())
    named = {name for name in in_backticks if RESOURCE.fullmatch(name)}
    assert len(named) > 50
    assert not named - made


def test_every_route_that_a_row_names_is_in_the_api(prod: Recording) -> None:
    served = {f"{method.upper()} {path}" for path, method, _ in operations(prod)}
    named = {name for row in every_row() for name in row.named if ROUTE.fullmatch(name)}
    assert named
    assert not named - served


def test_every_other_name_stands_in_a_file_of_its_row() -> None:
    """Functions, metrics, statements, settings: a renamed one leaves its row behind."""
    for row in every_row():
        text = _text_of(row.paths)
        for name in row.named:
            if not (RESOURCE.fullmatch(name) or ROUTE.fullmatch(name) or PATH.fullmatch(name)):
                spelled = METRIC_KEYS.get(name, name)
                found = re.search(rf"(?<!\w){re.escape(spelled)}(?!\w)", text)
                assert found, f"{row.drawn}: {name} stands in none of {row.paths}"


def test_every_name_of_the_index_is_found_where_it_says(prod: Recording) -> None:
    text = DOCUMENT.read_text().partition("\n## Index\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    served = {f"{method.upper()} {path}" for path, method, _ in operations(prod) if method != "options"}
    routes = {name for name in re.findall(r"`([^`]+)`", text) if ROUTE.fullmatch(name)}
    assert not routes - served
    for topic, where in rows:
        row = Row(topic, "stands", where)
        assert row.paths, f"{topic}: names no file"
        assert not [path for path in row.paths if not (PROJECT / path).exists()], topic
        content = _text_of(row.paths)
        for name in row.named:
            if not (RESOURCE.fullmatch(name) or PATH.fullmatch(name)):
                assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", content), (
                    f"{topic}: {name} is in none of {row.paths}"
                )


def test_the_core_lists_each_of_its_modules_by_the_station_of_an_upload() -> None:
    core = PROJECT / "chalice_app" / "chalicelib" / "core"
    docstring = ast.get_docstring(ast.parse((core / "__init__.py").read_text())) or ""
    lists = [line.split(maxsplit=1)[1] for line in docstring.splitlines()[2:]]
    modules = {path.stem for path in core.iterdir() if path.stem not in {"__init__", "__pycache__"}}
    assert {name for line in lists for name in line.split(", ")} == modules


def test_a_figure_is_called_missing_exactly_as_long_as_the_dashboard_lacks_it(prod: Recording) -> None:
    body = json.loads(prod.one("cloudwatch/dashboard:Dashboard", "observability-dashboard").inputs["dashboardBody"])
    shown = {_words(widget["properties"]["title"]) for widget in body["widgets"] if "title" in widget["properties"]}
    (dashboard,) = (section for section in sections() if section.title == "Dashboard")
    figures = {row for row in dashboard.rows if "→" not in row.drawn}
    assert len(figures) == 12
    for row in figures:
        figure = _words(row.drawn.partition(" ")[2].partition(":")[0])
        on_screen = any(figure <= title for title in shown)
        assert on_screen == (row.state == "stands"), f"{row.drawn} is called {row.state!r}"


def _words(title: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z0-9-]+", title.lower().partition("(")[0]))
