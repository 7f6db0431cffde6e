"""Storage of metrics: one SQLite file that the platform writes and the site reads.

As in CloudWatch, the file holds statistics by period, and finer periods expire sooner, so that it stops growing. Reader
and writer never wait for each other, and written data survives when either process is killed.
"""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.status.embedded_metrics import Sample, Series, read_samples
from local.status.statistic_set import StatisticSet, merged, rounded

MINUTE_SECONDS = 60
DAY_SECONDS = 86_400  # in UTC, as CloudWatch cuts them
EVER_SECONDS = 0
HOUR_MINUTES = 60

RETENTION_SECONDS = {MINUTE_SECONDS: 3 * 3600, DAY_SECONDS: 15 * DAY_SECONDS}
"""Retention by period; all-time counts are kept for ever."""

# CloudWatch Logs API Reference, PutLogEvents: an event that is older or later is refused.
MAX_BEHIND_SECONDS = 14 * DAY_SECONDS
MAX_AHEAD_SECONDS = 2 * 3600

FLUSH_SECONDS = 0.5

_SCHEMA_VERSION = 2
_SCHEMA = f"""
PRAGMA user_version = {_SCHEMA_VERSION};
CREATE TABLE IF NOT EXISTS series (
    series_id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    first_at REAL NOT NULL,
    latest_at REAL NOT NULL,
    latest_value REAL NOT NULL,
    UNIQUE (namespace, name, dimensions)
);
CREATE TABLE IF NOT EXISTS statistics (
    series_id INTEGER NOT NULL REFERENCES series,
    period_seconds INTEGER NOT NULL,
    start_seconds INTEGER NOT NULL,
    sample_count INTEGER NOT NULL,
    total REAL NOT NULL,
    minimum REAL NOT NULL,
    maximum REAL NOT NULL,
    PRIMARY KEY (series_id, period_seconds, start_seconds)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS value_counts (
    series_id INTEGER NOT NULL REFERENCES series,
    start_seconds INTEGER NOT NULL,
    value REAL NOT NULL,
    value_count INTEGER NOT NULL,
    PRIMARY KEY (series_id, start_seconds, value)
) WITHOUT ROWID;
"""
_ADD_SERIES = """
INSERT INTO series (namespace, name, dimensions, first_at, latest_at, latest_value) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET latest_at = excluded.latest_at, latest_value = excluded.latest_value
RETURNING series_id
"""
_ADD_VALUE = """
INSERT INTO statistics VALUES (?1, ?2, ?3, 1, ?4, ?4, ?4)
ON CONFLICT DO UPDATE SET sample_count = sample_count + 1, total = total + excluded.total,
    minimum = min(minimum, excluded.minimum), maximum = max(maximum, excluded.maximum)
"""
_COUNT_VALUE = """
INSERT INTO value_counts VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET value_count = value_count + 1
"""

log = logging.getLogger(__name__)


@dataclass
class KeptSeries:
    """Stored statistics of a series: by start of minute and day, and of all time. Times are in seconds since 1970.

    Percentiles need the minutes.
    """

    first_at: float = 0.0
    latest_at: float = 0.0
    latest_value: float = 0.0
    minutes: dict[int, StatisticSet] = field(default_factory=dict[int, StatisticSet])
    days: dict[int, StatisticSet] = field(default_factory=dict[int, StatisticSet])
    ever: StatisticSet = field(default_factory=StatisticSet)

    def by_minute(self, now_seconds: float, count: int) -> list[StatisticSet]:
        """The last `count` minutes, oldest first, the running one last."""
        running = _start_of(now_seconds, MINUTE_SECONDS)
        starts = range(running - (count - 1) * MINUTE_SECONDS, running + 1, MINUTE_SECONDS)
        return [self.minutes.get(start, StatisticSet()) for start in starts]

    def by_hour(self, now_seconds: float) -> list[StatisticSet]:
        """The 60 minutes up to now, after the 60 before them."""
        minutes = self.by_minute(now_seconds, 2 * HOUR_MINUTES)
        return [merged(minutes[:HOUR_MINUTES]), merged(minutes[HOUR_MINUTES:])]

    def by_day(self, now_seconds: float) -> list[StatisticSet]:
        """Yesterday, and today so far."""
        today = _start_of(now_seconds, DAY_SECONDS)
        return [self.days.get(start, StatisticSet()) for start in (today - DAY_SECONDS, today)]


