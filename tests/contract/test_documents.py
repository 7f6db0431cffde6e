"""Documents and types made from the contract are those that are committed, and fit the API as it is served."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import jsonschema_rs
import pytest

from chalicelib.contract import checking, fields
from chalicelib.contract.errors import GATEWAY_ERRORS
from chalicelib.contract.openapi import document, examples_in, message_schema
from chalicelib.contract.operations import OPERATIONS, Bearer, Operation
from chalicelib.core import completion, errors, multipart_upload, part_plan, upload_requests
from chalicelib.core.video_events import EventType
from chalicelib.http_errors import STATUS_BY_ERROR
from components.api import document as gateway
from components.app_description import describe_app
from tests.contract.made import MESSAGE_SCHEMA, OPENAPI, PROJECT, PYTHON, TYPESCRIPT, as_text, python, typescript

WRITTEN: dict[str, Any] = json.loads(OPENAPI.read_text())
NO_ROUTE = {errors.RouteNotFoundError, errors.MethodNotAllowedError}
"""Errors of addresses and methods that no operation has."""
SLOW_ANSWER = "202"
"""S3 would have to be slow while examples are recorded."""


def test_the_document_is_what_the_contract_makes() -> None:
    assert OPENAPI.read_text() == as_text(document(examples_in(WRITTEN))), "make contract"


def test_the_messages_schema_is_what_the_contract_makes() -> None:
    assert MESSAGE_SCHEMA.read_text() == as_text(message_schema(examples_in(WRITTEN))), "make contract"


def test_every_type_of_message_has_a_recorded_example_that_fits_the_schema() -> None:
    schema = json.loads(MESSAGE_SCHEMA.read_text())
    for example in schema["examples"]:
        jsonschema_rs.validate(schema, example)
    assert {example["type"] for example in schema["examples"]} == set(EventType)


def test_the_pages_types_are_what_the_document_makes() -> None:
    assert TYPESCRIPT.read_text() == typescript(WRITTEN), "make contract"


def test_the_file_types_of_the_desktop_client_are_what_the_document_makes() -> None:
    assert PYTHON.read_text() == python(WRITTEN), "make contract"


def limits() -> dict[str, int]:
    """Numbers that bound what a client sends or gets, by the name of their constant."""
    modules = (fields, checking, part_plan, upload_requests, multipart_upload, completion)
    return {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if re.match(r"(MAX|MIN|LAST|DEFAULT)_", name) and isinstance(value, int)
    }


@pytest.mark.parametrize(("name", "limit"), limits().items())
def test_the_document_names_the_limit(name: str, limit: int) -> None:
    numbers = re.findall(r"(?<![\w.,])\d[\d,]*\b", as_text(document(examples={})))
    assert limit in {int(number.replace(",", "")) for number in numbers}, name


def examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    operations = [operation for methods in WRITTEN["paths"].values() for operation in methods.values()]
    for operation in operations:
        for name, holder in {"request": operation.get("requestBody", {}), **operation["responses"]}.items():
            for media in holder.get("content", {}).values():
                if "example" in media:
                    yield f"{operation['operationId']} {name}", media["example"], media["schema"]


@pytest.mark.parametrize(("example", "schema"), [pytest.param(*each[1:], id=each[0]) for each in examples()])
def test_a_recorded_example_fits_its_schema(example: Any, schema: dict[str, Any]) -> None:
    jsonschema_rs.validate({**schema, "components": WRITTEN["components"]}, example)


def test_every_operation_has_an_example_of_its_body_and_of_its_answers() -> None:
    recorded = {name for name, _, _ in examples()}
    for operation in OPERATIONS:
        wanted = {str(status) for status in operation.responses} - {SLOW_ANSWER}
        wanted |= {"request"} if operation.body else set()
        assert {f"{operation.name} {name}" for name in wanted} <= recorded


def test_no_example_holds_a_secret() -> None:
    text = OPENAPI.read_text()
    assert set(re.findall(r"X-Amz-(?:Signature|Credential)=([^&\"]+)", text)) == {"EXAMPLE"}
    assert set(re.findall(r'"(?:upload|link)Token": "([^"]+)"', text)) == {"EXAMPLE"}


def served() -> dict[tuple[str, str], Any]:
    paths: dict[str, Any] = describe_app(PROJECT / "chalice_app").document["paths"]
    return {
        (method, path): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
        if method != "options"
    }


def test_the_contract_has_the_routes_that_the_app_serves() -> None:
    assert {(operation.method, operation.path) for operation in OPERATIONS} == set(served())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: cast("Operation", operation).name)
def test_an_operation_says_who_may_call_it(operation: Operation) -> None:
    security = served()[operation.method, operation.path].get("security", [])
    scopes = {
        Bearer.WRITE: [{"users": ["video-upload/write"]}],
        Bearer.READ: [{"users": ["video-upload/read", "video-upload/write"]}],
        Bearer.ADMINISTRATOR_WRITE: [{"users": ["video-upload/write"]}],
        Bearer.ADMINISTRATOR_READ: [{"users": ["video-upload/read", "video-upload/write"]}],
        Bearer.UPLOAD_TOKEN: [{"upload_token_authorizer": []}],
        Bearer.LINK_TOKEN: [{"upload_token_authorizer": []}],
        Bearer.NOTHING: [],
    }
    assert security == scopes[operation.bearer]


def test_every_error_is_told_of_the_operations_that_answer_with_it() -> None:
    told = {kind for operation in OPERATIONS for kind in operation.errors}
    assert told | NO_ROUTE | {errors.InternalError} == set(STATUS_BY_ERROR)


def test_the_gateways_own_answers_have_codes_of_the_contract() -> None:
    codes = {kind.code for kind in STATUS_BY_ERROR} | {error.code for error in GATEWAY_ERRORS}
    assert {code for _, code, _ in gateway.GATEWAY_ERRORS.values()} <= codes


def test_a_status_names_every_code_that_it_may_come_with() -> None:
    schemas = WRITTEN["components"]["schemas"]
    for methods in WRITTEN["paths"].values():
        for operation in methods.values():
            for status, answer in operation["responses"].items():
                if status.startswith(("4", "5")):
                    schema = answer["content"]["application/json"]["schema"]
                    names = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema])]
                    codes = [schemas[name]["properties"]["error"]["properties"]["code"]["const"] for name in names]
                    assert answer["description"] == ", ".join(f"`{code}`" for code in codes)


def test_the_gateways_document_describes_every_body_and_checks_none() -> None:
    document = describe_app(PROJECT / "chalice_app").document
    bodies = [operation for operation in served().values() if "requestBody" in operation]
    assert len(bodies) == sum(operation.body is not None for operation in OPERATIONS)
    assert document["x-amazon-apigateway-request-validators"]["parameters"]["validateRequestBody"] is False
    text = json.dumps(document["components"]["schemas"])
    for unknown in ("anyOf", "additionalProperties", "discriminator", "example", "const", "$defs", "null"):
        assert f'"{unknown}"' not in text
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert referred <= set(document["components"]["schemas"])
