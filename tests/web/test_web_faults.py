"""Behaviour of the page when the network, S3 or the API fails."""

import re
from pathlib import Path
from time import sleep

import pytest
from playwright.sync_api import Page, expect

from tests.media.sample_videos import write_sample_video
from tests.web.fake_api import FAKE_PART_SIZE_BYTES
from tests.web.fake_site import FakeSite
from tests.web.fake_storage import crc64nvme_base64
from tests.web.session import open_signed_in
from tests.web.waiting import ADA, PARTS, begin, expect_uploaded, wait_until
from tests.web.walkthroughs import IN_TIME_MS, choose, upload_row

STORES_NOTHING = {
    "blocked": """
        for (const name of ["localStorage", "indexedDB"]) {
            Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
        }
    """,
    "full": """
        const store = Storage.prototype.setItem;
        Storage.prototype.setItem = function (...given) {
            if (this === localStorage) throw new DOMException("full", "QuotaExceededError");
            store.apply(this, given);
        };
    """,
}


def test_two_parts_are_on_their_way_at_first_and_each_part_is_sent_once(
    page: Page, site: FakeSite, tmp_path: Path
) -> None:
    film = tmp_path / "film.mp4"
    write_sample_video(film, pad_to_bytes=20 * FAKE_PART_SIZE_BYTES)
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, film)
    wait_until(lambda: site.storage.most_at_once == 2, page)
    sleep(0.2)
    assert site.storage.most_at_once == 2
    site.storage.let_through(None)
    expect_uploaded(page, site, film)
    assert sorted(site.storage.puts) == list(range(1, 21))


def test_parts_that_fail_are_sent_again_and_the_others_are_not(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints += ["500", "503", "CORS policy", "net::ERR_FAILED"]
    site.storage.faults = [500, 0, 503]
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]


def test_ended_urls_are_signed_again(page: Page, site: FakeSite, video: Path, complaints: list[str]) -> None:
    complaints.append("403")
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    wait_until(lambda: site.storage.most_at_once == 2, page)
    site.storage.end_signatures()
    site.storage.let_through(None)
    expect_uploaded(page, site, video)
    assert 1 <= site.api.calls.count("POST /multipart/parts") <= 4


def test_urls_beyond_the_first_page_are_fetched_a_page_at_a_time(page: Page, site: FakeSite, video: Path) -> None:
    site.api.first_page_parts = 1
    site.api.urls_per_call = 2
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]
    assert site.api.calls.count("POST /multipart/parts") == 2


def test_the_whole_file_is_vouched_for_by_its_checksum(page: Page, site: FakeSite, video: Path) -> None:
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)
    assert site.api.checksums == [crc64nvme_base64(video.read_bytes())]


def test_a_part_that_arrived_damaged_is_found_by_its_checksum_and_alone_sent_again(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints.append("400")
    site.storage.damaged_parts = {3}
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 3, 4, 5]
    assert len(site.api.checksums) == 2


def test_a_storage_that_hides_etags_is_asked_for_its_list(page: Page, site: FakeSite, video: Path) -> None:
    site.storage.hide_etag = True
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)


def test_a_slow_completion_is_asked_for_until_it_is_there(page: Page, site: FakeSite, small_video: Path) -> None:
    site.api.completing_answers = 2
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    expect(upload_row(page, small_video.name).get_by_text("Finishing")).to_be_visible(timeout=IN_TIME_MS)
    expect_uploaded(page, site, small_video)
    assert site.api.calls.count("POST /multipart/complete") == 3


