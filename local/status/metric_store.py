"""Storage of metrics: one SQLite file that the platform writes and the site reads.

As in CloudWatch, the file contains statistics by period, and finer periods expire sooner, which limits its size. Reader
and writer never wait for each other, and written data survives a kill of either process.
"""

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.observability.metrics import Metric
from local.status.embedded_metrics import Sample, read_samples, series_name

MINUTE_SECONDS, DAY_SECONDS, EVER_SECONDS = 60, 86_400, 0
"""Periods. Days are in UTC, as in CloudWatch."""
RETENTION_SECONDS = {MINUTE_SECONDS: 3 * 3600, DAY_SECONDS: 15 * DAY_SECONDS}
"""Retention by period; all-time counts are kept for ever."""
# CloudWatch Logs API Reference, PutLogEvents: older and later events are refused.
MAX_BEHIND_SECONDS = 14 * DAY_SECONDS
MAX_AHEAD_SECONDS = 2 * 3600
SIGNIFICANT_DIGITS = 3
"""Precision of values for percentiles: at most 900 different ones per power of ten."""
FLUSH_SECONDS = 0.5

_SCHEMA_VERSION = 3
# A minute has a row per rounded value; a day and all time have one row.
_SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL; -- as the stand-in's journal: kill -9 loses nothing, a power cut the last seconds
PRAGMA user_version = {_SCHEMA_VERSION};
CREATE TABLE IF NOT EXISTS statistics (
    period_seconds INTEGER NOT NULL,
    start_seconds INTEGER NOT NULL,
    series TEXT NOT NULL,
    rounded REAL NOT NULL,
    sample_count INTEGER NOT NULL,
    total REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    first_at REAL NOT NULL,
    latest_at REAL NOT NULL,
    latest_value REAL NOT NULL,
    PRIMARY KEY (period_seconds, series, start_seconds, rounded)
) WITHOUT ROWID;
"""
_ADD = """
INSERT INTO statistics VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?5, ?6, ?6, ?5)
ON CONFLICT DO UPDATE SET sample_count = sample_count + 1, total = total + excluded.total,
    minimum = min(minimum, excluded.minimum), maximum = max(maximum, excluded.maximum),
    latest_at = excluded.latest_at, latest_value = excluded.latest_value
"""
_FORGET = "DELETE FROM statistics WHERE period_seconds = ? AND start_seconds < ?"
_WINDOW = "FROM statistics WHERE period_seconds = ? AND start_seconds BETWEEN ? AND ? AND series = ?"
# The smallest value that covers the requested share, clamped to the range of unrounded values.
_PERCENTILE = f"""
SELECT min(max(rounded, lowest), highest) FROM (
    SELECT rounded, sum(sample_count) OVER (ORDER BY rounded) AS passed, sum(sample_count) OVER () AS of_all,
        min(minimum) OVER () AS lowest, max(maximum) OVER () AS highest {_WINDOW}
) WHERE passed >= of_all * ? ORDER BY rounded LIMIT 1
"""  # noqa: S608 - our own text
_STATISTICS = {
    "Sum": "sum(total)",
    "Average": "sum(total) / sum(sample_count)",
    "Minimum": "min(minimum)",
    "Maximum": "max(maximum)",
    "SampleCount": "sum(sample_count)",
}

log = logging.getLogger(__name__)


class MetricStore:
    """The only writer of a file. `collect` returns at once; the file contains its lines half a second later.

    A damaged file, or one of another version, is renamed to `….unusable`: no video depends on it.
    """

    def __init__(self, file: Path, now: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._pending = deque[Sample]()
        self._writing = threading.Lock()
        self._connection = _opened(file)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write pending lines and stop."""
        self._closing.set()
        self._thread.join()
        self.flush()
        self._connection.close()

    def collect(self, line: str) -> None:
        """Collect a line of a process. Lines without metrics are ignored."""
        oldest, newest = self._now() - MAX_BEHIND_SECONDS, self._now() + MAX_AHEAD_SECONDS
        self._pending.extend(sample for sample in read_samples(line) if oldest <= sample.at_seconds <= newest)

    def flush(self) -> None:
        """Write the lines collected so far."""
        # The write lock first: lines that another thread has taken are then written when this returns.
        with self._writing, self._connection:
            for _ in range(len(self._pending)):
                self._connection.executemany(_ADD, _rows(self._pending.popleft()))
            for period, retention in RETENTION_SECONDS.items():
                self._connection.execute(_FORGET, (period, self._now() - retention))

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            try:
                if self._pending:
                    self.flush()
            except sqlite3.Error:
                # A full disk must not end the platform; writing resumes when there is space.
                log.exception("metrics are lost")


@dataclass(frozen=True)
class StoredMetrics:
    """A snapshot of a MetricStore's file. Times are in seconds since 1970."""

    connection: sqlite3.Connection

    def statistic(self, metric: Metric, period_seconds: int, first: float, last: float) -> float | None:
        """The metric's statistic over the periods of `first` to `last`; None without a value."""
        window = (period_seconds, _start_of(first, period_seconds), _start_of(last, period_seconds), _series(metric))
        if metric.statistic in _STATISTICS:
            found = self.connection.execute(f"SELECT {_STATISTICS[metric.statistic]} {_WINDOW}", window)
        else:
            share = float(metric.statistic.removeprefix("p")) / 100
            found = self.connection.execute(_PERCENTILE, (*window, share))
        return next((value for (value,) in found), None)

    def latest(self, metric: Metric, since: float) -> float | None:
        """The newest value, unless it is older."""
        found = self.connection.execute(
            "SELECT latest_value FROM statistics WHERE period_seconds = ? AND series = ? AND latest_at > ?",
            (EVER_SECONDS, _series(metric), since),
        ).fetchone()
        return found[0] if found else None

    def first_at(self) -> float | None:
        """Time of the very first value."""
        ever = "SELECT min(first_at) FROM statistics WHERE period_seconds = ?"
        return self.connection.execute(ever, (EVER_SECONDS,)).fetchone()[0]


@contextmanager
def stored_metrics(file: Path) -> Generator[StoredMetrics]:
    """Open a snapshot. Raises sqlite3.OperationalError if there is no file."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        yield StoredMetrics(connection)


def _rows(sample: Sample) -> Iterator[tuple[object, ...]]:
    for value in sample.values:
        for period in (MINUTE_SECONDS, DAY_SECONDS, EVER_SECONDS):
            rounded = float(f"{value:.{SIGNIFICANT_DIGITS}g}") if period == MINUTE_SECONDS else 0
            yield period, _start_of(sample.at_seconds, period), sample.series, rounded, value, sample.at_seconds


def _series(metric: Metric) -> str:
    return series_name(metric.namespace, metric.name, metric.dimensions)


def _start_of(at_seconds: float, period_seconds: int) -> int:
    """Start of the period that contains a moment."""
    return int(at_seconds // period_seconds) * period_seconds if period_seconds else 0


def _opened(file: Path) -> sqlite3.Connection:
    if file.exists() and not _is_usable(file):
        unusable = file.rename(file.with_name(f"{file.name}.unusable"))
        for suffix in ("-wal", "-shm"):
            # They would be used with the new file.
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        log.warning("the metrics stored so far cannot be used; they are in %s", unusable)
    connection = sqlite3.connect(file, check_same_thread=False)
    connection.executescript(_SCHEMA)
    return connection


def _is_usable(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        raise  # it is locked, or the disk fails: says nothing about its content
    except sqlite3.DatabaseError:
        return False
    return (version, verdict) == (_SCHEMA_VERSION, "ok")
