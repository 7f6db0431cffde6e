"""The status view of twelve uploads with known outcomes."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from playwright.sync_api import expect, sync_playwright

from local.platform import METRICS_FILE, LocalPlatform, Ports
from local.stand_in import names
from local.status.local_names import monitored_locally
from local.status.metric_store import EVER_SECONDS, stored_metrics
from tests.chromium import CHROMIUM, NO_BROWSER, launch
from tests.end_to_end.actors import Person, StandIn, expire, make_person, wait_until

UPLOADS, FAILED, REJECTED = 12, 2, 1
READY = UPLOADS - FAILED - REJECTED
AT_ONCE = 8
NO_VIDEO = b"MZ" * 4096

Report = dict[str, Any]


def status(platform: LocalPlatform) -> Report:
    answer = requests.get(f"{platform.site_url}/status.json", timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ever(report: Report) -> dict[str, int]:
    return {step["key"]: step["ever"] for step in report["funnel"]}


def now(report: Report, key: str) -> float | None:
    return next(gauge["value"] for gauge in report["now"] if gauge["key"] == key)


def figure(report: Report, key: str) -> dict[str, Any]:
    return next(figure for group in report["groups"] for figure in group["figures"] if figure["key"] == key)


def after_a_sweep_more(platform: LocalPlatform) -> Report:
    """Return the status after the next sweep, which has counted all processes' events; a sweep takes seconds."""
    sweeps = sweeps_told(platform)
    wait_until(lambda: sweeps_told(platform) > sweeps or None)
    return status(platform)


def sweeps_told(platform: LocalPlatform) -> int:
    """Count the measurements of the dead-letter queue, the last step of a sweep."""
    assert platform.data_dir
    queue = monitored_locally().of_queue("ApproximateNumberOfMessagesVisible", "SampleCount")
    with stored_metrics(platform.data_dir / METRICS_FILE) as stored:
        return round(stored.statistic(queue, EVER_SECONDS, 0, 0) or 0)


def api_metric(platform: LocalPlatform, name: str) -> tuple[int, float]:
    """(how often it was told, its sum) since the first day."""
    assert platform.data_dir
    with stored_metrics(platform.data_dir / METRICS_FILE) as stored:
        count, total = (
            stored.statistic(monitored_locally().of_api(name, statistic), EVER_SECONDS, 0, 0) or 0
            for statistic in ("SampleCount", "Sum")
        )
    return round(count), total


@dataclass
class Day:
    """One platform before, during and after the uploads, and still running, started a second time."""

    platform: LocalPlatform
    before: Report
    while_one_uploads: Report
    after: Report


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory, small_video: bytes) -> Iterator[Day]:
    data_dir, ports = tmp_path_factory.mktemp("status"), Ports.free()
    with LocalPlatform(data_dir=data_dir, ports=ports) as platform:
        before = after_a_sweep_more(platform)
        person = make_person(platform)
        abandoned = person.start(len(small_video))
        wait_until(lambda: now(status(platform), "uploadsInFlight") == 1 or None)
        while_one_uploads = after_a_sweep_more(platform)
        expire(StandIn(platform.stand_in_url), person, abandoned)
        lose_parts(StandIn(platform.stand_in_url), person, small_video)
        with ThreadPoolExecutor(AT_ONCE) as uploaders:
            list(uploaders.map(person.upload, [NO_VIDEO] * REJECTED + [small_video] * READY))
        wait_until(lambda: is_settled(status(platform)) or None)
        after = after_a_sweep_more(platform)
    with LocalPlatform(data_dir=data_dir, ports=ports) as platform:
        yield Day(platform, before, while_one_uploads, after)


def is_settled(report: Report) -> bool:
    counts = ever(report)
    return (
        counts["ready"] + counts["rejected"] + counts["failed"] >= UPLOADS
        and now(report, "uploadsInFlight") == now(report, "uploadsProcessing") == 0
    )


def lose_parts(stand_in: StandIn, person: Person, video: bytes) -> None:
    """Start an upload and make S3 forget it, as a lifecycle rule does when an upload takes too long."""
    started = person.start(len(video))
    parts = person.send_parts(started, video)
    stand_in.client("s3").abort_multipart_upload(
        Bucket=names.VIDEO_BUCKET, Key=started["fileKey"], UploadId=started["uploadId"]
    )
    answer = person.complete(started, parts)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "upload_expired")


def test_while_nothing_happened_it_counts_nothing_and_guesses_nothing(day: Day) -> None:
    assert set(ever(day.before).values()) == {0}
    assert figure(day.before, "upload-success-rate")["value"] is None
    assert now(day.before, "failedEvents") == 0


def test_an_upload_under_way_is_one_in_flight(day: Day) -> None:
    assert figure(day.while_one_uploads, "concurrent-uploads")["value"] == 1
    assert figure(day.while_one_uploads, "peak-concurrent-users")["value"] == 1
    assert ever(day.while_one_uploads)["started"] == 1


