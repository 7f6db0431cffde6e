"""Invocation handling of every function: cold starts counted once, ids on its lines, no id of the last call."""

import json
from typing import Any

import pytest

from chalicelib.environment import FUNCTIONS
from tests.api.function_process import CALLS, ON_LAMBDA, lines_of


def cold_starts(lines: list[dict[str, Any]]) -> list[str]:
    """The function of each."""
    return [line["function"] for line in lines if "ColdStarts" in line]


def test_every_function_is_called_here() -> None:
    assert set(CALLS) == set(FUNCTIONS)


@pytest.mark.parametrize("function", CALLS)
def test_a_cold_start_is_counted_with_the_first_invocation_and_never_again(function: str) -> None:
    lines = lines_of(function, f"{CALLS[function]}\n{CALLS[function]}", **ON_LAMBDA)
    assert cold_starts(lines) == [function]
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("VideoUpload", [["Stage"]])
    assert directive["Metrics"] == [{"Name": "ColdStarts", "Unit": "Count"}]


@pytest.mark.parametrize(
    "variables", [{}, {**ON_LAMBDA, "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}], ids=["local", "kept"]
)
def test_no_cold_start_is_counted_for_provisioned_instances_or_outside_lambda(variables: dict[str, str]) -> None:
    assert cold_starts(lines_of("multipart_init", "call()", **variables)) == []


def test_lines_name_function_stage_version_and_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(
        "multipart_init",
        "call('/uploads')",
        VERSION="abc",
        _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    )
    (refused,) = lines
    assert refused["function"] == "multipart_init"
    assert (refused["stage"], refused["version"]) == ("local", "abc")
    assert refused["xrayTraceId"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert (refused["requestId"], refused["lambdaRequestId"]) == ("gateway-request", "lambda-request")
    assert (refused["route"], refused["status"], refused["code"]) == ("GET /uploads", 401, "unauthorized")


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("0f8fad5b-d9cb-469f-a165-70867728950e", True),
        ("a" * 8, True),
        ("a" * 64, True),
        ("a" * 7, False),
        ("a" * 65, False),
        ("with space", False),
        ("line\nbreak-and-more", False),
        ("line-break-at-the-end\n", False),
        ("umlaut-äöü", False),
        ("", False),
    ],
)
def test_a_correlation_id_is_taken_if_it_is_one(given: str, *, taken: bool) -> None:
    (refused,) = lines_of("multipart_init", f"call('/uploads', headers={{'x-correlation-id': {given!r}}})")
    assert refused["correlationId"] == (given if taken else "gateway-request")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==", True),
        ("eyJraWQiOiJsb2NhbCJ9.c2VjcmV0LXRva2Vu", False),
        ("short", False),
    ],
)
def test_cloudfronts_id_of_a_call_is_told_if_it_is_one(given: str, *, told: bool) -> None:
    (refused,) = lines_of("multipart_init", f"call('/uploads', headers={{'x-amz-cf-id': {given!r}}})")
    assert refused.get("edgeRequestId") == (given if told else None)


def test_no_id_survives_its_invocation() -> None:
    calls = "call('/uploads', headers={'x-correlation-id': 'first-call'}); call('/uploads', request_id='second')"
    first, second = lines_of("multipart_init", calls)
    assert (first["correlationId"], second["correlationId"]) == ("first-call", "second")
    assert second["requestId"] == "second"


def test_a_refused_upload_token_is_told_without_the_token() -> None:
    (refused,) = lines_of("upload_token_authorizer", "authorize('Bearer eyJraWQiOiJsb2NhbCJ9.c2VjcmV0')")
    assert (refused["message"], refused["requestId"]) == ("upload token refused", "lambda-request")
    assert "eyJ" not in json.dumps(refused)


def test_a_failed_event_is_told_with_its_reason_before_it_comes_again() -> None:
    lines = lines_of("janitor", CALLS["janitor"])
    failed = [line for line in lines if line.get("level") == "ERROR"]
    assert [line["message"] for line in failed] == [
        "the index could not be updated",
        "stored videos could not be counted",
        "janitor failed",
    ]
    assert failed[1]["exception"]["type"] == "EndpointConnectionError"
