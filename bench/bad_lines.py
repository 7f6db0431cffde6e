"""Our page, a page with Uppy and one with UpChunk on the same bad lines, side by side.

Each client has its own line, and the lines go dead and are cut at the same moments. Prints for each client, as medians
of the rounds: the bytes that the store holds at the end, per second; the bytes that the line carried; the uploads that
failed for good. --write puts the tables into docs/performance.md. Connections that were open while everything was
dropped stay dead, as behind a restarted router.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import browser_peers
from bench.document import about, write
from bench.peers_server import PeersServer, serving_peers
from bench.peers_store import Store
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from tests.chromium import launch
from tests.media.sample_videos import write_sample_video
from tests.web.session import open_signed_in
from tests.web.slow_line import HOST, SlowLine

SECTION = "bench.bad_lines"
MEGABYTE = 1_000_000
OURS, UPPY, UPCHUNK = "our page", "Uppy", "UpChunk"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Files on a line. dead: from when to when everything is dropped. cut_every: seconds between cuts of one second."""

    title: str
    files: int
    file_bytes: int
    bytes_per_second: float
    seconds: float
    dead: tuple[float, float] | None = None
    cut_every: float | None = None


FULL = (
    Scenario(
        title="Everything is dropped for 70 s while three files of 20 MB upload at 1.5 MB/s; seen for 120 s",
        files=3,
        file_bytes=20 * MEGABYTE,
        bytes_per_second=1.5 * MEGABYTE,
        seconds=120,
        dead=(10, 80),
    ),
    Scenario(
        title="1 MB/s with a cut of 1 s every 15 s, one file of 77 MB; seen for 95 s",
        files=1,
        file_bytes=77 * MEGABYTE,
        bytes_per_second=MEGABYTE,
        seconds=95,
        cut_every=15,
    ),
)
QUICK = (
    Scenario(
        title="Short form: everything is dropped for 12 s while three files of 12 MB upload at 4 MB/s; seen for 50 s",
        files=3,
        file_bytes=12 * MEGABYTE,
        bytes_per_second=4 * MEGABYTE,
        seconds=50,
        dead=(3, 15),
    ),
    Scenario(
        title="Short form: 2.5 MB/s with a cut of 1 s every 6 s, one file of 40 MB; seen for 24 s",
        files=1,
        file_bytes=40 * MEGABYTE,
        bytes_per_second=2.5 * MEGABYTE,
        seconds=24,
        cut_every=6,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One client in one round."""

    held_bytes: int
    carried_bytes: int
    failed: int
    done: int


@dataclass(frozen=True)
class Lane:
    """One client with its line. held_bytes, ends: what the store holds now; how many uploads failed, and were done."""

    name: str
    line: SlowLine
    page: Page
    held_bytes: Callable[[], int]
    ends: Callable[[], tuple[int, int]]


def play(scenario: Scenario, browser: Browser, files: Sequence[Path]) -> dict[str, Result]:
    """One round of all clients."""
    with ExitStack() as held:
        lines = {name: held.enter_context(SlowLine(scenario.bytes_per_second)) for name in (OURS, UPPY, UPCHUNK)}
        ports = Ports.free()
        stores = {name: f"http://{HOST}:{lines[name].open(ports.stand_in)}" for name in (OURS, UPPY)}
        platform = held.enter_context(
            LocalPlatform(data_dir=None, ports=ports, api_variables={"AWS_ENDPOINT_URL": stores[OURS]})
        )
        peers = held.enter_context(serving_peers(browser_peers.PAGES))
        site_url = f"http://{HOST}:{lines[OURS].open(ports.site)}"
        pages = {name: f"http://{HOST}:{lines[name].open(peers.server_port)}" for name in (UPPY, UPCHUNK)}
        platform.sign_in.allow_redirects("web", [f"{site_url}/"])
        store = Store(platform.stand_in_url, seen_as=stores[UPPY])
        store.allow([platform.site_url, site_url, pages[UPPY]])
        peers.sign = store.sign
        lanes = [
            _our_lane(held, browser, lines[OURS], platform, site_url, store),
            _peer_lane(held, browser, lines[UPPY], UPPY, f"{pages[UPPY]}/uppy.html", lambda: store.held_bytes("uppy/")),
            _peer_lane(held, browser, lines[UPCHUNK], UPCHUNK, f"{pages[UPCHUNK]}/upchunk.html", _all_of(peers)),
        ]
        return _drive(scenario, lanes, files)


def _all_of(peers: PeersServer) -> Callable[[], int]:
    return lambda: sum(peers.held.values())


def _new_page(held: ExitStack, browser: Browser) -> Page:
    context = browser.new_context(locale="en-GB", service_workers="block")
    held.callback(context.close)
    return context.new_page()


def _our_lane(  # noqa: PLR0917 - one lane's parts
    held: ExitStack, browser: Browser, line: SlowLine, platform: LocalPlatform, site_url: str, store: Store
) -> Lane:
    page = _new_page(held, browser)
    open_signed_in(page, site_url, platform.sign_in, "bench@example.com")

    def ends() -> tuple[int, int]:
        rows = page.get_by_role("list", name="Uploads", exact=True).get_by_role("listitem")
        failed = page.locator("#uploads [data-state=failed]").count()
        return failed, rows.filter(has_text="Uploaded").count()

    return Lane(OURS, line, page, lambda: store.held_bytes(names.VIDEO_PREFIX), ends)


def _peer_lane(  # noqa: PLR0917 - one lane's parts
    held: ExitStack, browser: Browser, line: SlowLine, name: str, url: str, held_bytes: Callable[[], int]
) -> Lane:
    page = _new_page(held, browser)
    page.goto(url)
    page.wait_for_function("globalThis.outcome")

    def ends() -> tuple[int, int]:
        outcome = page.evaluate("globalThis.outcome")
        return outcome["failed"], outcome["done"]

    return Lane(name, line, page, held_bytes, ends)


def _moments(scenario: Scenario, lines: Sequence[SlowLine]) -> Iterator[tuple[float, Callable[[], None]]]:
    """Yield what happens to all lines, and when."""

    def all_of(change: Callable[[SlowLine], None]) -> Callable[[], None]:
        def happen() -> None:
            for line in lines:
                change(line)

        return happen

    if scenario.dead:
        yield scenario.dead[0], all_of(SlowLine.die)
        yield scenario.dead[1], all_of(SlowLine.revive)
    if scenario.cut_every:
        second = scenario.cut_every
        while second + 1 < scenario.seconds:
            yield second, all_of(SlowLine.cut)
            yield second + 1, all_of(SlowLine.mend)
            second += scenario.cut_every


def _drive(scenario: Scenario, lanes: Sequence[Lane], files: Sequence[Path]) -> dict[str, Result]:
    carried_before = {lane.name: lane.line.carried_bytes for lane in lanes}
    for lane in lanes:
        lane.page.locator("input[type=file]").first.set_input_files([str(file) for file in files])
    began = time.monotonic()

    def wait_until(second: float) -> None:
        while (left := began + second - time.monotonic()) > 0:
            lanes[0].page.wait_for_timeout(min(left, 0.5) * 1000)  # lets all pages' events in

    for second, happen in _moments(scenario, [lane.line for lane in lanes]):
        wait_until(second)
        happen()
    wait_until(scenario.seconds)
    results: dict[str, Result] = {}
    for lane in lanes:
        failed, done = lane.ends()
        results[lane.name] = Result(
            held_bytes=lane.held_bytes(),
            carried_bytes=lane.line.carried_bytes - carried_before[lane.name],
            failed=failed,
            done=done,
        )
    return results


def table(scenario: Scenario, rounds: Sequence[dict[str, Result]]) -> str:
    """Medians of the rounds, in Markdown."""
    lines = [
        f"**{scenario.title}**",
        "",
        "| Client | kept by the store, kB/s | carried by the line, MB | uploads failed for good | uploads done |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in (OURS, UPPY, UPCHUNK):
        results = [each[name] for each in rounds]
        kept = statistics.median(each.held_bytes for each in results) / scenario.seconds / 1000
        carried = statistics.median(each.carried_bytes for each in results) / MEGABYTE
        failed = statistics.median(each.failed for each in results)
        done = statistics.median(each.done for each in results)
        lines.append(f"| {name} | {kept:.0f} | {carried:.1f} | {failed:g} of {scenario.files} | {done:g} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short forms of the same scenarios")
    parser.add_argument("--rounds", type=int, default=1, help="number of rounds, whose medians are printed (1)")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/performance.md")
    wanted = parser.parse_args(arguments)
    browser_peers.install()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = launch(playwright)
        report = [about(wanted.rounds, browser_peers.versions())]
        print(report[0], flush=True)
        for scenario in QUICK if wanted.quick else FULL:
            files = [Path(folder) / f"film {number}.mp4" for number in range(scenario.files)]
            for file in files:
                write_sample_video(file, pad_to_bytes=scenario.file_bytes)
            report.append(table(scenario, [play(scenario, browser, files) for _ in range(wanted.rounds)]))
            print(f"\n{report[-1]}", flush=True)
        browser.close()
    if wanted.write:
        write(SECTION, "\n\n".join(report))


if __name__ == "__main__":
    main()
