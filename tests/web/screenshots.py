"""Pictures of the page for reviewers: `make screenshots` writes them into screenshots/."""

import json
import re
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from local.sign_in.clients import ACCOUNT_PAGE
from local.sign_in.users import ADMINISTRATORS
from tests.chromium import launch
from tests.media.sample_videos import write_sample_video
from tests.sign_in.authenticator import Authenticator
from tests.web.fake_site import FakeSite, running_fake_site
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, Person, fill_in_sign_in, parts_held_after

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "screenshots"
ADA, GRACE = "ada@example.com", "grace@example.com"
PASSWORD = "correct horse battery"
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


STATES: dict[str, dict[str, Any] | None] = {
    "waiting": None,
    "pausing": None,
    "paused": None,
    "completing": None,
    "completed": None,
    "ready": None,
    "rejected": {"code": "no_video_stream"},
    "failed": {"code": "file_unreadable"},
    "cancelling": None,
}
"""States of a row, with the error that it tells; one that sends and one that stalls come by themselves."""

SHOW_STATES = """states => {
    const uploads = [];
    const uploader = document.querySelector("video-uploader");
    uploader.addEventListener("upload-added", ({ detail }) => uploads.push(detail.upload));
    window.showStates = () => Object.entries(states).forEach(([state, error], i) => uploads[i + 1].to(state, error));
    window.holdFirst = reason => uploads[0].holdFor({ reason, until: performance.now() + 8000 });
}"""


@dataclass(frozen=True)
class Variant:
    """A way to look at the page."""

    name: str
    size: dict[str, int]
    dark: bool = False
    locale: str = "en-GB"

    def text(self, key: str, **values: str) -> str:
        """A text of the page or the uploader in this language."""
        language = self.locale.partition("-")[0]
        for package in ("web", "uploader"):
            texts = json.loads((PROJECT / f"clients/{package}/src/texts/{language}.json").read_text())
            if key in texts:
                return str(texts[key]).format(**values)
        raise KeyError(key)


VARIANTS = (
    Variant("desktop", DESKTOP),
    Variant("dark", DESKTOP, dark=True),
    Variant("phone", PHONE),
    Variant("phone-dark", PHONE, dark=True),
    Variant("narrowest", NARROWEST),
    Variant("german", DESKTOP, locale="de-DE"),
    Variant("german-phone", PHONE, locale="de-DE"),
    Variant("german-narrowest", NARROWEST, locale="de-DE"),
)


@contextmanager
def opened(browser: Browser, variant: Variant) -> Generator[Page]:
    """A fresh profile with this window."""
    size = variant.size
    is_phone = size is not DESKTOP
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if variant.dark else "light",
        device_scale_factor=2 if is_phone else 1,
        is_mobile=is_phone,
        has_touch=is_phone,
        locale=variant.locale,
        service_workers="block",
    )
    yield context.new_page()
    context.close()


def take(page: Page, name: str) -> None:
    """Save a screenshot of what is visible without scrolling."""
    page.screenshot(path=FOLDER / f"{name}.png")


def welcome(page: Page, site: FakeSite, variant: Variant) -> None:
    page.goto(site.url)
    page.locator("#sign-in").wait_for()
    take(page, f"welcome-{variant.name}")
    page.locator("#sign-in").click()
    page.get_by_label("E-mail address").wait_for()
    take(page, f"sign-in-{variant.name}")


def company_welcome(page: Page, site: FakeSite, variant: Variant) -> None:
    """The sign-in of a stage on which only companies let people in, and its word to somebody of none."""

    def with_company(route: Route) -> None:
        settings = {"companyDomains": ["acme.example"], "localUsers": False}
        route.fulfill(json={**route.fetch().json(), **settings})

    page.route("**/config.json", with_company)
    page.goto(site.url)
    page.locator("#sign-in-email").wait_for()
    take(page, f"company-welcome-{variant.name}")
    page.locator("#sign-in-email").fill("ada@elsewhere.example")
    page.locator("#sign-in").click()
    page.locator("#sign-in-problem").wait_for()
    take(page, f"company-unknown-{variant.name}")


def workspace(page: Page, site: FakeSite, variant: Variant, videos: list[Path]) -> None:
    """One upload under way, one waiting; below them the library, a question and the player."""
    with parts_held_after(page, 3):
        open_signed_in(page, site.url, site.sign_in, ADA)
        page.locator("#files").set_input_files(videos)
        expect(page.locator(".upload .figures").first).to_contain_text(re.compile(r"1\d[.,]\d MB "), timeout=IN_TIME_MS)
        expect(page.locator(".video img:visible").first).to_be_visible(timeout=IN_TIME_MS)
        take(page, f"workspace-{variant.name}")
        page.get_by_role("button", name=variant.text("video.delete.named", name=NAMES[1])).click()
        take(page, f"question-{variant.name}")
        page.get_by_role("button", name=variant.text("delete.no")).click()
        page.get_by_role("button", name=variant.text("video.play.named", name=NAMES[1])).click()
        expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
        take(page, f"player-{variant.name}")


