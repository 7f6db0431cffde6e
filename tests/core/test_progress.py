"""Progress that clients report, and its traces: log lines and a closed set of metrics."""

import io
import json
import logging
from collections.abc import Callable
from typing import Any, get_args

import pytest

from chalicelib.adapters.emf_meter import EmfMeter
from chalicelib.adapters.json_logs import REDACTED, JsonFormatter
from chalicelib.contract.checking import MAX_NAMED_PROBLEMS
from chalicelib.contract.fields import (
    LAST_MOMENT_MS,
    MAX_EVENTS,
    MAX_FAILURES,
    MAX_PART_NUMBERS,
    MAX_PROGRESS_BYTES,
    MAX_WHOLE_NUMBER,
    ClientState,
    VideoState,
)
from chalicelib.contract.requests import (
    PartRetried,
    PartsDiffered,
    ProgressBatch,
    UploadBegan,
    UploadProgress,
    UploadState,
)
from chalicelib.core.errors import InvalidRequestError
from chalicelib.core.log_context import invocation
from chalicelib.core.progress import COUNTED, ProgressLog
from chalicelib.core.video_record import State
from tests.fakes import FakeMeter
from tests.in_memory_platform import OWNER

VIDEO_ID = "f" * 28
STATES = frozenset(get_args(ClientState))
EVENTS = frozenset(
    str(kind.__struct_config__.tag) for kind in (UploadBegan, UploadProgress, UploadState, PartRetried, PartsDiffered)
)
PROGRESS: dict[str, Any] = {
    "event": "uploadProgress",
    "at": 1_769_860_800_123,
    "videoId": VIDEO_ID,
    "correlationId": "0f0e0d0c-upload",
    "sizeBytes": 300,
    "sentBytes": 100,
}
BEGAN: dict[str, Any] = {**PROGRESS, "event": "uploadBegan", "partCount": 60}
FAILED: dict[str, Any] = {**PROGRESS, "event": "uploadState", "state": "failed", "code": "SlowDown"}
RETRIED: dict[str, Any] = {**PROGRESS, "event": "partRetried", "partNumber": 7, "failures": 1}
DIFFERED: dict[str, Any] = {**PROGRESS, "event": "partsDiffered", "partNumbers": [1, 2]}


OVERHEAD_BYTES = 1_400
"""Log bytes of both lines beyond the call's own, with AWS's ids; most of them are the metrics' own format."""


def told(*events: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"client": "web/0.2.0", "system": "Linux x86_64", "events": list(events), **more}


def problems_of(body: dict[str, Any]) -> list[str]:
    """The fields that are refused; none if the body is taken."""
    try:
        ProgressBatch.parse(body)
    except InvalidRequestError as error:
        return [problem["field"] for problem in error.problems]
    return []


def written(body: dict[str, Any], **ids: str) -> list[dict[str, Any]]:
    """The lines that a body leaves on standard output, those of the metrics too, as CloudWatch Logs reads them."""
    output = io.StringIO()
    handler = logging.StreamHandler(output)
    handler.setFormatter(JsonFormatter(stage="prod", version="1"))
    logger = logging.getLogger("chalicelib.core.progress")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    monkey = pytest.MonkeyPatch()
    monkey.setattr("sys.stdout", output)
    try:
        with invocation(**{"request_id": "gateway-request", **ids}):
            ProgressLog(EmfMeter("prod")).write(OWNER, ProgressBatch.parse(body))
    finally:
        monkey.undo()
        logger.removeHandler(handler)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def counted(*events: dict[str, Any]) -> dict[str, float]:
    meter = FakeMeter()
    ProgressLog(meter).write(OWNER, ProgressBatch.parse(told(*events)))
    return {name: total for name, values in meter.values.items() if (total := sum(values))}


def test_a_call_about_one_upload_becomes_one_line_under_its_ids_and_its_proven_owner() -> None:
    (line,) = written(told(PROGRESS, {**PROGRESS, "at": LAST_MOMENT_MS, "sentBytes": 200}))
    assert (line["owner"], line["videoId"], line["correlationId"]) == (OWNER, VIDEO_ID, "0f0e0d0c-upload")
    assert (line["requestId"], line["message"]) == ("gateway-request", "progress reported")
    assert (line["client"], line["system"]) == ("web/0.2.0", "Linux x86_64")
    assert line["events"] == [
        {"event": "uploadProgress", "at": 1_769_860_800_123, "sizeBytes": 300, "sentBytes": 100},
        {"event": "uploadProgress", "at": LAST_MOMENT_MS, "sizeBytes": 300, "sentBytes": 200},
    ]


def test_a_call_about_several_uploads_names_each_in_its_events_and_none_for_all() -> None:
    (line,) = written(told(PROGRESS, {**PROGRESS, "videoId": "0" * 28, "correlationId": None}))
    assert (line["owner"], "videoId" in line, "correlationId" in line) == (OWNER, False, False)
    first, second = line["events"]
    assert (first["videoId"], first["correlationId"]) == (VIDEO_ID, "0f0e0d0c-upload")
    assert (second["videoId"], "correlationId" in second) == ("0" * 28, False)


