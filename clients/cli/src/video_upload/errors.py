"""Errors of the client, as one tree.

VideoUploadError
├── SiteError                    the address is not a Video Upload site
│   └── SiteUnreachableError     nobody answers there
├── SignInError                  the sign-in did not succeed
│   ├── NotSignedInError         nobody is signed in, or the sign-in has ended permanently
│   ├── SignInUnreachableError   the sign-in does not answer
│   └── KeyringUnavailableError  the OS keyring does not work, or no longer
├── ProfileError                 a profile was named that cannot be used
│   ├── ProfileNameError         not a name for a profile
│   └── ProfileNotFoundError     no such profile is signed in
├── NetworkSettingError          a variable for the network names what cannot be used
├── ApiUnreachableError          no answer from the API after all tries
├── UnexpectedResponseError      a response that the API's contract does not know
├── ApiError                     the API said no: status, code, message, details, request_id
│   ├── UnauthorizedError        401
│   ├── ForbiddenError           403
│   ├── NotFoundError            404
│   ├── ConflictError            409
│   ├── InvalidRequestError      400, 413, 415: what was sent will never be accepted
│   ├── LinkClosedError          410: the upload link has expired or was revoked
│   ├── LimitReachedError        429
│   └── ServiceUnavailableError  5xx
├── FileRefusedError             refused here, before anything was sent
│   └── FileUnreadableError      the operating system does not let the file be read
├── FileChangedError             the file changed while it was being sent
├── OutputError                  the result cannot be written where the output goes
├── SystemRefusedError           the operating system refused something else
├── HomeError                    what this computer keeps for later runs cannot be written
├── UploadRunningError           another process is uploading the same file
├── DownloadError                a video cannot be downloaded or played
├── UploadNotFoundError          no unfinished upload answers to that name
├── UploadLostError              the platform no longer knows this upload
├── PartFailedError              one part could not be sent
└── UploadCancelledError         the caller asked to stop
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "ApiError",
    "ApiUnreachableError",
    "ConflictError",
    "DownloadError",
    "FileChangedError",
    "FileRefusedError",
    "FileUnreadableError",
    "ForbiddenError",
    "HomeError",
    "InvalidRequestError",
    "KeyringUnavailableError",
    "LimitReachedError",
    "LinkClosedError",
    "NetworkSettingError",
    "NotFoundError",
    "NotSignedInError",
    "OutputError",
    "PartFailedError",
    "ProfileError",
    "ProfileNameError",
    "ProfileNotFoundError",
    "ServiceUnavailableError",
    "SignInError",
    "SignInUnreachableError",
    "SiteError",
    "SiteUnreachableError",
    "SystemRefusedError",
    "UnauthorizedError",
    "UnexpectedResponseError",
    "UploadCancelledError",
    "UploadLostError",
    "UploadNotFoundError",
    "UploadRunningError",
    "VideoUploadError",
]


def path_text(path: Path) -> str:
    """Return the path as valid Unicode: bytes that are not UTF-8 become replacement characters."""
    return os.fsencode(path).decode(errors="replace")


class VideoUploadError(Exception):
    """Root of everything this package raises on purpose.

    correlation_id: what the operators' logs call the upload; None outside of one.
    """

    correlation_id: str | None = None


class SiteError(VideoUploadError):
    """The address is not a Video Upload site."""

    def __init__(self, site_url: str, problem: str) -> None:
        self.site_url = site_url
        self.problem = problem
        super().__init__(f"{site_url}: {problem}")


class SiteUnreachableError(SiteError):
    """No answer from the site."""

    def __init__(self, site_url: str, reason: str) -> None:
        self.reason = reason
        super().__init__(site_url, f"cannot be reached ({reason})")


class SignInError(VideoUploadError):
    """The sign-in did not succeed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class NotSignedInError(SignInError):
    """No sign-in, or one that has ended permanently."""

    def __init__(self, reason: str = "You are not signed in.") -> None:
        super().__init__(f"{reason} Run: video-upload login SITE_URL")


class SignInUnreachableError(SignInError):
    """The sign-in does not answer."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(f"The sign-in at {url} cannot be reached ({reason}).")


class KeyringUnavailableError(SignInError):
    """The OS keyring does not work, or no longer."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"This computer's keyring does not work: {problem}. To use a file instead: login --no-keyring")


class ProfileError(VideoUploadError):
    """The profile asked for cannot be used."""


