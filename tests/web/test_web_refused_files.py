"""Files that the page refuses before it sends anything of them."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web import walkthroughs
from tests.web.fake_site import FakeSite
from tests.web.walkthroughs import IN_TIME_MS, Person


def test_a_file_that_begins_as_no_video_does_is_refused_before_it_is_sent(
    page: Page, site: FakeSite, user: Person, tmp_path: Path
) -> None:
    text, photo, theora = tmp_path / "notes.mp4", tmp_path / "photo.mov", tmp_path / "theora.mp4"
    text.write_text("Dear reader")
    theora.write_bytes(b"OggS" + bytes(64))
    photo.write_bytes(b"\0\0\0\x18ftypheic" + bytes(64))
    walkthroughs.sign_in(page, site.url, user)
    assert ".ogv" not in (page.locator("#files").get_attribute("accept") or ".ogv")
    walkthroughs.choose(page, text, photo, theora)
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("This file is not a video. Choose another file.", timeout=IN_TIME_MS)
    expect(refused).to_contain_text("This is a HEIC file, not a video.")
    expect(refused).to_contain_text(
        "in a format that is not accepted here. Choose a video in one of these formats: MP4,"
    )
    assert site.api.videos == {}
