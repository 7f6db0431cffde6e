"""The janitor's sweep over many open uploads."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bench.rounds import Target, table
from chalicelib.core.janitor import PARALLEL_LOOKS
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import VideoRecord
from components.compute.function_table import JANITOR_SECONDS
from tests.costs.billed_calls import KINDS
from tests.in_memory_platform import InMemoryPlatform, platform_in_memory
from tests.outside_calls import around_calls

SECTION = "bench.sweeps"
COUNTS = (100, 1_000, 10_000, 100_000)
QUICK_COUNTS = (100,)
UPLOADS_A_USER = 20
MEMORY_MIB = 512
MIB_A_CPU = 1_769  # Lambda Developer Guide, "Configure Lambda function memory": a function has one vCPU at 1,769 MB
GET_MILLISECONDS = 100
"""More than S3's median for a small object, which is "often in the tens of milliseconds".

Source: "Best Practices Design Patterns: Optimizing Amazon S3 Performance", "Timeouts and Retries for Latency-Sensitive
Applications".
"""


def filled(count: int) -> InMemoryPlatform:
    """A platform with open uploads of several users, each a few minutes old."""
    platform = platform_in_memory()
    now = platform.clock()
    for number in range(count):
        ref = VideoRef(f"{number // UPLOADS_A_USER:08}-user", new_video_id(now))
        request = StartUpload("film.mp4", "video/mp4", 100_000_000)
        record = VideoRecord.begun(
            ref, request, part_size_bytes=5_242_880, upload_id="upload", now=now, ttl=timedelta(days=7)
        )
        platform.metadata.put(ref.record_key, record.to_json(), "application/json")
        platform.records.reserve(ref, request.size_bytes)
    platform.clock.pass_time(seconds=300)
    return platform


def sweep(platform: InMemoryPlatform) -> tuple[float, int]:
    """CPU seconds of one sweep, and the calls that it makes."""
    made = 0

    def counting(_name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        nonlocal made
        made += 1
        return call()

    around_calls(platform, {"metadata": KINDS["metadata"]}, counting)
    began = time.process_time()
    done = platform.janitor.sweep()
    assert set(done) == {"open"}
    return time.process_time() - began, made


def longest_get_milliseconds(cpu_seconds: float, calls: int) -> float:
    """Return how long a GET may take for the sweep to end within its function's time."""
    left = JANITOR_SECONDS - cpu_seconds * MIB_A_CPU / MEMORY_MIB
    return 1000 * left * PARALLEL_LOOKS / calls


def report(rounds: int, *, quick: bool) -> str:
    del rounds  # each size once: the curve is what is looked at
    rows: list[list[str]] = []
    longest = 0.0
    for count in QUICK_COUNTS if quick else COUNTS:
        cpu_seconds, calls = sweep(filled(count))
        longest = longest_get_milliseconds(cpu_seconds, calls)
        rows.append([f"{count:,}", f"{calls:,}", f"{cpu_seconds:.2f}", f"{longest:,.0f}"])
    head = ["Open uploads", "calls", "CPU s", "a GET may take, ms"]
    target = Target(
        text=f"{rows[-1][0]} open uploads: ms that a GET may take", figure=longest, at_least=GET_MILLISECONDS
    )
    return f"{table(head, rows)}\n\n{target}"
