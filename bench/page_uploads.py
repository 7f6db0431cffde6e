"""Uploads by pages in Chromium: ours, one with Uppy, one with UpChunk, and bare PUTs of parts as the limit."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench import browser_peers
from bench.peers_server import PeersServer, serving_peers
from bench.peers_store import Store
from bench.rounds import Results, Target, table, take_turns
from local.platform import LocalPlatform, Ports
from tests.chromium import launch
from tests.media.sample_videos import write_sample_video
from tests.web.session import open_signed_in

SECTION = "bench.page-uploads"
OURS, UPPY, UPCHUNK, LIMIT = "our page", "Uppy", "UpChunk", "PUTs alone"
PEER_PAGES = {UPPY: "uppy.html", UPCHUNK: "upchunk.html", LIMIT: "raw.html"}
MEGABYTE = 1_000_000
MIB = 2**20
FULL_MB = (100, 1_000)
QUICK_MB = (12,)
SAMPLED_EVERY_MS = 100
PATIENCE_SECONDS = 120
MOST_OF_LIMIT = 1.2
TASKS = "toplevel"
"""Category of the trace that has each task of each thread."""
LONG_TASK_MS = 50
"""Duration of a long task. Source: W3C, "Long Tasks API"."""
MOST_GROWTH = 1.2
"""Largest growth of memory from the smaller to the larger file that counts as flat."""

LOOKED_AT_EVERY_MS = 20
WATCH = """
globalThis.measured = { longest: 0, began: 0, ended: 0 };
globalThis.begin = () => Object.assign(measured, { longest: 0, began: performance.now() });
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    if (startTime + duration >= measured.began) measured.longest = Math.max(measured.longest, duration);
  }
}).observe({ type: "longtask" });
"""
WATCH_INPUT = """(input, every) => {
  input.addEventListener("change", begin, { capture: true });
  const timer = setInterval(() => {
    if (!(%s)) return;
    measured.ended = performance.now();
    clearInterval(timer);
  }, every);
}"""
OUR_ROWS = 'document.querySelector("#uploader").shadowRoot.querySelector("%s")'
OUR_END = OUR_ROWS % "[data-state=completed], [data-state=ready], [data-state=failed]"
OUR_FAILURE = OUR_ROWS % "[data-state=failed]"
PEER_END = "outcome.done + outcome.failed"
PEER_FAILURE = "outcome.failed"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One upload as its browser saw it.

    cpu_seconds, grown_bytes: of all processes of the browser. longest_task_ms: of the main thread, by the clock, where
    only long ones count.
    """

    wall_seconds: float
    cpu_seconds: float
    longest_task_ms: float
    grown_bytes: int


@dataclass(frozen=True, kw_only=True)
class OpenPage:
    """A page that is ready for a file. ended, failed: expressions that tell its upload's end."""

    browser: Browser
    page: Page
    ended: str
    failed: str


class BrowserWatch:
    """Processes of a browser: their CPU time and memory."""

    def __init__(self, browser: Browser) -> None:
        self._session = browser.new_browser_cdp_session()

    def _processes(self) -> list[dict[str, Any]]:
        return self._session.send("SystemInfo.getProcessInfo")["processInfo"]

    def cpu_seconds(self) -> float:
        return sum(process["cpuTime"] for process in self._processes())

    def rss_bytes(self) -> int:
        total = 0
        for process in self._processes():
            try:
                total += psutil.Process(process["id"]).memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total


class UploadPages:
    """Our page and the peers', each from its server; all uploads share the servers."""

    def __init__(self, platform: LocalPlatform, peers: PeersServer) -> None:
        self._platform = platform
        self._peers_url = f"http://127.0.0.1:{peers.server_port}"
        self._store = Store(platform.stand_in_url, seen_as=platform.stand_in_url)
        self._store.allow([platform.site_url, self._peers_url])
        peers.sign = self._store.sign
        self._users = itertools.count()

    def upload(self, playwright: Playwright, name: str, file: Path) -> Upload:
        """Upload a file through one page, in a browser of its own."""
        with self._opened(playwright, name) as opened:
            return _measure(opened, file)

    def longest_task_cpu_ms(self, playwright: Playwright, name: str, file: Path) -> float:
        """CPU time of the main thread's longest task during an upload of its own: a trace takes time and memory."""
        with self._opened(playwright, name) as opened:
            opened.browser.start_tracing(page=opened.page, categories=[TASKS])
            _measure(opened, file)
            return _longest_task_ms(opened.browser.stop_tracing())

    @contextmanager
    def _opened(self, playwright: Playwright, name: str) -> Generator[OpenPage]:
        browser = launch(playwright)
        context = browser.new_context(locale="en-GB", service_workers="block")
        context.add_init_script(WATCH)
        page = context.new_page()
        try:
            if name == OURS:
                # Another user each time: the page asks before it uploads what the library has.
                email = f"bench-{next(self._users)}@example.com"
                open_signed_in(page, self._platform.site_url, self._platform.sign_in, email)
                page.wait_for_load_state("networkidle")
                yield OpenPage(browser=browser, page=page, ended=OUR_END, failed=OUR_FAILURE)
            else:
                page.goto(f"{self._peers_url}/{PEER_PAGES[name]}")
                page.wait_for_function("globalThis.outcome")
                yield OpenPage(browser=browser, page=page, ended=PEER_END, failed=PEER_FAILURE)
        finally:
            browser.close()
            self._store.empty("uppy/")


