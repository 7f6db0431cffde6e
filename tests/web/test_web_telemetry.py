"""What the page tells the operators, on the whole local platform: how uploads go, and nothing about who and what."""

import json
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page, Request, expect

from local.platform import LocalPlatform
from local.stand_in.names import CLIENT_LOG_GROUP
from local.stand_in.provision import session
from tests.web import journeys
from tests.web.journeys import Person

EVENT_FIELDS = {"event", "client", "system", "videoId", "correlationId", "sizeBytes", "sentBytes"}


@pytest.fixture
def somebody(platform: LocalPlatform) -> Person:
    """Begins with an empty log and nothing that goes wrong."""
    requests.post(f"{platform.stand_in_url}/_stand-in/reset", timeout=10).raise_for_status()
    person = Person(f"{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(12))
    platform.sign_in.create_user(person.email, person.password)
    return person


def told(platform: LocalPlatform) -> list[list[dict[str, Any]]]:
    """The events of each stream, oldest first."""
    logs = session().client("logs", endpoint_url=platform.stand_in_url)
    streams = logs.describe_log_streams(logGroupName=CLIENT_LOG_GROUP)["logStreams"]
    return [
        [
            json.loads(event.get("message", ""))
            for event in logs.get_log_events(
                logGroupName=CLIENT_LOG_GROUP, logStreamName=stream.get("logStreamName", ""), startFromHead=True
            )["events"]
        ]
        for stream in streams
    ]


def wait_told(page: Page, platform: LocalPlatform, state: str) -> list[dict[str, Any]]:
    """The events of the only stream, once a video's `state` is among them."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        match told(platform):
            case [[*events]] if any(event.get("state") == state for event in events):
                return events
            case _:
                page.wait_for_timeout(100)  # the page's events go on meanwhile
    raise AssertionError(f"nobody told of {state}: {told(platform)}")


def telemetry_calls(page: Page) -> list[str]:
    """Grows with each call to the identity pool or the logs from now on: its target."""
    calls: list[str] = []

    def note(request: Request) -> None:
        if target := request.headers.get("x-amz-target"):
            calls.append(target)

    page.on("request", note)
    return calls


def fail(platform: LocalPlatform, operation: str, **how: Any) -> None:
    fault = {"operation": operation, "times": 100, **how}
    requests.post(f"{platform.stand_in_url}/_stand-in/faults", json=fault, timeout=10).raise_for_status()


def test_the_operators_read_how_an_upload_went_and_neither_names_nor_addresses_nor_tokens(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path
) -> None:
    journeys.upload(page, platform.site_url, somebody, video)
    events = wait_told(page, platform, "ready")
    assert [event["event"] for event in events if event["event"] != "uploadProgress"] == [
        "uploadBegan",
        "uploadState",
        "uploadState",
        "uploadState",
    ]
    assert [event["state"] for event in events if "state" in event] == ["completing", "processing", "ready"]
    began, done = events[0], events[-1]
    assert began["partCount"] == 5
    assert (began["sentBytes"], done["sentBytes"]) == (0, video.stat().st_size)
    assert {event["videoId"] for event in events} == {began["videoId"]}
    assert {event["sizeBytes"] for event in events} == {video.stat().st_size}
    assert all(set(event) - EVENT_FIELDS <= {"partCount", "state"} for event in events)
    text = json.dumps(events)
    tokens = page.evaluate("Object.values(sessionStorage).map((text) => JSON.parse(text))")
    (signed_in,) = [token for token in tokens if "id_token" in token]
    secret = [signed_in["id_token"], signed_in["access_token"], signed_in["refresh_token"], somebody.email]
    assert [one for one in [*secret, video.name, video.stem, "http", "127.0.0.1", "X-Amz"] if one in text] == []


def test_one_id_goes_with_every_call_of_an_upload_and_with_no_part_even_after_a_reload(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path
) -> None:
    calls: dict[str, set[str | None]] = {}

    def note(request: Request) -> None:
        kind = "part" if journeys.PART_URL.search(request.url) else urlsplit(request.url).path.removeprefix("/api")
        calls.setdefault(f"{request.method} {kind}", set()).add(request.headers.get("x-correlation-id"))

    page.on("request", note)
    journeys.resume_after_reload(page, platform.site_url, somebody, video)
    ids = {each: calls[each] for each in calls if "/multipart/" in each}
    assert {each.rpartition("/")[2] for each in ids} == {"init", "parts", "complete"}
    (correlation_id,) = set[str | None]().union(*ids.values())
    assert calls["PUT part"] == calls["GET /uploads"] == {None}
    events = wait_told(page, platform, "ready")
    assert {event["correlationId"] for event in events} == {correlation_id}


def test_who_switches_it_off_is_not_heard_of_after_a_reload_either(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path
) -> None:
    journeys.sign_in(page, platform.site_url, somebody)
    setting = page.get_by_label("Tell the operators of this site")
    expect(setting).to_be_checked()
    setting.uncheck()
    calls = telemetry_calls(page)
    journeys.choose(page, small_video)
    journeys.expect_ready(page, small_video.name)
    page.reload()
    expect(setting).not_to_be_checked()
    # Whatever was kept would be sent now.
    page.evaluate("""
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    """)
    page.wait_for_timeout(300)
    assert calls == []
    assert told(platform) == []


@pytest.mark.parametrize("operation", ["GetId", "GetCredentialsForIdentity", "CreateLogStream", "PutLogEvents"])
def test_an_upload_does_not_notice_that_nobody_listens(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path, complaints: list[str], *, operation: str
) -> None:
    complaints.append("status of 503")  # the browser itself says so of every refused request
    fail(platform, operation, status=503, code="ServiceUnavailable")
    calls = telemetry_calls(page)
    journeys.upload(page, platform.site_url, somebody, small_video)
    assert [call.rpartition(".")[2] for call in calls].count(operation) >= 1
    assert [event for events in told(platform) for event in events] == []
    expect(page.locator("#banner")).to_be_hidden()


def test_an_upload_does_not_wait_for_who_listens_slowly_and_is_told_of_in_one_call_at_a_time(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path
) -> None:
    fail(platform, "GetId", delaySeconds=6)
    journeys.sign_in(page, platform.site_url, somebody)
    calls = telemetry_calls(page)
    for number in (1, 2):
        journeys.choose(page, small_video)
        uploaded = journeys.upload_row(page, small_video.name).get_by_text("Uploaded")
        expect(uploaded).to_have_count(number, timeout=5_000)
    assert calls == ["AWSCognitoIdentityService.GetId"]
