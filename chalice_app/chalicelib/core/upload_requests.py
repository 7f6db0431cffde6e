"""Requests as the domain takes them: already checked against the contract."""

from typing import NamedTuple, Self

from chalicelib.core.errors import EmptyFileError, FileTooLargeError
from chalicelib.core.labels import NO_LABELS, Labels
from chalicelib.core.video_types import require_video_type

MAX_URLS_PER_PAGE = 500
"""A URL signed by a role is about 1,600 bytes and Lambda answers with at most 6 MB (Lambda quotas, "Invocation
payload")."""


class StartUpload(NamedTuple):
    file_name: str
    content_type: str
    size_bytes: int
    labels: Labels = NO_LABELS

    @classmethod
    def accepted(
        cls, file_name: str, content_type: str, size_bytes: int, max_bytes: int, labels: Labels = NO_LABELS
    ) -> Self:
        """Raises EmptyFileError, FileTooLargeError, UnsupportedVideoTypeError."""
        if size_bytes == 0:
            raise EmptyFileError
        if size_bytes > max_bytes:
            raise FileTooLargeError(size_bytes=size_bytes, max_bytes=max_bytes)
        require_video_type(file_name, content_type)
        return cls(file_name, content_type, size_bytes, labels)


class CompleteUpload(NamedTuple):
    """etags_by_part: part number → ETag, as S3 answered it. upload_id, file_key: None when the client left them out."""

    etags_by_part: dict[int, str]
    checksum_crc64nvme: str | None
    upload_id: str | None
    file_key: str | None
