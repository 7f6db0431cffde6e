"""Unfinished multipart uploads and their parts. Completion turns the parts' files into a version's segments.

Completion copies no bytes: the version lists the parts' files, so it takes milliseconds at any size.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from local.stand_in import entity_tags, versions
from local.stand_in.bodies import Bodies, Segment
from local.stand_in.checksums import Algorithm, Checksum, ChecksumType, combine
from local.stand_in.database import Database
from local.stand_in.errors import S3Error, invalid_request, malformed_xml, no_such_upload
from local.stand_in.listings import HIGHEST_CHAR, Listing, Marker, Scope, rolled_up
from local.stand_in.versions import Conditions, Content, Version

MIN_PART_BYTES = 5 * 1024**2  # S3 User Guide, "Amazon S3 multipart upload limits"
MAX_PARTS = 10_000  # same page


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One unfinished upload. is_algorithm_chosen: whether its creator chose the checksum; False for S3's default."""

    upload_id: str
    bucket: str
    key: str
    initiated_at: float
    algorithm: Algorithm
    checksum_type: ChecksumType
    is_algorithm_chosen: bool
    headers: dict[str, str]
    tags: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One stored part. checksum: base64, of the upload's algorithm."""

    part_number: int
    size_bytes: int
    etag: str
    modified_at: float
    checksum: str
    file_name: str


@dataclass(frozen=True, kw_only=True)
class ListedPart:
    """One part in a completion request. checksum: if the request has one."""

    part_number: int
    etag: str
    checksum: str | None


@dataclass(frozen=True, kw_only=True)
class Completion:
    """Request to complete an upload: the parts, and the conditions for the whole object."""

    parts: Sequence[ListedPart]
    conditions: Conditions
    size_bytes: int | None
    checksum: str | None


