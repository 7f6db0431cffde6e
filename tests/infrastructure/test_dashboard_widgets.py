"""The dashboard's widgets: figures with their targets, places, and the ids of expressions."""

from __future__ import annotations

import re

from components.observability.figures import figures_of
from tests.infrastructure.monitored_stage import ANY_STAGE, widgets
from tests.infrastructure.recorded_program import Recording


def test_every_figure_is_on_the_screen_with_its_target_in_its_group(measured_prod: Recording) -> None:
    shown = widgets(measured_prod)
    figures = figures_of(ANY_STAGE)
    assert len(figures) == 12
    places: list[tuple[int, int]] = []
    for figure in figures:
        (widget,) = (each for each in shown if each["properties"].get("title") == f"{figure.title} ({figure.unit})")
        (line,) = widget["properties"]["annotations"]["horizontal"]
        assert line["value"] == figure.target
        (heading,) = (each for each in shown if each["properties"].get("markdown") == f"## {figure.group}")
        assert heading["y"] < widget["y"]
        places.append((widget["y"], widget["x"]))
    assert places == sorted(places), "in the order of the drawing"


def test_widgets_do_not_cover_each_other(measured_prod: Recording) -> None:
    taken: dict[tuple[int, int], str] = {}
    for widget in widgets(measured_prod):
        for x in range(widget["x"], widget["x"] + widget["width"]):
            for y in range(widget["y"], widget["y"] + widget["height"]):
                assert (x, y) not in taken
                taken[x, y] = str(widget["properties"])
        assert widget["x"] + widget["width"] <= 24  # CloudWatch API reference: a dashboard is 24 wide


def test_ids_of_a_widget_are_its_own_and_all_that_an_expression_names(measured_prod: Recording) -> None:
    for widget in widgets(measured_prod):
        rows = widget["properties"].get("metrics", [])
        ids = [row[-1]["id"] for row in rows if "id" in row[-1]]
        assert len(ids) == len(set(ids))
        for row in rows:
            named = re.findall(r"\b[ms]\d+\b", row[0].get("expression", "")) if isinstance(row[0], dict) else []
            assert set(named) <= set(ids)
