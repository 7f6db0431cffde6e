"""Conversion of Chalice's Swagger 2.0 to OpenAPI 3.0, which current tools read."""

from __future__ import annotations

from typing import Any

VERSION = "3.0.1"  # API Gateway Developer Guide, "OpenAPI": 2.0 and 3.0.1
JSON = "application/json"


def to_openapi_3(swagger: dict[str, Any]) -> dict[str, Any]:
    """Convert a document. API Gateway's extensions stay as they are."""
    extensions = {key: value for key, value in swagger.items() if key.startswith("x-")}
    return {
        "openapi": VERSION,
        "info": swagger["info"],
        "paths": {
            path: {method: _operation(operation) for method, operation in methods.items()}
            for path, methods in swagger["paths"].items()
        },
        "components": {
            "schemas": swagger["definitions"],
            "securitySchemes": swagger["securityDefinitions"],
        },
        **extensions,
    }


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in operation.items() if key not in {"consumes", "produces"}}
    kept["responses"] = {status: _response(response) for status, response in operation["responses"].items()}
    if "parameters" in operation:
        kept["parameters"] = [_parameter(parameter) for parameter in operation["parameters"]]
    return kept


def _parameter(parameter: dict[str, Any]) -> dict[str, Any]:
    described = {key: value for key, value in parameter.items() if key != "type"}
    return {**described, "schema": {"type": parameter["type"]}}


def _response(response: dict[str, Any]) -> dict[str, Any]:
    translated: dict[str, Any] = {"description": response["description"]}
    if "schema" in response:
        name = response["schema"]["$ref"].rpartition("/")[2]
        translated["content"] = {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    if "headers" in response:
        translated["headers"] = {name: {"schema": header} for name, header in response["headers"].items()}
    return translated
