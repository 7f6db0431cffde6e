"""The administrators' view of the page, on the whole local platform."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local.platform import LocalPlatform
from tests.end_to_end.actors import make_person, ready_video
from tests.web import walkthroughs
from tests.web.axe import serious_problems
from tests.web.waiting import wait_until
from tests.web.walkthroughs import Person


def new_person(platform: LocalPlatform) -> Person:
    person = Person(f"{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(12))
    platform.sign_in.create_user(person.email, person.password)
    return person


WORDS = {
    "en-GB": ("Videos of all users", "Search", "Title, file name or tag", "Delete"),
    "de-DE": ("Videos aller Nutzer", "Suchen", "Titel, Dateiname oder Tag", "Löschen"),
}


BUTTONS_LEAVE_THE_TEXT_ROOM = """row => {
    const text = row.querySelector(".video-text").getBoundingClientRect();
    return text.width > 0.6 * row.getBoundingClientRect().width;
}"""
"""In one call: between two, the page may take on its new size."""


@pytest.mark.parametrize("locale", WORDS)
def test_an_administrator_finds_plays_and_deletes_a_users_video(
    page: Page, platform: LocalPlatform, small_video: Path, locale: str
) -> None:
    heading, search, name, remove = WORDS[locale]
    owner = make_person(platform)
    file_name = f"{secrets.token_hex(8)}.mp4"
    video_id = ready_video(owner, small_video.read_bytes(), file_name=file_name)["videoId"]
    administrator = new_person(platform)
    platform.sign_in.appoint_administrator(administrator.email)
    page.goto(platform.site_url)
    page.locator("#sign-in").click()
    walkthroughs.fill_in_sign_in(page, administrator)
    stage = page.get_by_role("region", name=heading)
    stage.get_by_label(name).fill(file_name)
    stage.get_by_role("button", name=search).click()
    row = stage.get_by_role("listitem").filter(has_text=file_name)
    expect(row).to_contain_text(owner.owner, timeout=walkthroughs.IN_TIME_MS)
    assert serious_problems(page) == []
    wide = page.viewport_size
    assert wide
    page.set_viewport_size({"width": 320, "height": 640})
    wait_until(lambda: row.evaluate(BUTTONS_LEAVE_THE_TEXT_ROOM), page)
    page.set_viewport_size(wide)
    row.locator("[data-do=play]").click()
    expect(page.locator("#player")).to_be_visible(timeout=walkthroughs.IN_TIME_MS)
    assert owner.owner in (page.locator("#player-video").get_attribute("src") or "")
    page.locator("#player-close").click()
    row.get_by_role("button", name=remove).click()
    page.locator("#confirm-yes").click()
    expect(row).to_have_count(0, timeout=walkthroughs.IN_TIME_MS)
    assert owner.call("GET", f"/videos/{video_id}").status_code == 404


def test_nobody_else_is_shown_the_view_and_nothing_is_loaded_before_it_is_asked_for(
    page: Page, platform: LocalPlatform
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/admin/" in request.url else None)
    walkthroughs.sign_in(page, platform.site_url, new_person(platform))
    expect(page.locator("#workspace")).to_be_visible()
    expect(page.locator("#stage")).to_be_hidden()
    assert asked == []


def test_an_administrator_orders_selects_by_keyboard_and_deletes_several_users_videos_at_320_pixels(
    page: Page, platform: LocalPlatform, small_video: Path
) -> None:
    word = secrets.token_hex(8)
    owners = [make_person(platform), make_person(platform)]
    content = small_video.read_bytes()
    stays = ready_video(owners[0], content, file_name=f"{word} c.mp4")["videoId"]
    for owner, name in ((owners[1], "a"), (owners[0], "b")):
        ready_video(owner, content, file_name=f"{word} {name}.mp4")
    administrator = new_person(platform)
    platform.sign_in.appoint_administrator(administrator.email)
    page.set_viewport_size({"width": 320, "height": 640})
    walkthroughs.sign_in(page, platform.site_url, administrator)
    stage = page.get_by_role("region", name="Videos of all users")
    names = stage.locator(".name")
    stage.get_by_label("Title, file name or tag").fill(word)
    page.keyboard.press("Enter")
    newest_first = [f"{word} {name}.mp4" for name in "bac"]
    expect(names).to_have_text(newest_first, timeout=walkthroughs.IN_TIME_MS)
    stage.get_by_label("Order").select_option("Name, A to Z")
    expect(names).to_have_text(sorted(newest_first), timeout=walkthroughs.IN_TIME_MS)

    stage.get_by_role("button", name="Select", exact=True).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    stage.get_by_role("checkbox", name=f"Select {word} b.mp4").focus()
    page.keyboard.press("Space")
    expect(stage.get_by_text("2 videos selected")).to_be_visible()
    assert serious_problems(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 320
    stage.get_by_role("group").get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete 2 videos?")
    expect(dialog).to_contain_text("2 owners")
    expect(dialog.locator("#confirm-no")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(names).to_have_text([f"{word} c.mp4"], timeout=walkthroughs.IN_TIME_MS)
    expect(stage.get_by_role("button", name="Search")).to_be_focused()
    expect(stage.get_by_role("button", name="Select", exact=True)).to_be_hidden()
    assert [video["videoId"] for owner in owners for video in owner.call("GET", "/videos").json()["videos"]] == [stays]
