"""Access to a recorded program for the safety properties: paths into inputs, policies and their statements."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording

Violations = Iterator[str]
Property = Callable[[Recording], Violations]
EVERYONE = {"AWS": "*"}
ACCOUNT_ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}

POLICY_INPUTS = ("policy", "assumeRolePolicy")


def value_at(resource: Recorded, path: str) -> Any:
    """`rule.objectOwnership` of the inputs; a list on the way must have one element. None when there is none."""
    found: Any = resource.inputs
    for step in path.split("."):
        if isinstance(found, list):
            found = found[0] if len(found) == 1 else None
        if not isinstance(found, dict):
            return None
        found = found.get(step)
    return found


def require(resource: Recorded, **expected: object) -> Violations:
    """Inputs that must be exactly so; `__` stands for a dot."""
    for path, value in expected.items():
        found = value_at(resource, path.replace("__", "."))
        if found != value:
            yield f"{resource.name}: {path.replace('__', '.')} is {found!r}, not {value!r}"


def require_present(resource: Recorded, *paths: str) -> Violations:
    for path in paths:
        if not value_at(resource, path):
            yield f"{resource.name}: {path} is missing"


def policy_of(resource: Recorded, path: str = "policy") -> dict[str, Any]:
    text = value_at(resource, path)
    return json.loads(text) if text else {"Statement": []}


def statements(resource: Recorded, path: str = "policy") -> list[dict[str, Any]]:
    return policy_of(resource, path)["Statement"]


def statement(resource: Recorded, sid: str, path: str = "policy") -> dict[str, Any]:
    """The statement of this name, empty when there is none."""
    return next((each for each in statements(resource, path) if each.get("Sid") == sid), {})


def require_statement(resource: Recorded, sid: str, **expected: object) -> Violations:
    """A statement whose elements are exactly so."""
    found = statement(resource, sid)
    for element, value in expected.items():
        if found.get(element) != value:
            yield f"{resource.name}: {sid}: {element} is {found.get(element)!r}, not {value!r}"


def policies(recording: Recording) -> Iterator[tuple[Recorded, str, list[dict[str, Any]]]]:
    """Every policy document of the program: its resource, the input that holds it, its statements."""
    for resource in recording.resources:
        for path in POLICY_INPUTS:
            text = resource.inputs.get(path)
            if isinstance(text, str) and text.startswith("{"):
                yield resource, path, json.loads(text)["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def for_bucket(recording: Recording, kind: str, bucket: str) -> Recorded | None:
    """The resource of this type that belongs to a bucket, by the bucket's purpose."""
    name = bucket_name(recording, bucket)
    return next((each for each in recording.of(kind) if each.inputs.get("bucket") == name), None)


def bucket_name(recording: Recording, purpose: str) -> str:
    return f"{account_wide_name(recording, purpose)}-{ACCOUNT_ID}"


def bucket_arn(recording: Recording, purpose: str) -> str:
    return f"arn:aws:s3:::{bucket_name(recording, purpose)}"


def role_arn(recording: Recording, function: str) -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:role/{account_wide_name(recording, function)}"


def variables(recording: Recording, function: str) -> dict[str, str]:
    """The function's environment."""
    made = recording.one("lambda/function:Function", f"compute-{function}")
    return made.inputs["environment"]["variables"]


def physical_name(recording: Recording, purpose: str) -> str:
    return f"video-upload-{recording.stage}-{purpose.replace('_', '-')}"


def account_wide_name(recording: Recording, purpose: str) -> str:
    return f"{physical_name(recording, purpose)}-eu-central-1"


def api_document(recording: Recording) -> dict[str, Any]:
    return json.loads(recording.one("apigateway/restApi:RestApi", "api-rest").inputs["body"])


def operations(recording: Recording) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of every call that the API takes."""
    for path, methods in api_document(recording)["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
