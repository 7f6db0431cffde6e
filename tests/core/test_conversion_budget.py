"""Conversions cost by the minute: limits hold them, for a user and for the stage, whatever a file claims of itself."""

from dataclasses import replace
from threading import Thread

import pytest

from chalicelib.core.conversion_budget import BUDGET_KEY, MOST_AT_ONCE, ConversionBudget
from chalicelib.core.conversions import LONGEST_VIDEO, JobState
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.ports import StoredRecord
from chalicelib.core.video_id import VideoRef, new_video_id
from tests.core.test_renditions import shown
from tests.fakes import FakeClock, FakeMetadata
from tests.in_memory_films import MP4_HEAD, inspected_of_hevc
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory

HOUR = 3_600
ADA, BOB = "ada-user", "bob-user"


def budget_of(*, user: int = 0, stage: int = 0) -> tuple[ConversionBudget, FakeClock]:
    clock = FakeClock()
    metadata = FakeMetadata(clock)
    return ConversionBudget(metadata=metadata, now=clock, max_seconds_per_user=user, max_seconds_per_stage=stage), clock


def ref_of(owner: str, clock: FakeClock) -> VideoRef:
    return VideoRef(owner, new_video_id(clock()))


def spend(budget: ConversionBudget, owner: str, seconds: float, clock: FakeClock) -> bool:
    """Spend as for a conversion that has ended since. True if it was admitted."""
    ref = ref_of(owner, clock)
    is_let_in = budget.spend(ref, seconds)
    budget.settle(ref)
    return is_let_in


def test_videos_are_converted_up_to_the_limit_of_a_day_and_not_one_second_past_it() -> None:
    budget, clock = budget_of(user=24 * HOUR)
    assert [spend(budget, ADA, 12 * HOUR, clock) for _ in range(3)] == [True, True, False]
    assert not spend(budget, ADA, 1, clock)
    assert spend(budget, BOB, 12 * HOUR, clock), "another user"
    clock.pass_time(hours=23)
    assert not spend(budget, ADA, 1, clock)
    clock.pass_time(hours=2)
    assert spend(budget, ADA, 12 * HOUR, clock)


def test_all_users_together_are_held_by_the_stages_limit() -> None:
    budget, clock = budget_of(user=2 * HOUR, stage=3 * HOUR)
    assert [spend(budget, owner, 2 * HOUR, clock) for owner in (ADA, BOB)] == [True, False]
    clock.pass_time(minutes=2)
    assert spend(budget, BOB, HOUR, clock)
    assert not spend(budget, "eve-user", 1, clock)


def test_a_video_that_is_longer_than_the_limit_does_not_wait_for_ever() -> None:
    budget, clock = budget_of(user=HOUR, stage=HOUR)
    assert spend(budget, ADA, 2 * HOUR, clock)
    assert not spend(budget, ADA, 1, clock)


def test_a_short_clip_counts_as_what_it_is_billed() -> None:
    budget, clock = budget_of(user=30)
    assert [spend(budget, ADA, 0.1, clock) for _ in range(4)] == [True, True, True, False]


def test_one_user_has_so_many_jobs_at_once_and_each_that_ends_lets_one_in() -> None:
    budget, clock = budget_of()
    begun = [ref_of(ADA, clock) for _ in range(MOST_AT_ONCE)]
    assert all(budget.spend(ref, 10) for ref in begun)
    assert not budget.spend(ref_of(ADA, clock), 10)
    clock.pass_time(minutes=2)
    assert budget.spend(begun[0], 10), "the same video again, whose job was lost"
    assert budget.spend(ref_of(BOB, clock), 10)
    budget.settle(begun[0])
    assert budget.spend(ref_of(ADA, clock), 10)


def test_thousands_that_wait_cost_one_look_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    budget, clock = budget_of(user=HOUR)
    budget.spend(ref_of(ADA, clock), HOUR)
    looks = 0
    read = budget.metadata.get

    def counted(key: str) -> StoredRecord | None:
        nonlocal looks
        looks += 1
        return read(key)

    monkeypatch.setattr(budget.metadata, "get", counted)
    for _ in range(1_000):
        assert not budget.spend(ref_of(ADA, clock), HOUR)
    assert looks == 1


