"""Walkthroughs of the page, the same against the fake site and the real platform.

Each walkthrough takes a page, the site's address and the user, and leaves the page in the state that its name tells.
"""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Dialog, Locator, Page, Route, expect

IN_TIME_MS = 15_000
SIGN_IN_AGAIN = "Sign in again"
PART_URL = re.compile(r"[?&]X-Amz-Signature=")


@dataclass(frozen=True)
class Person:
    """An account that may use the form."""

    email: str
    password: str


def sign_in(page: Page, site_url: str, user: Person) -> None:
    page.goto(site_url)
    page.get_by_role("button", name="Sign in").click()
    fill_in_sign_in(page, user)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible(timeout=IN_TIME_MS)
    expect(page.get_by_text(user.email)).to_be_visible()
    assert page.url == f"{site_url}/", "neither code nor state stay in the address"


def fill_in_sign_in(page: Page, user: Person) -> None:
    """Fill in the form of the sign-in, in this window."""
    page.get_by_label("E-mail address").fill(user.email)
    page.get_by_label("Password").fill(user.password)
    page.get_by_role("button", name="Sign in").click()


def sign_in_beside(page: Page, user: Person) -> None:
    """Sign in in the window that the page opens once its session has ended; the window closes by itself."""
    with page.expect_popup() as opened:
        page.get_by_role("banner").get_by_role("button", name=SIGN_IN_AGAIN).click()
    window = opened.value
    with window.expect_event("close"):
        fill_in_sign_in(window, user)


def sign_out(page: Page, site_url: str, user: Person) -> None:
    sign_in(page, site_url, user)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=IN_TIME_MS)
    # The sign-in forgot as well: it asks for the password again.
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password")).to_be_visible(timeout=IN_TIME_MS)


def choose(page: Page, *videos: Path) -> None:
    page.get_by_label("Choose videos").set_input_files([str(video) for video in videos])


def choose_again(page: Page, video: Path) -> None:
    """Choose a video that the library has already, and confirm that it is wanted again."""
    # The page asks only about what it has listed.
    expect(page.get_by_role("button", name=f"Play {video.name}").first).to_be_visible(timeout=IN_TIME_MS)
    choose(page, video)
    page.get_by_role("button", name="Upload again").click()