def administrators(page: Page, site: FakeSite, variant: Variant) -> None:
    """The library of an administrator whose space is limited, and the stage's videos with its usage below it."""
    admin = "administrator@example.com"
    site.sign_in.appoint_administrator(admin)
    examples = contract_examples("/usage", "/admin/videos", "/admin/usage")
    stage_video = examples["/admin/videos"]["videos"][0]
    states = ("ready", "processing", "rejected")
    listed = [{**stage_video, "title": None, "fileName": NAMES[n], "state": state} for n, state in enumerate(states)]

    def with_administrators(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "administratorsGroup": ADMINISTRATORS})

    page.route("**/config.json", with_administrators)
    page.route("**/api/usage", lambda route: route.fulfill(json=examples["/usage"]))
    page.route("**/api/admin/usage", lambda route: route.fulfill(json=examples["/admin/usage"]))
    answer = {"videos": listed, "nextCursor": None}
    page.route(re.compile("/api/admin/videos[?]"), lambda route: route.fulfill(json=answer))
    open_signed_in(page, site.url, site.sign_in, admin)
    page.locator("#stage-search").click()
    page.locator("#stage-usage").wait_for()
    page.locator("#stage").scroll_into_view_if_needed()
    page.evaluate("() => document.querySelector('#stage').scrollIntoView()")
    take(page, f"administrators-{variant.name}")


def warnings(page: Page, site: FakeSite, variant: Variant) -> None:
    """A library whose space is limited, with malware, a scan under way and a video that retention deletes soon."""
    page.route("**/api/usage", lambda route: route.fulfill(json=contract_examples("/usage")["/usage"]))
    open_signed_in(page, site.url, site.sign_in, GRACE)
    expect(page.locator(".video img:visible").first).to_be_visible(timeout=IN_TIME_MS)
    expect(page.locator("#usage")).to_be_visible()
    page.evaluate("() => document.querySelector('.library-head').scrollIntoView()")
    take(page, f"warnings-{variant.name}")
    page.get_by_role("button", name=variant.text("video.play.named", name=NAMES[2])).click()
    expect(page.locator("#player-video")).to_have_js_property("readyState", 4, timeout=IN_TIME_MS)
    take(page, f"player-warning-{variant.name}")


def add_warned_videos(site: FakeSite, content: bytes) -> None:
    expiring, scanned, infected = (site.api.add_ready_video(GRACE, name, content) for name in NAMES[2:5])
    expiring.expires_at = "2026-12-24T12:00:00Z"
    scanned.state, scanned.waits_for, scanned.looks_until_settled = "processing", "malwareScan", 10_000
    infected.state, infected.rejection = "rejected", "malware"


def links(page: Page, site: FakeSite, variant: Variant) -> None:
    """A person's upload links, and the form for another one."""
    link = contract_examples("/links")["/links"]["links"][0]
    long = {**link, "title": NAMES[1], "state": "expired", "linkToken": None}
    page.route("**/api/links", lambda route: route.fulfill(json={"links": [link, long]}))
    page.route("**/config.json", lambda route: route.fulfill(json={**route.fetch().json(), "maxLinkDays": 30}))
    open_signed_in(page, site.url, site.sign_in, ADA)
    page.locator("#links-show").click()
    page.locator("#links-list li").nth(1).wait_for()
    expect(page.locator(".video img:visible").first).to_be_visible(timeout=IN_TIME_MS)
    page.evaluate("() => document.querySelector('#links').scrollIntoView()")
    take(page, f"links-{variant.name}")
    page.locator("#link-new").click()
    page.locator("#link-title").fill("Match day")
    take(page, f"link-maker-{variant.name}")


def link_bearer(page: Page, site: FakeSite, variant: Variant) -> None:
    """The page of an upload link: its request, the uploader, and a link that is closed."""
    page.route("**/api/link", lambda route: route.fulfill(json=contract_examples("/link")["/link"]))
    page.goto(f"{site.url}/#link=a-token")
    page.locator("#sender-form").wait_for()
    take(page, f"link-bearer-{variant.name}")
    page.locator("#sender-name").fill("Ada")
    page.locator("#sender-form button").click()
    page.locator("#sender-upload").wait_for()
    take(page, f"link-uploader-{variant.name}")
    closed = {"error": {"code": "link_expired", "message": "not shown", "details": {}, "requestId": "r-1"}}
    page.route("**/api/link", lambda route: route.fulfill(status=410, json=closed))
    page.reload()
    expect(page.locator("#sender-note")).to_have_text(variant.text("error.link_expired"))
    take(page, f"link-closed-{variant.name}")


