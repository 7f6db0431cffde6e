"""Files whose handles the browser keeps: after a reload one click resumes all, and nothing depends on them."""

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.media.sample_videos import write_sample_video
from tests.web.fake_api import FAKE_PART_SIZE_BYTES
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.waiting import ADA, PARTS, expect_uploaded, wait_until
from tests.web.walkthroughs import IN_TIME_MS, upload_row

PICKER = """
    // Files of the origin's own file system stand for the person's: their handles can be stored and opened alike.
    window.showOpenFilePicker = async () => {
        const folder = await navigator.storage.getDirectory();
        const handles = await Array.fromAsync(folder.values());
        return handles.sort((one, other) => one.name < other.name ? -1 : 1);
    };
    const asked = [];
    let isGranted = false;
    window.permissions = { asked, refused: false };
    FileSystemFileHandle.prototype.queryPermission = async () => isGranted ? "granted" : "prompt";
    FileSystemFileHandle.prototype.requestPermission = async function () {
        if (!navigator.userActivation.isActive) throw new DOMException("not in a click", "SecurityError");
        asked.push(this.name);
        isGranted = !window.permissions.refused;
        return isGranted ? "granted" : "denied";
    };
"""
NO_STORAGE = {
    "blocked": """
        Object.defineProperty(window, "indexedDB", { get() { throw new DOMException("blocked", "SecurityError"); } });
    """,
    "full": """
        IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
    """,
    "hanging": """
        IDBFactory.prototype.open = () => ({});
    """,
}


def put_into_reach(page: Page, *videos: Path) -> None:
    """Make these the files that the picker gives."""
    page.evaluate(
        """() => {
            const input = Object.assign(document.createElement("input"), { type: "file", id: "own", multiple: true });
            document.body.append(input);
        }"""
    )
    page.locator("#own").set_input_files([str(video) for video in videos])
    page.evaluate(
        """async () => {
            const folder = await navigator.storage.getDirectory();
            for (const file of document.getElementById("own").files) {
                const handle = await folder.getFileHandle(file.name, { create: true });
                const stream = await handle.createWritable();
                await stream.write(file);
                await stream.close();
            }
            document.getElementById("own").remove();
        }"""
    )


STORED_HANDLES = """() => new Promise((resolve) => {
    const opening = indexedDB.open("video-uploader");
    opening.onsuccess = () => {
        const counting = opening.result.transaction("files").objectStore("files").count();
        counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
    };
})"""


def begin_by_picker(page: Page, site: FakeSite, *videos: Path, parts: int) -> None:
    """Choose the files by the picker that gives handles, and have the storage hold back all but some parts."""
    site.storage.let_through(parts)
    page.add_init_script(PICKER)
    open_signed_in(page, site.url, site.sign_in, ADA)
    put_into_reach(page, *videos)
    page.get_by_text("Choose videos").click()
    wait_until(lambda: len(site.storage.puts) == parts, page)


def reload(page: Page) -> None:
    page.once("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(listed(page).first).to_be_visible(timeout=IN_TIME_MS)


def listed(page: Page) -> Locator:
    return page.get_by_role("list", name="Unfinished uploads").get_by_role("listitem")


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """Two videos in five parts each."""
    paths = [tmp_path / "first.mp4", tmp_path / "second.mp4"]
    for number, path in enumerate(paths):
        write_sample_video(path, pad_to_bytes=22 * FAKE_PART_SIZE_BYTES // 5 + number)
    return paths


def test_one_click_after_a_reload_resumes_everything(page: Page, site: FakeSite, films: list[Path]) -> None:
    begin_by_picker(page, site, *films, parts=2)
    page.get_by_role("button", name=f"Pause {films[0].name}").click()
    page.get_by_role("button", name=f"Stop now: {films[0].name}").click()
    # The page stores a handle when it learns of the upload, a moment after the API does.
    wait_until(lambda: page.evaluate(STORED_HANDLES) == 2, page)
    reload(page)
    site.storage.let_through(None)
    page.get_by_role("button", name="Resume all").click()
    for film in films:
        expect_uploaded(page, site, film)
    assert len(page.evaluate("() => permissions.asked")) == 1, "one permission is good for all files"
    assert len(site.api.videos) == 2
    assert len(site.storage.puts) == 2 * PARTS, "no part is sent twice"
    expect(page.get_by_role("button", name="Resume all")).to_have_count(0)
    kept = "() => new Promise((done) => indexedDB.open('video-uploader').onsuccess = ({ target }) => target.result"
    kept += ".transaction('files').objectStore('files').count().onsuccess = ({ target }) => done(target.result))"
    wait_until(lambda: page.evaluate(kept) == 0, page)


def test_a_file_that_is_gone_or_refused_is_asked_for_in_its_row(page: Page, site: FakeSite, video: Path) -> None:
    begin_by_picker(page, site, video, parts=2)
    reload(page)
    page.evaluate("() => { permissions.refused = true; }")
    expect(listed(page).get_by_role("button", name="Choose the file")).to_have_count(0)
    page.get_by_role("button", name=f"Resume {video.name}").click()
    expect(listed(page).get_by_role("button", name="Choose the file")).to_be_visible(timeout=IN_TIME_MS)
    reload(page)
    page.evaluate("async (name) => (await navigator.storage.getDirectory()).removeEntry(name)", video.name)
    page.get_by_role("button", name="Resume all").click()
    expect(page.get_by_role("alert")).to_contain_text("was moved, changed or deleted", timeout=IN_TIME_MS)
    expect(listed(page).get_by_role("button", name="Choose the file")).to_be_visible()


@pytest.mark.parametrize("how", NO_STORAGE)
def test_a_storage_that_keeps_no_handles_stops_no_upload(page: Page, site: FakeSite, video: Path, how: str) -> None:
    page.add_init_script(NO_STORAGE[how])
    begin_by_picker(page, site, video, parts=2)
    reload(page)
    expect(listed(page).get_by_role("button", name="Choose the file")).to_be_visible(timeout=IN_TIME_MS)
    site.storage.let_through(None)
    listed(page).get_by_role("button", name="Choose the file").click()
    expect_uploaded(page, site, video)
    assert len(site.storage.puts) == PARTS


def test_a_browser_without_handles_opens_the_usual_chooser(page: Page, site: FakeSite, small_video: Path) -> None:
    open_signed_in(page, site.url, site.sign_in, ADA)
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Choose videos").click()
    chooser.value.set_files(str(small_video))
    expect_uploaded(page, site, small_video)
    expect(upload_row(page, small_video.name)).to_have_count(1)
