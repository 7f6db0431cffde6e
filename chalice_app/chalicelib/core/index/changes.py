"""Changes that the index has not folded in yet: small objects whose keys carry all data, so that one list request reads
them.

A writer first announces a record's new revision, then writes the record, then writes its new facts:

index/new/{owner}/{videoId}/{revision}.announced.{nonce}
index/new/{owner}/{videoId}/{revision}.told.{part}.{parts}.{facts}

An announcement without its facts marks a record whose writer may have died. Readers trust only facts; folding reads
every announced record. So the index shows no false state and misses no written record.
"""

import base64
import logging
import re
import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import NamedTuple, Self

from chalicelib.core.index.lines import Line
from chalicelib.core.ports import MetadataBucket
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import VideoRecord

log = logging.getLogger(__name__)

FOLDER = "index/new"
MAX_FACTS_CHARS = 800
"""Longest facts in one key. S3 User Guide, "Creating object key names": a key has at most 1,024 bytes; the rest is at
most 200."""

_NAME = re.compile(
    r"(?P<revision>\d{8})\.(?:announced\.[0-9a-f]+|told\.(?P<part>\d+)\.(?P<parts>\d+)\.(?P<facts>[\w-]*))"
)
_WHOLE_OWNER = "all"
_OFTEN_WRITTEN = (
    b'{"owner":"","videoId":"00","fileName":".mov.webm.mkv.mp4","contentType":"video/quicktime","contentType":"video/webm",'
    b'"contentType":"video/mp4","sizeBytes":1,"partSizeBytes":5242880,"state":"completing","state":"rejected",'
    b'"rejection":{"code":"not_a_video","message":""},"state":"uploading","state":"processing","state":"ready",'
    b'"createdAt":"2026-11-27T12:00:00.000000+00:00","updatedAt":"2026-11-27T12:00:00.000000+00:00",'
    b'"expiresAt":"2026-12-04T12:00:00.000000+00:00","completedAt":"2026-11-27T12:00:00.000000+00:00",'
    b'"checksumCrc64nvme":"=","media":{"container":"mp4","durationSeconds":1.0,"bitRateBitsPerSecond":1,"video":{"codec":"hevc",'
    b'"codec":"h264","profile":"High","width":1920,"height":1080,"rotationDegrees":0,"frameRate":29.97,"frameRate":25.0},'
    b'"audio":{"codec":"aac","channels":2,"sampleRateHz":48000},"playability":{"browsers":"all"}},"correlationId":"",'
    b'"title":"","description":"","tags":[""],"revision":4,"versionId":"","uploadId":"-"}'
)
"""A compression dictionary with the facts of a typical video. Changing it makes facts unreadable that are not folded in
yet: readers then treat them as announcements."""


class Change(NamedTuple):
    """One key. facts: None for an announcement, and for one part of facts that are not complete."""

    key: str
    ref: VideoRef
    revision: int
    written_at: datetime
    part: int
    parts: int
    coded_facts: str | None

    @classmethod
    def from_key(cls, key: str, written_at: datetime) -> Self | None:
        """Parse a key. None for a request to index an owner, and for a key that the platform did not make."""
        match key.removeprefix(f"{FOLDER}/").split("/"):
            case [owner, video_id, name] if found := _NAME.fullmatch(name):
                return cls(
                    key=key,
                    ref=VideoRef(owner, video_id),
                    revision=int(found["revision"]),
                    written_at=written_at,
                    part=int(found["part"] or 0),
                    parts=int(found["parts"] or 0),
                    coded_facts=found["facts"],
                )
            case _:
                return None


class Changes:
    """Writer of changes."""

    def __init__(self, bucket: MetadataBucket) -> None:
        self._bucket = bucket

    def announce(self, record: VideoRecord) -> None:
        """Announce a record. Called before it is written."""
        key = f"{_folder(record.ref)}/{record.revision:08}.announced.{secrets.token_hex(4)}"
        self._bucket.put(key, b"", "application/octet-stream")

    def write_facts(self, record: VideoRecord) -> None:
        """Write the facts of a record. Called after the record was written. A failure is logged: folding reads
        announced records."""
        try:
            for key in fact_keys(Line.of(record)):
                self._bucket.put(key, b"", "application/octet-stream")
        except Exception:
            log.exception("a change of a record is missing in the index")

    def request_owner(self, owner: str) -> None:
        """Request an index of all of an owner's records."""
        self._bucket.put(f"{FOLDER}/{owner}/{_WHOLE_OWNER}", b"", "application/octet-stream")


def listed_changes(
    bucket: MetadataBucket, owner: str | None = None, *, after_owner: str = ""
) -> Iterator[Change | str]:
    """All changes of an owner or of the stage, and other keys found there. after_owner: only those of later owners."""
    prefix = f"{FOLDER}/{owner}/" if owner else f"{FOLDER}/"
    for listed in bucket.list_keys(prefix, f"{FOLDER}/{after_owner}/\uffff" if after_owner else ""):
        yield Change.from_key(listed.key, listed.last_modified) or listed.key


def waiting_owners(bucket: MetadataBucket) -> Iterator[tuple[str, Iterator[Change | str]]]:
    """Owners with their waiting changes, one by one. The listing is lazy: it ends when the caller stops."""
    after = ""
    while True:
        for owner, waiting in groupby(listed_changes(bucket, after_owner=after), _owner_of):
            yield owner, waiting
            is_left = next(waiting, None) is not None  # noqa: B031 - what the reader did not take
            if is_left:
                after = owner
                break
        else:
            return


def _owner_of(listed: Change | str) -> str:
    return listed.ref.owner if isinstance(listed, Change) else listed.removeprefix(f"{FOLDER}/").split("/")[0]


def requested_owner(key: str) -> str | None:
    match key.removeprefix(f"{FOLDER}/").split("/"):
        case [owner, name] if name == _WHOLE_OWNER:
            return owner
        case _:
            return None


def fact_lines(changes: Iterable[Change]) -> dict[VideoRef, Line]:
    """The newest complete facts of each video."""
    parts = defaultdict[tuple[VideoRef, int], dict[int, Change]](dict)
    for change in changes:
        if change.coded_facts is not None:
            parts[change.ref, change.revision][change.part] = change
    lines: dict[VideoRef, Line] = {}
    for (ref, revision), found in parts.items():
        if len(found) < next(iter(found.values())).parts or (ref in lines and lines[ref].revision > revision):
            continue
        coded = "".join(found[part].coded_facts or "" for part in sorted(found))
        try:
            lines[ref] = Line.from_facts(ref, revision, _decoded(coded))
        except (ValueError, KeyError, zlib.error):
            log.warning("facts cannot be read", extra={"videoId": ref.video_id})
    return lines


def fact_keys(line: Line) -> list[str]:
    coded = _coded(line.facts)
    parts = [coded[start : start + MAX_FACTS_CHARS] for start in range(0, len(coded), MAX_FACTS_CHARS)] or [""]
    return [
        f"{_folder(line.ref)}/{line.revision:08}.told.{number}.{len(parts)}.{part}" for number, part in enumerate(parts)
    ]


def _folder(ref: VideoRef) -> str:
    return f"{FOLDER}/{ref.owner}/{ref.video_id}"


def _coded(facts: str) -> str:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, _OFTEN_WRITTEN)
    packed = compressor.compress(facts.encode()) + compressor.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=") if facts else ""


def _decoded(coded: str) -> str:
    if not coded:
        return ""
    packed = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
    decompressor = zlib.decompressobj(-15, _OFTEN_WRITTEN)
    return (decompressor.decompress(packed) + decompressor.flush()).decode()
