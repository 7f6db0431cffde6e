"""Folding: changes and first indexes, whatever interrupts them."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.index import changes, folding
from chalicelib.core.index.folding import UnreadableRecordsError
from chalicelib.core.ports import StorageBusyError
from chalicelib.core.video_id import VideoRef
from tests.core.index_history import OWNERS, new_record
from tests.core.shown_index import ids_shown, keys_of_changes
from tests.in_memory_platform import OWNER, InMemoryPlatform


def test_a_folding_goes_on_until_all_is_folded(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_CHANGES", 2)
    for number in range(5):
        platform.records.create(new_record(platform, owner=f"owner-{number}"))
    assert platform.folding.record()
    assert not keys_of_changes(platform)


def test_an_owner_without_an_index_who_has_ever_so_many_changes_keeps_nobody_waiting(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is more listed of the owner's changes in each folding than a page."""
    monkeypatch.setattr(folding, "MOST_CHANGES", 4)
    monkeypatch.setattr(folding, "MOST_UNINDEXED", 2)
    monkeypatch.setattr(folding, "MOST_INDEXED_UNASKED", 5)
    for _ in range(6):
        platform.records.create(new_record(platform, owner="a"))
    platform.records.create(new_record(platform, owner="b"))
    assert platform.folding.record()
    assert {key.split("/")[2] for key in keys_of_changes(platform)} == {"a"}
    assert platform.library.index.view("b") is not None
    platform.clock.moment += folding.WAITS_FOR_INDEX + timedelta(seconds=1)
    platform.folding.fold()
    assert len(keys_of_changes(platform)) == 2 * 6 - 2
    platform.folding.rebuild("a")
    assert platform.folding.record()
    assert not keys_of_changes(platform)


def test_one_owners_changes_are_folded_with_others_of_others_in_between(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_CHANGES", 8)
    monkeypatch.setattr(folding, "MOST_OF_AN_OWNER", 4)
    for owner in ("a", "a", "a", "b"):
        platform.records.create(new_record(platform, owner=owner))
    platform.folding.fold()
    assert {key.split("/")[2] for key in keys_of_changes(platform)} == {"a"}
    assert len(platform.library.page("a", 24)[0]) == 3
    assert platform.folding.record()
    assert not keys_of_changes(platform)


def test_an_announcement_of_a_record_that_never_came_goes_after_a_while(platform: InMemoryPlatform) -> None:
    platform.folding.rebuild(OWNER)
    changes.Changes(platform.metadata).announce(new_record(platform))
    platform.folding.fold()
    assert keys_of_changes(platform)
    platform.clock.pass_time(minutes=16)
    platform.folding.fold()
    assert not keys_of_changes(platform)
    assert ids_shown(platform) == []


def test_a_folding_without_changes_writes_nothing(platform: InMemoryPlatform) -> None:
    platform.records.create(new_record(platform))
    platform.folding.fold()
    before = dict(platform.metadata.objects)
    platform.folding.fold()
    assert platform.metadata.objects == before


def test_records_of_version_0_1_are_indexed_by_the_first_look_of_their_owner(platform: InMemoryPlatform) -> None:
    records = [new_record(platform, name=f"{number}.mp4") for number in range(3)]
    for record in records:
        platform.metadata.put(record.ref.record_key, record.noted(revision=0).to_json(), "application/json")
    page, _ = platform.library.page(OWNER, 24)
    assert len(page) == 3
    platform.folding.fold()
    assert sorted(ids_shown(platform)) == sorted(record.video_id for record in records)
    assert not keys_of_changes(platform)


def test_an_owner_with_many_records_of_version_0_1_waits_for_the_command_and_misses_nothing(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_INDEXED_UNASKED", 2)
    for number in range(3):
        record = new_record(platform, name=f"{number}.mp4")
        platform.metadata.put(record.ref.record_key, record.noted(revision=0).to_json(), "application/json")
    newer = new_record(platform, name="newer.mp4")
    platform.records.create(newer)
    platform.folding.fold()
    assert platform.library.index.view(OWNER) is None
    assert keys_of_changes(platform)
    assert len(platform.library.page(OWNER, 24)[0]) == 4
    platform.folding.rebuild(OWNER)
    platform.folding.fold()
    assert len(ids_shown(platform)) == 4
    assert not keys_of_changes(platform)


@pytest.mark.parametrize("body", [b"", b"{", b"7", b"{}"])
def test_an_unreadable_record_keeps_no_other_from_the_index(platform: InMemoryPlatform, body: bytes) -> None:
    damaged, sound = new_record(platform, name="damaged.mp4"), new_record(platform, name="sound.mp4")
    for record in (damaged, sound):
        platform.records.create(record)
    platform.metadata.put(damaged.ref.record_key, body, "application/json")
    platform.folding.fold()
    assert sound.video_id in ids_shown(platform)
    assert all(damaged.video_id in key for key in keys_of_changes(platform)), "the other is folded"
    with pytest.raises(UnreadableRecordsError) as refused:
        platform.folding.rebuild(OWNER)
    assert refused.value.refs == [damaged.ref]
    assert sound.video_id in ids_shown(platform)


@pytest.mark.parametrize(("records", "is_indexed"), [(2, True), (3, False)])
def test_a_first_index_of_at_most_so_many_records_is_made_unasked(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, records: int, is_indexed: bool
) -> None:
    monkeypatch.setattr(folding, "MOST_INDEXED_UNASKED", 2)
    for _ in range(records):
        platform.records.create(new_record(platform))
    platform.folding.fold()
    assert (platform.library.index.view(OWNER) is not None) == is_indexed


def test_changes_of_an_owner_who_is_never_indexed_do_not_stay_for_ever(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "MOST_INDEXED_UNASKED", 0)
    platform.records.create(new_record(platform))
    platform.clock.moment += folding.WAITS_FOR_INDEX
    platform.folding.fold()
    assert keys_of_changes(platform)
    platform.clock.pass_time(seconds=1)
    platform.folding.fold()
    assert not keys_of_changes(platform)


def test_a_folding_that_takes_too_long_goes_on_in_the_next(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in OWNERS:
        platform.records.create(new_record(platform, owner=owner))
    read = platform.records.read_each

    def slow(refs: Any, unreadable: list[VideoRef] | None = None) -> Any:
        platform.clock.moment += folding.MAX_FOLDING_TIME + timedelta(seconds=1)
        return read(refs, unreadable)

    monkeypatch.setattr(platform.records, "read_each", slow)
    assert not platform.folding.record()
    assert [platform.library.index.view(owner) is not None for owner in sorted(OWNERS)] == [True, False]
    assert platform.folding.record()
    assert platform.library.index.view(sorted(OWNERS)[1]) is not None


def test_a_folding_that_fails_is_counted_and_leaves_all_to_the_next(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.records.create(new_record(platform))

    def fail(*_: object) -> Any:
        raise StorageBusyError

    with monkeypatch.context() as patch:
        patch.setattr(folding, "waiting_owners", fail)
        assert not platform.folding.record()
    assert platform.meter.values["janitor_failures_count"] == [1]
    assert platform.folding.record()
    assert not keys_of_changes(platform)
