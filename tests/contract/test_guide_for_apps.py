"""The guide for native apps against the contract."""

import json
import re
from functools import cache
from typing import Any

import pytest

from chalicelib.core import errors
from tests.contract.made import OPENAPI

GUIDE = OPENAPI.parent / "mobile.md"
CALL = re.compile(r"`(GET|POST|PATCH|DELETE) (/[^\s`?]*)")
CODE = re.compile(r"\b4\d\d ([a-z]+(?:_[a-z]+)+)")


@cache
def contract() -> dict[str, Any]:
    return json.loads(OPENAPI.read_text())


def fields_of(schema: str) -> list[str]:
    return list(contract()["components"]["schemas"][schema]["properties"])


def test_each_call_that_it_names_is_in_the_contract() -> None:
    called = set(CALL.findall(GUIDE.read_text()))
    assert len(called) > 10
    known = {(method.upper(), path) for path, methods in contract()["paths"].items() for method in methods}
    assert called - known == set()


def test_each_error_that_it_names_is_one() -> None:
    named = set(CODE.findall(GUIDE.read_text()))
    assert len(named) > 5
    codes = {getattr(each, "code", "") for each in vars(errors).values() if isinstance(each, type)}
    assert named - codes == set()


@pytest.mark.parametrize("schema", ["NewUploadLink", "NewLinkUpload", "OpenedLink"])
def test_it_tells_all_that_a_link_takes_and_answers(schema: str) -> None:
    text = GUIDE.read_text()
    assert [name for name in fields_of(schema) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("schema", ["NewUpload", "Video", "ListedVideo", "OpenUpload", "UploadLink"])
def test_a_programs_own_names_are_where_it_says(schema: str) -> None:
    assert {"reference", "onBehalfOf"} <= set(fields_of(schema))
