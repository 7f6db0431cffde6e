"""A browser, a site for it, and videos to upload."""

import secrets
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from chalicelib.core.part_plan import MIN_PART_BYTES
from local.api_environment import WEB_CLIENT
from local.platform import LocalPlatform, Ports
from tests.chromium import CHROMIUM, NO_BROWSER, launch
from tests.end_to_end.actors import Desktop, make_desktop, make_person
from tests.end_to_end.actors import Person as PlainPerson
from tests.end_to_end.log_search import PrintedLines
from tests.media.sample_videos import write_sample_video
from tests.web.fake_api import FAKE_PART_SIZE_BYTES
from tests.web.fake_site import FakeSite, running_fake_site
from tests.web.walkthroughs import Person


@pytest.fixture(scope="package")  # while it runs, its event loop is in the way of other packages' own
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(NO_BROWSER)
    if not (WEB_CLIENT / "index.html").exists():
        pytest.fail("the page is not built: make web")
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture
def complaints() -> list[str]:
    """Parts of the lines that the console may print in this test."""
    return ["Service Worker registration blocked by Playwright"]


@pytest.fixture
def locale() -> str:
    """Language that the browser asks pages for."""
    return "en-GB"


@pytest.fixture
def page(browser: Browser, complaints: list[str], locale: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh profile, closed before its site, whose console must stay free of errors."""
    if "site" in request.fixturenames:
        request.getfixturevalue("site")
    context = browser.new_context(locale=locale, service_workers="block")
    # No test can answer that chooser. Without it the page is as in Firefox and Safari.
    context.add_init_script("delete window.showOpenFilePicker;")
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda line: said.append(line.text) if line.type in {"error", "warning"} else None)
    opened.on("pageerror", lambda error: said.append(str(error)))
    yield opened
    context.close()
    assert [line for line in said if not any(part in line for part in complaints)] == []


@pytest.fixture
def site() -> Iterator[FakeSite]:
    with running_fake_site() as running:
        yield running


@pytest.fixture(scope="package")
def printed() -> PrintedLines:
    """Lines printed by the platform's processes."""
    return PrintedLines()


@pytest.fixture(scope="package")
def platform(printed: PrintedLines) -> Iterator[LocalPlatform]:
    with LocalPlatform(data_dir=None, ports=Ports.free(), on_line=printed.add) as running:
        yield running


@pytest.fixture
def user(site: FakeSite) -> Person:
    person = Person("ada@example.com", secrets.token_urlsafe(12))
    site.sign_in.create_user(person.email, person.password)
    return person


@pytest.fixture
def somebody(platform: LocalPlatform) -> Person:
    """A new person each time: the platform keeps the others' videos."""
    person = Person(f"{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(12))
    platform.sign_in.create_user(person.email, person.password)
    return person


@pytest.fixture
def by_token(platform: LocalPlatform, somebody: Person) -> PlainPerson:
    return make_person(platform, email=somebody.email)


@pytest.fixture
def desktop(platform: LocalPlatform, by_token: PlainPerson, tmp_path: Path) -> Desktop:
    return make_desktop(platform, by_token, tmp_path / "home")


@pytest.fixture(scope="session")
def video_in_parts_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Makes two seconds of video in five parts of a size in bytes."""

    @cache
    def make(part_size_bytes: int) -> Path:
        path = tmp_path_factory.mktemp("videos") / "holiday.mp4"
        write_sample_video(path, pad_to_bytes=22 * part_size_bytes // 5)
        return path

    return make


@pytest.fixture
def video(video_in_parts_of: Callable[[int], Path], request: pytest.FixtureRequest) -> Path:
    """Two seconds in five parts: small ones where the site takes them."""
    return video_in_parts_of(FAKE_PART_SIZE_BYTES if "site" in request.fixturenames else MIN_PART_BYTES)


@pytest.fixture(scope="session")
def small_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds in one part."""
    path = tmp_path_factory.mktemp("videos") / "short.mp4"
    write_sample_video(path)
    return path