def test_calls_at_the_same_time_never_exceed_the_limit() -> None:
    budget, clock = budget_of(user=5 * HOUR)
    others = [ConversionBudget(metadata=budget.metadata, now=clock, max_seconds_per_user=5 * HOUR) for _ in range(10)]
    let_in: list[bool] = []

    def ask(one: ConversionBudget) -> None:
        let_in.append(one.spend(ref_of(ADA, clock), HOUR))

    threads = [Thread(target=ask, args=(one,)) for one in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert let_in.count(True) == 5


def test_usage_older_than_a_day_is_forgotten() -> None:
    budget, clock = budget_of(user=HOUR)
    budget.spend(ref_of(ADA, clock), HOUR)
    clock.pass_time(hours=26)
    assert spend(budget, BOB, 10, clock)
    stored = budget.metadata.get(BUDGET_KEY)
    assert stored
    assert ADA not in stored.body.decode()


def arrived(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start(1)
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


def claiming(seconds: float | None, platform: InMemoryPlatform, frame_rate: float = 25.0) -> None:
    """Have files claim a length from now on."""

    def inspect(read_range: object, size_bytes: int) -> Inspection:
        found = inspected_of_hevc(lambda start, end: HEAD[start:end], len(HEAD))
        video = replace(found.facts.video, frame_rate=frame_rate)
        return replace(found, facts=replace(found.facts, duration_seconds=seconds, video=video))

    platform.processing = replace(platform.processing, inspect=inspect)


HEAD = MP4_HEAD + bytes(100)


def sweep(platform: InMemoryPlatform) -> None:
    platform.clock.pass_time(minutes=21)
    platform.janitor.sweep()
    platform.process_what_was_asked()


def waiting(platform: InMemoryPlatform) -> float:
    """Return the number of waiting videos by the last sweep's metric."""
    return platform.meter.values["renditions_waiting_count"][-1]


def test_a_lost_conversion_without_room_to_begin_again_counts_as_waiting() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on(max_seconds_per_user=HOUR)
    claiming(HOUR, platform)
    arrived(platform)
    sweep(platform)
    assert waiting(platform) == 0
    platform.converter.jobs.clear()
    sweep(platform)
    assert waiting(platform) == 1
    assert not platform.converter.jobs


def test_a_stage_without_renditions_counts_no_waiting_ones() -> None:
    platform = platform_in_memory()
    platform.janitor.sweep()
    assert "renditions_waiting_count" not in platform.meter.values


def test_a_video_past_the_limit_waits_and_is_converted_the_next_day() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on(max_seconds_per_user=HOUR)
    claiming(HOUR, platform)
    first, second = arrived(platform), arrived(platform)
    sweep(platform)
    assert len(platform.converter.jobs) == 1
    assert waiting(platform) == 1
    platform.converter.finish(HEAD)
    for _ in range(30 * 60 // 21):
        sweep(platform)
    assert len(platform.converter.jobs) == 2
    assert waiting(platform) == 0
    platform.converter.finish(HEAD)
    sweep(platform)
    assert ("pending", None, None) not in {shown(platform, one) for one in (first, second)}


def test_a_deleted_video_gives_no_minutes_back_but_its_place() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on(max_seconds_per_user=MOST_AT_ONCE * 10 + 10)
    claiming(5, platform)
    for _ in range(MOST_AT_ONCE):
        transfer = arrived(platform)
        platform.janitor.sweep()
        platform.library.delete(transfer.token.ref)
    assert len(platform.converter.jobs) == MOST_AT_ONCE
    sweep(platform)
    sweep(platform)
    assert set(platform.converter.jobs.values()) == {JobState.FAILED}, "cancelled"
    arrived(platform)
    arrived(platform)
    sweep(platform)
    assert len(platform.converter.jobs) == MOST_AT_ONCE + 1


def test_a_file_that_hid_its_real_length_is_counted_with_it() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on(max_seconds_per_user=2 * HOUR)
    claiming(10, platform)
    arrived(platform)
    platform.janitor.sweep()
    platform.converter.result_seconds = 2 * HOUR
    platform.converter.finish(HEAD)
    sweep(platform)
    arrived(platform)
    sweep(platform)
    assert len(platform.converter.jobs) == 1


def test_more_pictures_a_second_cost_more_and_count_for_more() -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on(max_seconds_per_user=2 * HOUR)
    claiming(HOUR, platform, frame_rate=59.94)
    arrived(platform)
    arrived(platform)
    sweep(platform)
    assert len(platform.converter.jobs) == 1


@pytest.mark.parametrize("seconds", [None, LONGEST_VIDEO.total_seconds() + 1])
def test_no_video_is_converted_whose_length_is_unknown_or_beyond_all_reason(seconds: float | None) -> None:
    platform = platform_in_memory()
    platform.turn_conversions_on()
    claiming(seconds, platform)
    transfer = arrived(platform)
    sweep(platform)
    assert shown(platform, transfer) is None
    assert not platform.converter.jobs
