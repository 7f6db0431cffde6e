"""What clients ask for, parsed and checked in full: all problems of a request are named at once."""

import unicodedata
from dataclasses import dataclass
from typing import Self

from chalicelib.core.errors import EmptyFileError, FileTooLargeError
from chalicelib.core.json_values import JsonObject
from chalicelib.core.part_plan import MAX_PARTS
from chalicelib.core.request_fields import Fields
from chalicelib.core.video_types import require_video_type

MAX_URLS_PER_PAGE = 500
"""A URL signed by a role is about 1,600 bytes and Lambda answers with at most 6 MB (Lambda quotas, "Invocation
payload")."""

MAX_FILE_NAME_CHARS = 255
MAX_CONTENT_TYPE_CHARS = 64
MAX_ETAG_CHARS = 128
MAX_ID_CHARS = 1_024
"""Of an uploadId and of a fileKey; S3 User Guide, "Creating object key names": a key has at most 1,024 bytes."""


@dataclass(frozen=True)
class StartUpload:
    file_name: str
    content_type: str
    size_bytes: int

    @classmethod
    def parse(cls, body: JsonObject, max_bytes: int) -> Self:
        """Raises InvalidRequestError, EmptyFileError, FileTooLargeError, UnsupportedVideoTypeError."""
        fields = Fields(body)
        file_name = unicodedata.normalize("NFC", fields.text("fileName", MAX_FILE_NAME_CHARS))
        if problem := _file_name_problem(file_name):
            fields.problem("fileName", problem)
        content_type = fields.text("contentType", MAX_CONTENT_TYPE_CHARS).lower()
        size_bytes = fields.whole_number("sizeBytes", 0, 2**63 - 1)
        fields.finish()
        if size_bytes == 0:
            raise EmptyFileError
        if size_bytes > max_bytes:
            raise FileTooLargeError(size_bytes=size_bytes, max_bytes=max_bytes)
        require_video_type(file_name, content_type)
        return cls(file_name, content_type, size_bytes)


def _file_name_problem(file_name: str) -> str | None:
    if "/" in file_name or "\\" in file_name:
        return "must be a name without folders"
    # Cc control, Cf direction overrides and other invisible marks, Cs halves of surrogate pairs
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs"} for char in file_name):
        return "must not hold control characters"
    return None


@dataclass(frozen=True)
class SignParts:
    """checksums_by_part: part number → checksum to sign in, or None."""

    checksums_by_part: dict[int, str | None]

    @classmethod
    def parse(cls, body: JsonObject, part_count: int) -> Self:
        fields = Fields(body)
        checksums: dict[int, str | None] = {}
        for index, entry in enumerate(fields.objects("parts", MAX_URLS_PER_PAGE)):
            part = Fields(entry, f"parts[{index}].")
            number = part.whole_number("partNumber", 1, part_count)
            checksums[number] = part.checksum("checksumCRC64NVME")
            fields.adopt(part)
        fields.finish()
        return cls(checksums)


@dataclass(frozen=True)
class CompleteUpload:
    """etags_by_part: part number → ETag, as S3 answered it. upload_id, file_key: None when the client left them out."""

    etags_by_part: dict[int, str]
    checksum_crc64nvme: str | None
    upload_id: str | None
    file_key: str | None

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        fields = Fields(body)
        etags: dict[int, str] = {}
        for index, entry in enumerate(fields.objects("parts", MAX_PARTS)):
            part = Fields(entry, f"parts[{index}].")
            number = part.whole_number("partNumber", 1, MAX_PARTS)
            etag = part.text("etag", MAX_ETAG_CHARS)
            if number in etags:
                part.problem("partNumber", "is there twice")
            if not etag.isascii() or not etag.isprintable():
                part.problem("etag", "must be the ETag that S3 answered")
            etags[number] = etag
            fields.adopt(part)
        checksum = fields.checksum("checksumCRC64NVME")
        upload_id = fields.optional_text("uploadId", MAX_ID_CHARS)
        file_key = fields.optional_text("fileKey", MAX_ID_CHARS)
        fields.finish()
        return cls(etags, checksum, upload_id, file_key)


@dataclass(frozen=True)
class AbortUpload:
    """upload_id, file_key: None when the client left them out."""

    upload_id: str | None
    file_key: str | None

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        fields = Fields(body)
        upload_id = fields.optional_text("uploadId", MAX_ID_CHARS)
        file_key = fields.optional_text("fileKey", MAX_ID_CHARS)
        fields.finish()
        return cls(upload_id, file_key)
