"""The page itself: sessions, words, long libraries, small screens, dropped files."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.web.axe import serious_problems
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in, revoke_session, session_of
from tests.web.walkthroughs import IN_TIME_MS, Person, choose, sign_in, upload_row

WATCH_WORDS = """
    addEventListener("DOMContentLoaded", () => {
        window.wordsSeen = [];
        const look = () => {
            for (const id of ["library-loading", "library-empty"]) {
                const words = document.getElementById(id);
                const text = words.textContent.trim();
                if (words.checkVisibility() && wordsSeen.at(-1) !== text) wordsSeen.push(text);
            }
        };
        new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    });
"""
"""Script that records each change of the library's messages, so that one that only flashes by is noticed."""


def words_seen(page: Page) -> list[str]:
    return page.evaluate("() => window.wordsSeen")


def pauses_ms(page: Page) -> list[float]:
    """Pauses between the answer with one page of the library and the request for the next."""
    return page.evaluate(
        """() => {
            const asked = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/videos?"));
            return asked.slice(1).map((each, index) => each.startTime - asked[index].responseEnd);
        }"""
    )


@pytest.mark.parametrize("name", ["constructor", "made_up"])
def test_an_unknown_code_still_gets_a_sentence(
    page: Page, site: FakeSite, user: Person, complaints: list[str], name: str
) -> None:
    complaints.append("400")
    site.api.faults = {"GET /videos": [(400, name, {})]}
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("alert")).to_contain_text(
        "Something went wrong. Try again. If it happens again, give support the request ID r-1.", timeout=IN_TIME_MS
    )


