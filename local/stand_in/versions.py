"""The objects of versioned buckets: rows of versions and delete markers. The newest of a key is its latest."""

import base64
import binascii
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from local.stand_in.bodies import Bodies, Segment
from local.stand_in.checksums import Checksum
from local.stand_in.database import Database
from local.stand_in.errors import S3Error, invalid_argument, no_such_key, no_such_version, precondition_failed
from local.stand_in.listings import HIGHEST_CHAR, Listing, Marker, Scope, rolled_up
from local.stand_in.responses import http_time

NULL_VERSION = "null"
_PAGE_SEGMENTS = 500
_VERSION_ID_BYTES = 24
_BEFORE_ALL_VERSIONS = 2**63 - 1  # SQLite's largest integer


@dataclass(frozen=True, kw_only=True)
class Content:
    """Content of a version. headers: returned by GET (content type, metadata, encryption).

    checksum: None for an object stored without one (a composite one of unknown parts).
    """

    size_bytes: int
    etag: str
    headers: dict[str, str]
    tags: dict[str, str]
    checksum: Checksum | None
    part_count: int = 0


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of one key. sequence: ascending over all buckets."""

    sequence: int
    bucket: str
    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    modified_at: float
    content: Content


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Conditions of a write: the ETag that the key must have, or that the key must not exist."""

    if_match: str | None = None
    if_none_match: bool = False

    def check(self, key: str, current: Version | None) -> None:
        """Raises S3Error 412, or 404 if an ETag is required of a missing key."""
        exists = current is not None and not current.is_delete_marker
        if self.if_none_match and exists:
            raise precondition_failed("If-None-Match")
        if self.if_match is None:
            return
        if current is None or not exists:
            raise no_such_key(key)
        if self.if_match not in ("*", current.content.etag):
            raise precondition_failed("If-Match")


