"""Videos that other apps share with the installed page."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from local.platform import LocalPlatform
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.waiting import wait_until
from tests.web.walkthroughs import IN_TIME_MS, Person, part_numbers_sent, parts_held_after, sign_in, upload_row

WAITING = """async () => {
    const names = await caches.keys();
    return names.includes("shared-1") ? (await (await caches.open("shared-1")).keys()).length : 0;
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile in which service workers run."""
    opened = browser.new_context(locale="en-GB")
    yield opened
    opened.close()


def share(page: Page, *videos: Path) -> None:
    """Post as Android does, by what the page's manifest says."""
    manifest = json.loads(page.context.new_cdp_session(page).send("Page.getAppManifest")["data"])
    target = manifest["share_target"]
    (field,) = target["params"]["files"]
    page.evaluate(
        """({ target, field }) => {
            const form = document.createElement("form");
            Object.assign(form, { id: "shared", action: target.action, method: target.method });
            form.enctype = target.enctype;
            const input = document.createElement("input");
            Object.assign(input, { type: "file", multiple: true, name: field.name, accept: field.accept.join() });
            form.append(input);
            document.body.append(form);
        }""",
        {"target": target, "field": field},
    )
    page.locator("#shared input").set_input_files([str(video) for video in videos])
    with page.expect_navigation():
        page.evaluate("() => document.getElementById('shared').submit()")


def accept(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Upload", exact=True).click(timeout=IN_TIME_MS)


def open_installed(page: Page, site: FakeSite, user: Person) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")


def test_a_shared_video_is_uploaded_and_let_go(
    context: BrowserContext, site: FakeSite, user: Person, small_video: Path
) -> None:
    page = context.new_page()
    open_installed(page, site, user)
    share(page, small_video)
    accept(page)
    expect(page.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
    assert page.url == f"{site.url}/"
    assert [content for _, content in site.storage.objects.values()].count(small_video.read_bytes()) == 1
    wait_until(lambda: page.evaluate(WAITING) == 0, page)


def test_a_shared_video_is_uploaded_though_the_browser_can_remember_nothing(
    context: BrowserContext, site: FakeSite, user: Person, small_video: Path
) -> None:
    context.add_init_script(
        """
        const store = Storage.prototype.setItem;
        Storage.prototype.setItem = function (...item) {
            if (this === localStorage) throw new DOMException("full", "QuotaExceededError");
            store.apply(this, item);
        };
        """
    )
    page = context.new_page()
    open_installed(page, site, user)
    share(page, small_video)
    accept(page)
    expect(page.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)


def test_a_video_that_any_page_can_post_is_not_uploaded_unasked(
    context: BrowserContext, site: FakeSite, user: Person, small_video: Path
) -> None:
    page = context.new_page()
    open_installed(page, site, user)
    share(page, small_video)
    question = page.get_by_role("dialog", name=f"Upload {small_video.name}?")
    expect(question).to_contain_text(user.email, timeout=IN_TIME_MS)
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    question.get_by_role("button", name="Discard").click()
    wait_until(lambda: page.evaluate(WAITING) == 0, page)
    expect(upload_row(page, small_video.name)).to_have_count(0)
    assert not site.api.videos


def test_what_waits_of_one_person_is_not_uploaded_for_the_next(
    context: BrowserContext, site: FakeSite, user: Person, video: Path
) -> None:
    bob = Person("bob@example.com", "a password of his own")
    page = context.new_page()
    open_installed(page, site, user)
    page.on("dialog", lambda dialog: dialog.accept())
    with parts_held_after(page, 1):
        share(page, video)
        accept(page)
        expect(upload_row(page, video.name)).to_contain_text("262 kB of", timeout=IN_TIME_MS)
        page.goto("about:blank")
    other = context.new_page()
    open_signed_in(other, site.url, site.sign_in, bob.email)
    expect(other.get_by_role("dialog", name=f"Upload {video.name}?")).to_contain_text(bob.email, timeout=IN_TIME_MS)
    subject = site.sign_in.authority.users.get_or_create(user.email).subject
    assert {each.owner for each in site.api.videos.values()} == {subject}


def test_a_shared_video_goes_on_by_itself_after_a_reload(
    context: BrowserContext, site: FakeSite, user: Person, video: Path
) -> None:
    page = context.new_page()
    open_installed(page, site, user)
    page.on("dialog", lambda dialog: dialog.accept())
    with parts_held_after(page, 2):
        share(page, video)
        accept(page)
        expect(upload_row(page, video.name)).to_contain_text("524 kB of", timeout=IN_TIME_MS)
        assert page.evaluate(WAITING) == 1
        page.reload()
    sent = part_numbers_sent(page)
    expect(page.get_by_role("button", name=f"Play {video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
    assert len(sent) <= 3, "only what was missing"
    assert len([each for each in site.api.videos.values() if each.body["fileName"] == video.name]) == 1


def test_a_shared_file_that_is_refused_is_not_offered_again(
    context: BrowserContext, site: FakeSite, user: Person, tmp_path: Path
) -> None:
    page = context.new_page()
    open_installed(page, site, user)
    other = tmp_path / "notes.txt"
    other.write_bytes(b"not a video")
    share(page, other)
    accept(page)
    expect(page.get_by_role("alert")).to_contain_text("notes.txt", timeout=IN_TIME_MS)
    wait_until(lambda: page.evaluate(WAITING) == 0, page)


def test_a_shared_video_that_the_person_removes_is_not_offered_again(
    context: BrowserContext, site: FakeSite, user: Person, small_video: Path
) -> None:
    page = context.new_page()
    open_installed(page, site, user)
    site.api.faults = {"POST /multipart/init": [(400, "file_too_large", {})]}
    share(page, small_video)
    accept(page)
    row = upload_row(page, small_video.name)
    row.get_by_role("button", name="Remove").click(timeout=IN_TIME_MS)
    wait_until(lambda: page.evaluate(WAITING) == 0, page)


def test_a_second_tab_leaves_a_shared_video_to_the_first(
    context: BrowserContext, site: FakeSite, user: Person, video: Path
) -> None:
    first = context.new_page()
    open_installed(first, site, user)
    with parts_held_after(first, 1):
        share(first, video)
        accept(first)
        expect(upload_row(first, video.name)).to_contain_text("262 kB of", timeout=IN_TIME_MS)
        second = context.new_page()
        open_signed_in(second, site.url, site.sign_in, user.email)
        second.wait_for_timeout(500)
        expect(upload_row(second, video.name)).to_have_count(0)


def test_a_share_that_no_service_worker_took_is_asked_for_again(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    share(page, small_video)
    expect(page.get_by_role("alert")).to_contain_text("Share it again", timeout=IN_TIME_MS)
    assert page.url == f"{site.url}/"


def test_the_platform_takes_shares_as_the_edge_does(
    context: BrowserContext, platform: LocalPlatform, small_video: Path
) -> None:
    person = Person("sharer@example.com", "a long password")
    platform.sign_in.create_user(person.email, person.password)
    answer = context.request.post(f"{platform.site_url}/share", data="", max_redirects=0)
    assert (answer.status, answer.headers["location"]) == (303, "/?share=failed")
    page = context.new_page()
    sign_in(page, platform.site_url, person)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
    share(page, small_video)
    accept(page)
    expect(page.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