def test_a_library_that_cannot_be_loaded_says_why_and_tries_again(
    page: Page, site: FakeSite, user: Person, small_video: Path, complaints: list[str]
) -> None:
    complaints.append("403")
    site.api.add_ready_video(user.email, "one.mp4", small_video.read_bytes())
    site.api.faults = {"GET /videos": [(403, "forbidden", {})]}
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("alert")).to_contain_text("Your account is not allowed to do this.", timeout=IN_TIME_MS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_the_library_is_searched_by_words_as_one_types(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    for name in ("Alps.mp4", "alpine lake.mp4", "Beach.mp4"):
        site.api.add_ready_video(user.email, name, small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    cards = page.get_by_role("list", name="Videos").get_by_role("listitem")
    expect(cards).to_have_count(3, timeout=IN_TIME_MS)
    search = page.get_by_role("searchbox", name="Search your videos")
    search.fill("ALP")
    expect(cards).to_have_count(2)
    search.fill("lake alp")
    expect(cards).to_have_count(1)
    search.fill("desert")
    expect(page.get_by_text("No video has these words")).to_be_visible()
    search.clear()
    expect(cards).to_have_count(3)


def test_an_order_is_the_whole_librarys_and_not_that_of_what_is_loaded(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    for number in range(60):
        site.api.add_ready_video(user.email, f"{(number * 37) % 60:02}.mp4", small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    names = page.locator("#videos .name")
    expect(names.first).to_have_text("23.mp4", timeout=IN_TIME_MS)
    page.get_by_role("region", name="Your videos").get_by_label("Order").select_option("Name, A to Z")
    expect(names.first).to_have_text("00.mp4")
    page.set_viewport_size({"width": 1280, "height": 20_000})
    expect(names).to_have_count(60, timeout=IN_TIME_MS)
    assert names.all_inner_texts() == [f"{number:02}.mp4" for number in range(60)]
    expect(page.get_by_role("heading", name="Today")).to_have_count(0)
    page.get_by_role("region", name="Your videos").get_by_label("Order").select_option("Newest first")
    expect(names.first).to_have_text("23.mp4")


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_several_videos_are_selected_by_keyboard_and_deleted_with_one_question(
    page: Page, site: FakeSite, user: Person, small_video: Path, locale: str
) -> None:
    words = {
        "en-GB": ("Select", "Select 1.mp4", "2 videos selected", "Delete 2 videos?", "1 video could not be deleted"),
        "de-DE": ("Auswählen", "1.mp4 auswählen", "2 Videos ausgewählt", "2 Videos löschen?", "1 Video konnte nicht"),
    }
    begin, select, selected, question, failed = words[locale]
    for name in ("1.mp4", "2.mp4", "3.mp4"):
        video = site.api.add_ready_video(user.email, name, small_video.read_bytes())
    site.api.undeletable = {video.video_id}
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.get_by_role("button", name=begin, exact=True).click()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name=select).check()
    expect(page.get_by_text(selected)).to_be_visible()
    assert serious_problems(page) == []
    page.locator("#selection-delete").click()
    dialog = page.get_by_role("dialog", name=question)
    dialog.locator("#confirm-yes").click()
    expect(page.get_by_role("alert")).to_contain_text(failed, timeout=IN_TIME_MS)
    expect(page.locator("#videos .name")).to_have_text(["3.mp4", "2.mp4"])
    site.api.undeletable = set()
    page.locator("#selection-delete").click()
    page.locator("#confirm-yes").click()
    expect(page.locator("#videos .name")).to_have_text(["2.mp4"])
    assert site.api.calls.count("POST /videos/delete") == 2


def test_a_download_leaves_the_page_open(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    site.api.add_ready_video(user.email, "one.mp4", small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Download one.mp4").click()
    opened.value.wait_for_url("**/objects/*")
    opened.value.close()


def test_a_session_about_to_end_is_renewed_silently(page: Page, site: FakeSite, user: Person) -> None:
    sign_in(page, site.url, user)
    first = session_of(page)
    page.evaluate(
        """() => {
            const [key] = Object.keys(sessionStorage).filter((name) => name.startsWith("oidc.user:"));
            const session = JSON.parse(sessionStorage.getItem(key));
            session.expires_at = Math.floor(Date.now() / 1000) + 30;
            sessionStorage.setItem(key, JSON.stringify(session));
        }"""
    )
    page.reload()
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    renewed = session_of(page)
    assert renewed["access_token"] != first["access_token"]
    assert renewed["refresh_token"] != first["refresh_token"]


def test_a_token_the_api_refuses_is_renewed_once(
    page: Page, site: FakeSite, user: Person, complaints: list[str]
) -> None:
    complaints.append("401")
    site.api.faults = {"GET /videos": [(401, "unauthorized", {})]}
    sign_in(page, site.url, user)
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    assert site.api.calls.count("GET /videos") == 2


def test_an_ended_session_offers_to_sign_in_again(
    page: Page, site: FakeSite, user: Person, complaints: list[str]
) -> None:
    complaints += ["400", "401"]
    sign_in(page, site.url, user)
    # The page's own first look must be over: the one refusal below is meant for the reloaded page.
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    revoke_session(page, site.sign_in)
    site.api.faults = {"GET /videos": [(401, "unauthorized", {})]}
    page.reload()
    page.get_by_role("alert").get_by_role("button", name="Sign in again").click()
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)


@pytest.mark.parametrize("answer", ["code=stolen&state=forged", "error=access_denied&state=forged", "code=stolen"])
def test_an_answer_nobody_asked_for_is_refused(page: Page, site: FakeSite, answer: str) -> None:
    page.goto(f"{site.url}/?{answer}")
    expect(page.get_by_role("alert")).to_contain_text("was not started in this tab", timeout=IN_TIME_MS)
    assert page.url == f"{site.url}/"
    assert page.evaluate("() => sessionStorage.length") == 0


SEVERAL_MOMENTS_AT_ONCE = """
    window.IntersectionObserver = class extends IntersectionObserver {
        constructor(callback, options) {
            super((entries) => callback([{ ...entries[0], isIntersecting: false }, ...entries]), options);
        }
    };
"""
"""An older moment, at which the end was not in sight, precedes each, as on a busy page."""


def test_a_long_library_loads_on_as_one_scrolls(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    for number in range(60):
        site.api.add_ready_video(user.email, f"video {number:02}.mp4", small_video.read_bytes())
    page.add_init_script(SEVERAL_MOMENTS_AT_ONCE)
    open_signed_in(page, site.url, site.sign_in, user.email)
    cards = page.get_by_role("list", name="Videos").get_by_role("listitem")
    expect(cards.first).to_contain_text("video 59.mp4", timeout=IN_TIME_MS)
    assert cards.count() < 60
    for loaded in (48, 60):
        page.keyboard.press("End")
        expect(cards).to_have_count(loaded, timeout=IN_TIME_MS)
    assert site.api.calls.count("GET /videos") == 3
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    names = [heading.inner_text() for heading in cards.get_by_role("heading").all()]
    assert names == sorted(names, reverse=True)


def test_deleted_videos_by_the_thousand_do_not_hide_the_last_one(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "oldest.mp4", small_video.read_bytes())
    site.api.add_deleted_videos(user.email, 5 * site.api.page_records)
    page.add_init_script(WATCH_WORDS)
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Play oldest.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert words_seen(page) == ["Loading…"]
    # The first page and five more; in between the page waits, so as not to crowd out others' requests.
    assert site.api.calls.count("GET /videos") == 6
    assert min(pauses_ms(page)) > 200


def test_a_library_is_called_empty_only_when_its_end_is_known(page: Page, site: FakeSite, user: Person) -> None:
    site.api.page_records = 10
    site.api.add_deleted_videos(user.email, 25)
    page.add_init_script(WATCH_WORDS)
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_text("No videos yet.")).to_be_visible(timeout=IN_TIME_MS)
    assert site.api.calls.count("GET /videos") == 3
    assert words_seen(page) == ["Loading…", "No videos yet. Your first video appears here once it is uploaded."]


def test_a_list_that_breaks_off_among_deleted_videos_goes_on_where_it_was(
    page: Page, site: FakeSite, user: Person, small_video: Path, complaints: list[str]
) -> None:
    complaints.append("403")
    site.api.page_records = 10
    site.api.add_ready_video(user.email, "oldest.mp4", small_video.read_bytes())
    site.api.add_deleted_videos(user.email, 25)
    site.api.faults = {"GET /videos": [(0, "", {}), (403, "forbidden", {})]}
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("alert")).to_contain_text("Your account is not allowed to do this.", timeout=IN_TIME_MS)
    expect(page.get_by_text("Loading…")).to_be_hidden()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Play oldest.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    assert site.api.calls.count("GET /videos") == 4


def test_short_pages_fill_the_screen_and_no_more(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    site.api.page_records = 10
    for number in range(60):
        site.api.add_deleted_videos(user.email, 9)
        site.api.add_ready_video(user.email, f"video {number:02}.mp4", small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.wait_for_function("() => document.querySelector('#more').getBoundingClientRect().top > innerHeight + 400")
    on_screen = site.api.calls.count("GET /videos")
    assert 3 < on_screen < 40
    cards = page.get_by_role("list", name="Videos").get_by_role("listitem")
    page.set_viewport_size({"width": 1280, "height": 20_000})
    expect(cards).to_have_count(60, timeout=IN_TIME_MS)
    assert site.api.calls.count("GET /videos") == 60


def test_names_are_text_and_never_markup(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    name = "<img src=x onerror=alert(1)>.mp4"
    site.api.add_ready_video(user.email, name, small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=IN_TIME_MS)


def test_a_file_may_be_dropped_anywhere(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    open_signed_in(page, site.url, site.sign_in, user.email)
    page.evaluate(
        """(content) => {
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], "dropped.mp4"));
            for (const kind of ["dragover", "drop"]) {
                document.body.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
            }
        }""",
        base64.b64encode(small_video.read_bytes()).decode(),
    )
    expect(upload_row(page, "dropped.mp4").get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)


def test_several_files_go_one_after_another(
    page: Page, site: FakeSite, user: Person, small_video: Path, tmp_path: Path
) -> None:
    files = [tmp_path / name for name in ("first.mp4", "second.mp4", "third.mp4")]
    for file in files:
        file.write_bytes(small_video.read_bytes())
    site.storage.let_through(0)
    open_signed_in(page, site.url, site.sign_in, user.email)
    choose(page, *files)
    expect(upload_row(page, "first.mp4")).to_contain_text("Uploading", timeout=IN_TIME_MS)
    expect(upload_row(page, "third.mp4")).to_contain_text("Waiting")
    site.storage.let_through(None)
    for file in files:
        expect(upload_row(page, file.name).get_by_text("Uploaded")).to_be_visible(timeout=IN_TIME_MS)
    assert site.storage.most_at_once == 1


def test_nothing_is_cut_off_at_320_pixels(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    site.api.add_ready_video(user.email, f"{'a-very-long-name-' * 8}.mp4", b"another video")
    open_signed_in(page, site.url, site.sign_in, user.email)
    choose(page, small_video)
    expect(page.get_by_role("button", name=f"Play {small_video.name}")).to_be_enabled(timeout=2 * IN_TIME_MS)
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320


def test_the_sites_name_stands_left_on_a_phone_before_anybody_signs_in(page: Page, site: FakeSite) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(site.url)
    page.locator("#sign-in").wait_for()
    assert page.evaluate("() => document.querySelector('.brand').getBoundingClientRect().left") < 40


def test_everything_can_be_reached_and_named_by_keyboard(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "one.mp4", small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    reached: list[str] = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """() => {
                    const inside = document.activeElement;
                    const element = inside.shadowRoot?.activeElement ?? inside;
                    return element.ariaLabel || element.labels?.[0]?.textContent || element.textContent;
                }"""
            )
        )
    assert reached == [
        "Videos",
        "Account",
        "Sign out",
        "Choose videos",
        "Choose a folder",
        "Notify me when ready",
        "Play one.mp4",
        "Edit one.mp4",
        "Download one.mp4",
        "Delete one.mp4",
    ]
    page.get_by_role("button", name="Delete one.mp4").press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Delete one.mp4")).to_be_focused()