class Uploads:
    """The unfinished uploads of all buckets."""

    def __init__(self, database: Database, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies

    def create(self, upload: Upload) -> None:
        """Open an upload."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.upload_id,
                    upload.bucket,
                    upload.key,
                    upload.initiated_at,
                    upload.algorithm,
                    upload.checksum_type,
                    upload.is_algorithm_chosen,
                    json.dumps(upload.headers),
                    json.dumps(upload.tags),
                ),
            )

    def find(self, bucket: str, key: str, upload_id: str) -> Upload:
        """Raises S3Error 404 NoSuchUpload for an upload that is unknown, finished, or of another key."""
        with self._database.reading() as connection:
            return _find(connection, bucket, key, upload_id)

    def put_part(self, upload: Upload, part: Part) -> None:
        """Store a part, which replaces an earlier one with its number. Raises NoSuchUpload if the upload is gone."""
        with self._database.transaction() as connection:
            _find(connection, upload.bucket, upload.key, upload.upload_id)
            replaced = connection.execute(
                "SELECT file_name FROM parts WHERE upload_id = ? AND part_number = ?",
                (upload.upload_id, part.part_number),
            ).fetchall()
            connection.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    upload.upload_id,
                    part.part_number,
                    part.size_bytes,
                    part.etag,
                    part.modified_at,
                    part.checksum,
                    part.file_name,
                ),
            )
        self._bodies.remove([row["file_name"] for row in replaced])

    def parts(self, upload: Upload, *, after: int, limit: int) -> list[Part]:
        """Parts with numbers above `after`, in order."""
        with self._database.reading() as connection:
            return _parts(connection, upload.upload_id, after=after, limit=limit)

    def list_open(self, bucket: str, scope: Scope, *, after: Marker[str]) -> Listing[Upload]:
        """Uploads by key, then by start, after a marker."""
        with self._database.reading() as connection:

            def page(marker: Marker[str], size: int) -> list[Upload]:
                return _open_after(connection, bucket, scope.prefix, marker, limit=size)

            return rolled_up(scope, after, page, lambda upload: Marker(upload.key, upload.upload_id))

    def abort(self, bucket: str, key: str, upload_id: str) -> None:
        """Delete the upload and its parts. Raises NoSuchUpload if there is none."""
        with self._database.transaction() as connection:
            _find(connection, bucket, key, upload_id)
            removed = _forget(connection, upload_id)
        self._bodies.remove(removed)

    def complete(
        self,
        bucket: str,
        key: str,
        upload_id: str,
        completion: Completion,
        *,
        is_versioned: bool,
        now: float,
        announce: Callable[[sqlite3.Connection, Version], None],
    ) -> Version:
        """Turn the listed parts into a version, exactly once, and delete the other parts.

        Raises S3Error as S3 does for the order, ETags, sizes, checksums and conditions; the upload then stays open.
        """
        with self._database.transaction() as connection:
            upload = _find(connection, bucket, key, upload_id)
            parts = _chosen(upload, completion.parts, _parts(connection, upload_id, after=0, limit=MAX_PARTS))
            checksum = combine(
                upload.algorithm, upload.checksum_type, [(part.checksum, part.size_bytes) for part in parts]
            )
            size_bytes = sum(part.size_bytes for part in parts)
            _demand_whole(completion, size_bytes=size_bytes, checksum=checksum)
            completion.conditions.check(key, versions.find(connection, bucket, key))
            kept = {part.file_name for part in parts}
            dropped = [name for name in _forget(connection, upload_id) if name not in kept]
            version, replaced = versions.insert(
                connection,
                bucket=bucket,
                key=key,
                content=Content(
                    size_bytes=size_bytes,
                    etag=entity_tags.of_parts(upload.headers, [part.etag for part in parts]),
                    headers=upload.headers,
                    tags=upload.tags,
                    checksum=checksum,
                    part_count=len(parts),
                ),
                segments=_segments(parts),
                is_versioned=is_versioned,
                now=now,
            )
            announce(connection, version)
        self._bodies.remove(dropped + replaced)
        return version


def _open_after(
    connection: sqlite3.Connection, bucket: str, prefix: str, after: Marker[str], *, limit: int
) -> list[Upload]:
    # After a deleted upload, all others of its key are listed: repetitions are better than omissions.
    upload_id = after.within or ""
    rows = connection.execute(
        "SELECT * FROM uploads WHERE bucket = ? AND key >= ? AND key < ? AND (key > ? OR (key = ? AND ? != ''"
        " AND (initiated_at, upload_id) > (COALESCE((SELECT initiated_at FROM uploads WHERE upload_id = ?), 0), ?)))"
        " ORDER BY key, initiated_at, upload_id LIMIT ?",
        (bucket, prefix, prefix + HIGHEST_CHAR, after.key, after.key, upload_id, upload_id, upload_id, limit),
    ).fetchall()
    return [_upload(row) for row in rows]


def _find(connection: sqlite3.Connection, bucket: str, key: str, upload_id: str) -> Upload:
    row = connection.execute(
        "SELECT * FROM uploads WHERE upload_id = ? AND bucket = ? AND key = ?", (upload_id, bucket, key)
    ).fetchone()
    if row is None:
        raise no_such_upload(upload_id)
    return _upload(row)


def _upload(row: sqlite3.Row) -> Upload:
    return Upload(
        upload_id=row["upload_id"],
        bucket=row["bucket"],
        key=row["key"],
        initiated_at=row["initiated_at"],
        algorithm=row["algorithm"],
        checksum_type=row["checksum_type"],
        is_algorithm_chosen=bool(row["is_algorithm_chosen"]),
        headers=json.loads(row["headers"]),
        tags=json.loads(row["tags"]),
    )


def _parts(connection: sqlite3.Connection, upload_id: str, *, after: int, limit: int) -> list[Part]:
    rows = connection.execute(
        "SELECT part_number, size_bytes, etag, modified_at, checksum, file_name FROM parts"
        " WHERE upload_id = ? AND part_number > ? ORDER BY part_number LIMIT ?",
        (upload_id, after, limit),
    ).fetchall()
    return [Part(**dict(row)) for row in rows]


def _forget(connection: sqlite3.Connection, upload_id: str) -> list[str]:
    rows = connection.execute("SELECT file_name FROM parts WHERE upload_id = ?", (upload_id,)).fetchall()
    connection.execute("DELETE FROM parts WHERE upload_id = ?", (upload_id,))
    connection.execute("DELETE FROM uploads WHERE upload_id = ?", (upload_id,))
    return [row["file_name"] for row in rows]


def _chosen(upload: Upload, listed: Sequence[ListedPart], arrived: Sequence[Part]) -> list[Part]:
    if not listed or len(listed) > MAX_PARTS:
        raise malformed_xml()
    numbers = [part.part_number for part in listed]
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise S3Error(
            400,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            {"UploadId": upload.upload_id},
        )
    by_number = {part.part_number: part for part in arrived}
    chosen = [_match(upload, wanted, by_number.get(wanted.part_number)) for wanted in listed]
    for part in chosen[:-1]:
        if part.size_bytes < MIN_PART_BYTES:
            raise S3Error(
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                {
                    "ProposedSize": str(part.size_bytes),
                    "MinSizeAllowed": str(MIN_PART_BYTES),
                    "PartNumber": str(part.part_number),
                    "ETag": part.etag,
                },
            )
    return chosen


def _match(upload: Upload, wanted: ListedPart, part: Part | None) -> Part:
    if part is None or part.etag != wanted.etag or wanted.checksum not in (None, part.checksum):
        raise S3Error(
            400,
            "InvalidPart",
            "One or more of the specified parts could not be found. The part may not have been uploaded, "
            "or the specified entity tag may not match the part's entity tag.",
            {"UploadId": upload.upload_id, "PartNumber": str(wanted.part_number), "ETag": wanted.etag},
        )
    if wanted.checksum is None and upload.checksum_type == "COMPOSITE":
        raise invalid_request(
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {wanted.part_number} in the request."
        )
    return part


def _demand_whole(completion: Completion, *, size_bytes: int, checksum: Checksum) -> None:
    if completion.size_bytes not in (None, size_bytes):
        raise invalid_request(
            f"The provided 'x-amz-mp-object-size' header value {completion.size_bytes} "
            f"does not match what was computed: {size_bytes}"
        )
    if completion.checksum not in (None, checksum.value):
        raise S3Error(
            400, "BadDigest", f"The {checksum.algorithm} you specified did not match the calculated checksum."
        )


def _segments(parts: Sequence[Part]) -> list[Segment]:
    segments: list[Segment] = []
    offset_bytes = 0
    for part in parts:
        segments.append(
            Segment(
                part_number=part.part_number,
                offset_bytes=offset_bytes,
                size_bytes=part.size_bytes,
                file_name=part.file_name,
            )
        )
        offset_bytes += part.size_bytes
    return segments
