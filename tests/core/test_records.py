"""Records and markers: written once, changed by one at a time, and listed without a gap."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.core.log_context import current_ids, invocation
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import StorageBusyError
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform

FORM_TTL = timedelta(minutes=15)


def new_record(platform: InMemoryPlatform, owner: str = OWNER, *, upload_id: str | None = "upload-1") -> VideoRecord:
    platform.clock.pass_time(seconds=1)
    return VideoRecord.begun(
        VideoRef(owner, new_video_id(platform.clock())),
        StartUpload("film.mp4", "video/mp4", 4096),
        part_size_bytes=MIN_PART_BYTES,
        upload_id=upload_id,
        now=platform.clock(),
        ttl=FORM_TTL,
        correlation_id="an-upload",
    )


def renamed(record: VideoRecord) -> VideoRecord:
    return record.noted(file_name="other.mp4")


def test_a_record_whose_write_is_repeated_is_created_once(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.records.create(record)
    assert platform.records.find(record.ref) == record


def test_a_record_never_takes_the_place_of_another(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    record = new_record(platform)
    platform.records.create(record)
    with pytest.raises(StorageBusyError):
        platform.records.create(renamed(record))
    assert platform.records.find(record.ref) == record
    monkeypatch.setattr(platform.metadata, "get", lambda key: None)
    with pytest.raises(StorageBusyError):
        platform.records.create(record)


def test_a_record_that_is_created_found_or_changed_gives_the_lines_their_ids(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    ids = {"owner": OWNER, "videoId": record.video_id, "uploadId": "upload-1", "correlationId": "an-upload"}
    with invocation():
        platform.records.create(record)
        assert current_ids() == ids
    with invocation():
        platform.records.find(record.ref)
        assert current_ids() == ids
    with invocation():
        platform.records.change(record.ref, lambda _: None)
        assert current_ids() == ids


def test_a_change_tells_what_was_and_what_is_and_whether_it_was_made_here(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    assert platform.records.change(record.ref, renamed) is None
    platform.records.create(record)
    left = platform.records.change(record.ref, lambda _: None)
    assert left
    assert (left.before, left.record, left.mine) == (record, record, False)
    changed = platform.records.change(record.ref, renamed)
    assert changed
    assert (changed.before, changed.record, changed.mine) == (record, renamed(record).noted(revision=2), True)
    assert platform.records.find(record.ref) == changed.record
    assert not platform.metadata.retired


@pytest.mark.parametrize("state", [State.ABORTED, State.EXPIRED, State.DELETED])
def test_a_change_to_a_tombstone_retires_the_record(platform: InMemoryPlatform, state: State) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.records.change(record.ref, lambda current: current.moved_to(state, platform.clock()))
    assert platform.metadata.retired == {record.ref.record_key}


def test_a_change_decides_again_on_what_another_wrote(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new_record(platform)
    platform.records.create(record)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    seen: list[str] = []

    def decide(current: VideoRecord) -> VideoRecord:
        seen.append(current.file_name)
        if len(seen) == 1:
            platform.records.change(record.ref, renamed)
        return current.noted(processing_retries=1)

    changed = platform.records.change(record.ref, decide)
    assert seen == ["film.mp4", "other.mp4"]
    assert changed
    assert changed.record == renamed(record).noted(processing_retries=1, revision=3)


def reads_of_the_record(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    read: list[str] = []
    get = platform.metadata.get
    monkeypatch.setattr(platform.metadata, "get", lambda key: read.append(key) or get(key))
    return read


def test_a_record_in_hand_is_changed_again_and_again_without_another_read(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.records.create(record := new_record(platform))
    found = platform.records.find(record.ref)
    read = reads_of_the_record(platform, monkeypatch)
    for revision in (2, 3):
        assert found
        change = platform.records.change(found, lambda current: current.noted(file_name=f"{current.revision}.mp4"))
        assert change
        assert change.mine
        found = change.record
        assert (found.file_name, found.revision) == (f"{revision - 1}.mp4", revision)
    assert not read
    assert platform.records.find(record.ref) == found


def test_a_record_in_hand_that_another_wrote_since_is_read_and_decided_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.records.create(record := new_record(platform))
    found = platform.records.find(record.ref)
    assert found
    platform.records.change(record.ref, renamed)
    read = reads_of_the_record(platform, monkeypatch)
    change = platform.records.change(found, lambda current: current.noted(processing_retries=1))
    assert change
    assert change.record == renamed(record).noted(processing_retries=1, revision=3)
    assert read == [record.ref.record_key]


def test_a_record_in_hand_is_left_only_as_it_is_stored(platform: InMemoryPlatform) -> None:
    platform.records.create(record := new_record(platform))
    found = platform.records.find(record.ref)
    assert found
    platform.records.change(record.ref, renamed)
    left = platform.records.change(found, lambda current: None)
    assert left
    assert (left.record.file_name, left.mine) == ("other.mp4", False)


def test_a_record_that_was_changed_and_not_written_is_not_taken_for_the_stored_one(platform: InMemoryPlatform) -> None:
    platform.records.create(record := new_record(platform))
    found = platform.records.find(record.ref)
    assert found
    change = platform.records.change(renamed(found), lambda current: current.noted(processing_retries=1))
    assert change
    assert change.record == record.noted(processing_retries=1, revision=2)


def test_a_change_that_loses_twelve_races_waits_twice_as_long_after_each_and_gives_up(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new_record(platform)
    platform.records.create(record)
    waits: list[float] = []
    lowest: set[float] = set()

    def longest(low: float, high: float) -> float:
        lowest.add(low)
        return high

    monkeypatch.setattr(random, "uniform", longest)
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(platform.metadata, "put_if_unchanged", lambda key, body, etag: None)
    with pytest.raises(StorageBusyError):
        platform.records.change(record.ref, renamed)
    assert waits == [0.01 * 2**race for race in range(12)]
    assert lowest == {0}


def test_an_owners_records_are_listed_newest_first_and_without_the_deleted(platform: InMemoryPlatform) -> None:
    records = [new_record(platform) for _ in range(4)]
    records[3] = replace(records[3], video_id="0" * len(records[3].video_id))
    records[1] = replace(records[1], state=State.DELETED)
    records[2] = replace(records[2], state=State.ABORTED)
    for record in [*records, new_record(platform, "other"), new_record(platform, f"{OWNER}-2")]:
        platform.records.create(record)
    assert list(platform.records.newest_first(OWNER)) == [records[3], records[2], records[0]]
    refs = [record.ref for record in reversed(records)]
    assert list(platform.records.refs_newest_first(OWNER)) == refs
    assert list(platform.records.refs_newest_first(OWNER, refs[1].video_id)) == refs[2:]


def test_a_record_that_goes_between_listing_and_reading_is_left_out(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, kept = new_record(platform), new_record(platform)
    platform.records.create(kept)
    platform.records.reserve(gone.ref, gone.size_bytes)
    platform.records.reserve(kept.ref, kept.size_bytes)
    assert list(platform.records.read_each([gone.ref, kept.ref])) == [None, kept]
    assert platform.records.open_of(OWNER) == [kept]
    monkeypatch.setattr(platform.records, "refs_newest_first", lambda owner: [gone.ref, kept.ref])
    assert list(platform.records.newest_first(OWNER)) == [kept]


def test_records_are_read_eight_at_a_time(platform: InMemoryPlatform) -> None:
    records = [new_record(platform) for _ in range(20)]
    for record in records:
        platform.records.create(record)
    asked: list[VideoRef] = []

    def refs() -> Iterator[VideoRef]:
        for record in records:
            asked.append(record.ref)
            yield record.ref

    reading = platform.records.read_each(refs())
    assert next(reading) == records[0]
    assert len(asked) == 8
    assert [records[0], *reading] == records


def test_a_marker_is_its_name(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    record = new_record(platform)
    written: list[tuple[str, bytes, str]] = []
    monkeypatch.setattr(platform.metadata, "put", lambda *written_so: written.append(written_so))
    platform.records.reserve(record.ref, 4096)
    platform.records.watch(record.ref)
    assert written == [
        (f"open/{OWNER}/{record.video_id}.{size_bytes}", b"", "application/octet-stream") for size_bytes in (4096, 0)
    ]


def test_markers_are_an_owners_or_all(platform: InMemoryPlatform) -> None:
    records = [new_record(platform, owner) for owner in ("a", "ab")]
    platform.records.reserve(records[0].ref, 1)
    platform.records.watch(records[0].ref)
    platform.records.reserve(records[1].ref, 5)
    told = {(marker.ref, marker.size_bytes, marker.is_reservation) for marker in platform.records.markers()}
    assert told == {(records[0].ref, 0, False), (records[0].ref, 1, True), (records[1].ref, 5, True)}
    assert {marker.ref for marker in platform.records.markers("a")} == {records[0].ref}
    assert {marker.last_modified for marker in platform.records.markers()} == {platform.clock()}


def test_an_upload_with_two_markers_is_one_upload(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.records.reserve(record.ref, record.size_bytes)
    platform.records.watch(record.ref)
    assert platform.records.open_of(OWNER) == [record]


@pytest.mark.parametrize(
    ("upload_id", "state", "past_expiry_seconds", "was_released", "watched", "deletes"),
    [
        (None, State.READY, -1, False, True, 1),
        (None, State.DELETED, -1, False, True, 1),
        (None, State.READY, 0, False, True, 1),
        (None, State.REJECTED, 0, False, True, 1),
        (None, State.EXPIRED, 0, False, False, 2),
        (None, State.DELETED, 0, False, False, 2),
        ("upload-1", State.READY, -1, True, False, 2),
        # A record that was never watched costs one delete.
        ("upload-1", State.READY, -1, False, False, 1),
        ("upload-1", State.EXPIRED, 0, False, False, 1),
    ],
)
def test_a_closed_video_holds_no_reservation_and_has_a_marker_only_while_its_form_can_matter(
    platform: InMemoryPlatform,
    monkeypatch: pytest.MonkeyPatch,
    *,
    upload_id: str | None,
    state: State,
    past_expiry_seconds: int,
    was_released: bool,
    watched: bool,
    deletes: int,
) -> None:
    new = new_record(platform, upload_id=upload_id)
    record = replace(new, state=state, was_released=was_released, notified_at=new.created_at)
    record = replace(record, completed_at=new.created_at)  # an unsent form keeps its reservation: test_forms.py
    platform.records.reserve(record.ref, record.size_bytes)
    if not watched and record.may_have_marker:
        platform.records.watch(record.ref)
    deleted: list[str] = []
    delete = platform.metadata.delete
    monkeypatch.setattr(platform.metadata, "delete", lambda key: (deleted.append(key), delete(key)))
    for _ in range(2):
        platform.records.close(record, record.expires_at + timedelta(seconds=past_expiry_seconds))
        assert [marker.is_reservation for marker in platform.records.markers()] == ([False] if watched else [])
    assert len(deleted) == 2 * deletes


@pytest.mark.parametrize("state", [State.READY, State.REJECTED, State.EXPIRED, State.DELETED])
def test_a_closed_video_keeps_a_watch_until_subscribers_are_told(platform: InMemoryPlatform, state: State) -> None:
    record = replace(new_record(platform, upload_id="upload-1"), state=state)
    platform.records.reserve(record.ref, record.size_bytes)
    platform.records.close(record, record.expires_at)
    assert [marker.is_reservation for marker in platform.records.markers()] == [False]
