"""Lines of the index: a video's facts as a library shows them, and the text that searches match."""

import json
import unicodedata
from typing import NamedTuple, Self

from chalicelib.core.json_values import JsonObject
from chalicelib.core.rendition import SHOWN
from chalicelib.core.video_id import VideoRef, is_owner, is_video_id
from chalicelib.core.video_record import State, VideoRecord

LISTED_STATES = frozenset({State.UPLOADING, State.COMPLETING, State.PROCESSING, State.READY, State.REJECTED})

MAX_NAME_KEY_CHARS = 64
"""Number of characters by which names are sorted; if these are equal, the newer video comes first."""

_FIELDS = (
    *("owner", "videoId", "fileName", "contentType", "sizeBytes", "partSizeBytes", "state"),
    *(
        "createdAt",
        "updatedAt",
        "expiresAt",
        "completedAt",
        "restoredAt",
        "deletesAt",
        "checksumCrc64nvme",
        "media",
        "rejection",
        "rendition",
    ),
    *("awaitsScanSince", "correlationId", "title", "description", "tags", "revision", "versionId", "uploadId"),
    *("linkId", "uploaderName", "reference", "onBehalfOf"),
)
"""Fields of the record that a line repeats. Of `uploadId` it repeats only whether there is one, of `rendition` what a
library shows."""

_HAS_UPLOAD_ID = "-"
_BETWEEN_TEXTS = "\x1f"


class Line(NamedTuple):
    """One video. revision: of its record. facts: JSON on one line, empty for a video that is no longer listed."""

    ref: VideoRef
    revision: int
    size_bytes: int
    text: str
    facts: str

    @classmethod
    def of(cls, record: VideoRecord) -> Self:
        if record.state not in LISTED_STATES:
            return cls.gone(record.ref, record.revision)
        return cls(record.ref, record.revision, record.size_bytes, _searched_text(record), _facts(record))

    @classmethod
    def gone(cls, ref: VideoRef, revision: int) -> Self:
        return cls(ref, revision, 0, "", "")

    @classmethod
    def from_facts(cls, ref: VideoRef, revision: int, facts: str) -> Self:
        return cls.of(record_in(facts)) if facts else cls.gone(ref, revision)

    @property
    def key(self) -> str:
        """Order of all lines: newest first."""
        return line_key(self.ref)


def line_key(ref: VideoRef) -> str:
    return f"{ref.video_id}/{ref.owner}"


def is_line_key(key: object) -> bool:
    """Return whether this may be the position of a video: a made-up one must not get into a request to S3."""
    video_id, _, owner = key.partition("/") if isinstance(key, str) else ("", "", "")
    return is_video_id(video_id) and is_owner(owner)


def shows_the_same(before: VideoRecord, after: VideoRecord) -> bool:
    """Return whether a library shows both records in the same way."""
    return Line.of(before.noted(revision=0)) == Line.of(after.noted(revision=0))


def record_in(facts: str) -> VideoRecord:
    """Return the record as far as a library shows it; other fields have their defaults, and `upload_id` is a
    placeholder."""
    fields: JsonObject = {"rejection": None, "uploadId": None, **json.loads(facts)}
    return VideoRecord.from_json(json.dumps(fields).encode())


def searched(text: str) -> str:
    """The text without case, accents and repeated blanks, for comparison."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return " ".join("".join(letters).casefold().split())


def name_key(text: str) -> str:
    """The part of a searched text that sorts names: it begins with the displayed name."""
    return text.partition(_BETWEEN_TEXTS)[0][:MAX_NAME_KEY_CHARS]


def _searched_text(record: VideoRecord) -> str:
    shown_first = [record.title, record.file_name] if record.title else [record.file_name]
    machine_names = [name for name in (record.reference, record.on_behalf_of) if name]
    return _BETWEEN_TEXTS.join(searched(text) for text in (*shown_first, *record.tags, *machine_names))


def _facts(record: VideoRecord) -> str:
    fields = record.to_fields()
    shown = {name: fields[name] for name in _FIELDS if fields[name] not in (None, [], 0)}
    if "uploadId" in shown:
        shown["uploadId"] = _HAS_UPLOAD_ID
    if isinstance(made := shown.get("rendition"), dict):
        shown["rendition"] = {name: made[name] for name in SHOWN if made[name] is not None}
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
