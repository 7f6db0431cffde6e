"""The library and its player: dates, names, keys, the Back button, the focus, and what a browser cannot play."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.media.sample_videos import write_sample_sound
from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, delete, play, video_card


def open_with_videos(page: Page, site: FakeSite, user: Person, video: Path, *names: str) -> None:
    for name in names:
        site.api.add_ready_video(user.email, name, video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name=f"Play {names[-1]}")).to_be_enabled(timeout=IN_TIME_MS)


def open_player(page: Page, name: str) -> None:
    page.get_by_role("button", name=f"Play {name}").click()
    expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)


def test_videos_stand_under_the_days_and_months_they_came_on(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    dates = {
        "then.mp4": datetime(2024, 3, 5, 12, tzinfo=UTC),
        "last week.mp4": noon - timedelta(days=4),
        "yesterday.mp4": noon - timedelta(days=1),
        "early.mp4": noon - timedelta(hours=1),
        "now.mp4": noon,
    }
    for name, date in dates.items():
        site.api.add_ready_video(user.email, name, small_video.read_bytes(), created_at=date.isoformat())
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.get_by_role("button", name="Play then.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    headings = page.locator("#videos h3")
    expect(headings).to_have_text(["Today", "Yesterday", "Last 7 days", "March 2024"])
    expect(page.get_by_role("list", name="Videos, Today").get_by_role("heading")).to_have_text(["now.mp4", "early.mp4"])
    page.get_by_label("Search your videos").fill("week")
    expect(page.locator("#videos h3:visible")).to_have_text(["Last 7 days"])


def test_a_line_above_the_library_tells_what_is_used_and_follows_a_deletion(
    page: Page, site: FakeSite, user: Person
) -> None:
    site.api.max_stored_bytes = 10_000_000
    site.api.add_ready_video(user.email, "one.mp4", bytes(1_000_000))
    open_signed_in(page, site.url, site.sign_in, user.email)
    line = page.locator("#usage")
    expect(line).to_have_text("1.0 MB of 10.0 MB used", timeout=IN_TIME_MS)
    delete(page, "one.mp4")
    expect(line).to_have_text("0 B of 10.0 MB used", timeout=IN_TIME_MS)


def test_no_line_tells_of_limits_where_there_are_none(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    with page.expect_response("**/api/usage"):
        open_with_videos(page, site, user, small_video, "one.mp4")
    expect(page.locator("#usage")).to_be_hidden()


def test_the_keys_of_the_player_work_at_once(page: Page, site: FakeSite, user: Person, small_video: Path) -> None:
    open_with_videos(page, site, user, small_video, "one.mp4")
    open_player(page, "one.mp4")
    video = page.locator("#player-video")
    expect(video).to_be_focused()
    expect(video).to_have_js_property("paused", False)
    page.keyboard.press("k")
    expect(video).to_have_js_property("paused", True)
    page.keyboard.press("End")
    expect(video).to_have_js_property("currentTime", video.evaluate("element => element.duration"))
    page.keyboard.press("j")
    expect(video).to_have_js_property("currentTime", 0)
    page.keyboard.press("m")
    expect(video).to_have_js_property("muted", True)
    page.keyboard.press("Space")
    expect(video).to_have_js_property("paused", False)
    page.get_by_role("button", name="Close", exact=True).press("Space")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_back_closes_the_player_and_stays_on_the_page(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    open_with_videos(page, site, user, small_video, "one.mp4")
    entries = page.evaluate("() => history.length")
    open_player(page, "one.mp4")
    page.go_back()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_focused()
    play(page, "one.mp4")
    play(page, "one.mp4")
    page.wait_for_function("() => history.state?.player !== true")
    assert page.evaluate("() => history.length") <= entries + 1, "closing leaves nothing to go back through"
    assert page.url == f"{site.url}/"


def test_back_after_a_reload_leads_where_it_led_before_the_player(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    open_with_videos(page, site, user, small_video, "one.mp4")
    open_player(page, "one.mp4")
    page.reload()
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    page.wait_for_function("() => history.state?.player !== true")
    open_player(page, "one.mp4")


def test_the_focus_never_falls_to_the_body(
    page: Page, site: FakeSite, user: Person, small_video: Path, complaints: list[str]
) -> None:
    complaints.append("403")
    site.api.faults = {"GET /videos": [(403, "forbidden", {})]}
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        site.api.add_ready_video(user.email, name, small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)

    def press(name: str) -> str:
        page.get_by_role("button", name=name).press("Enter")
        page.wait_for_timeout(200)
        return page.evaluate("() => document.activeElement.tagName")

    assert press("Try again") != "BODY"
    expect(page.get_by_role("button", name="Play one.mp4")).to_be_enabled(timeout=IN_TIME_MS)
    for name in ("one.mp4", "three.mp4", "two.mp4"):
        page.get_by_role("button", name=f"Delete {name}").press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).press("Enter")
        expect(video_card(page, name)).to_have_count(0)
        assert page.evaluate("() => document.activeElement.tagName") != "BODY"
    expect(page.locator("#library-heading")).to_be_focused()


@pytest.mark.parametrize("name", ["عطلة الصيف في البحر.mp4", f"{'long-name-' * 8}.mp4"])
def test_a_name_keeps_its_direction_and_its_card(
    page: Page, site: FakeSite, user: Person, small_video: Path, name: str
) -> None:
    open_with_videos(page, site, user, small_video, name)
    heading = page.get_by_role("heading", name=name)
    expect(heading).to_have_css("direction", "rtl" if name[0] > "z" else "ltr")
    expect(heading).to_have_attribute("title", name)
    box = heading.bounding_box()
    assert box is not None
    assert box["height"] < 50, "two lines at most"


def test_a_video_that_this_browser_cannot_play_says_so_on_its_card_and_in_the_player(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "phone.mov", small_video.read_bytes(), codec="prores")
    site.api.add_ready_video(user.email, "plain.mp4", small_video.read_bytes())
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(video_card(page, "phone.mov")).to_contain_text("This browser cannot play ProRes.", timeout=IN_TIME_MS)
    expect(video_card(page, "plain.mp4")).not_to_contain_text("cannot play")
    page.get_by_role("button", name="Play phone.mov").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Download the video")


def test_sound_over_a_black_picture_is_told(page: Page, site: FakeSite, user: Person, tmp_path: Path) -> None:
    sound = tmp_path / "sound.mp4"
    write_sample_sound(sound)
    open_with_videos(page, site, user, sound, "one.mp4")
    page.get_by_role("button", name="Play one.mp4").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("plays only the sound", timeout=IN_TIME_MS)


@pytest.mark.parametrize(("locale", "words"), [("en-US", "Checking for malware…"), ("de-DE", "Wird auf Schadsoftware")])
def test_a_video_that_waits_for_its_malware_scan_says_so(
    page: Page, site: FakeSite, user: Person, small_video: Path, *, words: str
) -> None:
    video = site.api.add_ready_video(user.email, "checked.mp4", small_video.read_bytes())
    video.state, video.waits_for, video.looks_until_settled = "processing", "malwareScan", 1000
    open_signed_in(page, site.url, site.sign_in, user.email)
    expect(page.locator("#videos")).to_contain_text(words, timeout=IN_TIME_MS)


def test_a_version_for_browsers_is_told_while_it_is_prepared_and_where_it_failed(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    videos = {}
    for state, size_bytes in {"pending": None, "ready": 2_000_000, "failed": None}.items():
        video = site.api.add_ready_video(user.email, f"{state}.mkv", small_video.read_bytes())
        video.codec = "mpeg2video" if state == "ready" else "h264"
        reason = "not_convertible" if state == "failed" else None
        video.rendition = {"state": state, "sizeBytes": size_bytes, "reason": reason}
        videos[state] = video
    open_signed_in(page, site.url, site.sign_in, user.email)
    waiting = video_card(page, "pending.mkv").locator(".state")
    expect(waiting).to_have_text("Preparing a version that all browsers can play…", timeout=IN_TIME_MS)
    expect(video_card(page, "ready.mkv").locator(".state")).to_have_text("")
    expect(video_card(page, "failed.mkv").locator(".state")).to_contain_text(
        "A version that all browsers can play could not be made"
    )
    videos["pending"].rendition = {"state": "ready", "sizeBytes": 1, "reason": None}
    expect(waiting).to_have_text("", timeout=IN_TIME_MS)


def test_a_title_takes_the_place_of_the_files_name_and_the_search_finds_tags(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    open_with_videos(page, site, user, small_video, "IMG_0001.mp4", "IMG_0002.mp4")
    page.get_by_role("button", name="Edit IMG_0001.mp4").click()
    editor = page.get_by_role("dialog", name="Edit IMG_0001.mp4")
    expect(editor.get_by_label("Title")).to_be_focused()
    editor.get_by_label("Title").fill("A day at the sea")
    editor.get_by_label("Description").fill("Two\nlines")
    editor.get_by_label("Tags").fill("holiday, Ostsee,")
    editor.get_by_role("button", name="Save").click()
    expect(editor).to_be_hidden()
    card = video_card(page, "A day at the sea")
    expect(card.locator(".tags")).to_have_text("holiday · Ostsee")
    expect(page.get_by_text("A day at the sea was saved")).to_be_attached()
    expect(page.get_by_role("button", name="Edit A day at the sea")).to_be_focused()
    page.get_by_label("Search your videos").fill("ostsee")
    expect(page.locator("#videos .video:visible")).to_have_count(1)
    page.get_by_role("button", name="Edit A day at the sea").click()
    page.get_by_label("Title", exact=True).fill("")
    page.get_by_role("button", name="Save").click()
    expect(video_card(page, "IMG_0001.mp4")).to_be_visible()


def test_what_the_api_refuses_of_an_edit_is_told_in_the_dialog(
    page: Page, site: FakeSite, user: Person, small_video: Path, complaints: list[str]
) -> None:
    complaints.append("403")
    open_with_videos(page, site, user, small_video, "one.mp4")
    (video,) = site.api.videos.values()
    site.api.faults = {f"PATCH /videos/{video.video_id}": [(403, "forbidden", {})]}
    page.get_by_role("button", name="Edit one.mp4").click()
    page.get_by_label("Title", exact=True).fill("Sea")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Sea")
    page.get_by_role("button", name="Save").click()
    expect(video_card(page, "Sea")).to_be_visible()


def test_a_video_whose_deletion_was_announced_says_so_on_its_card_and_in_the_player(
    page: Page, site: FakeSite, user: Person, small_video: Path
) -> None:
    site.api.add_ready_video(user.email, "old.mp4", small_video.read_bytes()).expires_at = "2099-12-04T12:00:00Z"
    open_with_videos(page, site, user, small_video, "new.mp4")
    warning = "Will be deleted on 4 Dec 2099. Download it to keep it."
    expect(video_card(page, "old.mp4").locator(".expiry")).to_have_text(warning)
    expect(video_card(page, "new.mp4").locator(".expiry")).to_be_hidden()
    open_player(page, "old.mp4")
    expect(page.locator("#player-expiry")).to_have_text(warning)
    page.keyboard.press("Escape")
    open_player(page, "new.mp4")
    expect(page.locator("#player-expiry")).to_be_hidden()