class MetricStore:
    """The one writer of a file. `collect` returns at once; what it took is in the file half a second later.

    A file that is torn, or of another version, is put aside as `….unusable`: no video depends on it.
    """

    def __init__(self, file: Path, now: Callable[[], float] = time.time) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._now = now
        self._lock = threading.Lock()
        self._pending: list[Sample] = []
        self._writing = threading.Lock()
        self._connection = _opened(file)
        self._pruned_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is left."""
        self._closing.set()
        self._thread.join()
        self.flush()
        self._connection.close()

    def collect(self, line: str) -> None:
        """Take a line of a process; lines without a metric are ignored."""
        samples = read_samples(line)
        if not samples:
            return
        now = self._now()
        with self._lock:
            self._pending += [
                sample
                for sample in samples
                if sample.values and now - MAX_BEHIND_SECONDS <= sample.at_seconds <= now + MAX_AHEAD_SECONDS
            ]

    def flush(self) -> None:
        """Write what was collected until now."""
        # First of all the turn to write: what another thread has taken is written when this returns.
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, []
            if not pending:
                return
            self._connection.execute("BEGIN IMMEDIATE")
            for sample in pending:
                self._add(sample)
            self._prune()
            self._connection.execute("COMMIT")

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except sqlite3.Error:
                # A full disk must not end the platform; the next seconds are written when there is room again.
                log.exception("metrics are lost")
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def _add(self, sample: Sample) -> None:
        series, at = sample.series, sample.at_seconds
        told = (series.namespace, series.name, json.dumps(series.dimensions), at, at, sample.values[-1])
        (series_id,) = self._connection.execute(_ADD_SERIES, told).fetchone()
        for period in (MINUTE_SECONDS, DAY_SECONDS, EVER_SECONDS):
            rows = [(series_id, period, _start_of(at, period), value) for value in sample.values]
            self._connection.executemany(_ADD_VALUE, rows)
        minute = _start_of(at, MINUTE_SECONDS)
        counted = [(series_id, minute, rounded(value)) for value in sample.values]
        self._connection.executemany(_COUNT_VALUE, counted)

    def _prune(self) -> None:
        now = self._now()
        if now - self._pruned_at < MINUTE_SECONDS:
            return
        self._pruned_at = now
        for period_seconds, retention_seconds in RETENTION_SECONDS.items():
            self._connection.execute(
                "DELETE FROM statistics WHERE period_seconds = ? AND start_seconds < ?",
                (period_seconds, now - retention_seconds),
            )
        oldest = now - RETENTION_SECONDS[MINUTE_SECONDS]
        self._connection.execute("DELETE FROM value_counts WHERE start_seconds < ?", (oldest,))


def read_metrics(file: Path) -> dict[Series, KeptSeries]:
    """Everything that is kept, of one moment. Raises sqlite3.OperationalError when there is no such file."""
    kept: dict[Series, KeptSeries] = {}
    with _reading(file) as connection:
        by_id: dict[int, KeptSeries] = {}
        for series_id, namespace, name, dimensions, *rest in connection.execute("SELECT * FROM series"):
            pairs = tuple((key, value) for key, value in json.loads(dimensions))
            by_id[series_id] = kept[Series(namespace, name, pairs)] = KeptSeries(*rest)
        for series_id, period_seconds, start_seconds, *row in connection.execute("SELECT * FROM statistics"):
            series, statistics = by_id[series_id], StatisticSet(*row)
            if period_seconds == MINUTE_SECONDS:
                series.minutes[start_seconds] = statistics
            elif period_seconds == DAY_SECONDS:
                series.days[start_seconds] = statistics
            else:
                series.ever = statistics
        for series_id, start_seconds, value, count in connection.execute("SELECT * FROM value_counts"):
            by_id[series_id].minutes[start_seconds].counts[value] = count
    return kept


def _opened(file: Path) -> sqlite3.Connection:
    if file.exists() and not _is_usable(file):
        unusable = file.rename(file.with_name(f"{file.name}.unusable"))
        for suffix in ("-wal", "-shm"):
            # They would be taken for those of the new file.
            file.with_name(file.name + suffix).unlink(missing_ok=True)
        log.warning("the metrics kept so far cannot be used; they are in %s", unusable)
    connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    # As the stand-in's journal: it outlives kill -9, and may lose the last seconds to a power cut.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.executescript(_SCHEMA)
    return connection


def _is_usable(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(file)) as connection:
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError:
        raise  # it is locked, or the disk fails: no word about its content
    except sqlite3.DatabaseError:
        return False
    return tables == 0 or (version == _SCHEMA_VERSION and verdict == "ok")


@contextmanager
def _reading(file: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        yield connection


def _start_of(at_seconds: float, period_seconds: int) -> int:
    """Start of the period that contains a moment."""
    return int(at_seconds // period_seconds) * period_seconds if period_seconds else 0
