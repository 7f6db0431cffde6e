"""Pictures of the page for reviewers: `make screenshots` writes them into screenshots/."""

import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.chromium import launch
from tests.media.sample_videos import write_sample_video
from tests.web.fake_site import FakeSite, running_fake_site
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, parts_held_after, upload_row

FOLDER = Path(__file__).parents[2] / "screenshots"
ADA = "ada@example.com"
NAMES = [
    "Alps, day three.mp4",
    "Grandmother's eightieth birthday, the speeches.mov",
    "drone-over-the-lake-4k.mp4",
    "School play.webm",
    "Interview with the builders.mp4",
    "Harbour at dusk.mkv",
    "First steps.mp4",
]
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
NARROWEST = {"width": 320, "height": 640}


@contextmanager
def opened(
    browser: Browser, *, size: dict[str, int] = DESKTOP, dark: bool = False, locale: str = "en-GB"
) -> Generator[Page]:
    """A fresh profile with this window."""
    is_phone = size is not DESKTOP
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=2 if is_phone else 1,
        is_mobile=is_phone,
        has_touch=is_phone,
        locale=locale,
        service_workers="block",
    )
    yield context.new_page()
    context.close()


def take(page: Page, name: str) -> None:
    """Save a screenshot of what is visible without scrolling."""
    page.screenshot(path=FOLDER / f"{name}.png")


def workspace(page: Page, site: FakeSite, videos: list[Path]) -> None:
    """One upload under way, one waiting; below them the library."""
    open_signed_in(page, site.url, site.sign_in, ADA)
    page.locator("#files").set_input_files(videos)
    expect(upload_row(page, videos[0].name)).to_contain_text(re.compile("15[.,]7 MB"), timeout=IN_TIME_MS)
    expect(page.locator(".video img:visible").first).to_be_visible(timeout=IN_TIME_MS)


def main() -> None:
    """All of them."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright, running_fake_site() as site, tempfile.TemporaryDirectory() as folder:
        browser = launch(playwright)
        small, big, next_one = (
            Path(folder) / name for name in ("small.mp4", "Wedding film.mp4", "Wedding film, 2.mp4")
        )
        write_sample_video(small)
        for video in (big, next_one):
            write_sample_video(video, pad_to_bytes=22 * 2**20)
        for name in reversed(NAMES):
            site.api.add_ready_video(ADA, name, small.read_bytes())
        newest = list(site.api.videos.values())
        newest[-1].state, newest[-3].state = "processing", "rejected"
        newest[-1].looks_until_settled = 10_000
        for name, size, dark, locale in (
            ("desktop", DESKTOP, False, "en-GB"),
            ("dark", DESKTOP, True, "en-GB"),
            ("phone", PHONE, False, "en-GB"),
            ("phone-dark", PHONE, True, "en-GB"),
            ("narrowest", NARROWEST, False, "en-GB"),
            ("german", DESKTOP, False, "de-DE"),
            ("german-phone", PHONE, False, "de-DE"),
            ("german-narrowest", NARROWEST, False, "de-DE"),
        ):
            with opened(browser, size=size, dark=dark, locale=locale) as page:
                page.goto(site.url)
                page.locator("#sign-in").wait_for()
                take(page, f"welcome-{name}")
                page.locator("#sign-in").click()
                page.get_by_label("E-mail address").wait_for()
                take(page, f"sign-in-{name}")
                with parts_held_after(page, 3):
                    workspace(page, site, [big, next_one])
                    take(page, f"workspace-{name}")
                    card = page.locator(".video", has_text=NAMES[1])
                    card.locator("[data-do=delete]").click()
                    take(page, f"question-{name}")
                    page.locator("#confirm-no").click()
                    card.locator("[data-do=play]").click()
                    expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
                    take(page, f"player-{name}")
            for video_id in [each.video_id for each in site.api.videos.values() if each.state == "uploading"]:
                del site.api.videos[video_id]
        browser.close()
    print(*sorted(str(path.relative_to(FOLDER.parent)) for path in FOLDER.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main()
