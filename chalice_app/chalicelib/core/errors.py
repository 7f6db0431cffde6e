"""Everything that can go wrong with an upload, as one tree.

PlatformError
├── RequestError                        the request itself is wrong
│   ├── InvalidRequestError
│   ├── InvalidJsonError
│   ├── RequestTooLargeError
│   ├── EmptyFileError
│   ├── FileTooLargeError
│   └── UnsupportedVideoTypeError
├── AccessError                         the caller may not do this
│   ├── UnauthorizedError
│   └── ForbiddenError
├── NotFoundError                       unknown, or another user's: the same response
│   ├── UploadNotFoundError
│   ├── VideoNotFoundError
│   ├── LinkNotFoundError
│   └── RouteNotFoundError
├── MethodNotAllowedError
├── CapError                            a limit is reached
│   ├── TooManyOpenUploadsError
│   ├── ReservedBytesExceededError
│   ├── TooManyStoredVideosError
│   ├── StoredBytesExceededError
│   ├── StageFullError
│   ├── TooManyLinksError
│   ├── LinkUsedUpError
│   └── LinkMakerFullError
├── LinkError                           the upload link no longer works
│   ├── LinkExpiredError
│   └── LinkRevokedError
├── StateError                          the upload's state no longer allows this
│   ├── UploadAbortedError
│   ├── UploadExpiredError
│   ├── UploadCompletingError
│   └── UploadCompletedError
├── CompletionRefusedError              the parts at S3 are not the announced file
│   ├── PartsIncompleteError
│   ├── PartMismatchError
│   ├── PartTooSmallError
│   ├── ChecksumMismatchError
│   └── SizeMismatchError
├── TryAgainError                       temporary
│   ├── StorageUnavailableError         S3 or KMS is busy
│   ├── UploadStartingError             another call is starting the same upload
│   └── IndexMissingError               a library that is too large to be searched without its index
├── StorageForbiddenError               S3 or KMS denies the API a permission
└── InternalError                       a defect of the platform

Each leaf carries its data as fields; `code` is the name that clients see.
"""

from inspect import get_annotations
from typing import Any, ClassVar, dataclass_transform

from chalicelib.core.json_values import JsonObject, camel_case