def test_twelve_uploads_with_two_failed_and_one_rejected_are_shown_as_exactly_that(day: Day) -> None:
    counts = ever(day.after)
    assert counts == {
        "started": UPLOADS,
        "partsSigned": UPLOADS,
        "completed": UPLOADS - FAILED,
        "partsCompleted": UPLOADS - FAILED,
        "ready": READY,
        "rejected": REJECTED,
        "failed": FAILED,
        "aborted": 0,
        "arrivedAsTold": 0,
        "failedAsTold": 0,
    }
    rate = figure(day.after, "upload-success-rate")
    assert rate["value"] == pytest.approx(100 * READY / (READY + FAILED))
    assert rate["isMet"] is False
    assert [rate for rate in rate["minutes"] if rate is not None] != []


def test_the_other_figures_of_this_machine_were_measured_too(day: Day, small_video: bytes) -> None:
    assert figure(day.after, "error-rate")["value"] == 0
    growth = figure(day.after, "storage-growth")
    by_minute = sum(value for value in growth["minutes"] if value is not None)
    assert by_minute == pytest.approx(READY * len(small_video) / 1e9, rel=0.01)
    is_one_day = day.after["since"][:10] == day.after["at"][:10]
    assert growth["value"] == pytest.approx(by_minute, rel=0.01) or not is_one_day
    for key in ("average-response-time", "s3-upload-speed", "api-gateway-latency"):
        assert figure(day.after, key)["value"] > 0


def test_a_restart_shows_what_was_there(day: Day) -> None:
    report = status(day.platform)
    assert ever(report) == ever(day.after)
    assert report["since"] == day.after["since"]
    assert figure(report, "upload-success-rate")["value"] == figure(day.after, "upload-success-rate")["value"]


def test_api_gateway_counts_each_call_once_and_times_the_function_where_one_ran(day: Day) -> None:
    metrics = ("Count", "4XXError", "5XXError", "Latency", "IntegrationLatency")
    before = {name: api_metric(day.platform, name) for name in metrics}
    for path, expected in [("health", 200), ("health", 200), ("videos", 401), ("nowhere", 404)]:
        assert requests.get(f"{day.platform.site_url}/api/{path}", timeout=10).status_code == expected
    wait_until(lambda: api_metric(day.platform, "Count")[0] >= before["Count"][0] + 4 or None)
    told, summed = (
        {name: api_metric(day.platform, name)[part] - before[name][part] for name in metrics} for part in (0, 1)
    )
    assert told == {"Count": 4, "4XXError": 4, "5XXError": 4, "Latency": 4, "IntegrationLatency": 2}
    assert (summed["Count"], summed["4XXError"], summed["5XXError"]) == (4, 2, 0)
    assert 0 < summed["IntegrationLatency"] < summed["Latency"]


def test_no_other_origin_may_read_it_and_nothing_foreign_runs_in_it(day: Day) -> None:
    for path in ("/status", "/status.json"):
        answer = requests.get(
            f"{day.platform.site_url}{path}", headers={"Origin": "https://elsewhere.example"}, timeout=10
        )
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert requests.post(f"{day.platform.site_url}/status.json", timeout=10).status_code == 405


@pytest.mark.skipif(not CHROMIUM.exists(), reason=NO_BROWSER)
def test_the_page_shows_the_numbers_and_moves_by_itself_while_somebody_uploads(day: Day, small_video: bytes) -> None:
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 320, "height": 800})
        page.on("console", lambda line: said.append(line.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(day.platform.status_url)
        expect(page.get_by_role("row", name="Uploads started")).to_contain_text("12")
        expect(page.get_by_role("row", name="Videos ready")).to_contain_text("9")
        expect(page.get_by_role("row", name=re.compile(r"^Uploads failed \d"))).to_contain_text("2")
        expect(page.get_by_role("row", name="Videos rejected")).to_contain_text("1")
        success = page.get_by_role("article", name="Upload success rate")
        expect(success).to_contain_text("81.82 %")
        expect(success).to_contain_text("Target: at least 99.9 % · not met")
        expect(success.get_by_role("img")).to_have_attribute(
            "aria-label", re.compile("minute by minute: between .* and .* %")
        )
        expect(page.get_by_text("only on AWS", exact=True)).to_have_count(4)
        expect(page.get_by_role("article", name="Error rate")).to_contain_text("by minute, 0 to 0.1")
        expect(page.get_by_role("article", name="Concurrent uploads")).to_contain_text("Designed for: 1,247 uploads")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no scrolling sideways at 320 px"

        make_person(day.platform).upload(small_video)
        expect(page.get_by_role("row", name="Uploads started")).to_contain_text("13", timeout=15_000)
        expect(page.get_by_role("row", name="Videos ready")).to_contain_text("10", timeout=15_000)
        assert said == []

        page.mouse.wheel(0, 3000)
        page.route("**/status", lambda route: route.abort())
        expect(page.get_by_role("alert")).to_contain_text("The platform does not answer", timeout=15_000)
        expect(page.get_by_role("alert")).to_be_in_viewport()
        page.unroute("**/status")
        expect(page.get_by_role("alert")).to_be_hidden(timeout=15_000)
        browser.close()