def test_a_code_that_looks_like_a_token_is_no_longer_one_in_the_log() -> None:
    line, _ = written(told({**FAILED, "code": "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0"}))
    assert line["events"][0]["code"] == REDACTED


def test_an_event_says_what_its_kind_says_and_nothing_else() -> None:
    line, _ = written(told(BEGAN, FAILED, RETRIED, DIFFERED))
    began, failed, retried, differed = line["events"]
    assert began["partCount"] == 60
    assert (failed["state"], failed["code"]) == ("failed", "SlowDown")
    assert (retried["partNumber"], retried["failures"]) == (7, 1)
    assert differed["partNumbers"] == [1, 2]
    assert problems_of(told({**PROGRESS, "partCount": 60})) == ["events[0].partCount"]
    assert problems_of(told({**RETRIED, "state": "failed"})) == ["events[0].state"]


def test_counted_events_are_counted_and_progress_alone_writes_no_metric() -> None:
    assert counted(BEGAN, BEGAN, FAILED, RETRIED, DIFFERED) == {
        "client_uploads_began_count": 2,
        "client_uploads_failed_count": 1,
        "client_parts_retried_count": 1,
        "client_parts_differed_count": 1,
    }
    states = [{**FAILED, "state": state} for state in ("completing", "processing", "ready", "paused", "aborted")]
    assert counted(*states) == {"client_uploads_arrived_count": 1, "client_uploads_aborted_count": 1}
    assert counted(PROGRESS) == {}


