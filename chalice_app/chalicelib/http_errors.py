"""HTTP responses to domain errors: the only table of statuses."""

import json
from collections.abc import Mapping

from chalice.app import Response

from chalicelib.core import errors
from chalicelib.core.json_values import JsonObject

STATUS_BY_ERROR: Mapping[type[errors.PlatformError], int] = {
    errors.InvalidRequestError: 400,
    errors.InvalidJsonError: 400,
    errors.RequestTooLargeError: 413,
    errors.EmptyFileError: 400,
    errors.FileTooLargeError: 413,
    errors.UnsupportedVideoTypeError: 415,
    errors.UnauthorizedError: 401,
    errors.ForbiddenError: 403,
    errors.UploadNotFoundError: 404,
    errors.VideoNotFoundError: 404,
    errors.LinkNotFoundError: 404,
    errors.RouteNotFoundError: 404,
    errors.MethodNotAllowedError: 405,
    errors.TooManyOpenUploadsError: 429,
    errors.ReservedBytesExceededError: 429,
    errors.TooManyStoredVideosError: 429,
    errors.StoredBytesExceededError: 429,
    errors.StageFullError: 429,
    errors.TooManyLinksError: 429,
    errors.LinkUsedUpError: 429,
    errors.LinkMakerFullError: 429,
    errors.LinkExpiredError: 410,
    errors.LinkRevokedError: 410,
    errors.UploadAbortedError: 409,
    errors.UploadExpiredError: 409,
    errors.UploadCompletingError: 409,
    errors.UploadCompletedError: 409,
    errors.PartsIncompleteError: 400,
    errors.PartMismatchError: 400,
    errors.PartTooSmallError: 400,
    errors.ChecksumMismatchError: 400,
    errors.SizeMismatchError: 400,
    errors.StorageUnavailableError: 503,
    errors.UploadStartingError: 503,
    errors.IndexMissingError: 503,
    errors.StorageForbiddenError: 503,
    errors.InternalError: 500,
}


def status_of(error: errors.PlatformError) -> int:
    return STATUS_BY_ERROR[type(error)]


def error_body(error: errors.PlatformError, request_id: str) -> JsonObject:
    """The one shape of all errors."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "requestId": request_id,
        }
    }


def error_response(error: errors.PlatformError, request_id: str) -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json"}
    if isinstance(error, errors.TryAgainError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return Response(json.dumps(error_body(error, request_id)), headers, status_of(error))