@dataclass_transform(kw_only_default=True)
class PlatformError(Exception):
    """Base of all errors that a caller may see.

    Subclasses declare their data as dataclasses do, and the type checker checks their calls. They are not dataclasses
    because building those took a tenth of every cold start.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(self, **data: Any) -> None:
        vars(self).update(data)
        super().__init__()

    @property
    def message(self) -> str:
        """One sentence for a person."""
        return "Something went wrong."

    @classmethod
    def fields(cls) -> list[str]:
        """Names of its fields, those of its bases first."""
        leaves = [
            kind for kind in reversed(cls.__mro__) if issubclass(kind, PlatformError) and kind is not PlatformError
        ]
        return list(dict.fromkeys(name for kind in leaves for name in get_annotations(kind)))

    @property
    def details(self) -> JsonObject:
        """The error's own fields, in the API's spelling."""
        return {camel_case(name): getattr(self, name) for name in self.fields()}

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.details})"


class RequestError(PlatformError):
    """Base of errors in the request itself."""


class InvalidRequestError(RequestError):
    """problems: `{"field", "problem"}` for each problem of the body or the query; more_problems: how many are not
    listed."""

    problems: list[dict[str, str]]
    more_problems: int = 0
    code = "invalid_request"

    @property
    def message(self) -> str:
        named = [f"{problem['field']}: {problem['problem']}" for problem in self.problems]
        return "; ".join([*named, *([f"and {self.more_problems} more"] if self.more_problems else [])])


class InvalidJsonError(RequestError):
    reason: str
    code = "invalid_json"

    @property
    def message(self) -> str:
        return f"The body must be one JSON object: {self.reason}."


class RequestTooLargeError(RequestError):
    max_bytes: int
    code = "request_too_large"

    @property
    def message(self) -> str:
        return f"The body may have at most {self.max_bytes} bytes. Videos go to S3, not through the API."


class EmptyFileError(RequestError):
    code = "empty_file"

    @property
    def message(self) -> str:
        return "The file is empty."


class FileTooLargeError(RequestError):
    size_bytes: int
    max_bytes: int
    code = "file_too_large"

    @property
    def message(self) -> str:
        return f"The file has {self.size_bytes} bytes; at most {self.max_bytes} are accepted here."


class UnsupportedVideoTypeError(RequestError):
    file_name: str
    content_type: str
    accepted: dict[str, list[str]]
    code = "unsupported_video_type"

    @property
    def message(self) -> str:
        extensions = ", ".join(extension for each in self.accepted.values() for extension in each)
        return (
            f"{self.content_type} with the name {self.file_name!r} is not accepted here. Accepted types: {extensions}."
        )


class AccessError(PlatformError):
    """Base of errors about missing permissions."""


class UnauthorizedError(AccessError):
    code = "unauthorized"

    @property
    def message(self) -> str:
        return "Sign in: the Authorization header holds no valid token."


class ForbiddenError(AccessError):
    reason: str
    code = "forbidden"

    @property
    def message(self) -> str:
        return f"This token may not do that: {self.reason}."


class NotFoundError(PlatformError):
    """Base of errors about resources that do not exist or belong to another user."""


class UploadNotFoundError(NotFoundError):
    code = "upload_not_found"

    @property
    def message(self) -> str:
        return "There is no such upload."


class VideoNotFoundError(NotFoundError):
    code = "video_not_found"

    @property
    def message(self) -> str:
        return "There is no such video."


class LinkNotFoundError(NotFoundError):
    code = "link_not_found"

    @property
    def message(self) -> str:
        return "There is no such upload link."


class RouteNotFoundError(NotFoundError):
    code = "route_not_found"

    @property
    def message(self) -> str:
        return "There is nothing at this address."


class MethodNotAllowedError(PlatformError):
    code = "method_not_allowed"

    @property
    def message(self) -> str:
        return "This address does not support that method."


class CapError(PlatformError):
    """Base of errors about a user's limits."""


class TooManyOpenUploadsError(CapError):
    max_open_uploads: int
    code = "too_many_open_uploads"

    @property
    def message(self) -> str:
        return f"At most {self.max_open_uploads} uploads may be open at once: finish or abort one first."


class ReservedBytesExceededError(CapError):
    size_bytes: int
    reserved_bytes: int
    max_reserved_bytes: int
    code = "reserved_bytes_exceeded"

    @property
    def message(self) -> str:
        return (
            f"The open uploads already reserve {self.reserved_bytes} of {self.max_reserved_bytes} bytes: "
            "finish or abort one first."
        )


class TooManyStoredVideosError(CapError):
    stored_videos: int
    reserved_videos: int
    max_stored_videos: int
    code = "too_many_stored_videos"

    @property
    def message(self) -> str:
        return (
            f"{self.stored_videos} videos are stored and {self.reserved_videos} uploads are open, of "
            f"{self.max_stored_videos} videos in all: delete a video first."
        )


class StoredBytesExceededError(CapError):
    size_bytes: int
    stored_bytes: int
    reserved_bytes: int
    max_stored_bytes: int
    code = "stored_bytes_exceeded"

    @property
    def message(self) -> str:
        return (
            f"{self.stored_bytes} bytes are stored and {self.reserved_bytes} are reserved by open uploads, of "
            f"{self.max_stored_bytes} bytes in all; {self.size_bytes} more do not fit: delete a video first."
        )


class StageFullError(CapError):
    """Carries no figures of the stage, which would tell one user about others."""

    size_bytes: int
    code = "stage_full"

    @property
    def message(self) -> str:
        return f"The platform has no room for {self.size_bytes} more bytes: its operators have to make room."


class TooManyLinksError(CapError):
    max_links: int
    code = "too_many_links"

    @property
    def message(self) -> str:
        return f"At most {self.max_links} upload links are allowed; closed ones stop counting after a month."


