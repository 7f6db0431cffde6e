"""Fields of the contract with their limits, each defined here or in the module that owns it."""

from typing import Annotated, Literal

from msgspec import Meta

from chalicelib.core.log_context import CORRELATION_ID
from chalicelib.core.part_plan import MAX_OBJECT_BYTES, MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES
from chalicelib.core.video_id import OWNER, VIDEO_ID
from chalicelib.core.video_types import VIDEO_TYPES

MAX_FILE_NAME_CHARS = 255
MAX_CONTENT_TYPE_CHARS = 64
MAX_SIZE_BYTES = 2**63 - 1
MAX_ETAG_CHARS = 128
MAX_ID_CHARS = 1_024
"""Longest uploadId and fileKey; S3 User Guide, "Creating object key names": a key has at most 1,024 bytes."""

MAX_BODY_BYTES = 2**20
"""The largest body is that of complete: 10,000 parts of about 75 bytes."""
MAX_PROGRESS_BYTES = 2**14
"""Largest body of POST /progress."""
MAX_LABELS_BYTES = 2**15
"""Largest body of PATCH /videos/{videoId}: all characters at their longest, twelve bytes as JSON escapes."""

MAX_DELETIONS = 100
MAX_DELETIONS_BYTES = 2**15
"""Largest body of POST /videos/delete and POST /admin/videos/delete."""

MAX_EVENTS = 25
"""Most events in one call of POST /progress. With all fields at their longest, they fill its largest body."""
MAX_PART_NUMBERS = 20
MAX_FAILURES = 1_000
MAX_WHOLE_NUMBER = 2**53 - 1
"""The largest that every client can write exactly (RFC 8259, section 6)."""
LAST_MOMENT_MS = 253_402_300_799_999
"""The end of the year 9999."""

MAX_TITLE_CHARS = 120
MAX_DESCRIPTION_CHARS = 1_000
MAX_TAGS = 20
MAX_TAG_CHARS = 32

MAX_NAME_CHARS = 80
"""Longest name of an uploader."""
MAX_REFERENCE_CHARS = 128
MAX_LINK_VIDEOS = 1_000
"""Equal to the uses that one page of a list holds."""
MIN_LINK_SECONDS = 60
MAX_LINK_SECONDS = 365 * 24 * 3600

MAX_QUERY_CHARS = 200
MAX_CURSOR_CHARS = 1_000
MAX_PAGE_VIDEOS = 100
DEFAULT_PAGE_VIDEOS = 24

