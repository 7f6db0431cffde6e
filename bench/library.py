"""Calls to S3 and milliseconds of a library's page at several sizes, by records and by the index: `make bench-library`.

S3 is a dictionary in this process: the milliseconds are what a page computes, and the calls are what it asks.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chalicelib.core.index.lines import Line
from chalicelib.core.index.packs import Pack
from chalicelib.core.index.queries import Query, Sort
from chalicelib.core.index.reading import PackKeys
from chalicelib.core.labels import Labels
from chalicelib.core.library import Library
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory

SIZES = (10, 100, 1_000, 10_000, 100_000)
PAGE_VIDEOS = 24
CALLS = ("get", "get_newer", "list_keys")


def filled(count: int) -> tuple[InMemoryPlatform, int]:
    """A platform with so many videos, and the bytes of its base."""
    platform = platform_in_memory()
    lines: list[Line] = []
    for number in range(count):
        platform.clock.pass_time(seconds=1)
        now = platform.clock()
        labels = Labels(title=f"Day {number} at the sea", tags=("holiday",))
        begun = VideoRecord.begun(
            VideoRef(OWNER, new_video_id(now)),
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
    platform.metadata.put(PackKeys.of(OWNER).base, body, "application/octet-stream")
    return platform, len(body)


def measured(platform: InMemoryPlatform, ask: Callable[[], object]) -> tuple[int, float]:
    """Calls and milliseconds, once the caches are warm."""
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
    started = time.perf_counter()
    ask()
    return asked, (time.perf_counter() - started) * 1000


def asks(library: Library) -> list[Callable[[], object]]:
    """A page by records, as version 0.1 read it, and three by the index."""
    return [
        lambda: library._page_of_records(OWNER, PAGE_VIDEOS, "", Query()),
        lambda: library.page(OWNER, PAGE_VIDEOS),
        lambda: library.page(OWNER, PAGE_VIDEOS, "", Query.of("sea 7")),
        lambda: library.page(OWNER, PAGE_VIDEOS, "", Query.of("", Sort.NAME)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.library", description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest library")
    most = parser.parse_args(arguments).most
    print(f"{'videos':>7} {'base MB':>8}  by records  newest      search      by name")
    for count in (size for size in SIZES if size <= most):
        platform, base_bytes = filled(count)
        cells = [f"{calls:>3} {ms:6.1f}ms" for calls, ms in (measured(platform, ask) for ask in asks(platform.library))]
        print(f"{count:>7} {base_bytes / 1e6:>8.2f}  {'  '.join(cells)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
