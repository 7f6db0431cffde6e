"""Unfinished uploads that go on: after a reload, with a file that changed, in another tab, on another device."""

import os
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from tests.web.fake_api import FakeVideo
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.waiting import ADA, PARTS, begin, expect_uploaded, wait_until
from tests.web.walkthroughs import IN_TIME_MS, choose, upload_row


def test_an_upload_goes_on_from_another_device(page: Page, site: FakeSite, video: Path, browser: Browser) -> None:
    begin(page, site, video, parts=2)
    page.close()
    site.storage.let_through(None)
    first = sorted(site.storage.puts)
    context = browser.new_context(locale="en-GB", service_workers="block")
    other = context.new_page()
    open_signed_in(other, site.url, site.sign_in, ADA)
    expect(other.get_by_role("list", name="Unfinished uploads")).to_contain_text(video.name, timeout=IN_TIME_MS)
    choose(other, video)
    expect_uploaded(other, site, video)
    assert len(site.api.videos) == 1
    assert set(first) <= set(site.storage.puts)
    context.close()


def begin_two_parts(page: Page, site: FakeSite, file: Path) -> None:
    """Begin an upload of which S3 has two parts, and reload the page."""
    begin(page, site, file, parts=2)
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    site.storage.cut()
    site.storage.let_through(None)
    expect(page.get_by_role("list", name="Unfinished uploads")).to_contain_text("mp4", timeout=IN_TIME_MS)


def test_a_file_that_was_only_touched_goes_on_and_sends_what_is_missing(
    page: Page, site: FakeSite, tmp_path: Path, video: Path
) -> None:
    touched = tmp_path / "touched.mp4"
    touched.write_bytes(video.read_bytes())
    begin_two_parts(page, site, touched)
    stored = set(site.storage.puts)
    os.utime(touched, (1e9, 1e9))
    choose(page, touched)
    expect_uploaded(page, site, touched)
    assert len(site.api.videos) == 1
    assert len(site.storage.puts) == PARTS
    assert stored <= set(site.storage.puts)


def test_a_file_that_changed_since_is_not_mixed_with_its_older_self(
    page: Page, site: FakeSite, tmp_path: Path, video: Path
) -> None:
    changing = tmp_path / "changing.mp4"
    changing.write_bytes(video.read_bytes())
    begin_two_parts(page, site, changing)
    content = bytearray(video.read_bytes())
    content[100:104] = b"else"
    changing.write_bytes(content)
    os.utime(changing, (1e9, 1e9))
    choose(page, changing)
    expect_uploaded(page, site, changing)
    assert len(site.api.videos) == 1
    assert len(site.storage.puts) == PARTS + 1, "the part that differs is sent again"


def test_a_name_in_the_other_unicode_form_is_the_same_file(
    page: Page, site: FakeSite, tmp_path: Path, video: Path
) -> None:
    composed = tmp_path / unicodedata.normalize("NFC", "Grüße.mp4")
    composed.write_bytes(video.read_bytes())
    begin_two_parts(page, site, composed)
    decomposed = composed.rename(tmp_path / unicodedata.normalize("NFD", "Grüße.mp4"))
    choose(page, decomposed)
    wait_until(lambda: bool(site.storage.objects), page)
    assert len(site.api.videos) == 1
    assert len(site.storage.puts) == PARTS


def test_two_tabs_do_not_send_the_same_upload_and_the_second_cannot_end_it(
    page: Page, site: FakeSite, video: Path
) -> None:
    begin(page, site, video, parts=2)
    second = page.context.new_page()
    open_signed_in(second, site.url, site.sign_in, ADA)
    listed = second.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")
    expect(listed).to_contain_text("Open in another tab", timeout=IN_TIME_MS)
    expect(listed.get_by_role("button")).to_have_count(0)
    choose(second, video)
    row = upload_row(second, video.name)
    expect(row).to_contain_text("already running in another tab", timeout=IN_TIME_MS)
    expect(row.get_by_role("button", name="Cancel")).to_have_count(0)
    row.get_by_role("button", name="Remove").click()
    expect(listed).to_contain_text("Open in another tab", timeout=IN_TIME_MS)
    assert "POST /multipart/abort" not in site.api.calls
    site.storage.let_through(None)
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]
    expect(listed).to_have_count(0, timeout=IN_TIME_MS)
    second.close()


