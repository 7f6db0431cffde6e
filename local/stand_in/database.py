"""The stand-in's journal: one SQLite file with everything but the bytes of bodies.

A transaction is committed to the write-ahead log before the response, so a confirmed change survives kill -9. It is not
synced to disk, which would slow down many small writes: a power cut may lose the last seconds.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from local.stand_in.errors import DataFolderInUseError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version_id TEXT NOT NULL,
    is_latest INTEGER NOT NULL,
    is_delete_marker INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at REAL NOT NULL,
    part_count INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL,
    checksum TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS version_of_key ON versions (bucket, key, version_id);
CREATE UNIQUE INDEX IF NOT EXISTS latest_of_key ON versions (bucket, key) WHERE is_latest;
CREATE TABLE IF NOT EXISTS segments (
    sequence INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    offset_bytes INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    PRIMARY KEY (sequence, part_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    upload_id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    initiated_at REAL NOT NULL,
    algorithm TEXT NOT NULL,
    checksum_type TEXT NOT NULL,
    is_algorithm_chosen INTEGER NOT NULL,
    headers TEXT NOT NULL,
    tags TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS upload_of_key ON uploads (bucket, key, initiated_at);
CREATE TABLE IF NOT EXISTS parts (
    upload_id TEXT NOT NULL,
    part_number INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at REAL NOT NULL,
    checksum TEXT NOT NULL,
    file_name TEXT NOT NULL,
    PRIMARY KEY (upload_id, part_number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS service_states (
    service TEXT PRIMARY KEY,
    state BLOB NOT NULL
);
"""
_TABLES = ("versions", "segments", "uploads", "parts", "outbox", "service_states")


class Database:
    """One connection shared by all threads, with one transaction at a time."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        """Open or create the journal in `folder`; raises DataFolderInUseError when another process holds it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = _lock(folder)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(folder / "journal.sqlite3", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = " + ("WAL" if durable else "MEMORY"))
        self._connection.execute("PRAGMA synchronous = " + ("NORMAL" if durable else "OFF"))
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """An atomic transaction, isolated from other threads."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """A consistent read. Fetch inside, stream outside."""
        with self._lock:
            yield self._connection

    def clear(self) -> None:
        """Delete everything."""
        with self.transaction() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 (names from the schema above)

    def close(self) -> None:
        """Merge the write-ahead log and unlock the folder."""
        with self._lock:
            self._connection.close()
            self._lock_file.close()


def _lock(folder: Path) -> TextIO:
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise DataFolderInUseError(folder) from error
    return file
