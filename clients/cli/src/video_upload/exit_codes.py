"""Exit codes of the command: one number for each kind of outcome, so that scripts can tell them apart."""

from __future__ import annotations

from enum import IntEnum

from video_upload.errors import (
    ApiUnreachableError,
    FileRefusedError,
    FileUnreadableError,
    InvalidRequestError,
    LimitReachedError,
    NetworkSettingError,
    NotSignedInError,
    ProfileError,
    ServiceUnavailableError,
    SignInUnreachableError,
    SiteUnreachableError,
    UnauthorizedError,
    UploadCancelledError,
    VideoUploadError,
)


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    REFUSED = 4
    TRY_LATER = 5
    INTERRUPTED = 130  # 128 + SIGINT


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "failed",
    ExitCode.USAGE: "wrong usage",
    ExitCode.NOT_SIGNED_IN: "not signed in, or the sign-in has ended",
    ExitCode.REFUSED: "the file or the request was refused by validation; trying again does not help",
    ExitCode.TRY_LATER: "the platform is unreachable or overloaded, or a limit is used up; run the command again later",
    ExitCode.INTERRUPTED: "interrupted; run the same command again to resume",
}

CODE_BY_ERROR: tuple[tuple[type[VideoUploadError], ExitCode], ...] = (
    (NotSignedInError, ExitCode.NOT_SIGNED_IN),
    (ProfileError, ExitCode.USAGE),
    (NetworkSettingError, ExitCode.USAGE),
    (UnauthorizedError, ExitCode.NOT_SIGNED_IN),
    (FileUnreadableError, ExitCode.FAILED),
    (FileRefusedError, ExitCode.REFUSED),
    (InvalidRequestError, ExitCode.REFUSED),
    (LimitReachedError, ExitCode.TRY_LATER),
    (ServiceUnavailableError, ExitCode.TRY_LATER),
    (ApiUnreachableError, ExitCode.TRY_LATER),
    (SiteUnreachableError, ExitCode.TRY_LATER),
    (SignInUnreachableError, ExitCode.TRY_LATER),
    (UploadCancelledError, ExitCode.INTERRUPTED),
)


def exit_code_of(error: VideoUploadError) -> ExitCode:
    return next((code for kind, code in CODE_BY_ERROR if isinstance(error, kind)), ExitCode.FAILED)
