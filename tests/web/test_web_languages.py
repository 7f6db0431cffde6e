"""Languages: the page and its uploader speak the one that the browser asks for, with its numbers, dates and plurals."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.waiting import wait_until
from tests.web.walkthroughs import IN_TIME_MS, Person

OTHER = b"\0"
"""Makes another video of it: the page asks about those that the library has."""


@pytest.mark.parametrize("locale", ["de-DE"])
def test_the_page_speaks_german_where_the_browser_asks_for_it(
    page: Page, site: FakeSite, user: Person, video: Path, small_video: Path
) -> None:
    for name in ("Alpen.mp4", "Strand.mp4"):
        site.api.add_ready_video(user.email, name, small_video.read_bytes() + OTHER)
    site.storage.let_through(2)
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    picker = page.get_by_label("Videos auswählen")
    picker.set_input_files([video, small_video])
    picker.set_input_files({"name": "Notizen.txt", "mimeType": "text/plain", "buffer": b"kein Video"})
    expect(page.get_by_role("alert")).to_contain_text("Wählen Sie ein Video in einem dieser Formate aus: MP4, MOV")
    uploads = page.get_by_role("list", name="Uploads").get_by_role("listitem")
    expect(uploads.first).to_contain_text("Wird hochgeladen", timeout=IN_TIME_MS)
    expect(uploads.first).to_contain_text("von 1,2 MB")
    expect(uploads.last).to_contain_text("Wartet")
    page.get_by_role("button", name=f"{video.name} abbrechen").click()
    question = page.get_by_role("dialog", name=f"Upload von {video.name} abbrechen?")
    question.get_by_role("button", name="Weiter hochladen").click()
    site.storage.let_through(None)
    for row in (uploads.first, uploads.last):
        expect(row.get_by_text("Hochgeladen")).to_be_visible(timeout=2 * IN_TIME_MS)
    expect(page.get_by_role("button", name=f"{video.name} abspielen")).to_be_enabled(timeout=IN_TIME_MS)
    expect(page.get_by_role("heading", name="Januar 2026")).to_be_visible()
    page.get_by_label("Videos durchsuchen").fill("Alp")
    expect(page.locator("body > #live")).to_have_text("1 Video")


@pytest.mark.parametrize("locale", ["de-DE"])
def test_an_upload_that_waits_is_offered_in_german(page: Page, site: FakeSite, user: Person, video: Path) -> None:
    page.on("dialog", lambda dialog: dialog.accept())
    site.storage.let_through(1)
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.get_by_label("Videos auswählen").set_input_files(video)
    wait_until(lambda: len(site.storage.puts) == 1, page)
    page.reload()
    waiting = page.get_by_role("list", name="Unvollständige Uploads").get_by_role("listitem")
    expect(waiting).to_contain_text("262 kB von 1,2 MB gespeichert · fortsetzbar bis", timeout=IN_TIME_MS)
    expect(waiting.get_by_role("button", name=f"Datei {video.name} auswählen")).to_be_visible()


@pytest.mark.parametrize("locale", ["fr-FR"])
def test_the_page_speaks_english_to_everybody_else(page: Page, site: FakeSite) -> None:
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Upload large videos safely.")).to_be_visible(timeout=IN_TIME_MS)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title("Videos")


@pytest.mark.parametrize("locale", ["de-DE"])
def test_german_fits_320_pixels(page: Page, site: FakeSite, user: Person, video: Path, small_video: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    site.api.add_ready_video(user.email, "Alpen.mp4", small_video.read_bytes() + OTHER)
    site.storage.let_through(1)
    page.goto(site.url)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.get_by_label("Videos auswählen").set_input_files([video, small_video])
    expect(page.get_by_role("button", name="Alle anhalten")).to_be_visible(timeout=IN_TIME_MS)
    expect(page.get_by_role("button", name="Alpen.mp4 abspielen")).to_be_enabled(timeout=IN_TIME_MS)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    page.get_by_role("button", name="Alle abbrechen").click()
    expect(page.get_by_role("button", name="Weiter hochladen")).to_be_focused()
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


@pytest.mark.parametrize("locale", ["de-DE"])
def test_a_person_reads_on_a_phone_who_is_signed_in(page: Page, site: FakeSite, user: Person) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Abmelden")).to_be_visible(timeout=IN_TIME_MS)
    name = page.get_by_text(user.email)
    assert name.evaluate("name => [name.clientWidth > 0, name.scrollWidth <= name.clientWidth]") == [True, True]