class Versions:
    """The versions of all keys. Files in `bodies` are removed with their rows."""

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies

    def find(self, bucket: str, key: str, version_id: str | None = None) -> Version:
        """The latest or the named version. Raises S3Error 404 for none, or for a delete marker requested by key."""
        with self._database.reading() as connection:
            version = find(connection, bucket, key, version_id)
        if version_id is not None and version is None:
            raise no_such_version(key, version_id)
        if version is None:
            raise no_such_key(key)
        return version

    def put(
        self,
        *,
        bucket: str,
        key: str,
        content: Content,
        file_name: str,
        conditions: Conditions,
        is_versioned: bool,
        now: float,
        announce: Callable[[sqlite3.Connection, Version], None],
    ) -> Version:
        """Store a new version with one file. `announce` writes its event in the same transaction."""
        with self._database.transaction() as connection:
            conditions.check(key, find(connection, bucket, key))
            segment = Segment(part_number=1, offset_bytes=0, size_bytes=content.size_bytes, file_name=file_name)
            version, replaced = insert(
                connection,
                bucket=bucket,
                key=key,
                content=content,
                segments=[segment],
                is_versioned=is_versioned,
                now=now,
            )
            announce(connection, version)
        self._bodies.remove(replaced)
        return version

    def hide(self, bucket: str, key: str, conditions: Conditions, *, is_versioned: bool, now: float) -> Version:
        """Add a delete marker to a key. In a bucket without new versions it replaces the null version."""
        with self._database.transaction() as connection:
            conditions.check(key, find(connection, bucket, key))
            marker, removed = insert(
                connection,
                bucket=bucket,
                key=key,
                content=Content(size_bytes=0, etag="", headers={}, tags={}, checksum=None),
                segments=[],
                is_versioned=is_versioned,
                now=now,
                is_delete_marker=True,
            )
        self._bodies.remove(removed)
        return marker

    def remove(self, bucket: str, key: str, version_id: str, conditions: Conditions) -> Version | None:
        """Remove a version permanently, if it exists, and return it."""
        with self._database.transaction() as connection:
            conditions.check(key, find(connection, bucket, key))
            version = find(connection, bucket, key, version_id)
            removed = _remove(connection, version) if version else []
        self._bodies.remove(removed)
        return version

    def set_tags(self, version: Version, tags: dict[str, str]) -> None:
        """Replace all tags of a version."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE versions SET tags = ? WHERE sequence = ?", (json.dumps(tags), version.sequence))

    def segments(self, version: Version, start: int, stop: int) -> Iterator[Segment]:
        """The files with the bytes start..stop (exclusive), in order, read in pages."""
        part_number = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    "SELECT part_number, offset_bytes, size_bytes, file_name FROM segments WHERE sequence = ?"
                    " AND part_number > ? AND offset_bytes < ? AND offset_bytes + size_bytes > ?"
                    " ORDER BY part_number LIMIT ?",
                    (version.sequence, part_number, stop, start, _PAGE_SEGMENTS),
                ).fetchall()
            yield from (Segment(**dict(row)) for row in rows)
            if len(rows) < _PAGE_SEGMENTS:
                return
            part_number = rows[-1]["part_number"]

    def part(self, version: Version, index: int) -> Segment | None:
        """The index-th part (from 1) of an object, for `partNumber` of a GET."""
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT part_number, offset_bytes, size_bytes, file_name FROM segments WHERE sequence = ?"
                " ORDER BY part_number LIMIT 1 OFFSET ?",
                (version.sequence, index - 1),
            ).fetchone()
        return Segment(**dict(row)) if row else None

    def list_latest(self, bucket: str, scope: Scope, *, after: str) -> Listing[Version]:
        """The latest versions without delete markers, of keys after `after` in UTF-8 order."""
        with self._database.reading() as connection:

            def page(marker: Marker[int], size: int) -> list[Version]:
                return _latest_page(connection, bucket, scope.prefix, marker.key, limit=size)

            return rolled_up(scope, Marker[int](after), page, _marker)

    def list_all(self, bucket: str, scope: Scope, *, after: Marker[int]) -> Listing[Version]:
        """All versions and delete markers by key, each key's newest first, after `after`."""
        with self._database.reading() as connection:

            def page(marker: Marker[int], size: int) -> list[Version]:
                return _page(connection, bucket, scope.prefix, marker, limit=size)

            return rolled_up(scope, after, page, _marker)

    def marker_of(self, bucket: str, key: str, version_id: str) -> Marker[int]:
        """Position of an existing or removed version among those of its key. Raises S3Error 400 for an unknown id."""
        with self._database.reading() as connection:
            version = find(connection, bucket, key, version_id)
            last = _last_sequence(connection)
        if version is not None:
            return Marker(key, version.sequence)
        if version_id == NULL_VERSION:
            # Its position is unknown: repeating some versions is better than omitting one.
            return Marker(key, _BEFORE_ALL_VERSIONS)
        sequence = _sequence_in(version_id)
        if sequence is None or not 0 < sequence <= last:
            raise invalid_argument("Invalid version id specified", "version-id-marker", version_id)
        return Marker(key, sequence)

    def is_empty(self, bucket: str) -> bool:
        """Check that the bucket holds neither a version nor an unfinished upload."""
        with self._database.reading() as connection:
            return not any(
                connection.execute(f"SELECT 1 FROM {table} WHERE bucket = ? LIMIT 1", (bucket,)).fetchone()  # noqa: S608
                for table in ("versions", "uploads")
            )


def find(connection: sqlite3.Connection, bucket: str, key: str, version_id: str | None = None) -> Version | None:
    """The latest version of a key, including delete markers, or the one with this id."""
    if version_id is None:
        query, arguments = "SELECT * FROM versions WHERE bucket = ? AND key = ? AND is_latest", (bucket, key)
    else:
        query = "SELECT * FROM versions WHERE bucket = ? AND key = ? AND version_id = ?"
        arguments = (bucket, key, version_id)
    row = connection.execute(query, arguments).fetchone()
    return _version(row) if row else None


def insert(
    connection: sqlite3.Connection,
    *,
    bucket: str,
    key: str,
    content: Content,
    segments: Sequence[Segment],
    is_versioned: bool,
    now: float,
    is_delete_marker: bool = False,
) -> tuple[Version, list[str]]:
    """Insert a new latest version. Also return the files of a replaced `null` version, without versioning."""
    sequence = _last_sequence(connection) + 1
    version_id = _new_version_id(sequence) if is_versioned else NULL_VERSION
    replaced = None if is_versioned else find(connection, bucket, key, NULL_VERSION)
    removed = _remove(connection, replaced) if replaced else []
    connection.execute("UPDATE versions SET is_latest = 0 WHERE bucket = ? AND key = ? AND is_latest", (bucket, key))
    connection.execute(
        "INSERT INTO versions (sequence, bucket, key, version_id, is_latest, is_delete_marker, size_bytes, etag,"
        " modified_at, part_count, headers, tags, checksum) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sequence,
            bucket,
            key,
            version_id,
            is_delete_marker,
            content.size_bytes,
            content.etag,
            now,
            content.part_count,
            json.dumps(content.headers),
            json.dumps(content.tags),
            json.dumps(vars(content.checksum) if content.checksum else None),
        ),
    )
    connection.executemany(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
        [(sequence, part.part_number, part.offset_bytes, part.size_bytes, part.file_name) for part in segments],
    )
    version = Version(
        sequence=sequence,
        bucket=bucket,
        key=key,
        version_id=version_id,
        is_latest=True,
        is_delete_marker=is_delete_marker,
        modified_at=now,
        content=content,
    )
    return version, removed


