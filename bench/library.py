"""Calls to S3 and milliseconds of a library's page at several sizes, of an owner and of the stage.

S3 is a dictionary in this process: the milliseconds are what a page computes, and the calls are what it asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

from bench.rounds import Target, table
from chalicelib.core.index.lines import Line
from chalicelib.core.index.packs import Pack
from chalicelib.core.index.queries import NEWEST_FIRST, Query, Sort
from chalicelib.core.index.reading import PackKeys
from chalicelib.core.labels import Labels
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory

SECTION = "bench.library"
SIZES = (10, 100, 1_000, 10_000, 100_000)
QUICK_SIZES = (10, 100)
PAGE_VIDEOS = 24
MOST_CALLS = 3
CALLS = ("get", "get_newer", "list_keys")
VIDEOS_AN_OWNER = 40
SEARCH = Query.of("mountain")
"""In no video: the whole base is looked through."""

BY_NAME = Query.of("", Sort.NAME)


def filled(count: int, indexed: str | None) -> tuple[InMemoryPlatform, int]:
    """A platform with so many videos, and the bytes of its base. indexed: an owner, or None for the stage."""
    platform = platform_in_memory()
    lines: list[Line] = []
    for number in range(count):
        platform.clock.pass_time(seconds=1)
        now = platform.clock()
        owner = indexed or f"{OWNER}-{number // VIDEOS_AN_OWNER}"
        labels = Labels(title=f"Day {number} at the sea", tags=("holiday",))
        begun = VideoRecord.begun(
            VideoRef(owner, new_video_id(now)),
            StartUpload(f"IMG_{number:06}.mp4", "video/mp4", 10_000_000 + number, labels),
            part_size_bytes=5_242_880,
            upload_id="upload",
            now=now,
            ttl=timedelta(days=7),
        )
        record = replace(begun, state=State.READY, completed_at=now)
        platform.metadata.put(record.ref.record_key, record.to_json(), "application/json")
        lines.append(Line.of(record))
    body = Pack.of(lines).written()
    platform.metadata.put(PackKeys.of(indexed).base, body, "application/octet-stream")
    return platform, len(body)


def measured(platform: InMemoryPlatform, ask: Callable[[], object], rounds: int) -> tuple[int, float]:
    """Calls, and the median of CPU milliseconds, once the caches are warm."""
    ask()
    asked = 0
    metadata: Any = platform.metadata
    for name in CALLS:
        method = getattr(type(metadata), name).__get__(metadata)

        def counting(*arguments: Any, _method: Any = method, **named: Any) -> Any:
            nonlocal asked
            asked += 1
            return _method(*arguments, **named)

        setattr(metadata, name, counting)
    spent: list[float] = []
    for _ in range(rounds):
        started = time.process_time()
        ask()
        spent.append((time.process_time() - started) * 1000)
    return asked // rounds, median(spent)


def asks_of_owner(platform: InMemoryPlatform) -> Mapping[str, Callable[[], object]]:
    library = platform.library
    return {
        "by records": lambda: library._page_of_records(OWNER, PAGE_VIDEOS, "", NEWEST_FIRST),
        "newest": lambda: library.page(OWNER, PAGE_VIDEOS),
        "search": lambda: library.page(OWNER, PAGE_VIDEOS, "", SEARCH),
        "by name": lambda: library.page(OWNER, PAGE_VIDEOS, "", BY_NAME),
    }


def asks_of_stage(platform: InMemoryPlatform) -> Mapping[str, Callable[[], object]]:
    def page(query: Query = NEWEST_FIRST) -> object:
        return platform.stage_library.page("an-admin", owner="", query=query, limit=PAGE_VIDEOS, cursor="")

    return {"newest": page, "search": lambda: page(SEARCH), "by name": lambda: page(BY_NAME)}


def curve(
    indexed: str | None,
    asks: Callable[[InMemoryPlatform], Mapping[str, Callable[[], object]]],
    sizes: tuple[int, ...],
    rounds: int,
) -> tuple[str, int]:
    """A table with a row for each size, and the most calls that a page by the index makes."""
    rows: list[list[str]] = []
    head: list[str] = []
    most_calls = 0
    for count in sizes:
        platform, base_bytes = filled(count, indexed)
        pages = {name: measured(platform, ask, rounds) for name, ask in asks(platform).items()}
        head = ["Videos", "base, MB", *(f"{name}, {unit}" for name in pages for unit in ("calls", "ms"))]
        cells = [cell for calls, ms in pages.values() for cell in (str(calls), f"{ms:.1f}")]
        rows.append([f"{count:,}", f"{base_bytes / 1e6:.2f}", *cells])
        most_calls = max(most_calls, *(calls for name, (calls, _) in pages.items() if name != "by records"))
    return table(head, rows), most_calls


def report(rounds: int, *, quick: bool) -> str:
    sizes = QUICK_SIZES if quick else SIZES
    owner, calls_of_owner = curve(OWNER, asks_of_owner, sizes, rounds)
    stage, calls_of_stage = curve(None, asks_of_stage, sizes, rounds)
    targets = (
        Target(text=f"most calls of a page of {whose}", figure=calls, at_most=MOST_CALLS)
        for whose, calls in (("an owner", calls_of_owner), ("the stage", calls_of_stage))
    )
    told = "\n".join(str(target) for target in targets)
    return (
        f"Videos of one owner:\n\n{owner}\n\nVideos of the stage, {VIDEOS_AN_OWNER} of each owner:\n\n{stage}\n\n{told}"
    )
