"""The API's document (OpenAPI with API Gateway's extensions), derived from the Chalice app's own routes."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from components.api.models import with_bodies
from components.api.openapi import to_openapi_3

USER_POOL_ARN = "{{user_pool_arn}}"
CORS_ORIGIN = "{{cors_origin}}"
BEARER = r"^[Bb]earer [A-Za-z0-9._~+/=-]{1,4096}$"

GATEWAY_ERRORS: dict[str, tuple[int | None, str, str]] = {
    # response type: (status, None for the gateway's own; code; message)
    "ACCESS_DENIED": (None, "forbidden", "This token may not do that."),
    "AUTHORIZER_CONFIGURATION_ERROR": (None, "internal_error", "Something went wrong on our side."),
    "AUTHORIZER_FAILURE": (None, "internal_error", "Something went wrong on our side."),
    "BAD_REQUEST_BODY": (None, "invalid_request", "The request is not valid."),
    "BAD_REQUEST_PARAMETERS": (None, "invalid_request", "The request is not valid."),
    "DEFAULT_4XX": (None, "invalid_request", "The request is not valid."),
    "DEFAULT_5XX": (None, "internal_error", "Something went wrong on our side."),
    "EXPIRED_TOKEN": (401, "unauthorized", "Sign in again."),
    "INTEGRATION_FAILURE": (None, "gateway_timeout", "The platform did not answer in time."),
    "INTEGRATION_TIMEOUT": (None, "gateway_timeout", "The platform did not answer in time."),
    "INVALID_SIGNATURE": (401, "unauthorized", "Sign in again."),
    # The gateway's response to a path or method without a route.
    "MISSING_AUTHENTICATION_TOKEN": (404, "route_not_found", "There is nothing at this address."),
    "QUOTA_EXCEEDED": (None, "too_many_requests", "Too many requests; try again later."),
    "REQUEST_TOO_LARGE": (None, "request_too_large", "The request is too large."),
    "RESOURCE_NOT_FOUND": (None, "route_not_found", "There is nothing at this address."),
    "THROTTLED": (None, "too_many_requests", "Too many requests; try again later."),
    "UNAUTHORIZED": (None, "unauthorized", "Sign in again."),
    "UNSUPPORTED_MEDIA_TYPE": (400, "invalid_request", "The request must be JSON."),
    "WAF_FILTERED": (None, "forbidden", "This request is not allowed."),
}
"""Codes of the contract; the types are API Gateway's, Developer Guide, "Gateway response types"."""


def function_token(function: str) -> str:
    """Return the placeholder for the URI by which API Gateway invokes this function."""
    return f"{{{{function:{function}}}}}"


def functions_in(document: Mapping[str, Any]) -> list[str]:
    """Functions that the document names: those of the routes and the authorizer."""
    return sorted(set(re.findall(r"{{function:(\w+)}}", json.dumps(document))))


def api_document(app: Any) -> dict[str, Any]:
    """Return Chalice's document, completed; URIs are placeholders."""
    from chalice.deploy.swagger import SwaggerGenerator  # noqa: PLC0415 - the whole CLI comes with it

    class TokenGenerator(SwaggerGenerator):
        """Give each route its function: Chalice knows one function for all routes."""

        def _generate_apig_integ(self, view: Any) -> Any:
            integration: dict[str, Any] = super()._generate_apig_integ(view)
            return {**integration, "uri": function_token(function_of(view))}

        def _uri(self, lambda_arn: str | None = None) -> Any:
            return lambda_arn

        def _auth_uri(self, authorizer: Any) -> str:
            return function_token(authorizer.name)

    document: dict[str, Any] = TokenGenerator("", {}).generate_swagger(app)
    for path, methods in document["paths"].items():
        _declare_path_parameters(path, methods)
    document["x-amazon-apigateway-request-validators"] = {
        "parameters": {"validateRequestParameters": True, "validateRequestBody": False}
    }
    document["x-amazon-apigateway-request-validator"] = "parameters"
    document["x-amazon-apigateway-gateway-responses"] = {
        kind: _gateway_response(kind, *error) for kind, error in GATEWAY_ERRORS.items()
    }
    for definition in document["securityDefinitions"].values():
        authorizer = definition["x-amazon-apigateway-authorizer"]
        if authorizer["type"] == "token":
            # A malformed token costs no invocation.
            authorizer["identityValidationExpression"] = BEARER
    contract = importlib.import_module("chalicelib.contract.openapi").document({})
    return with_bodies(to_openapi_3(document), contract)


def function_of(view: Any) -> str:
    """The function that serves a view: the first one named by its blueprint."""
    module = sys.modules[view.view_function.__module__]
    blueprint = getattr(module, view.view_function.__module__.rpartition(".")[2])
    order: Sequence[str] = importlib.import_module("chalicelib.environment").FUNCTIONS
    return next(function for function in order if function in blueprint.functions)


def _declare_path_parameters(path: str, methods: dict[str, Any]) -> None:
    """Declare path parameters of preflights: Chalice declares them on its views alone."""
    names = [part.strip("{}") for part in path.split("/") if part.startswith("{")]
    if names and "options" in methods:
        methods["options"]["parameters"] = [
            {"name": name, "in": "path", "required": True, "type": "string"} for name in names
        ]


def _gateway_response(kind: str, status: int | None, code: str, message: str) -> dict[str, Any]:
    """The shape of all errors, readable by pages of other origins."""
    body = {"error": {"code": code, "message": message, "details": {}, "requestId": "$context.requestId"}}
    headers = {
        "Access-Control-Allow-Origin": CORS_ORIGIN,
        "Access-Control-Expose-Headers": "Retry-After,x-amzn-RequestId",
        "Cache-Control": "no-store",
    }
    if kind in {"THROTTLED", "QUOTA_EXCEEDED"}:
        headers["Retry-After"] = "1"
    response: dict[str, Any] = {
        "responseParameters": {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(body)},
    }
    return response if status is None else {"statusCode": str(status), **response}