def _new_version_id(sequence: int) -> str:
    """A random id that encodes the version's position, so that a listing can continue after a removed version."""
    mask = secrets.token_bytes(16)
    masked = sequence ^ int.from_bytes(mask[:8], "big")
    return base64.urlsafe_b64encode(mask + masked.to_bytes(8, "big")).decode()


def _sequence_in(version_id: str) -> int | None:
    try:
        raw = base64.urlsafe_b64decode(version_id)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != _VERSION_ID_BYTES:
        return None
    return int.from_bytes(raw[:8], "big") ^ int.from_bytes(raw[16:], "big")


def _last_sequence(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'versions'").fetchone()
    return int(row["seq"]) if row else 0


def _remove(connection: sqlite3.Connection, version: Version) -> list[str]:
    rows = connection.execute("SELECT file_name FROM segments WHERE sequence = ?", (version.sequence,)).fetchall()
    connection.execute("DELETE FROM segments WHERE sequence = ?", (version.sequence,))
    connection.execute("DELETE FROM versions WHERE sequence = ?", (version.sequence,))
    if version.is_latest:
        connection.execute(
            "UPDATE versions SET is_latest = 1 WHERE sequence ="
            " (SELECT MAX(sequence) FROM versions WHERE bucket = ? AND key = ?)",
            (version.bucket, version.key),
        )
    return [row["file_name"] for row in rows]


def _latest_page(connection: sqlite3.Connection, bucket: str, prefix: str, after: str, *, limit: int) -> list[Version]:
    rows = connection.execute(
        "SELECT * FROM versions WHERE bucket = ? AND is_latest AND NOT is_delete_marker"
        " AND key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?",
        (bucket, after, prefix, prefix + HIGHEST_CHAR, limit),
    ).fetchall()
    return [_version(row) for row in rows]


def _page(connection: sqlite3.Connection, bucket: str, prefix: str, after: Marker[int], *, limit: int) -> list[Version]:
    rows = connection.execute(
        "SELECT * FROM versions WHERE bucket = ? AND key >= ? AND key < ?"
        " AND (key > ? OR (key = ? AND sequence < ?)) ORDER BY key, sequence DESC LIMIT ?",
        (bucket, prefix, prefix + HIGHEST_CHAR, after.key, after.key, after.within or 0, limit),
    ).fetchall()
    return [_version(row) for row in rows]


def _marker(version: Version) -> Marker[int]:
    return Marker(version.key, version.sequence)


def _version(row: sqlite3.Row) -> Version:
    checksum = json.loads(row["checksum"])
    return Version(
        sequence=row["sequence"],
        bucket=row["bucket"],
        key=row["key"],
        version_id=row["version_id"],
        is_latest=bool(row["is_latest"]),
        is_delete_marker=bool(row["is_delete_marker"]),
        modified_at=row["modified_at"],
        content=Content(
            size_bytes=row["size_bytes"],
            etag=row["etag"],
            headers=json.loads(row["headers"]),
            tags=json.loads(row["tags"]),
            checksum=Checksum(**checksum) if checksum else None,
            part_count=row["part_count"],
        ),
    )


def require_readable(version: Version, *, by_id: bool) -> None:
    """Raises S3Error for a delete marker: 405 if it was requested by its version id, else 404."""
    if not version.is_delete_marker:
        return
    headers = {"x-amz-delete-marker": "true", "x-amz-version-id": version.version_id}
    if not by_id:
        raise no_such_key(version.key, headers)
    raise S3Error(
        405,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        {"Method": "GET", "ResourceType": "DeleteMarker"},
        {**headers, "Allow": "DELETE", "Last-Modified": http_time(version.modified_at)},
    )
