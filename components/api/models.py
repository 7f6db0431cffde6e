"""Bodies of the API's contract, reduced to keywords that API Gateway's models support.

Developer Guide, "Amazon API Gateway important notes": models are JSON schema draft 4, without `anyOf`,
`additionalProperties`, `discriminator` and `example`. The models are documentation; the functions check bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON = "application/json"
REF = "#/components/schemas/"
ERROR = "ErrorAnswer"
_KNOWN = (
    *("type", "description", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
    "required",
)


def with_bodies(document: dict[str, Any], contract: Mapping[str, Any]) -> dict[str, Any]:
    """API Gateway's document with the bodies of the contract, which is an OpenAPI 3.1 document."""
    schemas: Mapping[str, Any] = contract["components"]["schemas"]
    error = next(schema for name, schema in schemas.items() if name.endswith("Error"))
    models = {name: _model(schema, schemas) for name, schema in schemas.items() if not name.endswith("Error")}
    models[ERROR] = _model({**error, "description": "Every error has this shape."}, schemas)
    models[ERROR]["properties"]["error"]["properties"]["code"] = {"type": "string"}
    models[ERROR]["properties"]["error"]["properties"]["details"] = {"type": "object"}
    document["components"]["schemas"].update(models)
    for path, methods in contract["paths"].items():
        for method, described in methods.items():
            operation = document["paths"][path][method]
            operation["operationId"] = described["operationId"]
            operation["responses"] = {
                status: {"description": answer["description"], "content": _content(answer["content"][JSON]["schema"])}
                for status, answer in described["responses"].items()
            }
            if "requestBody" in described:
                body = described["requestBody"]["content"][JSON]["schema"]
                operation["requestBody"] = {"required": False, "content": _content(body)}
    return document


def _content(schema: Mapping[str, Any]) -> dict[str, Any]:
    name = str(schema.get("$ref", "")).removeprefix(REF)
    is_error = not name or name.endswith("Error")
    return {JSON: {"schema": {"$ref": REF + (ERROR if is_error else name)}}}


def _model(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
        return _model(kinds[0], schemas) if len(kinds) == 1 else _common(kinds, schemas)
    model: dict[str, Any] = {key: schema[key] for key in _KNOWN if key in schema}
    if "const" in schema:
        model["enum"] = [schema["const"]]
    if "enum" in model and "type" not in model:
        model["type"] = "integer" if all(isinstance(value, int) for value in model["enum"]) else "string"
    if "properties" in schema:
        model["properties"] = {name: _model(field, schemas) for name, field in schema["properties"].items()}
    if "items" in schema:
        model["items"] = _model(schema["items"], schemas)
    return model


def _common(kinds: list[Mapping[str, Any]], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Merge the variants of an object: the fields of all variants, required if every variant requires them."""
    found = [schemas[str(kind["$ref"]).removeprefix(REF)] for kind in kinds]
    properties = {name: _model(field, schemas) for kind in found for name, field in kind["properties"].items()}
    tags = [value for kind in found for value in kind["properties"]["event"]["enum"]]
    properties["event"] = {"type": "string", "enum": tags}
    required = set.intersection(*(set(kind["required"]) for kind in found))
    return {"type": "object", "properties": properties, "required": sorted(required)}
