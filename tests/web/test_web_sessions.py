"""A session that ends while videos upload: the person signs in again beside the uploads."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in, revoke_session
from tests.web.waiting import PARTS, begin, expect_uploaded, wait_until
from tests.web.walkthroughs import (
    IN_TIME_MS,
    SIGN_IN_AGAIN,
    Person,
    choose,
    fill_in_sign_in,
    sign_in_beside,
    upload_row,
    video_card,
)


@pytest.fixture
def complaints() -> list[str]:
    """The refusals of an ended session."""
    return ["Service Worker registration blocked by Playwright", "400", "401"]


def end_session(page: Page, site: FakeSite, *refused: str) -> None:
    """Revoke the session, and have the API refuse its access token at the next call of these names."""
    revoke_session(page, site.sign_in)
    site.api.faults = {call: [(401, "unauthorized", {})] for call in refused}


def test_uploads_go_on_by_themselves_once_the_person_signed_in_beside_them(
    page: Page, site: FakeSite, user: Person, video: Path, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "old.mp4", b"another video")
    begin(page, site, video, parts=2)
    address = page.url
    choose(page, small_video)
    end_session(page, site, f"DELETE /videos/{next(iter(site.api.videos))}", "POST /multipart/init")
    page.get_by_role("button", name="Delete old.mp4").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended", timeout=IN_TIME_MS)
    site.storage.let_through(None)
    expect(upload_row(page, video.name)).to_contain_text("Being processed", timeout=IN_TIME_MS)
    expect(upload_row(page, small_video.name)).to_contain_text("Waiting for you to sign in", timeout=IN_TIME_MS)
    assert len(site.api.videos) == 2, "nothing begins while nobody is signed in"

    sign_in_beside(page, user)
    expect_uploaded(page, site, video)
    expect_uploaded(page, site, small_video)
    expect(video_card(page, "old.mp4")).to_have_count(0)
    expect(page.get_by_role("button", name=SIGN_IN_AGAIN)).to_have_count(0)
    assert page.url == address
    assert len(site.storage.puts) == PARTS + 1, "no part is sent twice"


def wait_for_a_session(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    """Choose a video whose upload cannot begin, since the session ended."""
    open_signed_in(page, site.url, site.sign_in, user.email)
    end_session(page, site, "POST /multipart/init")
    choose(page, small_video)
    expect(upload_row(page, small_video.name)).to_contain_text("Waiting for you to sign in", timeout=IN_TIME_MS)


def test_another_person_does_not_continue_what_waits(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    bob = Person("bob@example.com", "a password of his own")
    site.sign_in.create_user(bob.email, bob.password)
    wait_for_a_session(page, site, user, small_video)
    sign_in_beside(page, bob)
    expect(page.get_by_role("alert")).to_contain_text(
        f"You signed in as {bob.email}, but these uploads belong to {user.email}", timeout=IN_TIME_MS
    )
    expect(upload_row(page, small_video.name)).to_contain_text("Waiting for you to sign in")
    assert not site.api.videos
    assert not page.evaluate("() => Object.keys(sessionStorage).some((key) => key.startsWith('oidc.user:'))")
    sign_in_beside(page, user)  # the form comes, though Bob's session at the sign-in lives
    expect_uploaded(page, site, small_video)
    (uploaded,) = site.api.videos.values()
    assert uploaded.owner == site.sign_in.authority.users.get_or_create(user.email).subject


def test_a_window_that_was_closed_or_blocked_is_offered_again(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    wait_for_a_session(page, site, user, small_video)
    page.evaluate("() => { window.realOpen = window.open; window.open = () => null; }")
    page.get_by_role("alert").get_by_role("button", name=SIGN_IN_AGAIN).click()
    expect(page.get_by_role("alert")).to_contain_text("The browser blocked the sign-in window", timeout=IN_TIME_MS)
    page.evaluate("() => { window.open = window.realOpen; }")
    with page.expect_popup() as opened:
        page.get_by_role("alert").get_by_role("button", name=SIGN_IN_AGAIN).click()
    opened.value.close()
    sign_in_beside(page, user)
    expect_uploaded(page, site, small_video)


def test_what_waits_for_a_session_can_be_cancelled_and_does_not_begin_later(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    wait_for_a_session(page, site, user, small_video)
    page.get_by_role("button", name=f"Cancel {small_video.name}").click()
    page.get_by_role("button", name="Cancel the upload").click()
    expect(upload_row(page, small_video.name)).to_have_count(0, timeout=IN_TIME_MS)
    page.get_by_role("banner").get_by_role("button", name=SIGN_IN_AGAIN).click()  # nothing to lose: it leaves the page
    fill_in_sign_in(page, user)
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    wait_until(lambda: "GET /uploads" in site.api.calls, page)
    assert not site.api.videos


def test_the_way_back_fits_on_the_smallest_phone(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    wait_for_a_session(page, site, user, small_video)
    expect(page.get_by_role("banner").get_by_role("button", name=SIGN_IN_AGAIN)).to_be_in_viewport()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
