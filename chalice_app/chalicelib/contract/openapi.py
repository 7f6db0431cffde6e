"""The contract as an OpenAPI 3.1 document. Never loaded in Lambda."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.contract import fields, responses
from chalicelib.contract.errors import GATEWAY_ERRORS, Problem, details_schema, error_schema, meaning
from chalicelib.contract.operations import OPERATIONS, Bearer, Operation
from chalicelib.core.errors import InternalError
from chalicelib.core.multipart_upload import MAX_COUNTED_UPLOADS
from chalicelib.core.progress import COUNTED, TOLD_EVERY_SECONDS
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE
from chalicelib.core.video_types import OTHER_SIGNATURES, VIDEO_SIGNATURES, VIDEO_TYPES, Signature
from chalicelib.http_errors import STATUS_BY_ERROR

VERSION = "3.1.0"
API_VERSION = "1.0"
JSON = "application/json"
REF = "#/components/schemas/{name}"
ERROR_STATUSES_TO_REPEAT = frozenset({429, 503})

WEBHOOK = "videoEvent"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Examples = Mapping[str, Mapping[str, Any]]
"""By operation, a recorded `request` and a response by status; for the webhook, a message by its type."""

_READ = [{"accessToken": ["video-upload/read"]}, {"accessToken": ["video-upload/write"]}]
_WRITE = [{"accessToken": ["video-upload/write"]}]
_SECURITY: dict[Bearer, list[dict[str, list[str]]]] = {
    Bearer.READ: _READ,
    Bearer.WRITE: _WRITE,
    Bearer.ADMINISTRATOR_READ: _READ,
    Bearer.ADMINISTRATOR_WRITE: _WRITE,
    Bearer.UPLOAD_TOKEN: [{"uploadToken": []}],
    Bearer.LINK_TOKEN: [{"linkToken": []}],
    Bearer.NOTHING: [],
}
_CORRELATION_ID = {
    "name": "X-Correlation-Id",
    "in": "header",
    "description": "The client's id of the upload: 8 to 64 letters, digits and dashes. Anything else is ignored.",
    "schema": {"type": "string"},
}


def document(examples: Examples) -> dict[str, Any]:
    """The whole API, with recorded examples."""
    message: dict[str, Any] = {"schema": _ref(responses.VideoMessage)}
    if messages := examples.get(WEBHOOK):
        message["examples"] = {name: {"value": messages[name]} for name in sorted(messages)}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        described = _operation(operation, examples.get(operation.name, {}))
        paths.setdefault(operation.path, {})[operation.method] = described
    return {
        "openapi": VERSION,
        "info": {
            "title": "Video Upload Platform",
            "version": API_VERSION,
            "description": "Large videos, straight to S3. docs/api.md explains how the calls fit together.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api"}],
        "paths": paths,
        "webhooks": {
            WEBHOOK: {
                "post": {
                    "operationId": WEBHOOK,
                    "summary": "A message about a video, to a webhook or another subscriber; docs/notifications.md",
                    "requestBody": {"required": True, "content": {JSON: message}},
                    "responses": {"200": {"description": "Received."}},
                }
            }
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An access token of the hosted sign-in (OAuth 2 code with PKCE).",
                },
                "uploadToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `uploadToken` of startUpload, startLinkUpload or listUploads. It opens that "
                    "upload alone.",
                },
                "linkToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The `linkToken` of makeLink or listLinks. It opens uploads by that link alone.",
                },
            },
        },
    }


def message_schema(examples: Examples) -> dict[str, Any]:
    """The message to subscribers as a JSON Schema of its own, with recorded examples."""
    schema, parts = msgspec.json.schema_components([responses.VideoMessage], ref_template="#/$defs/{name}")
    messages = examples.get(WEBHOOK, {})
    return _anchored(
        {
            "$schema": SCHEMA_DIALECT,
            **schema[0],
            "$defs": dict(sorted(parts.items())),
            "examples": [messages[name] for name in sorted(messages)],
        }
    )


def examples_in(written: Mapping[str, Any]) -> Examples:
    """The examples of an earlier document."""
    operations = [operation for methods in written["paths"].values() for operation in methods.values()]
    operations += [methods["post"] for methods in written["webhooks"].values()]
    found: dict[str, dict[str, Any]] = {}
    for operation in operations:
        holders = {"request": operation.get("requestBody", {}), **operation["responses"]}
        found[operation["operationId"]] = {
            name: media["example"]
            for name, holder in holders.items()
            if (media := holder.get("content", {}).get(JSON)) and "example" in media
        }
    messages = written["webhooks"][WEBHOOK]["post"]["requestBody"]["content"][JSON].get("examples", {})
    found[WEBHOOK] = {name: example["value"] for name, example in messages.items()}
    return found


def _operation(operation: Operation, examples: Mapping[str, Any]) -> dict[str, Any]:
    headers = [] if operation.bearer is Bearer.NOTHING else [_CORRELATION_ID]
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _SECURITY[operation.bearer],
        "parameters": [*operation.parameters, *headers],
        "responses": {
            **{
                str(status): _answer(operation, status, kind, examples.get(str(status)))
                for status, kind in operation.responses.items()
            },
            **_errors(operation, examples),
        },
    }
    if operation.body:
        described["requestBody"] = {
            "description": f"At most {operation.max_body_bytes:,} bytes.",
            "required": not operation.may_omit_body,
            "content": {JSON: _with_example({"schema": _ref(operation.body)}, examples.get("request"))},
        }
    return described


def _answer(operation: Operation, status: int, kind: type[msgspec.Struct], example: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "description": _first_line(kind),
        "content": {JSON: _with_example({"schema": _ref(kind)}, example)},
    }
    if status == 202:
        described["headers"] = {"Retry-After": _RETRY_AFTER}
    if operation.links:
        described["links"] = {name: _link(name, taken) for name, taken in operation.links.items()}
    return described


def _link(name: str, taken: Mapping[str, str]) -> dict[str, Any]:
    body = {key.removeprefix("body."): value for key, value in taken.items() if key.startswith("body.")}
    parameters = {key: value for key, value in taken.items() if not key.startswith("body.")}
    return {
        "operationId": name,
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": body} if body else {}),
    }


def _errors(operation: Operation, examples: Mapping[str, Any]) -> dict[str, Any]:
    by_status: dict[int, list[tuple[str, str]]] = {}
    for kind in (*operation.errors, InternalError):
        by_status.setdefault(STATUS_BY_ERROR[kind], []).append((kind.code, kind.__name__))
    for error in GATEWAY_ERRORS:
        by_status.setdefault(error.status, []).append((error.code, error.name))
    described: dict[str, Any] = {}
    for status, named in sorted(by_status.items()):
        schemas = [{"$ref": REF.format(name=name)} for _, name in named]
        described[str(status)] = {
            "description": ", ".join(f"`{code}`" for code, _ in named),
            "content": {
                JSON: _with_example(
                    {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}, examples.get(str(status))
                )
            },
        }
        if status in ERROR_STATUSES_TO_REPEAT:
            described[str(status)]["headers"] = {"Retry-After": _RETRY_AFTER}
    return described


_RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}


def _signature(signature: Signature) -> list[list[int | str]]:
    """Pairs of an offset and the bytes there in hex."""
    return [[offset, found.hex()] for offset, found in signature]


def _schemas() -> dict[str, Any]:
    bodies = [operation.body for operation in OPERATIONS if operation.body]
    answered = [kind for operation in OPERATIONS for kind in operation.responses.values()]
    kinds = [*dict.fromkeys([*bodies, *answered, responses.VideoMessage, Problem])]
    _, schemas = msgspec.json.schema_components(kinds, ref_template=REF)
    for name, kind in (("VideoId", fields.VideoId), ("LinkId", fields.LinkId), ("ContentType", fields.ContentType)):
        ((schemas[name],), _) = msgspec.json.schema_components([kind], ref_template=REF)
    schemas["ContentType"]["x-video-types"] = {
        content_type: {"label": known.label, "extensions": known.extensions, "container": known.container}
        for content_type, known in VIDEO_TYPES.items()
    }
    schemas["ContentType"]["x-video-signatures"] = [
        {"containers": known.containers, "signature": _signature(known.signature)} for known in VIDEO_SIGNATURES
    ]
    schemas["ContentType"]["x-other-signatures"] = [
        {"kind": kind, "signature": _signature(signature)} for kind, signature in OTHER_SIGNATURES
    ]
    schemas["ProgressBatch"]["x-progress"] = {"toldEverySeconds": TOLD_EVERY_SECONDS, "counted": sorted(COUNTED)}
    for kind in STATUS_BY_ERROR:
        description = f"{STATUS_BY_ERROR[kind]}: {meaning(kind)}"
        schemas[kind.__name__] = error_schema(kind.code, details_schema(kind, REF), description)
    for error in GATEWAY_ERRORS:
        schemas[error.name] = error_schema(error.code, {"type": "object"}, f"{error.status}: answered by the gateway.")
    for name, listed, most in (
        ("StartedUpload", "presignedUrls", MAX_URLS_PER_PAGE),
        ("SignedParts", "presignedUrls", MAX_URLS_PER_PAGE),
        ("VideoPage", "videos", fields.MAX_PAGE_VIDEOS),
        ("StageVideoPage", "videos", fields.MAX_PAGE_VIDEOS),
    ):
        schemas[name]["properties"][listed]["maxItems"] = most
    known = schemas["OpenUpload"]["properties"]
    known["receivedBytes"]["description"] = f"Bytes that S3 holds of it; null beyond the newest {MAX_COUNTED_UPLOADS}."
    known["idleSeconds"]["description"] = (
        f"Time since S3 received its newest part, or since it began; null beyond the newest {MAX_COUNTED_UPLOADS}."
    )
    # The check lets an empty file through, because it has an error code of its own.
    schemas["NewUpload"]["properties"]["sizeBytes"]["minimum"] = 1
    return {name: _anchored(schema) for name, schema in sorted(schemas.items())}


def _anchored(schema: Any) -> Any:
    """Patterns as JSON Schema writes them: `$` for Python's `\\Z`."""
    match schema:
        case {"pattern": str(pattern), **more}:
            return {**{key: _anchored(value) for key, value in more.items()}, "pattern": pattern.replace(r"\Z", "$")}
        case dict():
            return {key: _anchored(value) for key, value in schema.items()}
        case list():
            return [_anchored(value) for value in schema]
        case _:
            return schema


def _first_line(kind: type[Any]) -> str:
    return (kind.__doc__ or "").split("\n", 1)[0]


def _ref(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": REF.format(name=kind.__name__)}


def _with_example(media: dict[str, Any], example: Any) -> dict[str, Any]:
    return media if example is None else {**media, "example": example}
