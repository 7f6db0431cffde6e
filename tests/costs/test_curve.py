"""The cost curve from 1 GB to 1 PB, in figures and as a picture."""

from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest

from costs.curve import amount, curve, svg
from tests.costs.small_stage import SmallModel

SVG = "{http://www.w3.org/2000/svg}"


def test_the_curve_runs_from_a_gigabyte_to_a_petabyte(small: SmallModel) -> None:
    points = curve(small)
    assert [point.stored_gb for point in points] == pytest.approx([10**power for power in range(7)])
    assert points[-1].stored_gb == pytest.approx(1e6)
    # More costs more in all and less for each GB.
    costs = [point.usd for point in points]
    assert costs == sorted(costs)
    per_gb = [point.usd_per(point.stored_gb) for point in points]
    assert per_gb == sorted(per_gb, reverse=True)


def test_a_point_is_the_bill_of_its_size(small: SmallModel) -> None:
    at_a_terabyte = dataclasses.replace(small, workload=small.workload.scaled(1000 / small.bill().stored_gb)).bill()
    assert curve(small)[3].lines == at_a_terabyte.lines


def test_a_workload_of_nothing_has_no_curve(small: SmallModel) -> None:
    assert curve(dataclasses.replace(small, workload=small.workload.idle())) == []


def test_the_picture_shows_every_point_and_the_target(small: SmallModel) -> None:
    points = curve(small)
    root = ET.fromstring(svg(points, stage="prod & more", target_usd=0.23))  # noqa: S314 - our own text
    assert root.findtext(f"{SVG}title") == "prod & more: cost per GB stored, 1 GB to 1 PB"
    circles = root.findall(f"{SVG}circle")
    assert len(circles) == len(points)
    for circle, point in zip(circles, points, strict=True):
        assert f"${point.usd_per(point.stored_gb):,.4f} per GB" in (circle.findtext(f"{SVG}title") or "")
    heights = [float(circle.attrib["cy"]) for circle in circles]
    assert heights == sorted(heights)  # down the page, cheaper
    across = [float(circle.attrib["cx"]) for circle in circles]
    assert across == pytest.approx([80 + number * 650 / 6 for number in range(7)], abs=0.1)
    assert all(60 <= height <= 380 for height in heights)
    assert any("target $0.23" in (text.text or "") for text in root.findall(f"{SVG}text"))


@pytest.mark.parametrize(("gb", "written"), [(1, "1 GB"), (999, "999 GB"), (10_000, "10 TB"), (1_000_000, "1 PB")])
def test_sizes_are_written_in_their_unit(gb: float, written: str) -> None:
    assert amount(gb) == written
