"""Requests to the domain, already checked against the contract."""

from typing import NamedTuple, Self

from chalicelib.core.errors import EmptyFileError, FileTooLargeError
from chalicelib.core.labels import NO_LABELS, Labels
from chalicelib.core.video_types import EVERY_CONTAINER, Container, require_video_type

MAX_URLS_PER_PAGE = 500
"""A URL signed by a role has about 1,600 bytes, and a response of Lambda at most 6 MB (Lambda quotas, "Invocation
payload")."""


class Origin(NamedTuple):
    """The origin of an upload; all None if the owner uploads in person.

    link_id, uploader_name: the upload link, and the name that its bearer gave. reference, on_behalf_of: a machine
    client's names for the upload and its user.
    """

    link_id: str | None = None
    uploader_name: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None


OWN = Origin()


class StartUpload(NamedTuple):
    file_name: str
    content_type: str
    size_bytes: int
    labels: Labels = NO_LABELS
    origin: Origin = OWN

    @classmethod
    def accepted(
        cls,
        file_name: str,
        content_type: str,
        size_bytes: int,
        max_bytes: int,
        *,
        containers: frozenset[Container] = EVERY_CONTAINER,
        labels: Labels = NO_LABELS,
        origin: Origin = OWN,
    ) -> Self:
        """Raises EmptyFileError, FileTooLargeError, UnsupportedVideoTypeError."""
        if size_bytes == 0:
            raise EmptyFileError
        if size_bytes > max_bytes:
            raise FileTooLargeError(size_bytes=size_bytes, max_bytes=max_bytes)
        require_video_type(file_name, content_type, containers)
        return cls(file_name, content_type, size_bytes, labels, origin)


class CompleteUpload(NamedTuple):
    """etags_by_part: part number → ETag, as S3 returned it. upload_id, file_key: None if the client left them out."""

    etags_by_part: dict[int, str]
    checksum_crc64nvme: str | None
    upload_id: str | None
    file_key: str | None