class LinkUsedUpError(CapError):
    """max_videos, max_bytes: the link's limits. used_videos, used_bytes: how much of them its uploads use."""

    size_bytes: int
    used_videos: int
    used_bytes: int
    max_videos: int
    max_bytes: int
    code = "link_used_up"

    @property
    def message(self) -> str:
        return (
            f"The upload link allows {self.max_videos} videos and {self.max_bytes} bytes in all; "
            f"{self.used_videos} videos and {self.used_bytes} bytes are used, and {self.size_bytes} bytes do not fit."
        )


class LinkMakerFullError(CapError):
    """Carries no figures of the maker, which are private."""

    size_bytes: int
    code = "link_maker_full"

    @property
    def message(self) -> str:
        return (
            f"The library behind this upload link has no room for {self.size_bytes} more bytes at the moment: tell the "
            "person who gave you the link."
        )


class LinkError(PlatformError):
    """Base of errors about an upload link that no longer works."""


class LinkExpiredError(LinkError):
    code = "link_expired"

    @property
    def message(self) -> str:
        return "The upload link has expired: ask the person who gave it to you for a new one."


class LinkRevokedError(LinkError):
    code = "link_revoked"

    @property
    def message(self) -> str:
        return "The upload link was revoked: ask the person who gave it to you for a new one."


class StateError(PlatformError):
    """Base of errors about an upload's state."""

    state: str


class UploadAbortedError(StateError):
    state: str = "aborted"
    code = "upload_aborted"

    @property
    def message(self) -> str:
        return "The upload was aborted."


class UploadExpiredError(StateError):
    state: str = "expired"
    code = "upload_expired"

    @property
    def message(self) -> str:
        return "The upload was left unfinished for too long. Start again."


class UploadCompletingError(StateError):
    state: str = "completing"
    code = "upload_completing"

    @property
    def message(self) -> str:
        return "The upload is being completed."


class UploadCompletedError(StateError):
    code = "upload_completed"

    @property
    def message(self) -> str:
        return "The upload is already complete."


class CompletionRefusedError(PlatformError):
    """Base of refused completions that leave the upload open: repair the parts and complete again."""


class PartsIncompleteError(CompletionRefusedError):
    """missing_part_numbers: the first hundred of `missing_count`."""

    missing_count: int
    missing_part_numbers: list[int]
    code = "parts_incomplete"

    @property
    def message(self) -> str:
        return f"{self.missing_count} parts are missing."


class PartMismatchError(CompletionRefusedError):
    code = "part_mismatch"

    @property
    def message(self) -> str:
        return "A part in the request is not the one that S3 has. GET /multipart/parts lists its parts."


class PartTooSmallError(CompletionRefusedError):
    min_part_bytes: int
    code = "part_too_small"

    @property
    def message(self) -> str:
        return f"Every part but the last must have at least {self.min_part_bytes} bytes."


class ChecksumMismatchError(CompletionRefusedError):
    code = "checksum_mismatch"

    @property
    def message(self) -> str:
        return (
            "The stored file differs from the original. Compare the parts' checksums and send those that differ again."
        )


class SizeMismatchError(CompletionRefusedError):
    size_bytes: int
    code = "size_mismatch"

    @property
    def message(self) -> str:
        return f"The parts do not add up to the {self.size_bytes} bytes that were announced."


class TryAgainError(PlatformError):
    """Base of temporary errors."""

    retry_after_seconds: int


class StorageUnavailableError(TryAgainError):
    code = "storage_unavailable"

    @property
    def message(self) -> str:
        return f"The storage is busy. Try again in {self.retry_after_seconds} s."


class UploadStartingError(TryAgainError):
    code = "upload_starting"

    @property
    def message(self) -> str:
        return f"This upload is being started by another call. Try again in {self.retry_after_seconds} s."


class IndexMissingError(TryAgainError):
    code = "index_missing"

    @property
    def message(self) -> str:
        return (
            f"These videos are not indexed yet. Try again in {self.retry_after_seconds} s; if that does not help, "
            "the operators have to run `make index`."
        )


class StorageForbiddenError(PlatformError):
    code = "storage_forbidden"

    @property
    def message(self) -> str:
        return (
            "The storage denies the API a permission that this call needs. The API's log names the missing permission."
        )


class InternalError(PlatformError):
    code = "internal_error"

    @property
    def message(self) -> str:
        return "Something went wrong on our side. Nothing was lost; try again."
