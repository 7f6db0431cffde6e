"""Walkthroughs of the page, from signing in to deleting."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web import walkthroughs
from tests.web.fake_site import FakeSite
from tests.web.walkthroughs import IN_TIME_MS, Person


def test_a_person_signs_in_and_out(page: Page, site: FakeSite, user: Person) -> None:
    walkthroughs.sign_out(page, site.url, user)


def test_a_video_is_uploaded_in_parts_then_played_and_deleted(
    page: Page, site: FakeSite, user: Person, video: Path
) -> None:
    walkthroughs.upload(page, site.url, user, video)
    assert next(content for _, content in site.storage.objects.values() if len(content) > 10**6) == video.read_bytes()
    walkthroughs.play(page, video.name)
    walkthroughs.delete(page, video.name)


def test_a_paused_upload_goes_on_where_it_stopped(page: Page, site: FakeSite, user: Person, video: Path) -> None:
    walkthroughs.pause_and_resume(page, site.url, user, video)


def test_after_a_reload_only_the_missing_parts_are_sent(page: Page, site: FakeSite, user: Person, video: Path) -> None:
    walkthroughs.resume_after_reload(page, site.url, user, video)


def test_a_cancelled_upload_leaves_nothing_behind(page: Page, site: FakeSite, user: Person, video: Path) -> None:
    walkthroughs.cancel(page, site.url, user, video)
    assert site.storage.parts == {}


def test_a_file_other_than_a_video_is_rejected_in_words(
    page: Page, site: FakeSite, user: Person, tmp_path: Path
) -> None:
    liar = tmp_path / "liar.mp4"
    liar.write_bytes(b"\0\0\0\4moov" * 1024)  # no box is that short
    walkthroughs.upload_a_file_that_is_not_a_video(page, site.url, user, liar)


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
