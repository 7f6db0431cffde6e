"""Many files at once: their figures together, what may be done with all of them, folders, paste, small rows."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, choose, upload_row

MAX_ROW_PIXELS = 56


@pytest.fixture
def films(small_video: Path, tmp_path: Path) -> list[Path]:
    folder = tmp_path / "camera"
    folder.mkdir()
    files = [folder / name for name in ("first.mp4", "second.mp4", "third.mp4")]
    for file in files:
        file.write_bytes(small_video.read_bytes())
    return files


def summary(page: Page) -> Locator:
    return page.get_by_role("group", name="All uploads")


def press(page: Page, action: str) -> None:
    summary(page).get_by_role("button", name=action, exact=True).click()


def test_all_uploads_are_paused_resumed_and_cleared_together(
    page: Page, site: FakeSite, user: Person, films: list[Path]
) -> None:
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, user.email)
    choose(page, *films)
    expect(summary(page)).to_contain_text("0 of 3 uploaded", timeout=IN_TIME_MS)
    expect(upload_row(page, films[0].name)).to_contain_text("Uploading", timeout=IN_TIME_MS)
    press(page, "Pause all")
    for film in films[1:]:
        expect(upload_row(page, film.name)).to_contain_text("Paused")
    site.storage.let_through(None)
    expect(upload_row(page, films[0].name)).to_contain_text("Paused", timeout=IN_TIME_MS)
    expect(upload_row(page, films[1].name)).to_contain_text("Paused")
    press(page, "Resume all")
    for film in films:
        expect(upload_row(page, film.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
    expect(summary(page)).to_contain_text("3 of 3 uploaded")
    expect(summary(page)).to_contain_text("100%")
    press(page, "Clear finished")
    expect(page.get_by_role("list", name="Uploads", exact=True).get_by_role("listitem")).to_have_count(0)
    expect(summary(page)).to_be_hidden()


def test_cancelling_all_asks_once_and_leaves_nothing_in_the_storage(
    page: Page, site: FakeSite, user: Person, films: list[Path]
) -> None:
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, user.email)
    choose(page, *films)
    expect(upload_row(page, films[0].name)).to_contain_text("Uploading", timeout=IN_TIME_MS)
    press(page, "Cancel all")
    page.get_by_role("dialog").get_by_role("button", name="Cancel all").click()
    expect(page.get_by_role("list", name="Uploads", exact=True).get_by_role("listitem")).to_have_count(0)
    assert site.storage.puts == []
    assert site.storage.objects == {}


def test_one_file_has_no_line_for_all(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    choose(page, small_video)
    expect(upload_row(page, small_video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    expect(summary(page)).to_be_hidden()


@pytest.mark.parametrize("width", [1200, 360])
def test_rows_are_low_and_show_a_picture_of_the_local_file_and_the_drop_area_shrinks(
    page: Page, site: FakeSite, user: Person, films: list[Path], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, user.email)
    drop = page.locator("#drop")
    high = drop.evaluate("drop => drop.offsetHeight")
    choose(page, *films)
    for film in films:
        row = upload_row(page, film.name)
        expect(row.locator("canvas")).to_be_visible(timeout=IN_TIME_MS)
        assert row.evaluate("row => row.offsetHeight") <= MAX_ROW_PIXELS
    colours = """canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
    }"""
    assert upload_row(page, films[0].name).locator("canvas").evaluate(colours) > 1
    assert drop.evaluate("drop => drop.offsetHeight") < high


def test_a_folder_is_chosen_and_what_is_no_video_in_it_is_left_out(
    page: Page, site: FakeSite, user: Person, films: list[Path]
) -> None:
    folder = films[0].parent
    (folder / "notes.txt").write_text("no video")
    (folder / "._first.mp4").write_text("a note of macOS")
    (folder / "more").mkdir()
    films[2].rename(folder / "more" / films[2].name)
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.get_by_label("Choose a folder").set_input_files(folder)
    for film in films:
        expect(upload_row(page, film.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
    expect(page.get_by_role("alert")).to_contain_text("2 files in the folder are not videos")


def test_a_pasted_file_is_uploaded(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.evaluate(
        """(content) => {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], "pasted.mp4"));
            const options = { clipboardData, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        base64.b64encode(small_video.read_bytes()).decode(),
    )
    expect(upload_row(page, "pasted.mp4").get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)


def test_the_screen_stays_awake_while_something_is_sent(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    page.add_init_script(
        """
        window.awake = 0;
        const request = async () => {
            window.awake += 1;
            const lock = { released: false, release: async () => { lock.released = true; window.awake -= 1; } };
            return lock;
        };
        Object.defineProperty(navigator, "wakeLock", { value: { request } });
        """
    )
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, user.email)
    assert page.evaluate("window.awake") == 0
    choose(page, small_video)
    expect(upload_row(page, small_video.name)).to_contain_text("Uploading", timeout=IN_TIME_MS)
    page.wait_for_function("window.awake === 1")
    site.storage.let_through(None)
    expect(upload_row(page, small_video.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    page.wait_for_function("window.awake === 0")


def ask_about_duplicates(page: Page, site: FakeSite, user: Person, small_video: Path, other: Path) -> None:
    """Choose a video that the library has under another name, one of its size that it does not have, and another."""
    content = small_video.read_bytes()
    site.api.add_ready_video(user.email, "archive.mp4", content)
    other.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Play archive.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    unlike = other.with_name("unlike.mp4")
    unlike.write_bytes(content + b"more")
    choose(page, small_video, other, unlike)
    expect(page.get_by_role("dialog")).to_contain_text(f"{small_video.name} is already in your library")
    # No question keeps it back.
    expect(upload_row(page, unlike.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)


def test_a_video_that_the_library_has_is_skipped_when_the_person_says_so(
    page: Page, site: FakeSite, user: Person, small_video: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    ask_about_duplicates(page, site, user, small_video, other)
    page.get_by_role("dialog").get_by_role("button", name="Skip").click()
    expect(upload_row(page, other.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
    expect(upload_row(page, small_video.name)).to_have_count(0)


def test_a_video_that_the_library_has_is_uploaded_once_more_when_the_person_says_so(
    page: Page, site: FakeSite, user: Person, small_video: Path, tmp_path: Path
) -> None:
    ask_about_duplicates(page, site, user, small_video, tmp_path / "other.mp4")
    again = page.get_by_role("dialog").get_by_role("button", name="Upload again")
    expect(again).to_have_class("primary")  # red is for what deletes
    again.click()
    expect(upload_row(page, small_video.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
