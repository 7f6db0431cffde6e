"""Uploads over lines that die and come back, on the whole local platform."""

import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from local.platform import LocalPlatform, Ports
from local.stand_in.provision import allow_origins
from tests.media.sample_videos import MIB, write_sample_video
from tests.web.session import open_signed_in
from tests.web.slow_line import HOST, SlowLine
from tests.web.walkthroughs import IN_TIME_MS, choose, part_numbers_sent, upload_row

pytestmark = pytest.mark.slow

MEGABYTE = 1_000_000
DEAD_MS = 20_000
FLAPS_EVERY_MS = 6000
FLAPS = 4
BROWSER_COMPLAINTS = [
    "net::ERR_",
    "CORS policy",
    "status of 50",
]


@dataclass(frozen=True)
class Distant:
    """The platform at the other end of a line."""

    platform: LocalPlatform
    line: SlowLine
    site_url: str


@contextmanager
def platform_behind(line: SlowLine) -> Generator[Distant]:
    """The page, the API and S3 behind one line; the sign-in is near."""
    ports = Ports.free()
    with line:
        store_url = f"http://{HOST}:{line.open(ports.stand_in)}"
        with LocalPlatform(data_dir=None, ports=ports, api_variables={"AWS_ENDPOINT_URL": store_url}) as platform:
            site_url = f"http://{HOST}:{line.open(ports.site)}"
            platform.sign_in.allow_redirects("web", [f"{site_url}/"])
            allow_origins(platform.stand_in_url, [platform.site_url, site_url])
            yield Distant(platform, line, site_url)


def open_as_somebody(page: Page, distant: Distant) -> None:
    email = f"{secrets.token_hex(4)}@example.com"
    open_signed_in(page, distant.site_url, distant.platform.sign_in, email)


def films(folder: Path, count: int, size_bytes: int) -> list[Path]:
    made = [folder / f"film {number}.mp4" for number in range(count)]
    for film in made:
        write_sample_video(film, pad_to_bytes=size_bytes)
    return made


def part_of(url: str) -> tuple[str, str]:
    """Return the object and the part's number, whatever the signature."""
    address = urlsplit(url)
    return address.path, parse_qs(address.query)["partNumber"][0]


def test_three_files_arrive_though_everything_is_dropped_for_a_while_and_the_row_counts_down(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    complaints += BROWSER_COMPLAINTS
    files = films(tmp_path, 3, 6 * MIB)
    with platform_behind(SlowLine(1.5 * MEGABYTE)) as distant:
        open_as_somebody(page, distant)
        acknowledged = part_numbers_sent(page)
        choose(page, *files)
        first = upload_row(page, files[0].name)
        expect(first).to_contain_text("/s", timeout=IN_TIME_MS)
        distant.line.die()
        expect(first).to_contain_text("No connection, trying again in", timeout=DEAD_MS)
        expect(first).not_to_contain_text("/s")
        expect(upload_row(page, files[2].name)).to_contain_text("Waiting")
        page.wait_for_timeout(DEAD_MS)
        assert page.evaluate("navigator.onLine") is True
        expect(page.locator("#uploads [data-state=failed]")).to_have_count(0)
        distant.line.revive()
        for file in files:
            expect(upload_row(page, file.name).get_by_text("Uploaded")).to_be_visible(timeout=8 * IN_TIME_MS)
        assert len(acknowledged) == len(set(map(part_of, acknowledged))) == 6


def test_a_slow_line_that_is_cut_again_and_again_carries_a_file_and_no_part_of_it_twice(
    page: Page, tmp_path: Path, complaints: list[str]
) -> None:
    complaints += BROWSER_COMPLAINTS
    (file,) = films(tmp_path, 1, 16 * MIB)
    with platform_behind(SlowLine(1.5 * MEGABYTE)) as distant:
        open_as_somebody(page, distant)
        acknowledged = part_numbers_sent(page)
        choose(page, file)
        expect(upload_row(page, file.name)).to_contain_text("Uploading", timeout=IN_TIME_MS)
        for _ in range(FLAPS):
            page.wait_for_timeout(FLAPS_EVERY_MS)
            distant.line.cut()
            threading.Event().wait(1)
            distant.line.mend()
            expect(page.locator("#uploads [data-state=failed]")).to_have_count(0)
        expect(upload_row(page, file.name).get_by_text("Uploaded")).to_be_visible(timeout=8 * IN_TIME_MS)
        assert len(acknowledged) == len(set(map(part_of, acknowledged))) == 4