def contract_examples(*paths: str) -> dict[str, Any]:
    """The contract's example of the answer to GET, for each of these paths."""
    document = json.loads((PROJECT / "docs" / "openapi.json").read_text())["paths"]
    return {path: document[path]["get"]["responses"]["200"]["content"]["application/json"]["example"] for path in paths}


def unfinished(page: Page, variant: Variant) -> None:
    """The list of unfinished uploads after a reload, with those of `workspace`."""
    page.reload()
    page.locator("#unfinished").wait_for()
    page.evaluate("() => scrollTo(0, 0)")
    take(page, f"unfinished-{variant.name}")


def states(page: Page, site: FakeSite, variant: Variant, video: Path, folder: Path) -> None:
    """A video that the library has already, a row in every state, a dead line, and a file that cannot be uploaded."""
    films = [folder / f"{state}.mp4" for state in ("sending", *STATES)]
    for film in films:
        film.write_bytes(video.read_bytes() + film.name.encode())
    not_a_video = folder / "notes.txt"
    not_a_video.write_text("no video")
    with parts_held_after(page, 0):
        open_signed_in(page, site.url, site.sign_in, ADA)
        page.evaluate(SHOW_STATES, STATES)
        expect(page.locator(".video img:visible").first).to_be_visible(timeout=IN_TIME_MS)
        page.locator("#files").set_input_files(video)
        page.locator("#question").wait_for()
        take(page, f"duplicate-{variant.name}")
        page.get_by_role("button", name=variant.text("duplicates.no")).click()
        page.locator("#files").set_input_files(films)
        expect(page.locator(".upload canvas")).to_have_count(len(films), timeout=IN_TIME_MS)
        page.evaluate("window.showStates()")
        page.wait_for_timeout(500)  # the line of all uploads is drawn a moment later
        take(page, f"states-{variant.name}")
        page.evaluate("window.holdFirst('offline')")
        page.locator("#files").set_input_files(not_a_video)
        page.locator("#banner").wait_for()
        take(page, f"offline-{variant.name}")


def account(page: Page, site: FakeSite, variant: Variant) -> None:
    """The account view before and after an authenticator app is set up, and the question for its code."""
    subject = site.sign_in.authority.users.set_password(ADA, PASSWORD).subject
    site.sign_in.authority.second_factors.forget(subject)
    page.goto(f"{site.url}/{ACCOUNT_PAGE}")
    page.locator("#account-sign-in").wait_for()
    take(page, f"account-welcome-{variant.name}")
    page.locator("#account-sign-in").click()
    fill_in_sign_in(page, Person(ADA, PASSWORD))
    page.locator("#factor").wait_for()
    take(page, f"account-off-{variant.name}")
    page.locator("#factor-set-up").click()
    page.locator("#qr svg").wait_for()
    app = Authenticator(page.locator("#key").inner_text().replace(" ", ""), site.sign_in.authority.clock)
    take(page, f"account-set-up-{variant.name}")
    page.locator("#code").fill(app.wrong_code())
    page.locator("#set-up-done").click()
    page.locator("#code-problem").wait_for()
    page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
    take(page, f"account-wrong-code-{variant.name}")
    page.locator("#code").fill(app.code())
    page.locator("#set-up-done").click()
    page.locator("#factor-notice").wait_for()
    take(page, f"account-on-{variant.name}")
    page.locator("#factor-remove").click()
    take(page, f"account-remove-{variant.name}")
    page.locator("#confirm-no").click()
    page.locator("#factor-test").click()
    fill_in_sign_in(page, Person(ADA, PASSWORD))
    page.get_by_label("Code").wait_for()
    take(page, f"sign-in-code-{variant.name}")


def forget_uploads(site: FakeSite) -> None:
    for video_id in [each.video_id for each in site.api.videos.values() if each.state == "uploading"]:
        del site.api.videos[video_id]


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
        add_warned_videos(site, small.read_bytes())
        for variant in VARIANTS:
            with opened(browser, variant) as page:
                welcome(page, site, variant)
            with opened(browser, variant) as page:
                company_welcome(page, site, variant)
            with opened(browser, variant) as page:
                account(page, site, variant)
            with opened(browser, variant) as page:
                administrators(page, site, variant)
            for view in (warnings, links, link_bearer):
                with opened(browser, variant) as page:
                    view(page, site, variant)
            with opened(browser, variant) as page:
                workspace(page, site, variant, [big, next_one])
                unfinished(page, variant)
            forget_uploads(site)
            with opened(browser, variant) as page:
                states(page, site, variant, small, Path(folder))
            forget_uploads(site)
        browser.close()
    print(*sorted(str(path.relative_to(FOLDER.parent)) for path in FOLDER.glob("*.png")), sep="\n")


if __name__ == "__main__":
    main()
