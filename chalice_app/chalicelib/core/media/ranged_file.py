"""A stored object as a file: read in a few large ranges, never more than a budget allows."""

import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.core.media.errors import MediaBudgetError, ShortRangeError
from chalicelib.core.media.facts import MIB, InspectionLimits

KIB = 1 << 10

# Measured at 30 ms a request and 80 MB/s: smaller blocks cost round trips, larger ones bytes that nobody reads.
HEAD_BYTES = 512 * KIB
TAIL_BYTES = 512 * KIB
FIRST_BLOCK_BYTES = 512 * KIB
MAX_BLOCK_BYTES = 4 * MIB
MAX_EXPECTED_BYTES = 16 * MIB
"""Most that one request reads of a range that is known to be needed."""
PREFETCHES_AT_ONCE = 8
LARGE_FILE_BYTES = 256 * MIB
"""Size from which an index rarely fits into the tail: it is read at once when the head gives its position."""


class ReadRange(Protocol):
    """Reads exactly [start, end_exclusive) of the object; called from threads, PREFETCHES_AT_ONCE at a time at most."""

    def __call__(self, start: int, end_exclusive: int, /) -> bytes: ...


@dataclass
class ReadBudget:
    """Remaining reads of one object. deadline: on the clock of `now_seconds`."""

    limits: InspectionLimits
    deadline: float
    now_seconds: Callable[[], float] = time.monotonic
    spent_bytes: int = 0
    spent_requests: int = 0

    @property
    def remaining_bytes(self) -> int:
        return self.limits.max_fetched_bytes - self.spent_bytes

    @property
    def remaining_seconds(self) -> float:
        return self.deadline - self.now_seconds()

    def spend(self, size_bytes: int) -> None:
        """Account for one request. Raises MediaBudgetError instead of going beyond."""
        if size_bytes > self.remaining_bytes:
            raise MediaBudgetError(limit="max_fetched_bytes", allowed=self.limits.max_fetched_bytes, resource="bytes")
        if self.spent_requests >= self.limits.max_fetch_requests:
            raise MediaBudgetError(
                limit="max_fetch_requests", allowed=self.limits.max_fetch_requests, resource="requests"
            )
        if self.remaining_seconds <= 0:
            raise self.out_of_time()
        self.spent_bytes += size_bytes
        self.spent_requests += 1

    def out_of_time(self) -> MediaBudgetError:
        return MediaBudgetError(limit="max_wall_seconds", allowed=self.limits.max_wall_seconds, resource="seconds")


