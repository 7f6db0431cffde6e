"""Notifications of the browser: asked for by a click, shown for a tab in the background."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.axe import serious_problems
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, choose, upload_row

BROWSER = """
window.shown = [];
window.questions = 0;
window.Notification = class {
  static permission = "default";
  static async requestPermission() {
    window.questions += 1;
    return (this.permission = "ANSWER");
  }
  constructor(title, options) { window.shown.push([title, options.body]); }
};
"""
HIDE = "() => Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true })"
OFFER, ON = "Notify me when ready", "Notifications are on"


def open_with(page: Page, site: FakeSite, user: Person, *, answer: str) -> None:
    """Open the page in a browser in which the person answers so."""
    page.add_init_script(BROWSER.replace("ANSWER", answer))
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name=OFFER)).to_be_visible()


def test_a_tab_in_the_background_tells_that_a_video_is_ready(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    open_with(page, site, user, answer="granted")
    assert page.evaluate("questions") == 0, "nobody is asked without a click"
    page.get_by_role("button", name=OFFER).click()
    expect(page.get_by_role("button", name=ON)).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("questions") == 1
    page.evaluate(HIDE)
    choose(page, small_video)
    expect(page.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
    ((title, text),) = page.evaluate("shown")
    assert (title, text) == (small_video.name, "ready to play")
    expect(upload_row(page, small_video.name)).to_contain_text("Uploaded")


def test_the_wish_can_be_taken_back(page: Page, site: FakeSite, user: Person) -> None:
    open_with(page, site, user, answer="granted")
    page.get_by_role("button", name=OFFER).click()
    page.get_by_role("button", name=ON).click()
    expect(page.get_by_role("button", name=OFFER)).to_have_attribute("aria-pressed", "false")


def test_a_browser_that_refuses_is_told_of_in_plain_words(page: Page, site: FakeSite, user: Person) -> None:
    open_with(page, site, user, answer="denied")
    page.get_by_role("button", name=OFFER).click()
    expect(page.get_by_role("alert")).to_contain_text("Your browser blocks notifications from this site.")
    expect(page.get_by_role("button", name=OFFER)).to_have_attribute("aria-pressed", "false")
    assert serious_problems(page) == []


@pytest.mark.parametrize("locale", ["de-DE"])
def test_the_narrowest_phone_has_room_for_the_offer_in_the_longer_language(
    page: Page, site: FakeSite, user: Person
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.add_init_script(BROWSER)
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Benachrichtigen, wenn fertig")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
