"""Responses to requests that violate a service's model, with the service's status, error code and format."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import xmltodict
from botocore.model import OperationModel

from local.stand_in.aws_models.constraints import REQUIRED, UNKNOWN, Violation
from local.stand_in.aws_models.requests import ModelledCall

# Codes for violated constraints, if an operation declares one; the first declared one applies.
_DECLARED: Final = ("InvalidParameterException", "ValidationException", "InvalidArgument", "BadRequestException")
# "Common Errors" of the services' API references.
_COMMON: Final = {
    "json": "ValidationException",
    "rest-json": "ValidationException",
    "rest-xml": "InvalidArgument",
    "query": "ValidationError",
    "ec2": "InvalidParameterValue",
}
# Services with codes for each kind of fault: SQS API Reference, "Common Errors"; EC2 API Reference, "Error codes".
_BY_KIND: Final = {
    "sqs": {REQUIRED: "MissingParameter", "": "InvalidParameterValue"},
    "ec2": {REQUIRED: "MissingParameter", UNKNOWN: "UnknownParameter", "": "InvalidParameterValue"},
}


@dataclass(frozen=True)
class Refusal:
    """status, headers and body of the response; code is the error code that a client reads from it."""

    status: int
    code: str
    headers: Mapping[str, str]
    body: bytes


def refusal(call: ModelledCall, violations: Sequence[Violation]) -> Refusal:
    """The response to a call that violates its model."""
    noun = "error" if len(violations) == 1 else "errors"
    text = "; ".join(map(str, violations))
    return _written(call, _code(call, violations), f"{len(violations)} validation {noun} detected: {text}")


def unknown_operation(call: ModelledCall) -> Refusal:
    """The response to an unknown operation."""
    code = "InvalidAction" if call.protocol in ("query", "ec2") else "UnknownOperationException"
    return _written(call, code, f"{call.name} is no operation of {call.service.name}")


def unreadable(call: ModelledCall) -> Refusal:
    """The response to a body that cannot be parsed."""
    code = {"rest-xml": "MalformedXML", "query": "MalformedQueryString", "ec2": "MalformedQueryString"}
    return _written(call, code.get(call.protocol, "SerializationException"), "The body cannot be read")


def _code(call: ModelledCall, violations: Sequence[Violation]) -> str:
    if call.protocol in ("json", "rest-json") and any(violation.is_of_type for violation in violations):
        return "SerializationException"
    kinds = _BY_KIND.get(call.service.name)
    if kinds:
        return kinds.get(violations[0].constraint, kinds[""])
    declared = _declared_codes(call.operation) if call.operation else {}
    return next((declared[name] for name in _DECLARED if name in declared), _COMMON[call.protocol])


def _declared_codes(operation: OperationModel) -> dict[str, str]:
    """Names of the operation's errors → their codes in responses."""
    return {
        str(shape.name): str(cast("Mapping[str, Any]", shape.metadata).get("error", {}).get("code", shape.name))
        for shape in operation.error_shapes
    }


def _written(call: ModelledCall, code: str, message: str) -> Refusal:
    request_id = secrets.token_hex(8)
    metadata = call.service.metadata
    if call.protocol in ("json", "rest-json"):
        version = metadata.get("jsonVersion", "1.0")
        kind = "application/json" if call.protocol == "rest-json" else f"application/x-amz-json-{version}"
        headers = {"Content-Type": kind, "x-amzn-errortype": code, "x-amzn-requestid": request_id}
        if "awsQueryCompatible" in metadata:
            headers["x-amzn-query-error"] = f"{code};Sender"
        return Refusal(400, code, headers, json.dumps({"__type": code, "message": message}).encode())
    error = {"Code": code, "Message": message}
    document: dict[str, Any] = {
        "ErrorResponse": {
            "@xmlns": metadata.get("xmlNamespace", ""),
            "Error": {"Type": "Sender", **error},
            "RequestId": request_id,
        }
    }
    if call.protocol == "ec2":
        document = {"Response": {"Errors": {"Error": error}, "RequestID": request_id}}
    body = xmltodict.unparse(document).encode()
    return Refusal(400, code, {"Content-Type": "text/xml", "x-amzn-requestid": request_id}, body)