def test_a_part_that_s3_lost_is_sent_again_at_completion(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints.append("400")
    begin(page, site, video, parts=4)
    (parts,) = site.storage.parts.values()
    lost = site.storage.puts[0]
    del parts[lost]
    site.storage.let_through(None)
    expect_uploaded(page, site, video)
    assert site.storage.puts.count(lost) == 2
    assert len(site.storage.puts) == PARTS + 1


NEARLY_FULL = {"maxStoredBytes": 9 * 10**9, "storedBytes": 6 * 10**9, "reservedBytes": 2 * 10**9, "sizeBytes": 10**10}


def test_a_refused_upload_says_why(page: Page, site: FakeSite, small_video: Path, complaints: list[str]) -> None:
    refusals = [
        (413, "file_too_large", {"maxBytes": 2_000_000_000}, "The limit is 2.0 GB"),
        (429, "too_many_open_uploads", {}, "too many unfinished uploads"),
        (429, "stored_bytes_exceeded", NEARLY_FULL, "1.0 GB of your 9.0 GB are free. Delete another video"),
        (429, "too_many_stored_videos", {"maxStoredVideos": 7}, "the limit of 7 videos. Delete one"),
        (400, "invalid_request", {"problems": [{"field": "fileName", "problem": "is odd"}]}, "fileName is odd"),
        (403, "forbidden", {}, "Your account is not allowed to do this."),
    ]
    complaints += [str(status) for status, *_ in refusals]
    open_signed_in(page, site.url, site.sign_in, ADA)
    for status, code, details, words in refusals:
        site.api.faults = {"POST /multipart/init": [(status, code, details)]}
        choose(page, small_video)
        row = upload_row(page, small_video.name)
        expect(row).to_contain_text(words, timeout=IN_TIME_MS)
        row.get_by_role("button", name=re.compile("Remove|Cancel")).click()
        if page.get_by_role("dialog").is_visible():
            page.get_by_role("button", name="Cancel the upload").click()
        expect(row).to_have_count(0)


def test_another_try_after_a_failure_sends_nothing_again(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints += ["429", "409"]
    site.api.faults = {
        "POST /multipart/init": [(429, "too_many_open_uploads", {})],
        "POST /multipart/complete": [(409, "upload_odd", {})],
    }
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    for words in ("You have too many unfinished uploads.", "Something went wrong."):
        expect(upload_row(page, video.name)).to_contain_text(words, timeout=IN_TIME_MS)
        page.get_by_role("button", name=f"Try again: {video.name}").click()
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]
    assert len(site.api.videos) == 1


def test_a_paused_upload_can_be_cancelled(page: Page, site: FakeSite, video: Path) -> None:
    begin(page, site, video, parts=2)
    page.get_by_role("button", name=f"Pause {video.name}").click()
    page.get_by_role("button", name=f"Cancel {video.name}").click()
    page.get_by_role("button", name="Cancel the upload").click()
    expect(upload_row(page, video.name)).to_have_count(0, timeout=IN_TIME_MS)
    assert [upload.state for upload in site.api.videos.values()] == ["aborted"]
    site.storage.let_through(None)


def test_an_upload_that_was_cancelled_elsewhere_ends_and_says_so(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints += ["404", "409"]
    begin(page, site, video, parts=1)
    (upload,) = site.api.videos.values()
    upload.state = "aborted"
    del site.storage.parts[upload.video_id]
    site.storage.let_through(None)
    row = upload_row(page, video.name)
    expect(row).to_contain_text("This upload was cancelled. Upload the file again.", timeout=IN_TIME_MS)
    expect(row.get_by_role("button", name="Try again")).to_be_hidden()
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def test_a_line_that_comes_back_ends_the_wait(page: Page, site: FakeSite, video: Path, complaints: list[str]) -> None:
    complaints.append("ERR_INTERNET_DISCONNECTED")
    begin(page, site, video, parts=1)
    page.context.set_offline(True)
    site.storage.let_through(None)
    expect(upload_row(page, video.name)).to_contain_text("No connection, trying again in", timeout=IN_TIME_MS)
    page.context.set_offline(False)
    expect_uploaded(page, site, video)


def test_files_that_can_be_no_video_are_refused_before_anything_is_sent(
    page: Page, site: FakeSite, tmp_path: Path
) -> None:
    text, empty = tmp_path / "notes.txt", tmp_path / "empty.mp4"
    text.write_text("hello")
    empty.touch()
    open_signed_in(page, site.url, site.sign_in, ADA)
    for file, words in ((text, "This file type is not supported"), (empty, "This file is empty.")):
        choose(page, file)
        expect(page.get_by_role("alert").filter(has_text=file.name)).to_contain_text(words)
    assert "POST /multipart/init" not in site.api.calls


def test_of_several_refused_files_none_goes_unmentioned(page: Page, site: FakeSite, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.mp4", "b.txt", "c.mp4", "d.txt", "e.txt", "f.txt")]
    for file in files:
        file.touch()
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, *files)
    banner = page.get_by_role("alert")
    for said in ("a.mp4: This file is empty.", "b.txt: This file type", "c.mp4: This file", "d.txt:", "And 2 more."):
        expect(banner).to_contain_text(said)


def test_an_upload_that_s3_alone_dropped_is_told_once_and_not_listed_again(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints += ["404", "409"]
    begin(page, site, video, parts=1)
    (upload,) = site.api.videos.values()
    del site.storage.parts[upload.video_id]
    site.api.faults = {"GET /multipart/parts": [(409, "upload_expired", {})]}
    site.storage.let_through(None)
    expect(upload_row(page, video.name)).to_contain_text("has expired", timeout=IN_TIME_MS)
    wait_until(lambda: upload.state == "aborted", page)
    page.reload()
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    expect(page.get_by_role("heading", name="Unfinished uploads")).to_be_hidden()


def test_a_storage_that_wants_checksums_gets_them(
    page: Page, site: FakeSite, video: Path, complaints: list[str]
) -> None:
    complaints.append("400")
    site.storage.wants_checksums = True
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    expect_uploaded(page, site, video)
    assert sorted(site.storage.puts) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("way", ["blocked", "full"])
def test_a_browser_that_stores_nothing_uploads_all_the_same(
    page: Page, site: FakeSite, small_video: Path, *, way: str
) -> None:
    page.add_init_script(STORES_NOTHING[way])
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, small_video)
    expect_uploaded(page, site, small_video)


def test_signing_out_while_an_upload_runs_asks_first(page: Page, site: FakeSite, video: Path) -> None:
    begin(page, site, video, parts=1)
    page.get_by_role("button", name="Sign out").click()
    question = page.get_by_role("dialog", name="Sign out while videos are uploading?")
    question.get_by_role("button", name="Keep uploading").click()
    expect(upload_row(page, video.name)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    question.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible(timeout=IN_TIME_MS)
    assert [upload.state for upload in site.api.videos.values()] == ["uploading"], "what arrived stays"
    site.storage.let_through(None)


def test_a_stall_is_said_and_neither_speed_nor_time_left_is_shown_meanwhile(
    page: Page, site: FakeSite, video: Path, small_video: Path
) -> None:
    begin(page, site, video, parts=2)
    choose(page, small_video)  # two rows have a summary as well
    expect(upload_row(page, video.name)).to_contain_text("Stalled", timeout=IN_TIME_MS)
    shown = page.evaluate(
        """() => [...document.querySelector("video-uploader").shadowRoot.children]
            .filter((each) => each.checkVisibility()).map((each) => each.innerText).join("\\n")"""
    )
    assert "of 1.2 MB" in shown
    assert not re.search(r"/s\b|\bleft\b", shown), shown
    site.storage.let_through(None)
    expect_uploaded(page, site, video)
