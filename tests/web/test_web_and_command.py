"""One upload, begun by the page and finished by the command, and the other way round."""

import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from local.platform import LocalPlatform
from tests.end_to_end.actors import Desktop, wait_until
from tests.end_to_end.actors import Person as PlainPerson
from tests.web import walkthroughs
from tests.web.walkthroughs import Person

PARTS = 5


@pytest.fixture
def site_url(platform: LocalPlatform) -> str:
    return platform.site_url


def test_the_command_goes_on_with_an_upload_of_the_page(
    page: Page, site_url: str, by_token: PlainPerson, desktop: Desktop, video: Path, *, somebody: Person
) -> None:
    walkthroughs.sign_in(page, site_url, somebody)
    with walkthroughs.parts_held_after(page, 2):
        walkthroughs.choose(page, video)
        expect(walkthroughs.upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=walkthroughs.IN_TIME_MS)
        page.goto("about:blank")
    planned = desktop.run("upload", str(video), "--dry-run")["resumes"]
    assert planned["begunElsewhere"]
    assert planned["storedBytes"] == 2 * 5 * 2**20

    result = desktop.upload(video)

    assert (result["videoId"], result["state"]) == (planned["videoId"], "ready")
    assert [each["videoId"] for each in by_token.call("GET", "/videos").json()["videos"]] == [planned["videoId"]]
    assert by_token.call("GET", "/uploads").json()["uploads"] == []


def test_the_page_goes_on_with_an_upload_of_the_command(
    page: Page, site_url: str, by_token: PlainPerson, desktop: Desktop, video: Path, *, somebody: Person
) -> None:
    process = desktop.start("upload", str(video), "--parallel", "1", "--limit-rate", "4MB")

    def begun_by_the_command() -> dict[str, Any]:
        uploads: list[dict[str, Any]] = by_token.call("GET", "/uploads").json()["uploads"]
        return next((each for each in uploads if each["receivedBytes"]), {})

    begun = wait_until(lambda: begun_by_the_command() or None) or {}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 130
    stored = begun["receivedBytes"] // (5 * 2**20)

    walkthroughs.sign_in(page, site_url, somebody)
    expect(page.get_by_role("list", name="Unfinished uploads")).to_contain_text(
        video.name, timeout=walkthroughs.IN_TIME_MS
    )
    sent = walkthroughs.part_numbers_sent(page)
    walkthroughs.choose(page, video)
    # The command sent a part a moment ago: the page does not take over from another device by itself.
    page.get_by_role("button", name=f"Try again: {video.name}").click()
    expect(walkthroughs.upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(
        timeout=2 * walkthroughs.IN_TIME_MS
    )

    assert 1 <= len(sent) <= PARTS - stored
    assert [each["videoId"] for each in by_token.call("GET", "/videos").json()["videos"]] == [begun["videoId"]]
