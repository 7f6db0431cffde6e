"""Unfinished uploads that go on: after a reload, with a file that changed, in another tab, on another device."""

import os
import unicodedata
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

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