def test_an_upload_whose_tab_was_closed_can_go_on_in_another_one(page: Page, site: FakeSite, video: Path) -> None:
    begin(page, site, video, parts=2)
    second = page.context.new_page()
    open_signed_in(second, site.url, site.sign_in, ADA)
    listed = second.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")
    expect(listed).to_contain_text("Open in another tab", timeout=IN_TIME_MS)
    page.close()
    expect(listed.get_by_role("button", name="Choose the file")).to_be_visible(timeout=IN_TIME_MS)
    site.storage.let_through(None)
    choose(second, video)
    expect_uploaded(second, site, video)
    assert len(site.api.videos) == 1


FIGURES_ARE_BELOW_THE_NAME = """item => {
    const [head, figures] = [".upload-head", ".figures"].map(part => item.querySelector(part).getBoundingClientRect());
    return head.height > 0 && head.bottom <= figures.top;
}"""
"""In one call: between two, the page may take on its new size."""


def listed(page: Page) -> Locator:
    return page.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")


def begin_two_active_parts(page: Page, site: FakeSite, video: Path) -> FakeVideo:
    """Begin an upload of which S3 has two parts, the newest a moment old."""
    begin(page, site, video, parts=2)
    (running,) = site.api.videos.values()
    running.idle_seconds = 4
    return running


@contextmanager
def another_device(browser: Browser, site: FakeSite) -> Generator[Page]:
    """Another profile of the same person, whose clock the test moves."""
    context = browser.new_context(locale="en-GB", service_workers="block")
    page = context.new_page()
    page.clock.install()
    open_signed_in(page, site.url, site.sign_in, ADA)
    yield page
    context.close()


def test_an_unfinished_upload_says_how_much_is_stored_and_until_when_it_can_be_resumed(
    page: Page, site: FakeSite, video: Path
) -> None:
    begin_two_parts(page, site, video)
    expect(listed(page)).to_contain_text("524 kB of 1.2 MB stored · can be resumed until 31 Jan 2099")
    # Each in a line of its own on a phone: a name without room is not there at all.
    page.set_viewport_size({"width": 390, "height": 844})
    expect(listed(page).get_by_text(video.name)).to_be_visible()
    wait_until(lambda: listed(page).evaluate(FIGURES_ARE_BELOW_THE_NAME), page)


def test_what_another_device_sends_can_be_neither_discarded_nor_cancelled_here(
    page: Page, site: FakeSite, video: Path, browser: Browser
) -> None:
    running = begin_two_active_parts(page, site, video)
    with another_device(browser, site) as other:
        expect(listed(other)).to_contain_text("Uploading on another device", timeout=IN_TIME_MS)
        expect(listed(other).get_by_role("button", name="Discard")).to_have_count(0)
        choose(other, video)
        row = upload_row(other, video.name)
        expect(row).to_contain_text("running on another device", timeout=IN_TIME_MS)
        expect(row.get_by_role("button", name="Cancel")).to_have_count(0)
        row.get_by_role("button", name="Remove").click()
        expect(listed(other)).to_contain_text("Uploading on another device", timeout=IN_TIME_MS)

        running.idle_seconds = 130
        other.clock.fast_forward(31_000)
        expect(listed(other).get_by_role("button", name="Discard")).to_be_visible(timeout=IN_TIME_MS)
        # It went on there since this list came.
        running.idle_seconds = 2
        other.clock.fast_forward(31_000)
        listed(other).get_by_role("button", name="Discard").click()
        other.get_by_role("dialog").get_by_role("button", name="Discard").click()
        expect(other.get_by_role("alert")).to_contain_text("running on another device", timeout=IN_TIME_MS)
        assert "POST /multipart/abort" not in site.api.calls

        site.storage.let_through(None)
        expect_uploaded(page, site, video)
        other.clock.fast_forward(31_000)
        expect(listed(other)).to_have_count(0, timeout=IN_TIME_MS)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]


def test_what_another_device_sends_can_be_continued_here_on_purpose_and_ends_well_on_both(
    page: Page, site: FakeSite, video: Path, browser: Browser
) -> None:
    begin_two_active_parts(page, site, video)
    with another_device(browser, site) as other:
        choose(other, video)
        upload_row(other, video.name).get_by_role("button", name="Try again").click()
        site.storage.let_through(None)
        for each in (page, other):
            expect_uploaded(each, site, video)
    assert len(site.api.videos) == 1


def test_a_reloaded_page_takes_what_it_sent_itself_for_no_other_device(page: Page, site: FakeSite, video: Path) -> None:
    begin(page, site, video, parts=2)
    (running,) = site.api.videos.values()
    running.idle_seconds = 1
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(listed(page)).to_contain_text("Unfinished", timeout=IN_TIME_MS)
    expect(listed(page).get_by_role("button", name="Discard")).to_be_visible()
