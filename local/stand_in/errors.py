"""Errors of the stand-in.

StandInError
├── AlreadyRunningError     a second stand-in in one process: moto's state belongs to the process
├── DataFolderInUseError    another process serves this folder
├── WrongControlError       a control request (`/_stand-in/…`) that cannot be understood
└── S3Error                 an answer S3 gives: status, code, message and further elements of its XML
"""

from collections.abc import Mapping
from pathlib import Path


class StandInError(Exception):
    """Base of the stand-in's errors."""


class AlreadyRunningError(StandInError):
    """moto keeps its state in module globals, so one process holds one stand-in."""

    def __init__(self) -> None:
        super().__init__("this process already runs a stand-in; close it first")


class DataFolderInUseError(StandInError):
    """`folder` is locked by another stand-in."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is served by another stand-in")
        self.folder = folder


class WrongControlError(StandInError):
    """The body of a control request does not fit its route."""


class S3Error(StandInError):
    """An error response of S3. status, code: S3's. elements: of its XML. headers: of the response."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        elements: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.elements = dict(elements or {})
        self.headers = dict(headers or {})


def access_denied(message: str = "Access Denied", elements: Mapping[str, str] | None = None) -> S3Error:
    """403: the request is understood and not allowed."""
    return S3Error(403, "AccessDenied", message, elements)


def invalid_argument(message: str, name: str, value: str) -> S3Error:
    """400: an argument that S3 does not accept."""
    return S3Error(400, "InvalidArgument", message, {"ArgumentName": name, "ArgumentValue": value})


def invalid_request(message: str) -> S3Error:
    """400: parts of the request contradict each other."""
    return S3Error(400, "InvalidRequest", message)


def malformed_xml() -> S3Error:
    """400: an XML body that the operation does not accept."""
    return S3Error(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def no_such_key(key: str, headers: Mapping[str, str] | None = None) -> S3Error:
    """404: no object, or a delete marker, which `headers` announce."""
    return S3Error(404, "NoSuchKey", "The specified key does not exist.", {"Key": key}, headers)


def no_such_upload(upload_id: str) -> S3Error:
    """404: an upload that never existed, or was completed or aborted."""
    return S3Error(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, "
        "or the upload may have been aborted or completed.",
        {"UploadId": upload_id},
    )


def no_such_version(key: str, version_id: str) -> S3Error:
    """404: the key has no such version."""
    return S3Error(404, "NoSuchVersion", "The specified version does not exist.", {"Key": key, "VersionId": version_id})


def precondition_failed(condition: str) -> S3Error:
    """412: `condition` names the header whose condition failed."""
    return S3Error(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        {"Condition": condition},
    )


def not_implemented(message: str) -> S3Error:
    """501: a part of S3 that the stand-in does not implement."""
    return S3Error(501, "NotImplemented", message)
