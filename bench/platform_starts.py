"""Warm starts of the local platform, `make run` until it prints its address, with many videos in its folder."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from bench.document import REPOSITORY
from bench.rounds import Target, table
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from local.stand_in.bodies import Bodies, Segment
from local.stand_in.checksums import Checksum, encode, start
from local.stand_in.database import Database
from local.stand_in.versions import Content, insert

SECTION = "bench.platform-starts"
COUNTS = (0, 10, 100, 1_000, 10_000, 100_000)
QUICK_COUNTS = (10,)
VIDEOS_A_USER = 1_000
MOST_SECONDS = 5
MAKE = shutil.which("make") or "make"
MIB = 2**20
PATIENCE_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start. cpu_seconds, rss_bytes: of all its processes when the address stands there."""

    wall_seconds: float
    cpu_seconds: float
    rss_bytes: int


class Filling:
    """Videos in the folder of a platform that has stopped: each an object, a record and a poster."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "stand-in"
        self._count = 0

    def grow_to(self, count: int) -> None:
        database, bodies = Database(self._folder, durable=True), Bodies(self._folder / "bodies")
        try:
            while self._count < count:
                with database.transaction() as connection:
                    for number in range(self._count, min(self._count + VIDEOS_A_USER, count)):
                        record = _record(number)
                        for bucket, key, body in (
                            (names.VIDEO_BUCKET, record.ref.file_key, b"video"),
                            (names.METADATA_BUCKET, record.ref.record_key, record.to_json()),
                            (names.METADATA_BUCKET, record.ref.poster_key, b"poster"),
                        ):
                            file_name = bodies.new()
                            bodies.path(file_name).write_bytes(body)
                            checksum = start("CRC64NVME")
                            checksum.update(body)
                            insert(
                                connection,
                                bucket=bucket,
                                key=key,
                                content=Content(
                                    size_bytes=len(body),
                                    etag=file_name,
                                    headers={"content-type": "application/octet-stream"},
                                    tags={},
                                    checksum=Checksum(
                                        algorithm="CRC64NVME", type="FULL_OBJECT", value=encode(checksum.digest())
                                    ),
                                ),
                                segments=[
                                    Segment(part_number=1, offset_bytes=0, size_bytes=len(body), file_name=file_name)
                                ],
                                is_versioned=True,
                                now=time.time(),
                            )
                self._count = min(self._count + VIDEOS_A_USER, count)
        finally:
            database.close()


def _record(number: int) -> VideoRecord:
    now = datetime.now(UTC)
    begun = VideoRecord.begun(
        VideoRef(f"{number // VIDEOS_A_USER:08}-user", new_video_id(now)),
        StartUpload(f"IMG_{number:06}.mp4", "video/mp4", 5),
        part_size_bytes=5_242_880,
        upload_id="upload",
        now=now,
        ttl=timedelta(days=7),
    )
    return begun.moved_to(State.READY, now, completed_at=now).noted(notified_at=now)


def start_once(folder: Path) -> Start:
    """Start the platform as a developer does, and stop it. Raises AssertionError when no address comes."""
    ports = Ports.free()
    options = f"--data {folder} --port {ports.site} --aws-port {ports.stand_in} --sign-in-port {ports.sign_in}"
    began = time.monotonic()
    process = subprocess.Popen(
        [MAKE, "--no-print-directory", "run", f"ARGS={options}"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line)
            if f"http://127.0.0.1:{ports.site}" in line:
                break
        else:
            raise AssertionError("".join(lines))
        wall_seconds = time.monotonic() - began
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        times = [member.cpu_times() for member in family]
        ended = sum(each.children_user + each.children_system for each in times)
        return Start(
            wall_seconds=wall_seconds,
            cpu_seconds=sum(each.user + each.system for each in times) + ended,
            rss_bytes=sum(member.memory_info().rss for member in family),
        )
    finally:
        # The platform under make, and not make: it would not tell the platform.
        for child in psutil.Process(process.pid).children():
            child.send_signal(signal.SIGINT)
        process.stdout.read()
        process.wait(PATIENCE_SECONDS)


def report(rounds: int, *, quick: bool) -> str:
    counts = QUICK_COUNTS if quick else COUNTS
    rows: list[list[str]] = []
    seconds: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-starts-") as name:
        folder = Path(name) / "data"
        # The first start is no warm one.
        with LocalPlatform(data_dir=folder, ports=Ports.free()):
            pass
        filling = Filling(folder)
        for count in counts:
            filling.grow_to(count)
            starts = [start_once(folder) for _ in range(rounds)]
            seconds.append(statistics.median(one.wall_seconds for one in starts))
            cpu_seconds = statistics.median(one.cpu_seconds for one in starts)
            rss_mib = statistics.median(one.rss_bytes / MIB for one in starts)
            rows.append([f"{count:,}", f"{seconds[-1]:.2f}", f"{cpu_seconds:.2f}", f"{rss_mib:.0f}"])
    targets = [Target(text="`make run`, warm, s", figure=seconds[0], at_most=MOST_SECONDS)]
    if not quick:
        targets.append(
            Target(text=f"`make run` with {COUNTS[-1]:,} videos, s", figure=seconds[-1], at_most=MOST_SECONDS)
        )
    return f"{table(['Videos', 'wall s', 'CPU s', 'MiB'], rows)}\n\n" + "\n".join(map(str, targets))
