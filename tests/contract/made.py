"""Files that are made from the contract."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

PROJECT = Path(__file__).parents[2]
OPENAPI = PROJECT / "docs" / "openapi.json"
MESSAGE_SCHEMA = PROJECT / "docs" / "message.schema.json"
TYPESCRIPT = PROJECT / "clients" / "uploader" / "src" / "contract.ts"
PYTHON = PROJECT / "clients" / "cli" / "src" / "video_upload" / "file_types.py"

_HEADER = "/** The bodies of the API. Made by `make contract`: change chalice_app/chalicelib/contract instead. */\n"


_PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean", "null": "null"}


def as_text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"


def typescript(document: Mapping[str, Any]) -> str:
    """Each schema of the document as a TypeScript type."""
    schemas: Mapping[str, Any] = document["components"]["schemas"]
    blocks = [_declaration(name, schema) for name, schema in schemas.items() if not name.endswith("Error")]
    codes = sorted({code for name, schema in schemas.items() if name.endswith("Error") for code in _codes(schema)})
    blocks.append(_constant("VIDEO_TYPES", schemas["ContentType"]["x-video-types"], "Accepted files, by content type."))
    blocks.append(_signatures(schemas["ContentType"]))
    blocks.append(_constant("PROGRESS", _progress(schemas), "Progress reports of clients: their events and interval."))
    signed = schemas["PartsToSign"]["properties"]["parts"]["maxItems"]
    blocks.append(f"/** Parts that one call signs. */\nexport const MAX_SIGNED_PARTS = {signed};\n")
    blocks.append("export type ErrorCode =\n" + "\n".join(f'  | "{code}"' for code in codes) + ";\n")
    return "\n".join([_HEADER, *blocks])


_FILE_TYPES = '''"""Accepted videos and other well-known files, by name and first bytes.

Made by `make contract`: change chalice_app/chalicelib/core/video_types.py instead.
"""

from __future__ import annotations

from typing import NamedTuple


class VideoType(NamedTuple):
    """label: the type's name for people. container: what its name promises."""

    label: str
    extensions: tuple[str, ...]
    container: str


Signature = tuple[tuple[int, bytes], ...]
"""Offsets and the bytes that a file has there, all of them."""


class VideoSignature(NamedTuple):
    """containers: those whose files may begin so."""

    containers: tuple[str, ...]
    signature: Signature


VIDEO_TYPES = {{
{types}
}}
"""Accepted files, by content type."""
VIDEO_SIGNATURES = (
{videos}
)
"""A file that begins with none of these is no video; one that does may still be something else."""
OTHER_SIGNATURES: tuple[tuple[str, Signature], ...] = (
{others}
)
"""Well-known files that are no videos, by the name that people know."""
'''


def python(document: Mapping[str, Any]) -> str:
    """The types and first bytes of files, for the desktop client."""
    schema: Mapping[str, Any] = document["components"]["schemas"]["ContentType"]
    types = [
        f"{_in_python(kind)}: VideoType({', '.join(map(_in_python, known.values()))})"
        for kind, known in schema["x-video-types"].items()
    ]
    videos = [
        f"VideoSignature({_in_python(each['containers'])}, {_bytes_at(each['signature'])})"
        for each in schema["x-video-signatures"]
    ]
    others = [f"({_in_python(each['kind'])}, {_bytes_at(each['signature'])})" for each in schema["x-other-signatures"]]
    rows = {"types": types, "videos": videos, "others": others}
    return _FILE_TYPES.format(**{name: "\n".join(f"    {row}," for row in each) for name, each in rows.items()})


def _in_python(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else _tuple(map(_in_python, value))


def _tuple(values: Iterable[str]) -> str:
    first, *more = values
    return f"({', '.join((first, *more))})" if more else f"({first},)"


def _bytes_at(signature: Iterable[tuple[int, str]]) -> str:
    return _tuple(f"({offset}, {_bytes_literal(bytes.fromhex(found))})" for offset, found in signature)


def _bytes_literal(value: bytes) -> str:
    plain = (
        chr(byte) if chr(byte).isprintable() and byte < 0x7F and chr(byte) not in '"\\' else f"\\x{byte:02x}"
        for byte in value
    )
    return f'b"{"".join(plain)}"'


def _signatures(schema: Mapping[str, Any]) -> str:
    videos = "\n".join(f"  {_literal(each)}," for each in schema["x-video-signatures"])
    others = "\n".join(f"  {_literal(each)}," for each in schema["x-other-signatures"])
    return f"""/** Offsets and the bytes there in hex, all of them. */
export type Signature = readonly (readonly [number, string])[];

/** A file that begins with none of these is no video; one that does may still be something else. */
export const VIDEO_SIGNATURES: readonly {{ containers: readonly string[]; signature: Signature }}[] = [
{videos}
] as const;

/** Well-known files that are no videos, by the name that people know. */
export const OTHER_SIGNATURES: readonly {{ kind: string; signature: Signature }}[] = [
{others}
] as const;
"""


def _progress(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **schemas["ProgressBatch"]["x-progress"],
        "maxEvents": schemas["ProgressBatch"]["properties"]["events"]["maxItems"],
        "maxPartNumbers": schemas["PartsDiffered"]["properties"]["partNumbers"]["maxItems"],
        "maxFailures": schemas["PartRetried"]["properties"]["failures"]["maximum"],
    }


def _codes(schema: Mapping[str, Any]) -> list[str]:
    return [schema["properties"]["error"]["properties"]["code"]["const"]]


def _declaration(name: str, schema: Mapping[str, Any]) -> str:
    comment = _comment(schema, "")
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    lines = [
        f"{_comment(field, '  ')}  {key}{'' if key in required else '?'}: {_type(field)};"
        for key, field in schema["properties"].items()
    ]
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}\n"


def _constant(name: str, value: Mapping[str, Any], meaning: str) -> str:
    lines = [f"  {json.dumps(key)}: {_literal(each)}," for key, each in value.items()]
    return f"/** {meaning} */\nexport const {name} = {{\n" + "\n".join(lines) + "\n};\n"


def _literal(value: Any) -> str:
    if isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        return "{ " + ", ".join(f"{key}: {_literal(each)}" for key, each in known.items()) + " }"
    return json.dumps(value)


def _comment(schema: Mapping[str, Any], indent: str) -> str:
    lines = [line.strip() for line in schema.get("description", "").strip().splitlines() if line.strip()]
    return f"{indent}/** {' '.join(lines)} */\n" if lines else ""


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": ref}:
            return str(ref).rpartition("/")[2]
        case {"anyOf": kinds}:
            return " | ".join(_type(kind) for kind in kinds)
        case {"enum": values}:
            return " | ".join(json.dumps(value) for value in values)
        case {"type": "array", "items": items}:
            item = _type(items)
            return f"({item})[]" if " | " in item else f"{item}[]"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"Record<string, {_type(values)}>"
        case _:
            return _PLAIN[schema["type"]]
