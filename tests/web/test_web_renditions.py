"""Renditions on the real platform: what browsers do not play is copied, played by the page, and goes with its video."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from local.platform import LocalPlatform, Ports
from local.stand_in import names
from tests.end_to_end.actors import Person as PlainPerson
from tests.end_to_end.actors import StandIn, make_desktop, make_person, wait_until
from tests.media.sample_videos import write_sample_video
from tests.web import walkthroughs
from tests.web.walkthroughs import IN_TIME_MS, Person, video_card


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables={"RENDITIONS": "true"}) as running:
        yield running


def objects_of(platform: LocalPlatform, person: PlainPerson) -> list[str]:
    """Keys of all that lies in the video bucket of a person."""
    s3 = StandIn(platform.stand_in_url).client("s3")
    listed = [
        s3.list_objects_v2(Bucket=names.VIDEO_BUCKET, Prefix=f"{folder}/{person.owner}/").get("Contents", [])
        for folder in ("videos", "renditions")
    ]
    return [entry["Key"].partition("/")[0] for entries in listed for entry in entries]


def expect_a_thumbnail_under_the_pointer(page: Page, target: Locator, tile: Locator) -> None:
    """The last of two: the pointer stands at nine tenths of the width."""
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2)
    expect(tile).to_be_visible(timeout=IN_TIME_MS)
    expect(tile).to_have_attribute("data-tile", "1")
    shown = tile.bounding_box()
    assert shown
    assert shown["height"] > 50
    assert "thumbnails.jpg" in tile.evaluate("element => getComputedStyle(element).backgroundImage")


def test_a_film_in_a_container_of_camcorders_plays_in_the_page_and_is_downloaded_as_it_was_sent(
    page: Page, platform: LocalPlatform, tmp_path: Path
) -> None:
    film = write_sample_video(tmp_path / "camcorder.ts", "ts")
    somebody = Person("ada-of-renditions@example.com", "correct horse battery")
    platform.sign_in.create_user(somebody.email, somebody.password)
    by_token = make_person(platform, email=somebody.email)
    walkthroughs.upload(page, platform.site_url, somebody, film)
    walkthroughs.expect_ready(page, film.name)
    (listed,) = by_token.call("GET", "/videos").json()["videos"]

    def ready() -> dict[str, Any] | None:
        shown = by_token.video(listed["videoId"])
        return shown if shown["rendition"]["state"] == "ready" else None

    video = wait_until(ready)
    assert video["media"]["playability"]["browsers"] == "none"
    assert requests.get(video["downloadUrl"], timeout=30).content == film.read_bytes()
    played = requests.get(video["playbackUrl"], timeout=30)
    assert (played.content[4:8], len(played.content)) == (b"ftyp", video["rendition"]["sizeBytes"])
    assert played.headers["Content-Type"] == "video/mp4"

    card = video_card(page, film.name)
    expect(card.locator(".state")).to_have_text("", timeout=IN_TIME_MS)
    play = page.get_by_role("button", name=f"Play {film.name}")
    expect_a_thumbnail_under_the_pointer(page, play, card.locator(".preview span"))
    play.click()
    player = page.locator("#player-video")
    expect(player).to_have_js_property("videoWidth", 320, timeout=IN_TIME_MS)
    assert "/renditions/" in player.evaluate("element => element.currentSrc")
    assert "/videos/" in str(page.locator("#player-download").get_attribute("href"))
    scrub = page.get_by_role("slider", name="Go to a moment")
    expect(scrub).to_be_visible(timeout=IN_TIME_MS)
    expect_a_thumbnail_under_the_pointer(page, scrub, page.locator("#player-tile"))
    page.mouse.down()
    expect(player).to_have_js_property("seeking", False, timeout=IN_TIME_MS)
    assert player.evaluate("element => element.currentTime") > 1.5
    page.mouse.up()
    page.keyboard.press("Home")  # the keys of the player are those of the bar, too
    assert player.evaluate("element => element.currentTime") < 1.5
    page.keyboard.press("Escape")

    desktop = make_desktop(platform, by_token, tmp_path / "home")
    saved = tmp_path / "saved.ts"
    desktop.run("download", video["videoId"], "--output", str(saved))
    assert saved.read_bytes() == film.read_bytes()

    assert objects_of(platform, by_token) == ["videos", "renditions"]
    assert by_token.call("GET", "/usage").json()["storedVideos"] == 1
    assert by_token.call("DELETE", f"/videos/{video['videoId']}").ok
    assert objects_of(platform, by_token) == []
