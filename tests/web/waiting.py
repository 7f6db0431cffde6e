"""Waiting for what the page and the fake site come to."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

from playwright.sync_api import Page, expect

from tests.web.fake_site import FakeSite
from tests.web.session import open_signed_in
from tests.web.walkthroughs import IN_TIME_MS, choose, upload_row

ADA = "ada@example.com"
PARTS = 5


def wait_until(condition: Callable[[], bool], page: Page) -> None:
    deadline = monotonic() + IN_TIME_MS / 1000
    while not condition():
        assert monotonic() < deadline, "waited too long"
        page.wait_for_timeout(20)


def begin(page: Page, site: FakeSite, video: Path, *, parts: int) -> None:
    """Send some parts of a video, and have the storage hold the others until it is told to let them through."""
    site.storage.let_through(parts)
    open_signed_in(page, site.url, site.sign_in, ADA)
    choose(page, video)
    wait_until(lambda: len(site.storage.puts) == parts, page)


def expect_uploaded(page: Page, site: FakeSite, video: Path) -> None:
    expect(upload_row(page, video.name).get_by_text("Uploaded")).to_be_visible(timeout=2 * IN_TIME_MS)
    stored = [content for _, content in site.storage.objects.values()]
    assert video.read_bytes() in stored