@contextmanager
def serving_pages() -> Generator[UploadPages]:
    """Start the platform and the server, and stop them at the end."""
    with (
        LocalPlatform(data_dir=None, ports=Ports.free()) as platform,
        serving_peers(browser_peers.PAGES) as peers,
    ):
        yield UploadPages(platform, peers)


def _measure(opened: OpenPage, file: Path) -> Upload:
    page = opened.page
    watch = BrowserWatch(opened.browser)
    picker = page.locator("input[type=file]").first
    picker.evaluate(WATCH_INPUT % opened.ended, LOOKED_AT_EVERY_MS)
    cpu_before, rss_before = watch.cpu_seconds(), watch.rss_bytes()
    picker.set_input_files(str(file))
    peak = rss_before
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := page.evaluate("measured"))["ended"]:
        assert time.monotonic() < deadline, page.url
        peak = max(peak, watch.rss_bytes())
        page.wait_for_timeout(SAMPLED_EVERY_MS)
    cpu_seconds = watch.cpu_seconds() - cpu_before
    assert not page.evaluate(f"Boolean({opened.failed})"), page.url
    return Upload(
        wall_seconds=(seen["ended"] - seen["began"]) / 1000,
        cpu_seconds=cpu_seconds,
        longest_task_ms=seen["longest"],
        grown_bytes=peak - rss_before,
    )


def _longest_task_ms(trace: bytes) -> float:
    """CPU time of the longest task of a page's main thread."""
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    main_threads = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks = (event for event in events if event["name"].endswith("RunTask") and "tdur" in event)
    return max(task["tdur"] for task in tasks if (task["pid"], task["tid"]) in main_threads) / 1000


def _rows(of_size: Results[Upload], longest_task_cpu_ms: Mapping[str, float]) -> list[list[str]]:
    rows: list[list[str]] = []
    for name in of_size.by_name:
        median = partial(of_size.median, name)
        longest = median(lambda one: one.longest_task_ms)
        rows.append(
            [
                name,
                f"{median(lambda one: one.wall_seconds):.2f}",
                "" if name == OURS else f"{of_size.ratio(OURS, name, lambda one: one.wall_seconds):.2f}",
                f"{median(lambda one: one.cpu_seconds):.2f}",
                "" if name == OURS else f"{of_size.ratio(OURS, name, lambda one: one.cpu_seconds):.2f}",
                f"{longest:.0f}" if longest else f"< {LONG_TASK_MS}",
                f"{longest_task_cpu_ms[name]:.0f}",
                f"{median(lambda one: one.grown_bytes / MIB):.0f}",
            ]
        )
    return rows


def report(rounds: int, *, quick: bool) -> str:
    browser_peers.install()
    sizes_mb = QUICK_MB if quick else FULL_MB
    tables: list[str] = []
    grown: list[float] = []
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder, serving_pages() as served:
        for size_mb in sizes_mb:
            file = write_sample_video(Path(folder) / f"film-{size_mb}.mp4", pad_to_bytes=size_mb * MEGABYTE)
            pages = (OURS, *PEER_PAGES)
            of_size = take_turns({name: partial(served.upload, playwright, name, file) for name in pages}, rounds)
            traced = {name: served.longest_task_cpu_ms(playwright, name, file) for name in pages}
            head = [f"{size_mb:,} MB", "wall s", "ours / it", "CPU s", "ours / it"]
            head += ["longest task, ms", "its CPU, ms", "memory grew by, MiB"]
            tables.append(table(head, _rows(of_size, traced)))
            grown.append(of_size.median(OURS, lambda one: one.grown_bytes / MIB))
    wall: Callable[[Upload], float] = lambda one: one.wall_seconds  # noqa: E731
    title = f"{sizes_mb[-1]:,} MB, wall, ours / "
    targets = [
        *(Target(text=title + peer, figure=of_size.ratio(OURS, peer, wall), at_most=1) for peer in (UPPY, UPCHUNK)),
        Target(text=title + LIMIT, figure=of_size.ratio(OURS, LIMIT, wall), at_most=MOST_OF_LIMIT),
        Target(
            text=f"ms of our longest task by the clock, {sizes_mb[-1]:,} MB; 0 where none took {LONG_TASK_MS}",
            figure=of_size.median(OURS, lambda one: one.longest_task_ms),
            at_most=LONG_TASK_MS,
        ),
        Target(
            text=f"our memory's growth, {sizes_mb[-1]:,} MB / {sizes_mb[0]:,} MB",
            figure=grown[-1] / grown[0],
            at_most=MOST_GROWTH,
        ),
    ]
    return "\n\n".join([*tables, "\n".join(map(str, targets))])