def test_reports_of_clients_write_only_the_fixed_metrics() -> None:
    directive = {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "AWS/Lambda", "Dimensions": [[]], "Metrics": []}]}
    hostile = {
        "system": '","_aws":{"CloudWatchMetrics":[]},"x":"',
        "client": "web/1.0.0",
        "events": [
            {**BEGAN, "correlationId": "A" * 64},
            {**FAILED, "code": "_aws"},
            {**RETRIED, "failures": MAX_FAILURES},
        ],
    }
    lines = written(hostile)
    (metrics,) = [line for line in lines if "_aws" in line]
    (directed,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (directed["Namespace"], directed["Dimensions"], metrics["Stage"]) == ("VideoUpload", [["Stage"]], "prod")
    names = {metric["Name"] for metric in directed["Metrics"]}
    assert len(names) == len(COUNTED)
    assert all(name.startswith("Client") for name in names)
    assert {name: metrics[name] for name in names if metrics[name] != [0]} == {
        "ClientUploadsBegan": [1],
        "ClientUploadsFailed": [1],
        "ClientPartsRetried": [1],
    }
    # An event that carries a directive, or anything that nobody knows, is refused and never logged.
    for name in ("_aws", "Stage", "message", "level", "owner", "requestId", "ClientUploadsBegan"):
        assert problems_of(told({**PROGRESS, name: directive})) == [f"events[0].{name}"]
        assert problems_of(told(PROGRESS, **{name: directive})) == [name]


@pytest.mark.parametrize(
    "text", ["a\nb", 'x"}\n{"_aws": {}}', "\u2028", "\x00", "ä", "", " " * 65, '{"_aws":1}' * 7, "\ud800"]
)
@pytest.mark.parametrize(
    "field", ["client", "system", "events[0].code", "events[0].correlationId", "events[0].videoId"]
)
def test_a_text_that_could_leave_its_line_is_refused(field: str, text: str) -> None:
    body = told(FAILED)
    if field.startswith("events"):
        body["events"][0] = {**FAILED, field.rpartition(".")[2]: text}
    else:
        body[field] = text
    assert problems_of(body) == [field]


BOUNDS: list[tuple[dict[str, Any], str, int, int]] = [
    (PROGRESS, "at", 0, LAST_MOMENT_MS),
    (PROGRESS, "sizeBytes", 0, MAX_WHOLE_NUMBER),
    (PROGRESS, "sentBytes", 0, MAX_WHOLE_NUMBER),
    (BEGAN, "partCount", 1, 10_000),
    (RETRIED, "partNumber", 1, 10_000),
    (RETRIED, "failures", 1, MAX_FAILURES),
]


@pytest.mark.parametrize(("event", "field", "least", "most"), BOUNDS)
def test_a_number_at_its_bound_is_taken_and_one_past_it_refused(
    event: dict[str, Any], field: str, least: int, most: int
) -> None:
    for good in (least, most):
        assert problems_of(told({**event, field: good})) == []
        written(told({**event, field: good}))
    for bad in (least - 1, most + 1, 10**400, 1e300, 1.5, True, "1", None, [], {}):
        assert problems_of(told({**event, field: bad})) == [f"events[0].{field}"]


def test_lists_at_their_bound_are_taken_and_one_entry_more_is_refused() -> None:
    assert problems_of(told(*[PROGRESS] * MAX_EVENTS)) == []
    assert problems_of(told(*[PROGRESS] * (MAX_EVENTS + 1))) == ["events"]
    assert problems_of(told()) == ["events"]
    assert problems_of(told({**DIFFERED, "partNumbers": [10_000] * MAX_PART_NUMBERS})) == []
    for bad in ([1] * (MAX_PART_NUMBERS + 1), [], [0], [10_001], [True], [[1]], "1", None):
        assert problems_of(told({**DIFFERED, "partNumbers": bad})) == ["events[0].partNumbers"]


LONGEST: dict[str, tuple[Callable[[int], str], int]] = {
    "client": (lambda length: "w" * 16 + "/" + "1" * (length - 17), 49),
    "system": (lambda length: "x" * length, 64),
    "code": (lambda length: "x" * length, 64),
    "correlationId": (lambda length: "x" * length, 64),
}


@pytest.mark.parametrize("field", LONGEST)
def test_a_text_at_its_length_is_taken_and_one_character_more_is_refused(field: str) -> None:
    make, most = LONGEST[field]
    for length, expected in ((most, 0), (most + 1, 1)):
        is_shared = field in {"client", "system"}
        body = told(FAILED, **{field: make(length)}) if is_shared else told({**FAILED, field: make(length)})
        assert len(problems_of(body)) == expected


@pytest.mark.parametrize(
    ("field", "value"), [("event", "uploadInvented"), ("event", 7), ("state", "won"), ("state", [])]
)
def test_names_come_from_closed_sets(field: str, value: object) -> None:
    assert f"events[0].{field}" in problems_of(told({**FAILED, field: value}))


def test_all_problems_are_named_in_one_error_up_to_a_bound() -> None:
    wrong = {**PROGRESS, "at": -1, "videoId": "x", "sizeBytes": None}
    named = problems_of(told(wrong, {**PROGRESS, "_aws": {}}, client="", odd=1))
    assert named == ["client", "events[0].at", "events[0].videoId", "events[0].sizeBytes", "events[1]._aws", "odd"]
    assert len(problems_of(told(*[wrong] * MAX_EVENTS))) == MAX_NAMED_PROBLEMS


def logged_bytes(body: dict[str, Any]) -> int:
    """Size of the lines as CloudWatch Logs receives them, without its overhead per line."""
    return sum(len(json.dumps(line, separators=(",", ":"))) for line in written(body, **AS_ON_AWS))


AS_ON_AWS = {
    # as long as AWS writes them
    **dict.fromkeys(("function", "request_id", "lambda_request_id", "xray_trace_id"), "x" * 36),
    "edge_request_id": "x" * 56,
}


SMALL = {"at": 0, "videoId": VIDEO_ID, "sizeBytes": 0, "sentBytes": 0}
SMALLEST: list[dict[str, Any]] = [
    {"event": "uploadBegan", **SMALL, "partCount": 1},
    {"event": "uploadProgress", **SMALL},
    {"event": "uploadState", **SMALL, "state": "ready"},
    {"event": "partRetried", **SMALL, "partNumber": 1, "failures": 1},
    {"event": "partsDiffered", **SMALL, "partNumbers": [1]},
]


@pytest.mark.parametrize("event", SMALLEST, ids=lambda event: event["event"])
@pytest.mark.parametrize("uploads", [1, MAX_EVENTS])
def test_a_full_call_makes_at_most_one_and_a_half_bytes_of_log_of_each_that_was_sent(
    event: dict[str, Any], uploads: int
) -> None:
    events = [{**event, "videoId": f"{index % uploads:028}"} for index in range(MAX_EVENTS)]
    body = {"client": "a/1", "events": events}
    assert logged_bytes(body) <= 1.5 * len(json.dumps(body, separators=(",", ":")))


def test_beyond_its_own_bytes_a_call_costs_the_log_a_fixed_amount() -> None:
    for events in ([PROGRESS], [BEGAN], [FAILED], [{**BEGAN, "videoId": f"{index:028}"} for index in range(2)]):
        assert logged_bytes(told(*events)) - len(json.dumps(told(*events), separators=(",", ":"))) <= OVERHEAD_BYTES


def test_a_full_call_of_the_longest_events_fits_the_body_and_writes_a_bounded_log() -> None:
    longest = {
        **{**PROGRESS, "at": LAST_MOMENT_MS, "sizeBytes": MAX_WHOLE_NUMBER, "sentBytes": MAX_WHOLE_NUMBER},
        **{"event": "partsDiffered", "correlationId": "x" * 64, "partNumbers": [10_000] * MAX_PART_NUMBERS},
    }
    body = told(*[longest] * MAX_EVENTS, client="w" * 16 + "/" + "1" * 32, system="x" * 64)
    assert len(json.dumps(body)) <= MAX_PROGRESS_BYTES
    assert logged_bytes(body) <= MAX_PROGRESS_BYTES


def test_the_states_are_those_of_the_record_and_two_of_the_clients() -> None:
    assert set(get_args(VideoState)) == set(State) - {State.DELETED}
    assert set(get_args(ClientState)) == {*State, "paused", "failed"}


def test_no_state_is_called_as_an_event_is_since_both_are_counted_by_name() -> None:
    assert EVENTS.isdisjoint(STATES)
    assert COUNTED <= EVENTS | STATES
