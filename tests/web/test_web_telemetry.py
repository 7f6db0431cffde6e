"""Telemetry of the page on the whole local platform: how uploads go, and nothing about who and what."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect

from local.platform import LocalPlatform
from tests.end_to_end.log_search import PrintedLines
from tests.web import walkthroughs
from tests.web.walkthroughs import Person

PROGRESS = "**/api/progress"
EVENT_FIELDS = {"event", "at", "videoId", "correlationId", "sizeBytes", "sentBytes"}
HIDE = """
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
"""


@pytest.fixture
def has_agreed() -> bool:
    """Consent from an earlier visit: given, or not asked for yet."""
    return True


@pytest.fixture(autouse=True)
def _agreed(page: Page, *, has_agreed: bool) -> None:
    if has_agreed:
        page.add_init_script("localStorage.telemetry ??= 'on'")


def progress_calls(page: Page) -> list[dict[str, Any]]:
    """Grows with each call that tells progress from now on: its body."""
    calls: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and urlsplit(request.url).path == "/api/progress":
            calls.append(json.loads(request.post_data or "{}"))

    page.on("request", note)
    return calls


def events_of(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for call in calls for event in call["events"]]


def wait_for(page: Page, condition: Callable[[], bool], *, hiding: bool = False) -> None:
    """hiding: as a person who looks at another tab now and then, which sends what waits."""
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        if hiding:
            page.evaluate(HIDE)
        page.wait_for_timeout(100)  # the page's events go on meanwhile


def has_told(calls: list[dict[str, Any]], state: str) -> bool:
    return any(event.get("state") == state for event in events_of(calls))


def lines_of(printed: PrintedLines, video_id: str) -> list[dict[str, Any]]:
    return printed.told_about(video_id)


def test_the_operators_read_how_an_upload_went_and_neither_names_nor_addresses_nor_tokens(
    page: Page, platform: LocalPlatform, printed: PrintedLines, somebody: Person, video: Path
) -> None:
    calls = progress_calls(page)
    walkthroughs.upload(page, platform.site_url, somebody, video)
    wait_for(page, lambda: has_told(calls, "ready"), hiding=True)
    events = events_of(calls)
    video_id = events[0]["videoId"]
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
    assert {event["videoId"] for event in events} == {video_id}
    assert {event["sizeBytes"] for event in events} == {video.stat().st_size}
    assert all(set(event) - EVENT_FIELDS <= {"partCount", "state"} for event in events)
    wait_for(page, lambda: len(lines_of(printed, video_id)) == len(events))
    lines = lines_of(printed, video_id)
    assert [line.get("state") for line in lines] == [event.get("state") for event in events]
    assert len({line["owner"] for line in printed.about(video_id)}) == 1
    text = json.dumps([calls, lines])
    tokens = page.evaluate("Object.values(sessionStorage).map((text) => JSON.parse(text))")
    (signed_in,) = [token for token in tokens if "id_token" in token]
    secret = [signed_in["id_token"], signed_in["access_token"], signed_in["refresh_token"], somebody.email]
    assert [one for one in [*secret, video.name, video.stem, "http", "127.0.0.1", "X-Amz"] if one in text] == []


def test_one_id_goes_with_every_call_of_an_upload_and_with_no_part_even_after_a_reload(
    page: Page, platform: LocalPlatform, printed: PrintedLines, somebody: Person, video: Path
) -> None:
    calls: dict[str, set[str | None]] = {}

    def note(request: Request) -> None:
        kind = "part" if walkthroughs.PART_URL.search(request.url) else urlsplit(request.url).path.removeprefix("/api")
        calls.setdefault(f"{request.method} {kind}", set()).add(request.headers.get("x-correlation-id"))

    page.on("request", note)
    progress = progress_calls(page)
    walkthroughs.resume_after_reload(page, platform.site_url, somebody, video)
    ids = {each: calls[each] for each in calls if "/multipart/" in each}
    assert {each.rpartition("/")[2] for each in ids} == {"init", "parts", "complete"}
    (correlation_id,) = set[str | None]().union(*ids.values())
    assert calls["PUT part"] == calls["GET /uploads"] == {None}
    wait_for(page, lambda: has_told(progress, "ready"), hiding=True)
    assert {event["correlationId"] for event in events_of(progress)} == {correlation_id}
    video_id = progress[0]["events"][0]["videoId"]
    wait_for(page, lambda: any(line.get("state") == "ready" for line in lines_of(printed, video_id)))
    about = printed.about(video_id)
    assert {"upload started", "upload completed", "video ready", "progress reported"} <= {
        str(line.get("message")) for line in about if line.get("correlationId") == correlation_id
    }


QUESTION = "Share upload statistics with the operators of this site?"


def upload_and_hide(page: Page, video: Path, choose: Callable[[Page, Path], None] = walkthroughs.choose) -> None:
    choose(page, video)
    expect(walkthroughs.upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=20_000)
    page.evaluate(HIDE)
    page.wait_for_timeout(300)


@pytest.mark.usefixtures("has_agreed")
@pytest.mark.parametrize("has_agreed", [False])
def test_nothing_is_told_before_somebody_says_yes(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path
) -> None:
    walkthroughs.sign_in(page, platform.site_url, somebody)
    expect(page.get_by_text(QUESTION)).to_be_visible()
    calls = progress_calls(page)
    upload_and_hide(page, small_video)
    assert calls == []
    page.get_by_role("button", name="Yes, share").click()
    page.reload()
    expect(page.get_by_role("button", name="Privacy")).to_be_visible()
    expect(page.get_by_text(QUESTION)).to_be_hidden()
    upload_and_hide(page, small_video, walkthroughs.choose_again)
    assert calls != []


def test_who_says_no_is_not_asked_again_and_may_think_otherwise(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path
) -> None:
    walkthroughs.sign_in(page, platform.site_url, somebody)
    page.get_by_role("button", name="Privacy").click()
    expect(page.get_by_role("button", name="Yes, share")).to_be_focused()
    page.get_by_role("button", name="No", exact=True).press("Enter")
    expect(page.get_by_text(QUESTION)).to_be_hidden()
    page.wait_for_function("() => document.activeElement !== document.body")
    calls = progress_calls(page)
    upload_and_hide(page, small_video)
    page.reload()
    expect(page.get_by_role("button", name="Privacy")).to_be_visible()
    expect(page.get_by_text(QUESTION)).to_be_hidden()
    upload_and_hide(page, small_video, walkthroughs.choose_again)
    assert calls == []
    page.get_by_role("button", name="Privacy").click()
    expect(page.get_by_role("button", name="No", exact=True)).to_be_focused()


@pytest.mark.parametrize(
    "status", [0, 401, 429, *(pytest.param(status, marks=pytest.mark.slow) for status in (400, 413, 503))]
)
def test_an_upload_does_not_notice_how_its_progress_is_refused(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path, complaints: list[str], *, status: int
) -> None:
    complaints += [f"status of {status}", "net::ERR_FAILED"]  # the browser itself says so of every refused request
    calls = progress_calls(page)

    def refuse(route: Route) -> None:
        if status == 0:
            route.abort()
        else:
            route.fulfill(status=status, headers={"Retry-After": "300"}, json={"error": {"code": "x", "message": ""}})

    page.route(PROGRESS, refuse)
    walkthroughs.upload(page, platform.site_url, somebody, small_video)
    wait_for(page, lambda: bool(calls))
    expect(page.locator("#banner")).to_be_hidden()
    # A refused token is renewed once; there is no other second try within the pause.
    assert len(calls) == (2 if status == 401 else 1)


def test_what_did_not_arrive_is_told_later_and_what_was_refused_for_good_is_not(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path, complaints: list[str]
) -> None:
    complaints += ["status of 503", "status of 400"]
    answers = [503, 400]

    def refuse(route: Route) -> None:
        if answers:
            route.fulfill(status=answers.pop(0), json={"error": {"code": "x", "message": ""}})
        else:
            route.continue_()

    page.route(PROGRESS, refuse)
    calls = progress_calls(page)
    walkthroughs.upload(page, platform.site_url, somebody, small_video)
    wait_for(page, lambda: len(calls) == 1)
    wait_for(page, lambda: len(calls) == 2, hiding=True)
    first, second = calls
    assert second["events"][: len(first["events"])] == first["events"], "told again, in order"
    page.unroute(PROGRESS)
    page.evaluate(HIDE)
    page.wait_for_timeout(300)
    again = [event for call in calls[2:] for event in call["events"] if event in second["events"]]
    assert again == [], "a batch that is refused permanently is not sent twice"


def test_an_upload_does_not_wait_for_who_listens_slowly_and_is_told_of_in_one_call_at_a_time(
    page: Page, platform: LocalPlatform, somebody: Person, small_video: Path
) -> None:
    walkthroughs.sign_in(page, platform.site_url, somebody)
    calls = progress_calls(page)
    waiting: list[Route] = []

    def keep_waiting(route: Route) -> None:
        waiting.append(route)

    page.route(PROGRESS, keep_waiting)
    for number, choose in ((1, walkthroughs.choose), (2, walkthroughs.choose_again)):
        choose(page, small_video)
        uploaded = walkthroughs.upload_row(page, small_video.name).get_by_text("Uploaded")
        expect(uploaded).to_have_count(number, timeout=10_000)
    assert len(calls) == len(waiting) == 1


def test_a_tab_that_is_closed_sends_its_last_events(
    page: Page, platform: LocalPlatform, printed: PrintedLines, somebody: Person, small_video: Path
) -> None:
    walkthroughs.sign_in(page, platform.site_url, somebody)
    calls = progress_calls(page)
    walkthroughs.choose(page, small_video)
    walkthroughs.expect_ready(page, small_video.name)
    wait_for(page, lambda: bool(calls))
    video_id = events_of(calls)[0]["videoId"]
    assert not has_told(calls, "ready"), "the pause after the first call is not over"
    page.close(run_before_unload=True)
    until = time.monotonic() + 20
    while not any(line.get("state") == "ready" for line in lines_of(printed, video_id)):
        assert time.monotonic() < until
        time.sleep(0.1)