INVISIBLE_CHARACTERS = (
    "\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
"""Unicode's categories Cc (control) and Cf (direction overrides and other invisible marks), except the two joiners
U+200C and U+200D, which Persian, Hindi and many emoji need. Halves of surrogate pairs are not UTF-8, so no body holds
one."""


_INVISIBLE_IN_LINES = INVISIBLE_CHARACTERS.replace("\x00-\x1f", "\x00-\x09\x0b-\x1f")
"""The same without the line break."""


def _matching(pattern: str, must_be: str, description: str | None = None) -> Meta:
    """must_be: the end of the sentence that refuses a value. `\\Z`: Python's `$` would let a line break follow."""
    return Meta(pattern=rf"^{pattern}\Z", description=description, extra={"must_be": must_be})


FileName = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_FILE_NAME_CHARS, description="Without folders and control characters."),
    _matching(rf"[^/\\{INVISIBLE_CHARACTERS}]*", "a name without folders and control characters"),
]
Title = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TITLE_CHARS, description="Shown in place of the file's name."),
    _matching(rf"[^{INVISIBLE_CHARACTERS}]*", "text without control characters"),
]
Description = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_DESCRIPTION_CHARS, description="May have several lines."),
    _matching(rf"[^{_INVISIBLE_IN_LINES}]*", "text without control characters other than line breaks"),
]
Tag = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TAG_CHARS),
    _matching(rf"[^,{INVISIBLE_CHARACTERS}]*", "text without commas and control characters"),
]
Tags = Annotated[list[Tag], Meta(max_length=MAX_TAGS, description="Duplicates are dropped, regardless of case.")]
UploaderName = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_NAME_CHARS, description="Name that the sender gave, unverified."),
    _matching(rf"[^{INVISIBLE_CHARACTERS}]*", "text without control characters"),
]
LinkNote = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_DESCRIPTION_CHARS, description="For the person who gets the link."),
    _matching(rf"[^{_INVISIBLE_IN_LINES}]*", "text without control characters other than line breaks"),
]
LinkTitle = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_TITLE_CHARS, description="Shown to the person who opens the link."),
    _matching(rf"[^{INVISIBLE_CHARACTERS}]*", "text without control characters"),
]
Reference = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_REFERENCE_CHARS, description="A machine client's own name for the upload."),
    _matching(rf"[^{INVISIBLE_CHARACTERS}]*", "text without control characters"),
]
OnBehalfOf = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_REFERENCE_CHARS,
        description="A machine client's own name for the person it uploads for; no user of this platform.",
    ),
    _matching(rf"[^{INVISIBLE_CHARACTERS}]*", "text without control characters"),
]
LinkVideos = Annotated[int, Meta(ge=1, le=MAX_LINK_VIDEOS)]
LinkBytes = Annotated[int, Meta(ge=1, le=MAX_SIZE_BYTES)]
LinkSeconds = Annotated[
    int,
    Meta(ge=MIN_LINK_SECONDS, le=MAX_LINK_SECONDS, description="No longer than the stage allows."),
]
ContentType = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_CONTENT_TYPE_CHARS,
        description="Must fit the extension of `fileName`.",
        extra_json_schema={"enum": sorted(VIDEO_TYPES)},
    ),
]
NewSizeBytes = Annotated[
    int,
    # An empty file and one above the stage's limit have error codes of their own.
    Meta(ge=0, le=MAX_SIZE_BYTES, description=f"From 1 to what the stage accepts, at most {MAX_OBJECT_BYTES:,}."),
]
SizeBytes = Annotated[int, Meta(ge=0, le=MAX_SIZE_BYTES)]
IdleSeconds = Annotated[int, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
PartSizeBytes = Annotated[int, Meta(ge=MIN_PART_BYTES, le=MAX_PART_BYTES)]
PartNumber = Annotated[int, Meta(ge=1, le=MAX_PARTS)]
PartCount = Annotated[int, Meta(ge=1, le=MAX_PARTS)]
Checksum = Annotated[
    str,
    # The base64 form of eight bytes, the one that S3 answers: the last character has two bits to spare.
    _matching(
        "[A-Za-z0-9+/]{10}[AEIMQUYcgkosw048]=",
        "the base64 form of the eight bytes of a CRC64NVME",
        "Base64 of the eight big-endian bytes of a CRC64NVME.",
    ),
]
ETag = Annotated[
    str,
    Meta(min_length=1, max_length=MAX_ETAG_CHARS, description="ETag that S3 returned."),
    _matching("[ -~]*", "the ETag that S3 returned"),
]
UploadId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
FileKey = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
Owner = Annotated[str, _matching(OWNER.pattern, "an owner", "The `sub` of a user, or a program's client id.")]
VideoId = Annotated[str, _matching(VIDEO_ID.pattern, "a videoId")]
LinkId = Annotated[str, _matching(VIDEO_ID.pattern, "a linkId")]
LinkToken = Annotated[str, Meta(min_length=1, description="Opens the uploads of this link alone.")]
CorrelationId = Annotated[str, _matching(CORRELATION_ID.pattern, "the upload's correlation id")]
EventId = Annotated[str, _matching("evt_[0-9a-f]{32}", "an event's id", "The same for each repetition of the message.")]
UploadToken = Annotated[str, Meta(min_length=1, description="Opens this upload alone.")]
Time = Annotated[
    str, _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "a time in UTC"), Meta(extra_json_schema={"format": "date-time"})
]
Url = Annotated[str, Meta(min_length=1, extra_json_schema={"format": "uri"})]

Moment = Annotated[int, Meta(ge=0, le=LAST_MOMENT_MS, description="Milliseconds since 1970, by the client's clock.")]
WholeNumber = Annotated[int, Meta(ge=0, le=MAX_WHOLE_NUMBER)]
Failures = Annotated[int, Meta(ge=1, le=MAX_FAILURES)]
Client = Annotated[str, _matching("[a-z]{1,16}/[0-9A-Za-z.+-]{1,32}", "a program and its version, like web/1.0.0")]
System = Annotated[str, _matching("[ -~]{1,64}", "1 to 64 printable ASCII characters", "What the client runs on.")]
FailureCode = Annotated[str, _matching("[0-9A-Za-z._-]{1,64}", "a code of 1 to 64 letters, digits, dots and dashes")]

Cursor = Annotated[
    str,
    _matching(
        rf"[A-Za-z0-9_-]{{1,{MAX_CURSOR_CHARS}}}",
        "a nextCursor of an earlier answer",
        "Opaque. Good for the same `query` and `sort` only.",
    ),
]

VideoState = Literal["uploading", "completing", "processing", "ready", "rejected", "aborted", "expired"]
ClientState = Literal[
    "uploading",
    "completing",
    "processing",
    "ready",
    "rejected",
    "aborted",
    "expired",
    "deleted",
    "paused",
    "failed",
]
"""The API's own, and two that only a client sees."""
