"""The limit on what a whole stage has stored: counted now and then, exceeded by no more than settles in between."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.core import stage_usage
from chalicelib.core.errors import StageFullError
from chalicelib.core.ports import ListedVideo
from chalicelib.core.stage_usage import COUNT_EVERY, COUNT_KEY
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory

FILM = 8_200
LIMIT = 20 * FILM


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory(max_stage_bytes=LIMIT)


def settle(platform: InMemoryPlatform, owner: str, size_bytes: int = FILM) -> Transfer:
    transfer = platform.start(size_bytes, owner)
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


def store(platform: InMemoryPlatform, count: int) -> None:
    for number in range(count):
        settle(platform, f"user-{number}")


def count(platform: InMemoryPlatform) -> None:
    platform.clock.pass_time(seconds=COUNT_EVERY.total_seconds())
    platform.stage_usage.record()


def test_uploads_fit_up_to_the_limit_and_not_one_byte_past_it(platform: InMemoryPlatform) -> None:
    store(platform, 10)
    count(platform)
    platform.start(9 * FILM, "one-more")
    with pytest.raises(StageFullError) as refused:
        platform.start(FILM + 1, "the-last")
    assert refused.value.details == {"sizeBytes": FILM + 1}, "nobody learns what others have stored"
    platform.start(FILM, "the-last")


def test_only_what_begins_and_settles_between_two_counts_exceeds_the_limit(platform: InMemoryPlatform) -> None:
    store(platform, 19)
    count(platform)
    platform.clock.pass_time(minutes=4)
    settle(platform, "quick")
    settle(platform, "quicker")  # past the limit: the last count knows of neither
    platform.clock.pass_time(minutes=1)
    platform.stage_usage.record()  # above nine tenths each sweep counts
    assert platform.stage_usage.used_bytes() == LIMIT + FILM
    with pytest.raises(StageFullError):
        platform.start(1)


def test_uploads_open_at_the_count_stay_in_it_until_the_next(platform: InMemoryPlatform) -> None:
    transfer = platform.start(19 * FILM)
    count(platform)
    transfer.send_and_complete()
    platform.process(transfer)
    platform.start(FILM, "one-more")
    with pytest.raises(StageFullError):
        platform.start(1, "one-too-many")


def test_a_video_that_is_stored_and_reserved_is_counted_once(platform: InMemoryPlatform) -> None:
    transfer = platform.start(FILM)
    transfer.send_and_complete()
    count(platform)
    assert platform.stage_usage.used_bytes() == FILM


def test_the_count_is_made_once_an_hour_and_its_figures_are_published_at_each_sweep(platform: InMemoryPlatform) -> None:
    store(platform, 1)
    platform.stage_usage.record()
    settle(platform, "another")
    platform.clock.pass_time(minutes=59)
    platform.stage_usage.record()
    platform.clock.pass_time(minutes=1)
    platform.stage_usage.record()
    assert platform.meter.values["stage_stored_bytes"] == [FILM, FILM, 2 * FILM]
    assert platform.meter.values["stage_stored_videos_count"] == [1, 1, 2]


def test_a_count_that_one_sweep_cannot_finish_goes_on_in_the_next(platform: InMemoryPlatform) -> None:
    store(platform, 5)
    reserved = platform.start(FILM, "zoe")
    counting = replace(platform.stage_usage, most_listed=2)
    counting.record()
    settle(platform, "aaron")  # behind what was listed: reserved since, until it settles
    reserved.send_and_complete()
    counting.record()
    assert platform.meter.values["stage_stored_videos_count"] == [0, 0]
    counting.record()
    counting.record()
    assert platform.meter.values["stage_stored_videos_count"] == [0, 0, 0, 6]
    assert platform.stage_usage.used_bytes() == 6 * FILM + FILM, "zoe's reservation is of the last minute"


def test_a_refused_upload_leaves_nothing_behind(platform: InMemoryPlatform) -> None:
    store(platform, 20)
    count(platform)
    before = set(platform.metadata.objects)
    with pytest.raises(StageFullError):
        platform.start(1, correlation_id="an-upload")
    assert set(platform.metadata.objects) == before


def test_before_the_first_count_reservations_count(platform: InMemoryPlatform) -> None:
    platform.start(LIMIT)
    with pytest.raises(StageFullError):
        platform.start(1, "another")


def test_a_count_that_fails_is_told_and_changes_nothing(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform.videos, "list_videos", lambda *_: (_ for _ in ()).throw(ConnectionError))
    platform.stage_usage.record()
    assert platform.meter.values["janitor_failures_count"] == [1]
    assert COUNT_KEY not in platform.metadata.objects


def test_nothing_is_counted_at_an_init_where_the_stage_has_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = platform_in_memory()
    read: list[str] = []
    monkeypatch.setattr(platform.metadata, "get", read.append)
    platform.start()
    assert read == []


def test_free_bytes_are_told_in_hundredths_of_the_limit_so_that_no_size_finds_out_what_others_store(
    platform: InMemoryPlatform,
) -> None:
    hundredth = LIMIT // 100
    platform.start(LIMIT - 3 * hundredth - 7, "somebody")
    for size_bytes in (3 * hundredth + 1, 3 * hundredth + 7):
        with pytest.raises(StageFullError):
            platform.start(size_bytes, "curious")
    platform.start(3 * hundredth, "curious")
    with pytest.raises(StageFullError):
        platform.start(1, "curious")


def test_a_stage_holds_one_video_as_large_as_its_limit() -> None:
    platform = platform_in_memory(max_stage_bytes=8_191)
    with pytest.raises(StageFullError):
        platform.start(8_192)
    assert platform.start(8_191).started.record.size_bytes == 8_191


def test_a_count_that_takes_too_long_goes_on_in_the_next_sweep(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(platform, 5)
    monkeypatch.setattr(stage_usage, "_LISTED_A_REQUEST", 2)
    list_videos = platform.videos.list_videos

    def slowly(prefix: str, start_after: str = "") -> Iterator[ListedVideo]:
        for video in list_videos(prefix, start_after):
            platform.clock.pass_time(seconds=40)
            yield video

    monkeypatch.setattr(platform.videos, "list_videos", slowly)
    counted: list[float] = []
    for _ in range(3):
        platform.stage_usage.record()
        counted.append(platform.meter.values["stage_stored_videos_count"][-1])
    assert counted == [0, 0, 5]