class ProfileNameError(ProfileError):
    """Not a name for a profile."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name!r} is not a valid profile name: use up to 64 letters, digits, dots, dashes and underscores"
        )


class ProfileNotFoundError(ProfileError):
    """No such profile is signed in."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(
            f"No profile {name}; there is {', '.join(known) or 'none'}. Create it: login SITE_URL --profile"
        )


class NetworkSettingError(VideoUploadError):
    """A variable for the network names what cannot be used."""

    def __init__(self, variable: str, value: str, reason: str) -> None:
        self.variable = variable
        self.value = value
        self.reason = reason
        super().__init__(f"{variable} names {value}, which cannot be used ({reason}).")


class ApiUnreachableError(VideoUploadError):
    """No answer from the API after all tries."""

    def __init__(self, url: str, tries: int, reason: str) -> None:
        self.url = url
        self.tries = tries
        self.reason = reason
        super().__init__(f"No answer from {url} after {tries} tries: {reason}")


class UnexpectedResponseError(VideoUploadError):
    """A response that the API's contract does not know."""

    def __init__(self, url: str, status: int, problem: str) -> None:
        self.url = url
        self.status = status
        self.problem = problem
        super().__init__(f"{url} answered {status}, {problem}")


class ApiError(VideoUploadError):
    """`code` is stable and for programs, `message` is for people, `request_id` is for the platform's operators.

    retry_after_seconds: what the platform asks for before another try; None if it does not say.
    """

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        details: Mapping[str, Any],
        request_id: str | None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class UnauthorizedError(ApiError):
    """The bearer is missing, expired or foreign."""


class ForbiddenError(ApiError):
    """A genuine bearer without the right to do this."""


class NotFoundError(ApiError):
    """The resource does not exist or belongs to another user."""


class ConflictError(ApiError):
    """The upload is in another state (`details["state"]`)."""


class InvalidRequestError(ApiError):
    """A request that will be refused again if it is repeated unchanged."""


class LinkClosedError(ApiError):
    """The upload link has expired or was revoked."""


class LimitReachedError(ApiError):
    """Too many requests, or a limit of the user; `details` holds the figures."""


class ServiceUnavailableError(ApiError):
    """The platform failed; asking later may succeed."""


class FileRefusedError(VideoUploadError):
    """Refused here, before anything was sent."""

    def __init__(self, path: Path, problem: str) -> None:
        self.path = path
        self.problem = problem
        super().__init__(f"{path_text(path)}: {problem}")


class FileUnreadableError(FileRefusedError):
    """The operating system does not let the file be read."""

    def __init__(self, path: Path, reason: OSError) -> None:
        super().__init__(path, f"cannot be read ({reason.strerror or reason})")


class FileChangedError(VideoUploadError):
    """The file changed while it was being sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path_text(path)} changed while it was being uploaded. Upload it again once it is complete.")


class OutputError(VideoUploadError):
    """The result cannot be written where the output goes."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"The result cannot be written to the output ({reason}).")


class SystemRefusedError(VideoUploadError):
    """The operating system refused something else."""

    def __init__(self, error: OSError) -> None:
        where = f" ({os.fsdecode(error.filename).encode(errors='replace').decode()})" if error.filename else ""
        super().__init__(f"{error.strerror or error}{where}")


class HomeError(VideoUploadError):
    """The folder for later runs cannot be written."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"Cannot write to {folder} ({reason}). Free some space there and run the command again.")


class UploadRunningError(VideoUploadError):
    """Another process is uploading the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path_text(path)} is already being uploaded by another process.")


class DownloadError(VideoUploadError):
    """A video cannot be downloaded or played."""

    def __init__(self, video_id: str, reason: str) -> None:
        self.video_id = video_id
        self.reason = reason
        super().__init__(f"Video {video_id} cannot be downloaded or played: {reason}.")


class UploadNotFoundError(VideoUploadError):
    """No unfinished upload answers to that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"No unfinished upload of {name}.")


class UploadLostError(VideoUploadError):
    """The platform no longer knows this upload."""

    def __init__(self, video_id: str, reason: str) -> None:
        self.video_id = video_id
        self.reason = reason
        super().__init__(f"The upload {video_id} is gone: {reason}")


class PartFailedError(VideoUploadError):
    """One part could not be sent."""

    def __init__(self, part_number: int, tries: int, reason: str) -> None:
        self.part_number = part_number
        self.tries = tries
        self.reason = reason
        super().__init__(f"Part {part_number} could not be sent in {tries} tries: {reason}")


class UploadCancelledError(VideoUploadError):
    """The caller asked to stop."""

    def __init__(self) -> None:
        super().__init__("The upload was stopped. Run the same command again to resume.")
