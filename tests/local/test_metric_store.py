"""Metric store: its contents, how long it keeps them, and kills that it survives."""

import json
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.status.local_names import monitored_locally
from local.status.metric_store import DAY_SECONDS, EVER_SECONDS, MINUTE_SECONDS, MetricStore, stored_metrics

ROOT = Path(__file__).parents[2]
NOON = 1_700_049_600.0  # 2023-11-15T12:00:00Z


def line(name: str, *values: float, at: float = NOON) -> str:
    directive = {"Namespace": "VideoUpload", "Dimensions": [["Stage"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    described = {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": described, "Stage": "local", name: list(values)})


def stored(file: Path, statistic: str, period: int, first: float, last: float | None = None) -> float | None:
    """Statistic of UploadsReady."""
    with stored_metrics(file) as metrics:
        metric = monitored_locally().own("uploads_ready_count", statistic)
        return metrics.statistic(metric, period, first, first if last is None else last)


def ever(file: Path) -> float | None:
    return stored(file, "Sum", EVER_SECONDS, 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "metrics.sqlite3"


@dataclass
class Clock:
    at_seconds: float = NOON

    def __call__(self) -> float:
        return self.at_seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(file: Path, clock: Clock) -> Iterator[MetricStore]:
    with closing(MetricStore(file, now=clock)) as opened:
        yield opened


def test_values_add_up_by_minute_by_day_and_in_all(store: MetricStore, file: Path, clock: Clock) -> None:
    for seconds in (0, 1, 59, 60):
        store.collect(line("UploadsReady", 2, 3, at=NOON + seconds))
        store.flush()
    minutes = (NOON - 60, NOON, NOON + 59, NOON + 60)
    assert [stored(file, "Sum", MINUTE_SECONDS, minute) for minute in minutes] == [None, 15, 15, 5]
    assert stored(file, "Sum", MINUTE_SECONDS, NOON, NOON + 3540) == 20
    assert stored(file, "Sum", MINUTE_SECONDS, NOON + 60, NOON + 3600) == 5
    clock.at_seconds = NOON + DAY_SECONDS
    store.collect(line("UploadsReady", 2, 3, at=clock.at_seconds))
    store.flush()
    assert [stored(file, "Sum", DAY_SECONDS, NOON + day * DAY_SECONDS) for day in (-1, 0, 1)] == [None, 20, 5]
    assert (ever(file), stored(file, "SampleCount", EVER_SECONDS, 0)) == (25, 10)
    with stored_metrics(file) as metrics:
        metric = monitored_locally().own("uploads_ready_count", "Maximum")
        assert metrics.first_at() == NOON
        assert [metrics.latest(metric, clock.at_seconds - age) for age in (1, 0)] == [3, None]


def test_a_restart_goes_on_where_it_was(file: Path) -> None:
    for _ in range(3):
        with closing(MetricStore(file, now=lambda: NOON)) as store:
            store.collect(line("UploadsReady", 1))
    assert ever(file) == 3


@pytest.mark.parametrize("damage", ["no database", "torn page", "other tables"])
def test_a_file_that_cannot_be_used_is_put_aside_and_a_new_one_begun(file: Path, damage: str) -> None:
    with closing(MetricStore(file, now=lambda: NOON)) as store:
        for number in range(2000):
            store.collect(line(f"Metric{number}", 1))
    match damage:
        case "no database":
            file.write_bytes(b"metrics " * 1000)
        case "torn page":
            with file.open("r+b") as opened:
                opened.seek(3 * 4096)
                opened.write(b"\xff" * 4096 * 20)
        case _:
            file.unlink()
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("CREATE TABLE statistics (told TEXT)")
    with closing(MetricStore(file, now=lambda: NOON)) as store:
        store.collect(line("UploadsReady", 1))
    assert ever(file) == 1
    assert file.with_name("metrics.sqlite3.unusable").exists()
    with closing(MetricStore(file, now=lambda: NOON)) as store:
        store.collect(line("UploadsReady", 1))
    assert ever(file) == 2, "once is enough"


def test_it_is_written_by_itself_and_outlives_kill_9(file: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path\n"
        "from local.status.metric_store import MetricStore, stored_metrics\n"
        "file, line = Path(sys.argv[1]), sys.argv[2]\n"
        "store = MetricStore(file); store.collect(line)\n"
        "def is_written():\n"
        "    with stored_metrics(file) as stored: return stored.first_at() is not None\n"
        "while not is_written(): time.sleep(0.05)\n"
        "os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", script, str(file), line("UploadsReady", 1, at=time.time())],
        cwd=ROOT,
        timeout=30,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert ever(file) == 1


def test_a_week_of_use_does_not_grow_without_limit_and_forgets_no_count(
    store: MetricStore, file: Path, clock: Clock
) -> None:
    names = ("UploadsReady", "Latency")
    for minute in range(0, 7 * 24 * 60, 5):
        clock.at_seconds = NOON + 60 * minute
        for name in names:
            store.collect(line(name, *(random.random() for _ in range(10)), at=clock.at_seconds))
        store.flush()
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT DISTINCT period_seconds, start_seconds, series FROM statistics").fetchall()
    assert len(rows) <= len(names) * (3 * 60 / 5 + 1 + 8 + 1)
    assert file.stat().st_size < 400_000
    assert stored(file, "SampleCount", EVER_SECONDS, 0) == 7 * 24 * 60 / 5 * 10


def test_the_site_reads_while_lines_come_from_many_threads(store: MetricStore, file: Path) -> None:
    def print_lines() -> None:
        for _ in range(500):
            store.collect(line("UploadsReady", 1))

    threads = [threading.Thread(target=print_lines) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.flush()
        ever(file)
    store.flush()
    assert ever(file) == 2000


def test_a_line_is_pending_until_it_is_its_turn_to_be_written(store: MetricStore) -> None:
    with store._writing:
        store.collect(line("UploadsReady", 1))
        other = threading.Thread(target=store.flush)
        other.start()
        other.join(0.2)
        assert store._pending, "taken, and yet to be written"
    other.join()


def test_a_line_without_a_metric_leaves_no_trace(store: MetricStore, file: Path) -> None:
    too_old, too_new = (line("UploadsReady", 1, at=NOON + days * DAY_SECONDS) for days in (-15, 1e30))
    for text in (too_old, too_new, "", "Traceback (most recent call last):", '{"level": "INFO"}', '{"_aws": {}}'):
        store.collect(text)
    store.flush()
    with stored_metrics(file) as metrics:
        assert metrics.first_at() is None


def test_a_median_of_many_values_is_told_to_three_digits_from_few_numbers(store: MetricStore, file: Path) -> None:
    drawn = random.Random(7)
    values = [drawn.lognormvariate(3, 1) for _ in range(20_000)]
    for first in range(0, len(values), 100):
        store.collect(line("UploadsReady", *values[first : first + 100]))
    store.flush()
    expected = {"p50": statistics.median(values), "p0": min(values), "p100": max(values)}
    found = {name: stored(file, name, MINUTE_SECONDS, NOON) for name in (*expected, "Average", "Minimum")}
    assert found == pytest.approx({**expected, "Average": statistics.fmean(values), "Minimum": min(values)}, rel=0.006)
    assert found["Average"] == pytest.approx(statistics.fmean(values))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM statistics").fetchone()[0] < 3000


def test_without_values_there_is_no_statistic_and_an_unknown_one_never(store: MetricStore, file: Path) -> None:
    assert store
    names = ("Sum", "Average", "Maximum", "p50")
    assert [stored(file, name, MINUTE_SECONDS, NOON) for name in names] == [None] * 4
    for unknown in ("Median", "pp", "sum"):
        with pytest.raises(ValueError, match="could not convert"):
            stored(file, unknown, MINUTE_SECONDS, NOON)