@dataclass
class RangedFile:
    """Seekable, read-only, cached block by block.

    Raises MediaBudgetError when the budget is used up, ShortRangeError, and whatever `read_range` raises.
    """

    read_range: ReadRange
    size_bytes: int
    budget: ReadBudget
    # libavformat grows its buffers for a name that looks like an address.
    name: str = "media"
    _position: int = 0
    _next_block_bytes: int = FIRST_BLOCK_BYTES // 2  # doubled while reading continues from the head
    _fetched_up_to: int = -1
    _expected: tuple[int, int] = (0, 0)
    _starts: list[int] = field(default_factory=list[int])
    _blocks: list[bytes] = field(default_factory=list[bytes])

    def prefetch(self) -> None:
        """Read head and tail at the same time: every container has its index in one of them. Of a large file, only the
        head."""
        if self._starts or not self.size_bytes:
            return
        head_end = min(HEAD_BYTES, self.size_bytes)
        tail_start = max(head_end, self.size_bytes - TAIL_BYTES)
        if tail_start == head_end or self.size_bytes >= LARGE_FILE_BYTES:
            head_end = self.size_bytes if tail_start == head_end else head_end
            self._keep(0, self._fetch(0, head_end))
            self._fetched_up_to = head_end
            return
        head, tail = self._begin(0, head_end), self._begin(tail_start, self.size_bytes)
        self._keep(0, head.result())
        self._keep(tail_start, tail.result())
        self._fetched_up_to = head_end

    def read(self, size: int | None = -1, /) -> bytes:
        self.prefetch()
        end = self.size_bytes if size is None or size < 0 else min(self._position + size, self.size_bytes)
        pieces: list[bytes] = []
        while self._position < end:
            pieces.append(self.read_some(end - self._position))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_some(self, size_bytes: int) -> bytes:
        """Read at most this many bytes, at least one before the end: those in the cache, otherwise one request's
        block."""
        self.prefetch()
        end = min(self._position + size_bytes, self.size_bytes)
        if self._position >= end:
            return b""
        piece = self._cached(self._position, end) or self._fetch_block(self._position, end)
        self._position += len(piece)
        return piece

    def expect(self, start: int, end: int) -> None:
        """Read exactly the range, in as few requests as possible, once a part of it is needed."""
        self._expected = start, end

    def prefetch_all(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Read the missing bytes of the ranges, several at the same time."""
        gaps = [gap for start, end in _merged(ranges) for gap in self._gaps(start, end)]
        for first in range(0, len(gaps), PREFETCHES_AT_ONCE):
            batch = gaps[first : first + PREFETCHES_AT_ONCE]
            fetches = [(start, self._begin(start, end)) for start, end in batch]
            for start, fetch in fetches:
                self._keep(start, fetch.result())

    def _gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        while start < end:
            if held := self._cached(start, end):
                start += len(held)
                continue
            index = bisect_right(self._starts, start)
            following = min(self._starts[index], end) if index < len(self._starts) else end
            yield start, following
            start = following

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence]
        if base + offset < 0:
            message = f"negative position {base + offset}"
            raise ValueError(message)
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def _cached(self, start: int, end: int) -> bytes | None:
        index = bisect_right(self._starts, start) - 1
        if index < 0:
            return None
        offset = start - self._starts[index]
        return self._blocks[index][offset : offset + end - start] or None

    def _fetch_block(self, start: int, end: int) -> bytes:
        sequential = start == self._fetched_up_to
        self._next_block_bytes = min(self._next_block_bytes * 2, MAX_BLOCK_BYTES) if sequential else FIRST_BLOCK_BYTES
        wanted_end = min(end, start + MAX_BLOCK_BYTES)
        block_end = max(wanted_end, min(start + self._next_block_bytes, start + self.budget.remaining_bytes))
        index = bisect_right(self._starts, start)
        following = self._starts[index] if index < len(self._starts) else self.size_bytes
        block_start = start
        expected_start, expected_end = self._expected
        is_expected = expected_start <= start < expected_end
        if is_expected:
            held_until = self._starts[index - 1] + len(self._blocks[index - 1]) if index else 0
            block_start = max(expected_start, held_until, start - MAX_EXPECTED_BYTES // 2)
            affordable = block_start + min(MAX_EXPECTED_BYTES, self.budget.remaining_bytes)
            block_end = min(expected_end, max(wanted_end, affordable))
        block_end = min(block_end, following)
        block = self._fetch(block_start, block_end)
        self._keep(block_start, block)
        self._fetched_up_to = -1 if is_expected else block_end  # it is unknown whether reading continues
        return block[start - block_start : end - block_start]

    def _keep(self, start: int, block: bytes) -> None:
        index = bisect_right(self._starts, start)
        self._starts.insert(index, start)
        self._blocks.insert(index, block)

    def _fetch(self, start: int, end: int) -> bytes:
        return self._begin(start, end).result()

    def _begin(self, start: int, end: int) -> "_Fetch":
        self.budget.spend(end - start)
        return _Fetch(self.read_range, start, end, self.budget)


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


class _Fetch:
    """One request in a thread of its own, so that a storage that never answers cannot keep us past the deadline."""

    def __init__(self, read_range: ReadRange, start: int, end: int, budget: ReadBudget) -> None:
        self._read_range, self._start, self._end, self._budget = read_range, start, end, budget
        self._data: bytes | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> bytes:
        self._thread.join(max(self._budget.remaining_seconds, 0))
        if self._error is not None:
            raise self._error
        if self._data is None:
            raise self._budget.out_of_time()
        if len(self._data) != self._end - self._start:
            raise ShortRangeError(self._start, self._end, len(self._data))
        return self._data

    def _run(self) -> None:
        try:
            self._data = self._read_range(self._start, self._end)
        except BaseException as error:  # raised again when the result is read
            self._error = error
