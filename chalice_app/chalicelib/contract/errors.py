"""Errors of the API in one shape: the domain's, and the gateway's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from chalicelib.contract.checking import MAX_NAMED_PROBLEMS
from chalicelib.contract.fields import PartNumber
from chalicelib.contract.responses import ResponseBody
from chalicelib.core import errors
from chalicelib.core.completion import MAX_NAMED_MISSING_PARTS
from chalicelib.core.errors import InvalidRequestError, PlatformError
from chalicelib.core.json_values import camel_case
from chalicelib.http_errors import STATUS_BY_ERROR


class Problem(ResponseBody, frozen=True, kw_only=True):
    """One problem of a body or a query."""

    field: str
    problem: str


@dataclass(frozen=True)
class GatewayError:
    """An error that API Gateway or the web ACL answers before any function runs. Its `details` are empty."""

    name: str
    status: int
    code: str


GATEWAY_ERRORS = (
    GatewayError("TooManyRequestsError", 429, "too_many_requests"),
    GatewayError("GatewayTimeoutError", 504, "gateway_timeout"),
)
"""Codes that only the gateway uses; components/api/document.py has its whole table."""

ALSO_BY_THE_GATEWAY = frozenset({"invalid_request", "unauthorized", "forbidden", "request_too_large", "internal_error"})
"""Codes that the gateway uses as well, without details."""

STATUS_BY_CODE: Mapping[str, int] = {
    **{kind.code: status for kind, status in STATUS_BY_ERROR.items()},
    **{error.code: error.status for error in GATEWAY_ERRORS},
}
"""Every code that a caller may see."""

_MEANINGS: dict[type[PlatformError], str] = {
    errors.RequestError: "The request itself is wrong.",
    errors.UnauthorizedError: "No token, or one that is expired, foreign or forged.",
    errors.ForbiddenError: "A genuine token without the scope or the client that this route requires.",
    errors.NotFoundError: "Unknown, or another user's: the response is the same.",
    errors.MethodNotAllowedError: "The address does not support this method.",
    errors.CapError: "The user has reached a limit.",
    errors.LinkUsedUpError: "The upload link has reached a limit.",
    errors.LinkMakerFullError: "The maker of the upload link has reached a limit.",
    errors.LinkError: "The upload link no longer works.",
    errors.StateError: "The upload's state no longer allows this.",
    errors.CompletionRefusedError: "The upload stays open: repair the parts and complete again.",
    errors.StorageUnavailableError: "S3 or KMS is busy: try again after `Retry-After`.",
    errors.UploadStartingError: "Another call is starting the same upload: try again after `Retry-After`.",
    errors.IndexMissingError: "There are too many videos to read one by one, and they are not indexed yet.",
    errors.StorageForbiddenError: "S3 or KMS denies the API a permission, which the API's log names.",
    errors.InternalError: "A defect of the platform.",
}
"""By error, or by its base."""

_PRECISE_TYPES: dict[tuple[type[PlatformError], str], Any] = {
    (InvalidRequestError, "problems"): Annotated[list[Problem], Meta(max_length=MAX_NAMED_PROBLEMS)],
    (errors.PartsIncompleteError, "missing_part_numbers"): Annotated[
        list[PartNumber], Meta(max_length=MAX_NAMED_MISSING_PARTS)
    ],
}


def meaning(kind: type[PlatformError]) -> str:
    """One sentence for a developer."""
    return next(_MEANINGS[base] for base in kind.__mro__ if base in _MEANINGS)


def error_schema(code: str, details: dict[str, Any], description: str) -> dict[str, Any]:
    """The schema of one error's body."""
    return {
        "description": description,
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {
                    "code": {"const": code},
                    "message": {"type": "string", "description": "One sentence for a person."},
                    "details": details,
                    "requestId": {"type": "string", "description": "Empty where the web ACL blocks."},
                },
                "required": ["code", "message", "details", "requestId"],
            }
        },
        "required": ["error"],
    }


def details_schema(kind: type[PlatformError], ref_template: str) -> dict[str, Any]:
    """The error's own fields in the API's spelling; none is required where the gateway answers with the same code."""
    hints = get_type_hints(kind)
    properties: dict[str, Any] = {}
    for name in kind.fields():
        declared = _PRECISE_TYPES.get((kind, name), hints[name])
        ((schema,), _) = msgspec.json.schema_components([declared], ref_template=ref_template)
        properties[camel_case(name)] = schema
    required = {} if not properties or kind.code in ALSO_BY_THE_GATEWAY else {"required": list(properties)}
    return {"type": "object", "properties": properties, **required}
