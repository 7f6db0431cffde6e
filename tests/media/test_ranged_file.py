"""Reading by ranges is reading, only in fewer and larger steps, and it ends where the budget ends."""

import io
import os
import threading
import time
from collections.abc import Callable
from itertools import pairwise

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.media.errors import MediaBudgetError, ShortRangeError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.ranged_file import (
    FIRST_BLOCK_BYTES,
    HEAD_BYTES,
    LARGE_FILE_BYTES,
    MAX_BLOCK_BYTES,
    MIB,
    TAIL_BYTES,
    RangedFile,
    ReadBudget,
)
from tests.media.sample_videos import noise, write_sample_video

STORED = b"".join(noise(24 * MIB, seed=7))


class Storage:
    """Remembers what it was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.ranges: list[tuple[int, int]] = []

    def read_range(self, start: int, end_exclusive: int, /) -> bytes:
        assert 0 <= start < end_exclusive <= len(self.data)
        self.ranges.append((start, end_exclusive))
        return self.data[start:end_exclusive]

    @property
    def fetched_bytes(self) -> int:
        return sum(end - start for start, end in self.ranges)


def _file(storage: Storage, *, seconds: float = 30.0, **limits: int) -> RangedFile:
    budget = ReadBudget(InspectionLimits(**limits, max_wall_seconds=seconds), time.monotonic() + seconds)
    return RangedFile(storage.read_range, len(storage.data), budget)


def _read_on(file: RangedFile, size_bytes: int, skip_bytes: int = 0) -> None:
    while file.read(size_bytes):
        file.seek(skip_bytes, os.SEEK_CUR)


_SIZES = st.sampled_from([0, 1, 17, 4096, HEAD_BYTES, HEAD_BYTES + 1, HEAD_BYTES + TAIL_BYTES + 9, 9 * MIB + 5])
_STEPS = st.one_of(
    st.tuples(st.just("read"), st.sampled_from([-1, 0, 1, 100, 32_768, 700_000, 5 * MIB])),
    st.tuples(st.just("seek"), st.integers(0, 10 * MIB)),
    st.tuples(st.just("skip"), st.integers(0, MIB)),
    st.tuples(st.just("from_end"), st.integers(0, 2 * MIB)),
)


@settings(max_examples=60)
@given(_SIZES, st.lists(_STEPS, max_size=12))
def test_it_reads_what_a_plain_file_reads_and_no_byte_twice(size_bytes: int, steps: list[tuple[str, int]]) -> None:
    storage = Storage(STORED[:size_bytes])
    ranged, plain = _file(storage), io.BytesIO(storage.data)
    for step, number in steps:
        match step:
            case "read":
                assert ranged.read(number) == plain.read(number)
            case "seek":
                assert ranged.seek(number) == plain.seek(number)
            case "skip":
                assert ranged.seek(number, os.SEEK_CUR) == plain.seek(number, os.SEEK_CUR)
            case _:
                offset = -min(number, size_bytes)
                assert ranged.seek(offset, os.SEEK_END) == plain.seek(offset, os.SEEK_END)
        assert ranged.tell() == plain.tell()
    in_order = sorted(storage.ranges)
    assert all(end <= following for (_, end), (following, _) in pairwise(in_order))


def test_head_and_tail_come_first_and_at_the_same_time() -> None:
    storage = Storage(STORED)
    both_asked = threading.Barrier(2, timeout=5)

    def read_range(start: int, end_exclusive: int, /) -> bytes:
        both_asked.wait()
        return storage.read_range(start, end_exclusive)

    budget = ReadBudget(InspectionLimits(), time.monotonic() + 10)
    RangedFile(read_range, len(STORED), budget).prefetch()
    assert sorted(storage.ranges) == [(0, HEAD_BYTES), (len(STORED) - TAIL_BYTES, len(STORED))]


def test_sequential_blocks_double_and_a_jump_starts_small_again() -> None:
    storage = Storage(STORED)
    file = _file(storage)
    file.seek(5 * MIB)
    for _ in range(12 * MIB // 65_536):
        file.read(65_536)
    sizes = [end - start for start, end in storage.ranges[2:]]
    assert sizes[:5] == [FIRST_BLOCK_BYTES, MIB, 2 * MIB, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES]
    file.seek(3 * MIB)
    file.read(1)
    assert storage.ranges[-1] == (3 * MIB, 3 * MIB + FIRST_BLOCK_BYTES)


def test_an_expected_range_is_read_at_once_whatever_of_it_is_asked_for_first() -> None:
    storage = Storage(STORED)
    file = _file(storage)
    file.read(1)
    file.expect(HEAD_BYTES - 100, 9 * MIB)
    file.seek(5 * MIB)
    assert file.read(16) == STORED[5 * MIB : 5 * MIB + 16]
    assert storage.ranges[2:] == [(HEAD_BYTES, 9 * MIB)]
    file.seek(0)
    assert file.read(9 * MIB) == STORED[: 9 * MIB]
    assert len(storage.ranges) == 3


def test_an_expected_range_that_ends_in_the_tail_stops_there() -> None:
    storage = Storage(STORED)
    file = _file(storage)
    file.read(1)
    file.expect(22 * MIB, len(STORED))
    file.seek(22 * MIB)
    assert file.read(len(STORED)) == STORED[22 * MIB :]
    assert storage.ranges[2:] == [(22 * MIB, len(STORED) - TAIL_BYTES)]


def test_an_expected_range_is_read_to_the_byte_and_what_follows_it_only_when_it_is_asked_for() -> None:
    storage = Storage(STORED)
    file = _file(storage)
    file.expect(5 * MIB, 5 * MIB + 1000)
    file.seek(5 * MIB)
    assert file.read_some(MIB) == STORED[5 * MIB : 5 * MIB + 1000]
    assert storage.ranges[2:] == [(5 * MIB, 5 * MIB + 1000)]
    assert file.read_some(1) == STORED[5 * MIB + 1000 : 5 * MIB + 1001]
    assert storage.ranges[3:] == [(5 * MIB + 1000, 5 * MIB + 1000 + FIRST_BLOCK_BYTES)]


def test_some_of_what_is_asked_for_is_what_is_held_of_it() -> None:
    storage = Storage(STORED)
    file = _file(storage)
    file.seek(HEAD_BYTES - 10)
    assert file.read_some(1000) == STORED[HEAD_BYTES - 10 : HEAD_BYTES]
    assert len(storage.ranges) == 2
    file.seek(0, os.SEEK_END)
    assert file.read_some(1000) == b""


def test_expected_ranges_are_held_to_the_budget() -> None:
    storage = Storage(STORED)
    file = _file(storage, max_fetched_bytes=3 * MIB)
    file.read(1)
    file.expect(2 * MIB, 20 * MIB)
    file.seek(2 * MIB)
    assert file.read(1) == STORED[2 * MIB : 2 * MIB + 1]
    assert storage.fetched_bytes == 3 * MIB


def test_the_head_of_a_large_file_comes_alone() -> None:
    ranges: list[tuple[int, int]] = []

    def read_range(start: int, end_exclusive: int, /) -> bytes:
        ranges.append((start, end_exclusive))
        return bytes(end_exclusive - start)

    budget = ReadBudget(InspectionLimits(), time.monotonic() + 10)
    RangedFile(read_range, LARGE_FILE_BYTES, budget).prefetch()
    assert ranges == [(0, HEAD_BYTES)]


def test_the_byte_budget_is_used_to_the_last_byte_and_never_beyond() -> None:
    storage = Storage(STORED)
    file = _file(storage, max_fetched_bytes=4 * MIB + 1000)
    with pytest.raises(MediaBudgetError) as raised:
        _read_on(file, 1000)
    assert (raised.value.resource, raised.value.code) == ("bytes", "media_limits_exceeded")
    assert 4 * MIB < storage.fetched_bytes <= 4 * MIB + 1000
    file.seek(0)
    assert file.read(1000) == STORED[:1000], "what was fetched stays readable"


def test_the_number_of_requests_is_limited() -> None:
    storage = Storage(STORED)
    file = _file(storage, max_fetch_requests=4)
    with pytest.raises(MediaBudgetError) as raised:
        _read_on(file, 1, skip_bytes=2 * MIB)
    assert (raised.value.resource, len(storage.ranges)) == ("requests", 4)


def test_a_storage_that_never_answers_is_left_at_the_deadline() -> None:
    released = threading.Event()

    def read_range(start: int, end_exclusive: int, /) -> bytes:
        released.wait(60)
        return bytes(end_exclusive - start)

    began = time.monotonic()
    file = RangedFile(read_range, MIB, ReadBudget(InspectionLimits(max_wall_seconds=0.2), began + 0.2))
    with pytest.raises(MediaBudgetError) as raised:
        file.read(1)
    released.set()
    assert raised.value.resource == "seconds"
    assert time.monotonic() - began < 30


class StorageDownError(Exception):
    pass


def _down(_start: int, _end_exclusive: int, /) -> bytes:
    raise StorageDownError


@pytest.mark.parametrize(
    ("read_range", "error"),
    [(_down, StorageDownError), (lambda start, end: bytes(end - start - 1), ShortRangeError)],
    ids=["storage down", "fewer bytes than asked for"],
)
def test_the_storages_own_trouble_is_never_blamed_on_the_file(
    read_range: Callable[[int, int], bytes], error: type[Exception]
) -> None:
    file = RangedFile(read_range, MIB, ReadBudget(InspectionLimits(), time.monotonic() + 5))
    with pytest.raises(error):
        file.read(1)


def test_a_demuxer_reads_a_video_through_it(tmp_path: os.PathLike[str]) -> None:
    path = write_sample_video(os.path.join(tmp_path, "v.mp4"), pad_to_bytes=20 * MIB)  # noqa: PTH118
    storage = Storage(path.read_bytes())
    with av.open(_file(storage), "r", format="mov") as media:
        assert len(list(media.decode(video=0))) == 50
    assert storage.fetched_bytes < 3 * MIB
