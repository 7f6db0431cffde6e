"""Errors of the API in one shape: the domain's, and the gateway's own."""

from dataclasses import dataclass, fields
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import Meta

from chalicelib.contract.checking import MAX_NAMED_PROBLEMS
from chalicelib.contract.responses import ResponseBody
from chalicelib.core.errors import InvalidRequestError, PlatformError
from chalicelib.core.json_values import camel_case


class Problem(ResponseBody, frozen=True, kw_only=True):
    """One thing that is wrong with a body or a query."""

    field: str
    problem: str


@dataclass(frozen=True)
class GatewayError:
    """An error that no function answers with: API Gateway or the web ACL does. Its `details` are empty."""

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

_PRECISE_TYPES: dict[tuple[type[PlatformError], str], Any] = {
    (InvalidRequestError, "problems"): Annotated[list[Problem], Meta(max_length=MAX_NAMED_PROBLEMS)],
}


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
    for field in fields(kind):
        declared = _PRECISE_TYPES.get((kind, field.name), hints[field.name])
        ((schema,), _) = msgspec.json.schema_components([declared], ref_template=ref_template)
        properties[camel_case(field.name)] = schema
    required = {} if not properties or kind.code in ALSO_BY_THE_GATEWAY else {"required": list(properties)}
    return {"type": "object", "properties": properties, **required}
