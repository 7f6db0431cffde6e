"""Workload files: what the default says, and every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.compute.function_table import FUNCTIONS
from costs.errors import WorkloadError
from costs.units import GB
from costs.workload import Workload


def read(folder: Path, text: str) -> Workload:
    path = folder / "workload.toml"
    path.write_text(text)
    return Workload.read(path)


def test_the_default_is_the_specifications(workload: Workload) -> None:
    assert workload.uploads_per_day * workload.mean_video_bytes / GB == pytest.approx(15)
    assert workload.peak_concurrent_uploads == 1_247
    assert workload.peak_users == 2_500
    assert workload.cache_hit_percent == 94
    assert workload.rejected_percent == pytest.approx(100 - 99.9)
    # All uploads of the busiest moment are of one day.
    assert workload.uploads_per_day >= workload.peak_concurrent_uploads


def test_the_default_knows_every_function(workload: Workload) -> None:
    assert set(workload.function_milliseconds) == set(FUNCTIONS)


def test_a_file_names_only_what_differs(tmp_path: Path, workload: Workload) -> None:
    given = read(tmp_path, "mean_video_mb = 900\n[function_milliseconds]\njanitor = 10\n")
    assert given.mean_video_mb == 900
    assert given.uploads_per_day == workload.uploads_per_day
    assert given.function_milliseconds == {**workload.function_milliseconds, "janitor": 10}


def test_an_audience_is_given_whole(tmp_path: Path) -> None:
    given = read(tmp_path, "[audience_percent]\njapan = 60\neurope = 40\n")
    assert given.audience_percent == {"japan": 60, "europe": 40}


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError) as caught:
        read(
            tmp_path,
            "\n".join(
                [
                    "uploads_per_week = 3",
                    "uploads_per_day = -1",
                    "mean_video_mb = 'large'",
                    "cache_hit_percent = 101",
                    "peak_users = nan",
                    "peak_seconds = true",
                    "log_bytes = 5",
                    "[audience_percent]",
                    "europe = 50",
                    "[function_milliseconds]",
                    "transcoder = 1",
                ]
            ),
        )
    problems = dict(caught.value.problems)
    assert set(problems) == {
        *("uploads_per_week", "uploads_per_day", "mean_video_mb", "cache_hit_percent", "peak_users", "peak_seconds"),
        *("log_bytes", "audience_percent", "function_milliseconds.transcoder"),
    }
    assert problems["audience_percent"] == "adds up to 50, not 100"
    assert all(key in str(caught.value) for key in problems)


@pytest.mark.parametrize("text", ["uploads_per_day = ", "\x00"])
def test_a_file_that_cannot_be_read_is_one_mistake(tmp_path: Path, text: str) -> None:
    with pytest.raises(WorkloadError, match="cannot be read"):
        read(tmp_path, text)


def test_a_missing_file_is_one_mistake(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="cannot be read"):
        Workload.read(tmp_path / "none.toml")
