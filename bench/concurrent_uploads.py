"""Upload many videos at the same time to a platform of its own, and account for every one of them.

Every client opens its upload, waits until all the others have, sends its parts and completes; then every video is
waited for, read back and compared. Ends with 1 if an upload failed or a video was lost, doubled or changed.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.arrivals import Announcements, SentVideo, examine
from bench.process_watch import ProcessWatch
from bench.report import Outcome, print_report
from bench.upload_client import Client, Content, Figures, Step, UploadFailedError, settle
from local.child_process import ChildFailedError
from local.open_files import allow_open_files
from local.platform import LocalPlatform, Ports
from tests.media.sample_videos import write_sample_video

UPLOADS = 1247
"""The specification's figure for concurrent uploads."""

USERS = 50
MAX_UPLOADS_PER_USER = 100
"""The local platform's cap on what one user may have open: it would rightly refuse more."""

PROGRESS_SECONDS = 5.0
STALLED_SECONDS = 120.0
"""Nothing was announced for this long: what is missing will not come any more."""

THREAD_STACK_BYTES = 512 * 1024
OPEN_FILES_PER_UPLOAD = 3


@dataclass
class Run:
    """All uploads of one measurement, as far as they have come."""

    api_url: str
    shared_content: bytes
    access_tokens: Sequence[str]
    uploads: int
    figures: Figures = field(default_factory=Figures)
    reached: Counter[Step] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    sent: list[SentVideo] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open_at_once: int = 0

    def __post_init__(self) -> None:
        self._all_open = threading.Barrier(self.uploads, action=self._count_open)

    def upload(self, number: int) -> None:
        """What one client does."""
        client = Client(self.figures)
        try:
            self._upload(client, number)
        except UploadFailedError as error:
            self._note_failure(str(error))
        except Exception as error:
            self._note_failure(f"the client itself: {error!r}")
        finally:
            client.close()

    def _upload(self, client: Client, number: int) -> None:
        content = Content(self.shared_content, number)
        access_token = self.access_tokens[number % len(self.access_tokens)]
        try:
            started = client.ask_api(
                Step.INIT,
                f"{self.api_url}/multipart/init",
                access_token,
                {"fileName": f"{number}.mp4", "contentType": "video/mp4", "sizeBytes": content.size_bytes},
                expected={201},
            ).json()
            self._note_reached(Step.INIT)
        finally:
            self._all_open.wait()
        parts: list[dict[str, object]] = []
        for part in started["presignedUrls"]:
            start = (part["partNumber"] - 1) * started["partSizeBytes"]
            size_bytes: int = part["sizeBytes"]
            answer = client.request(
                Step.PART,
                "PUT",
                part["url"],
                lambda start=start, size_bytes=size_bytes: content.blocks(start, size_bytes),
                {"Content-Length": str(size_bytes), **part["headers"]},
                expected={200},
            )
            parts.append({"partNumber": part["partNumber"], "etag": answer.headers["ETag"]})
        self._note_reached(Step.PART)
        checksum = b64encode(content.crc64nvme()).decode()
        settle(
            client,
            self.figures,
            f"{self.api_url}/multipart/complete",
            started["uploadToken"],
            {"parts": parts, "checksumCRC64NVME": checksum},
        )
        self._note_reached(Step.COMPLETE)
        with self.lock:
            self.sent.append(SentVideo(started["videoId"], started["fileKey"], content.sha256(), access_token))

    def _count_open(self) -> None:
        self.open_at_once = self.reached[Step.INIT]

    def _note_reached(self, step: Step) -> None:
        with self.lock:
            self.reached[step] += 1

    def _note_failure(self, kind: str) -> None:
        with self.lock:
            self.failures[kind] += 1


class Progress:
    """A line every few seconds."""

    def __init__(self, run: Run, announcements: Announcements) -> None:
        self._run, self._announcements = run, announcements
        self._started = self._printed = time.monotonic()

    def tick(self) -> None:
        now = time.monotonic()
        if now - self._printed < PROGRESS_SECONDS:
            return
        self._printed = now
        reached = self._run.reached
        print(
            f"{now - self._started:6.0f} s  opened {reached[Step.INIT]}  parts sent {reached[Step.PART]}"
            f"  completed {reached[Step.COMPLETE]}  processed {len(self._announcements.states)}"
            f"  failed {self._run.failures.total()}  retries {self._run.figures.retries.total()}",
            flush=True,
        )


