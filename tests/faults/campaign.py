"""All runs: several at once, and one by one where a fault strikes everybody."""

import shutil
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from playwright.sync_api import Browser, sync_playwright

from tests.chromium import launch
from tests.faults.command_process import warm_up
from tests.faults.command_runs import CommandRun
from tests.faults.kinds import KINDS, Client, Kind
from tests.faults.link_runs import LinkPageRun, LinkRun
from tests.faults.machine_runs import MachineRun
from tests.faults.page_runs import PageRun
from tests.faults.runs import Run
from tests.faults.scene import Lane, Scene, running_scene
from tests.faults.verifier import PROMISES, Broken

Job = tuple[Kind, int]
_COMMAND_RUNS = {Client.COMMAND: CommandRun, Client.LINK: LinkRun, Client.MACHINE: MachineRun}


@dataclass
class Findings:
    """The results of all runs."""

    started: float = field(default_factory=time.monotonic)
    runs: Counter[str] = field(default_factory=Counter[str])
    kinds: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    unstruck: Counter[str] = field(default_factory=Counter[str])
    broken: dict[tuple[str, int], list[Broken]] = field(default_factory=dict[tuple[str, int], list[Broken]])
    seeds: range = range(0)

    def lines(self) -> Iterator[str]:
        seconds = time.monotonic() - self.started
        total = self.runs.total()
        names = {name for kinds in self.kinds.values() for name in kinds}
        clients = ", ".join(
            f"{count} of the {client} ({len(self.kinds[client])} kinds)" for client, count in self.runs.items()
        )
        seeds = f"seeds {self.seeds.start} to {self.seeds.stop - 1}"
        yield f"{len(names)} kinds of fault, {seeds}: {total} runs in {seconds:.0f} s"
        yield f"runs: {clients}"
        if self.unstruck:
            yield "no fault struck in: " + ", ".join(f"{count} of {name}" for name, count in self.unstruck.items())
        promises = Counter(broken.promise for found in self.broken.values() for broken in found)
        yield ", ".join(f"{promise}: {promises[promise]}" for promise in PROMISES)

    def kept(self) -> dict[str, list[str]]:
        return {f"{name} {seed}": [str(one) for one in found] for (name, seed), found in self.broken.items()}


def wanted_kinds(words: Sequence[str], client: str | None) -> list[Kind]:
    """Kinds whose name is or holds one of the words; all without a word."""
    return [
        kind
        for kind in KINDS.values()
        if (not words or any(word in kind.name for word in words)) and client in {None, kind.client.value}
    ]


def play_all(kinds: Sequence[Kind], seeds: range, *, lanes: int, show: bool = False) -> Findings:
    warm_up()
    findings = Findings(seeds=seeds)
    with running_scene(lanes) as scene:
        findings.started = time.monotonic()
        jobs = [(kind, seed) for seed in seeds for kind in kinds]
        stage = _Stage(scene, findings, show=show)
        stage.play(scene.lanes, [job for job in jobs if not job[0].needs_all])
        stage.play(scene.lanes[:1], [job for job in jobs if job[0].needs_all])
    return findings


class _Stage:
    """The player of runs, and the notes of their results."""

    def __init__(self, scene: Scene, findings: Findings, *, show: bool) -> None:
        self._scene = scene
        self._findings = findings
        self._show = show
        self._lock = threading.Lock()

    def play(self, lanes: Sequence[Lane], jobs: Sequence[Job]) -> None:
        """Return when all are played, one run at a time on each lane."""
        waiting: SimpleQueue[Job] = SimpleQueue()
        for job in jobs:
            waiting.put(job)
        workers = [threading.Thread(target=self._work, args=(lane, waiting)) for lane in lanes]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _work(self, lane: Lane, waiting: SimpleQueue[Job]) -> None:
        with ExitStack() as opened:
            browser: Browser | None = None
            while True:
                try:
                    kind, seed = waiting.get_nowait()
                except Empty:
                    return
                if kind.client in {Client.PAGE, Client.LINK_PAGE}:
                    browser = browser or opened.enter_context(_browser())
                    kind_of_page = LinkPageRun if kind.client is Client.LINK_PAGE else PageRun
                    run: Run = kind_of_page(self._scene, lane, kind, seed, browser)
                else:
                    run = _COMMAND_RUNS[kind.client](self._scene, lane, kind, seed)
                self._play(run)

    def _play(self, run: Run) -> None:
        started = time.monotonic()
        try:
            run.play()
        except Exception:
            run.broken.append(Broken("stuck", f"the run itself failed: {traceback.format_exc()}"))
        run.lane.line.lift()
        with self._lock:
            _note(self._findings, run, time.monotonic() - started, show=self._show)
        shutil.rmtree(run.folder, ignore_errors=True)


@contextmanager
def _browser() -> Generator[Browser]:
    """One for all runs of a lane; each opens a profile of its own."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        try:
            yield browser
        finally:
            browser.close()


def _note(findings: Findings, run: Run, seconds: float, *, show: bool) -> None:
    client, name = run.kind.client.value, run.kind.name
    findings.runs[client] += 1
    findings.kinds.setdefault(client, set()).add(name)
    if not run.struck:
        findings.unstruck[name] += 1
    if run.broken:
        findings.broken[name, run.seed] = run.broken
    if show or run.broken:
        print(f"{name} seed {run.seed}, {seconds:.1f} s, struck {run.struck}", flush=True)
        for line in [*run.steps, *(f"BROKEN {one}" for one in run.broken)]:
            print(f"    {line}", flush=True)
    elif findings.runs.total() % 50 == 0:
        print(f"{findings.runs.total()} runs, {time.monotonic() - findings.started:.0f} s", file=sys.stderr, flush=True)
