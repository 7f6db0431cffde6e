"""For everybody: screen readers, phones, an installed page, no line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web.axe import serious_problems
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, choose, sign_in, upload_row, video_card


@pytest.mark.parametrize("colours", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_axe_finds_nothing_serious_in_any_view(
    page: Page, site: FakeSite, user: Person, video: Path, colours: str
) -> None:
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light", reduced_motion="reduce")
    for name, more in (("one.mp4", b"1"), ("two.mp4", b"2"), ("three.mp4", b"")):
        site.api.add_ready_video(user.email, name, video.read_bytes() + more)
    rejected = list(site.api.videos.values())[1]
    rejected.state = "rejected"
    page.goto(site.url)
    page.get_by_role("button", name="Sign in").wait_for()
    problems = {"welcome": serious_problems(page)}
    site.storage.let_through(1)
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    choose(page, video)
    again = page.get_by_role("button", name="Upload again")
    again.wait_for()
    problems["video that is there"] = serious_problems(page)
    again.click()
    expect(upload_row(page, video.name)).to_contain_text("Uploading", timeout=IN_TIME_MS)
    problems["workspace"] = serious_problems(page)
    page.get_by_role("button", name="Delete one.mp4").click()
    problems["question"] = serious_problems(page)
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Play one.mp4").click()
    expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
    problems["player"] = serious_problems(page)
    site.storage.let_through(None)
    assert {view: found for view, found in problems.items() if found} == {}


@pytest.fixture
def phone(browser: Browser, site: FakeSite) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        device_scale_factor=2,
        is_mobile=True,
        has_touch=True,
        locale="en-GB",
        service_workers="block",
    )
    yield context.new_page()
    context.close()


def test_a_phone_records_uploads_and_plays(phone: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    sign_in(phone, site.url, user)
    camera = phone.get_by_label("Record a video")
    expect(phone.get_by_text("Record a video")).to_be_visible()
    assert camera.get_attribute("capture") == "environment"
    camera.set_input_files(str(small_video))
    expect(upload_row(phone, small_video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    expect(phone.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
    phone.get_by_role("button", name=f"Play {small_video.name}").tap()
    expect(phone.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
    assert phone.evaluate("() => document.documentElement.scrollWidth") == 360


def test_a_desktop_is_not_offered_a_camera(page: Page, site: FakeSite, user: Person) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_text("Record a video")).to_be_hidden()


def test_the_page_is_installable(page: Page, site: FakeSite) -> None:
    page.goto(site.url)
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    described = json.loads(manifest["data"])
    assert described["display"] == "standalone"
    for icon in described["icons"]:
        assert page.request.get(site.url + icon["src"]).headers["content-type"].startswith("image/svg+xml")


def test_the_shell_opens_without_a_line_and_keeps_nothing_but_itself(
    browser: Browser, site: FakeSite, user: Person, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "one.mp4", small_video.read_bytes())
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    page.reload()
    expect(video_card(page, "one.mp4")).to_be_visible(timeout=IN_TIME_MS)
    kept: list[str] = page.evaluate(
        """async () => {
            const cache = await caches.open((await caches.keys())[0]);
            return (await cache.keys()).map((request) => new URL(request.url).pathname);
        }"""
    )
    assert "/" in kept
    assert any(path.startswith("/assets/index-") for path in kept)
    assert [path for path in kept if path.startswith(("/api", "/config", "/objects"))] == []
    context.set_offline(True)
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The page could not load", timeout=IN_TIME_MS)
    expect(page.get_by_role("link", name="Videos")).to_be_visible()
    context.close()
