"""Upload many videos at the same time to a platform of its own, and account for every one of them.

Some users sign in through the pages, the others are given tokens. The first users hold one upload each open at the
same time, with all its parts sent. Then all uploads are completed, awaited, read back and compared. In each step, half
of the clients run undisturbed and half during a flood from one user at the cap; meanwhile the other users load their
lists. The exit code is 1 if an upload failed, a video was lost, doubled or changed, the index did not follow the
records, or the flood got an answer other than 429 (503 on a busy machine).
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from bench import document
from bench.arrivals import Announcements, count_open_uploads, examine
from bench.flood import CONNECTIONS, MAX_OPEN_UPLOADS, Flood
from bench.index_watch import IndexWatch
from bench.process_watch import ProcessWatch
from bench.report import Outcome, in_markdown, print_report
from bench.sign_ins import sign_in_users
from bench.upload_client import Content, SharedContent, Step, Traffic
from bench.upload_run import STEPS, Run, Wave
from bench.visitors import Visitors
from chalicelib.environment import Environment
from chalicelib.wiring import Services
from local.api_environment import aws_credentials
from local.child_process import ChildFailedError
from local.platform import LocalPlatform, Ports
from local.stand_in.open_files import allow_open_files
from tests.media.sample_videos import write_sample_video

SECTION = "bench.concurrent_uploads"
UPLOADS = 1247
"""The specification's figure for concurrent uploads."""

USERS = 2500
"""The specification's figure for users at the same time."""

SIGN_INS = 100
"""Users who sign in through the pages; a walk of all of them took longer than all uploads."""

MIB = 2**20
SIZE_BYTES = 10 * MIB + 128 * 1024
"""Two parts of the smallest size that S3 takes, and a small last one."""

DISK_MARGIN_BYTES = 1024 * MIB
PROGRESS_SECONDS = 5.0
STALLED_SECONDS = 120.0
"""Time without an announcement after which missing ones are given up."""

FLOOD_WARM_UP_SECONDS = 1.0
STOPPED_BY_SIGNAL = 130
THREAD_STACK_BYTES = 512 * 1024
OPEN_FILES_PER_UPLOAD = 3


class Progress:
    """A line every few seconds."""

    def __init__(self) -> None:
        self._started = self._printed = time.monotonic()

    def tick(self, text: Callable[[], str]) -> None:
        now = time.monotonic()
        if now - self._printed >= PROGRESS_SECONDS:
            self._printed = now
            print(f"{now - self._started:6.0f} s  {text()}", flush=True)


class Phases:
    """The seconds of each phase, by name, in their order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def end(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = now - self._since
        self._since = now


class ProcessLog:
    """Output of the platform's processes, without their metrics."""

    def __init__(self, *, verbose: bool) -> None:
        self.lines: dict[str, list[str]] = {}
        self._verbose = verbose

    def add(self, process: str, line: str) -> None:
        if not line or line.startswith("{"):
            return
        self.lines.setdefault(process, []).append(line)
        if self._verbose:
            print(f"{process}: {line}", flush=True)


def main() -> int:
    arguments = _arguments()
    allow_open_files(arguments.uploads * OPEN_FILES_PER_UPLOAD + 256)
    threading.stack_size(THREAD_STACK_BYTES)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    log = ProcessLog(verbose=arguments.verbose)
    try:
        with tempfile.TemporaryDirectory(prefix="load-", dir=arguments.folder) as folder:
            # All processes write below it, so that nothing remains of one that had to be killed.
            os.environ["TMPDIR"] = tempfile.tempdir = folder
            print(f"Starting a platform in {folder} …", flush=True)
            with LocalPlatform(
                data_dir=None,
                ports=Ports.free(),
                api_variables={"MAX_OPEN_UPLOADS_PER_USER": str(MAX_OPEN_UPLOADS)},
                on_line=log.add,
            ) as platform:
                outcome = _measure(platform, arguments)
    except ChildFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; everything it wrote is removed.", file=sys.stderr)
        return STOPPED_BY_SIGNAL
    print_report(outcome, log.lines)
    if arguments.write:
        document.write(SECTION, f"{document.about(1, {})}\n\n{in_markdown(outcome)}")
    return 0 if outcome.is_flawless else 1


def _measure(platform: LocalPlatform, arguments: argparse.Namespace) -> Outcome:
    processes = {name: platform.child(name).pid for name in ("site", "stand-in", "worker")}
    processes["clients, sign-in"] = os.getpid()
    print(f"  processes: {', '.join(f'{name} {process_id}' for name, process_id in processes.items())}")
    run = Run(f"{platform.site_url}/api", SharedContent(_video(arguments.size_bytes)), arguments.uploads)
    progress, phases = Progress(), Phases()
    open_at_once = 0
    with ProcessWatch(processes) as watch, closing(Announcements(platform.stand_in_url)) as announcements:
        print(f"Signing {arguments.users:,} users in …", flush=True)
        run.access_tokens = sign_in_users(
            platform,
            arguments.users,
            arguments.sign_ins,
            run.figures,
            lambda count: progress.tick(lambda: f"signed in {count}"),
        )
        phases.end("signing in")
        _start_clients(run)
        visitors = Visitors(run.api_url, run.access_tokens[run.uploads : -1], run.figures)
        flood = Flood(run.api_url, run.access_tokens[-1], arguments.connections)
        index = _index(platform, announcements)
        with visitors, flood, index:
            for step in STEPS:
                _take(step, run, flood, announcements, progress)
                phases.end(f"all clients: {step}")
                if step is Step.PART:
                    open_at_once = count_open_uploads(platform.stand_in_url) - flood.open_uploads
                    print(f"{open_at_once:,} uploads are open with all their parts.", flush=True)
        print("Reading everything back …", flush=True)
        findings = examine(
            run.sent, api_url=run.api_url, stand_in_url=platform.stand_in_url, announcements=announcements
        )
        phases.end("reading back")
        indexed = index.finish()
        phases.end("comparing the index")
    return Outcome(
        uploads=run.uploads,
        users=arguments.users,
        visits=visitors.visits,
        video_bytes=arguments.size_bytes,
        part_count=run.part_count,
        open_at_once=open_at_once,
        reached=run.reached,
        failures=run.failures + visitors.failures,
        figures=run.figures,
        flood=flood.answers,
        flood_connections=flood.connections,
        seconds=phases.seconds,
        findings=findings,
        indexed=indexed,
        usage=watch.usage,
    )


