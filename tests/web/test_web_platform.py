"""The same journeys on the whole local platform: real API, S3's refusals, processing, sign-in."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from local.platform import LocalPlatform, Ports
from tests.web import journeys
from tests.web.journeys import Person


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    with LocalPlatform(data_dir=None, ports=Ports.free()) as running:
        yield running


@pytest.fixture
def somebody(platform: LocalPlatform) -> Person:
    """A new person each time: the platform keeps the others' videos."""
    person = Person(f"{secrets.token_hex(4)}@example.com", secrets.token_urlsafe(12))
    platform.sign_in.create_user(person.email, person.password)
    return person


def test_the_demo_user_signs_in_and_out(page: Page, platform: LocalPlatform) -> None:
    demo = platform.sign_in.demo_user
    journeys.sign_out(page, platform.site_url, Person(demo.email, demo.password))


def test_a_video_is_uploaded_processed_played_and_deleted(
    page: Page, platform: LocalPlatform, somebody: Person, video: Path
) -> None:
    journeys.upload(page, platform.site_url, somebody, video)
    journeys.play(page, video.name)
    journeys.delete(page, video.name)


def test_a_paused_upload_goes_on(page: Page, platform: LocalPlatform, somebody: Person, video: Path) -> None:
    journeys.pause_and_resume(page, platform.site_url, somebody, video)


def test_a_reloaded_page_resumes(page: Page, platform: LocalPlatform, somebody: Person, video: Path) -> None:
    journeys.resume_after_reload(page, platform.site_url, somebody, video)


def test_a_cancelled_upload_is_gone(page: Page, platform: LocalPlatform, somebody: Person, video: Path) -> None:
    journeys.cancel(page, platform.site_url, somebody, video)


def test_what_is_no_video_is_rejected(page: Page, platform: LocalPlatform, somebody: Person, tmp_path: Path) -> None:
    liar = tmp_path / "liar.mp4"
    liar.write_bytes(b"MZ" * 4096)
    journeys.upload_something_that_is_no_video(page, platform.site_url, somebody, liar)