def upload_row(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Uploads", exact=True).get_by_role("listitem").filter(has_text=name)


def video_card(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Videos").get_by_role("listitem").filter(has_text=name)


def expect_ready(page: Page, name: str) -> None:
    expect(page.get_by_role("button", name=f"Play {name}")).to_be_enabled(timeout=2 * IN_TIME_MS)


def upload(page: Page, site_url: str, user: Person, video: Path) -> None:
    sign_in(page, site_url, user)
    choose(page, video)
    expect(upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    expect_ready(page, video.name)
    expect(video_card(page, video.name).get_by_text("0:02")).to_be_visible()
    expect(video_card(page, video.name).locator("img")).to_be_visible(timeout=IN_TIME_MS)


def play(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Play {name}").click()
    expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
    expect(page.locator("#player-video")).to_have_js_property("error", None)
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def delete(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("button", name="Keep it").click()
    expect(video_card(page, name)).to_be_visible()
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(video_card(page, name)).to_have_count(0)
    page.reload()
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)


def upload_a_file_that_is_not_a_video(page: Page, site_url: str, user: Person, file: Path) -> None:
    sign_in(page, site_url, user)
    choose(page, file)
    expect(video_card(page, file.name).get_by_text("This file is not a video.")).to_be_visible(timeout=2 * IN_TIME_MS)
    expect(page.get_by_role("button", name=f"{file.name} cannot be played yet")).to_be_disabled()
    row = upload_row(page, file.name)
    expect(row).to_contain_text("This file is not a video.", timeout=IN_TIME_MS)
    expect(row.get_by_text("Uploaded")).to_have_count(0)


@contextmanager
def parts_held_after(page: Page, parts: int) -> Generator[Callable[[], None]]:
    """Let some parts of an upload reach S3 and hold the others, as a dead line does; yields what ends that."""
    held: list[Route] = []
    left = parts
    ended = False

    def hold(route: Route) -> None:
        nonlocal left
        if route.request.method != "PUT" or ended or left > 0:
            left -= route.request.method == "PUT"
            route.continue_()
        else:
            held.append(route)

    def let_go() -> None:
        nonlocal ended
        ended = True
        for route in held:
            route.abort()
        held.clear()

    page.route(PART_URL, hold)
    try:
        yield let_go
    finally:
        let_go()
        page.unroute(PART_URL)


def part_numbers_sent(page: Page) -> list[str]:
    """Grows with each part the storage took from now on, as paths without their signatures."""
    sent: list[str] = []

    def note(url: str, method: str, status: int) -> None:
        if method == "PUT" and status == 200 and PART_URL.search(url):
            sent.append(url)

    page.on("response", lambda response: note(response.url, response.request.method, response.status))
    return sent


def pause_and_resume(page: Page, site_url: str, user: Person, video: Path) -> None:
    """video: at least four parts."""
    sign_in(page, site_url, user)
    sent = part_numbers_sent(page)
    with parts_held_after(page, 2):
        choose(page, video)
        expect(upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=IN_TIME_MS)
        page.get_by_role("button", name=f"Pause {video.name}").click()
        expect(upload_row(page, video.name)).to_contain_text("once the current parts are sent")
        page.get_by_role("button", name=f"Stop now: {video.name}").click()
        expect(upload_row(page, video.name).get_by_text("Paused")).to_be_visible()
    before = len(sent)
    assert before == 2
    page.get_by_role("button", name=f"Resume {video.name}").click()
    expect(upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    assert len(sent) - before == -(-video.stat().st_size // (5 * 2**20)) - 2
    expect_ready(page, video.name)


def resume_after_reload(page: Page, site_url: str, user: Person, video: Path) -> None:
    """video: at least four parts."""
    sign_in(page, site_url, user)
    warnings: list[str] = []

    def leave(dialog: Dialog) -> None:
        warnings.append(dialog.type)
        dialog.accept()

    with parts_held_after(page, 2):
        choose(page, video)
        expect(upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=IN_TIME_MS)
        page.once("dialog", leave)
        page.reload()
    assert warnings == ["beforeunload"]
    waiting = page.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")
    expect(waiting).to_contain_text(video.name, timeout=IN_TIME_MS)
    sent = part_numbers_sent(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=f"Choose the file {video.name}").click()
    chooser.value.set_files(str(video))
    expect(upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    assert len(sent) == -(-video.stat().st_size // (5 * 2**20)) - 2, "only what was missing"
    expect(waiting).to_have_count(0)
    expect_ready(page, video.name)


def cancel(page: Page, site_url: str, user: Person, video: Path) -> None:
    """video: at least four parts."""
    sign_in(page, site_url, user)
    with parts_held_after(page, 1):
        choose(page, video)
        expect(upload_row(page, video.name)).to_contain_text("5.2 MB of", timeout=IN_TIME_MS)
        page.get_by_role("button", name=f"Cancel {video.name}").click()
        page.get_by_role("button", name="Cancel the upload").click()
        expect(upload_row(page, video.name)).to_have_count(0, timeout=IN_TIME_MS)
    page.reload()
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()


def make_link(page: Page, title: str) -> str:
    """Make an upload link and return its address."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="New link").click()
    page.get_by_label("Title, for the uploader").fill(title)
    page.get_by_label("Note to the uploader").fill("Whole matches, please.")
    page.get_by_role("button", name="Create and copy").click()
    expect(page.get_by_text("The link is copied")).to_be_visible(timeout=IN_TIME_MS)
    address: str = page.evaluate("() => navigator.clipboard.readText()")
    return address


def send_by_link(page: Page, address: str, name: str, video: Path) -> None:
    """Send a video as somebody without an account, and reload the page on the way."""
    page.goto(address)
    expect(page.get_by_text("Whole matches, please.")).to_be_visible(timeout=IN_TIME_MS)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Continue").click()
    page.on("dialog", lambda dialog: dialog.accept())
    with parts_held_after(page, 2):
        choose(page, video)
        expect(upload_row(page, video.name)).to_contain_text("10.5 MB of", timeout=IN_TIME_MS)
        page.reload()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("list", name="Unfinished uploads")).to_contain_text(video.name, timeout=IN_TIME_MS)
    choose(page, video)
    expect(upload_row(page, video.name)).to_contain_text("Arrived", timeout=2 * IN_TIME_MS)
    expect(page.get_by_text("9 videos left")).to_be_visible()


def revoke_link(page: Page, title: str) -> None:
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("button", name=f"Revoke the link “{title}”").click()
    page.get_by_role("button", name="Revoke", exact=True).last.click()
    expect(page.get_by_text("Revoked ·")).to_be_visible(timeout=IN_TIME_MS)