def _index(platform: LocalPlatform, announcements: Announcements) -> IndexWatch:
    environment = platform.api_environment()
    with aws_credentials(environment):
        services = Services(Environment.read(environment))
        services.folding.rebuild(None)  # as of a stage that has one
        return IndexWatch(services.index, services.records, announcements)


def _start_clients(run: Run) -> None:
    for number in range(run.uploads):
        threading.Thread(target=run.upload, args=(number,), daemon=True).start()


def _take(step: Step, run: Run, flood: Flood, announcements: Announcements, progress: Progress) -> None:
    """Let all clients take one step, in two waves, and the platform come to rest after each."""
    for wave in (Wave(step, is_flooded=False), Wave(step, is_flooded=True)):
        print(f"{step}: {run.missing(wave):,} clients{' under the flood' if wave.is_flooded else ''} …", flush=True)
        if wave.is_flooded:
            flood.begin()
            time.sleep(FLOOD_WARM_UP_SECONDS)
        run.figures.traffic = Traffic.FLOODED if wave.is_flooded else Traffic.WAVE
        run.call(wave)
        while run.missing(wave):
            progress.tick(lambda: _so_far(run, announcements))
            time.sleep(0.1)
        run.figures.traffic = Traffic.LIGHT
        flood.pause()
        _wait_until_announced(run, announcements, progress)


def _so_far(run: Run, announcements: Announcements) -> str:
    reached = run.reached
    return (
        f"opened {reached[Step.INIT]}  parts sent {reached[Step.PART]}  completed {reached[Step.COMPLETE]}"
        f"  processed {len(announcements.states)}  failed {run.failures.total()}"
        f"  retries {run.figures.retries.total()}"
    )


def _wait_until_announced(run: Run, announcements: Announcements, progress: Progress) -> None:
    expected = {video.video_id for video in run.sent}
    announced, last_change = 0, time.monotonic()
    while expected - announcements.states.keys() and time.monotonic() - last_change < STALLED_SECONDS:
        if len(announcements.states) != announced:
            announced, last_change = len(announcements.states), time.monotonic()
        progress.tick(lambda: _so_far(run, announcements))
        time.sleep(0.1)


def _video(size_bytes: int) -> bytes:
    """The shared part of uploads of this size."""
    with tempfile.TemporaryDirectory() as folder:
        return write_sample_video(
            Path(folder) / "shared.mp4", duration_seconds=1.0, pad_to_bytes=size_bytes - Content.TAIL_BYTES
        ).read_bytes()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.concurrent_uploads",
        description=__doc__,
    )
    parser.add_argument(
        "--uploads", type=_positive, default=UPLOADS, metavar="N", help="concurrent uploads (default: %(default)s)"
    )
    parser.add_argument(
        "--users",
        type=_positive,
        default=USERS,
        metavar="N",
        help="users: one for each upload, one who floods, and visitors (default: %(default)s)",
    )
    parser.add_argument(
        "--sign-ins",
        type=_positive,
        default=SIGN_INS,
        metavar="N",
        help="users who sign in through the pages; the others are given tokens (default: %(default)s)",
    )
    parser.add_argument(
        "--connections",
        type=_positive,
        default=CONNECTIONS,
        metavar="N",
        help="connections of the flood (default: %(default)s)",
    )
    parser.add_argument(
        "--size-bytes",
        type=_positive,
        default=SIZE_BYTES,
        metavar="N",
        help="size of each video; every 5 MiB make a part (default: %(default)s)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="folder for the videos during the test (default: the temporary folder)",
    )
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    parser.add_argument("--verbose", action="store_true", help="print the output of the platform's processes")
    arguments = parser.parse_args()
    if arguments.users < arguments.uploads + 2:
        parser.error("give more --users: one for each upload, one who floods and one who visits")
    needed_bytes = arguments.uploads * arguments.size_bytes + DISK_MARGIN_BYTES
    folder = arguments.folder or tempfile.gettempdir()
    if (free_bytes := shutil.disk_usage(folder).free) < needed_bytes:
        parser.error(
            f"{folder} has {free_bytes // MIB:,} MiB free and {needed_bytes // MIB:,} are needed: see --folder"
        )
    return arguments


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")  # noqa: EM101 - shown as it is
    return number


if __name__ == "__main__":
    sys.exit(main())