class ProcessLog:
    """What the platform's processes print, but for their metrics."""

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
    log = ProcessLog(verbose=arguments.verbose)
    print("Starting a platform …", flush=True)
    try:
        with LocalPlatform(data_dir=None, ports=Ports.free(), on_line=log.add) as platform:
            outcome = _measure(platform, arguments)
    except ChildFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print_report(outcome, log.lines)
    return 0 if outcome.is_flawless else 1


def _measure(platform: LocalPlatform, arguments: argparse.Namespace) -> Outcome:
    processes = {name: platform.child(name).pid for name in ("site", "stand-in", "worker")}
    processes["clients, sign-in"] = os.getpid()
    print(f"  processes: {', '.join(f'{name} {process_id}' for name, process_id in processes.items())}")
    run = Run(
        api_url=f"{platform.site_url}/api",
        shared_content=_video(arguments.size_bytes),
        access_tokens=[
            platform.sign_in.issue_tokens(f"user-{number}@example.com", client_id="desktop").access_token
            for number in range(arguments.users)
        ],
        uploads=arguments.uploads,
    )
    announcements = Announcements(platform.stand_in_url)
    progress = Progress(run, announcements)
    with ProcessWatch(processes) as watch:
        started = time.monotonic()
        _send_all(run, progress)
        sent = time.monotonic()
        _wait_until_announced(run, announcements, progress)
        processed = time.monotonic()
        print("Reading everything back …", flush=True)
        findings = examine(
            run.sent, api_url=run.api_url, stand_in_url=platform.stand_in_url, announcements=announcements
        )
    announcements.close()
    return Outcome(
        uploads=run.uploads,
        users=len(run.access_tokens),
        video_bytes=len(run.shared_content) + Content.TAIL_BYTES,
        open_at_once=run.open_at_once,
        reached=run.reached,
        failures=run.failures,
        figures=run.figures,
        upload_seconds=sent - started,
        processing_seconds=processed - sent,
        findings=findings,
        usage=watch.usage,
    )


def _send_all(run: Run, progress: Progress) -> None:
    print(f"Uploading {run.uploads} videos of {len(run.shared_content) + Content.TAIL_BYTES:,} bytes …", flush=True)
    clients = [threading.Thread(target=run.upload, args=(number,), daemon=True) for number in range(run.uploads)]
    for client in clients:
        client.start()
    for client in clients:
        while client.is_alive():
            client.join(0.5)
            progress.tick()


def _wait_until_announced(run: Run, announcements: Announcements, progress: Progress) -> None:
    print("All clients are done; waiting for the videos to be processed …", flush=True)
    expected = {video.video_id for video in run.sent}
    announced, last_change = 0, time.monotonic()
    while expected - announcements.states.keys() and time.monotonic() - last_change < STALLED_SECONDS:
        if len(announcements.states) != announced:
            announced, last_change = len(announcements.states), time.monotonic()
        progress.tick()
        time.sleep(0.1)


def _video(size_bytes: int | None) -> bytes:
    """size_bytes: of an upload, tail included; None leaves it as small as it is."""
    with tempfile.TemporaryDirectory() as folder:
        pad_to_bytes = size_bytes - Content.TAIL_BYTES if size_bytes else None
        return write_sample_video(
            Path(folder) / "shared.mp4", duration_seconds=1.0, pad_to_bytes=pad_to_bytes
        ).read_bytes()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.concurrent_uploads",
        description=__doc__,
    )
    parser.add_argument(
        "--uploads", type=_positive, default=UPLOADS, metavar="N", help="all of them at once (default: %(default)s)"
    )
    parser.add_argument(
        "--users", type=_positive, default=USERS, metavar="N", help="who share them evenly (default: %(default)s)"
    )
    parser.add_argument(
        "--size-bytes",
        type=_positive,
        metavar="N",
        help="of each video, padded; beyond 5 MiB it goes in several parts; without it: a second of video as it is",
    )
    parser.add_argument("--verbose", action="store_true", help="print what the platform's processes print")
    arguments = parser.parse_args()
    if arguments.uploads > arguments.users * MAX_UPLOADS_PER_USER:
        parser.error(f"a user may have {MAX_UPLOADS_PER_USER} uploads open: this takes more --users")
    return arguments


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")  # noqa: EM101 - shown as it is
    return number


if __name__ == "__main__":
    sys.exit(main())
