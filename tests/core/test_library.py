"""A user's library: list, view and delete videos."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.labels import NO_LABELS, Labels
from chalicelib.core.library import MOST_READ_RECORDS, Library
from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.ports import StoredRecord
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord
from tests.fakes import FakeClock
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer, platform_in_memory


def finished(platform: InMemoryPlatform, owner: str = OWNER) -> Transfer:
    platform.clock.pass_time(seconds=1)
    transfer = platform.start(size_bytes=4096, owner=owner)
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


def test_pages_are_newest_first_and_lose_or_double_nothing(platform: InMemoryPlatform) -> None:
    newest_first = [finished(platform).token.video_id for _ in range(7)][::-1]
    assert list(pages(platform.library, 3)) == [newest_first[:3], newest_first[3:6], newest_first[6:]]


def stored(platform: InMemoryPlatform, *states: State) -> list[VideoRecord]:
    """A record in each of these states, the oldest first, however it came to it."""
    records: list[VideoRecord] = []
    for state in states:
        platform.clock.pass_time(seconds=1)
        record = VideoRecord.begun(
            VideoRef(OWNER, new_video_id(platform.clock())),
            StartUpload("film.mp4", "video/mp4", 4096),
            part_size_bytes=MIN_PART_BYTES,
            upload_id=None,
            now=platform.clock(),
            ttl=timedelta(days=7),
        )
        records.append(replace(record, state=state, version_id="version-1"))
        platform.records.create(records[-1])
    return records


def pages(library: Library, limit: int) -> Iterator[list[str]]:
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = library.page(OWNER, limit, cursor)
        yield [video.record.video_id for video in page]


@example(states=[State.READY, State.READY], limit=1, most_read_records=1, between_calls=[("expire", 0), ("delete", 0)])
@given(
    states=st.lists(st.sampled_from([State.READY, State.REJECTED, State.DELETED, State.ABORTED]), max_size=40),
    limit=st.integers(1, 6),
    most_read_records=st.integers(1, 20),
    between_calls=st.lists(st.tuples(st.sampled_from(["delete", "expire", "upload"]), st.integers(0, 39)), max_size=40),
)
def test_paging_visits_each_living_video_once_whatever_is_deleted_and_comes(
    states: list[State], limit: int, most_read_records: int, between_calls: list[tuple[str, int]]
) -> None:
    platform = platform_in_memory()
    records = stored(platform, *states)
    living = {record.video_id for record in records if record.state in {State.READY, State.REJECTED}}
    library = replace(platform.library, most_read_records=most_read_records)
    removed: set[str] = set()
    seen: list[str] = []
    happenings = iter(between_calls)
    for page in pages(library, limit):
        assert len(page) <= limit
        seen += page
        match next(happenings, None):
            case ("upload", _):
                stored(platform, State.READY)
            case ("delete", number) if number < len(records) and records[number].video_id not in removed:
                platform.library.delete(records[number].ref)
                removed.add(records[number].video_id)
            case ("expire", number) if number < len(records):
                # The lifecycle rule removes tombstones so; the cursor may point to one.
                platform.metadata.delete(records[number].ref.record_key)
                removed.add(records[number].video_id)
            case _:
                pass
    assert seen == sorted(set(seen)), "the newest come first, and none comes twice"
    assert living - removed <= set(seen) <= living


def test_a_call_reads_no_more_records_however_many_are_deleted(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    (oldest,) = stored(platform, State.READY)
    stored(platform, *[State.DELETED] * (2 * MOST_READ_RECORDS))
    (newest,) = stored(platform, State.READY)
    read: list[str] = []
    get = platform.metadata.get

    def counting(key: str) -> StoredRecord | None:
        if key.startswith("records/"):
            read.append(key)
        return get(key)

    monkeypatch.setattr(platform.metadata, "get", counting)
    seen: list[list[str]] = []
    for page in pages(platform.library, 24):
        assert len(read) <= MOST_READ_RECORDS
        read.clear()
        seen.append(page)
    assert seen == [[newest.video_id], [], [oldest.video_id]]


def test_records_that_go_between_listing_and_reading_do_not_end_the_list(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    (oldest,) = stored(platform, State.READY)
    gone = {record.ref.record_key for record in stored(platform, *[State.DELETED] * 9)}
    get = platform.metadata.get
    monkeypatch.setattr(platform.metadata, "get", lambda key: None if key in gone else get(key))
    library = replace(platform.library, most_read_records=5)
    assert list(pages(library, 24)) == [[], [oldest.video_id]]


def test_a_full_page_at_the_very_end_is_the_last(platform: InMemoryPlatform) -> None:
    stored(platform, *[State.READY] * 6)
    assert [len(page) for page in pages(platform.library, 3)] == [3, 3]


def test_a_deleted_video_is_gone_from_every_view_and_stays_gone(platform: InMemoryPlatform) -> None:
    transfer = finished(platform)
    platform.library.delete(transfer.token.ref)
    platform.library.delete(transfer.token.ref)
    assert platform.meter.values["videos_deleted_count"] == [1]
    assert platform.library.page(OWNER, 10, "") == ([], None)
    with pytest.raises(VideoNotFoundError):
        platform.library.show(transfer.token.ref)
    assert platform.videos.visible(transfer.key) is None


def test_somebody_elses_video_is_the_same_as_an_unknown_one(platform: InMemoryPlatform) -> None:
    video_id = finished(platform, "owner-a").token.video_id
    failures: list[str] = []
    for ref in (VideoRef("owner-b", video_id), VideoRef("owner-b", "f" * 28)):
        for ask in (platform.library.show, platform.library.delete):
            with pytest.raises(VideoNotFoundError) as refused:
                ask(ref)
            failures.append(str(refused.value))
    assert len(set(failures)) == 1
    assert platform.library.show(VideoRef("owner-a", video_id)).record.state is State.READY


def test_only_a_ready_video_has_urls_and_they_name_the_accepted_version(platform: InMemoryPlatform) -> None:
    open_upload = platform.start(size_bytes=4096)
    assert platform.library.show(open_upload.token.ref).urls is None
    transfer = finished(platform)
    urls = platform.library.show(transfer.token.ref).urls
    assert urls
    assert f"versionId={platform.videos.versions[transfer.key][-1].version_id}" in urls.playback_url


@given(st.lists(st.floats(min_value=0.001, max_value=10**7), min_size=2, max_size=10))
def test_video_ids_sort_newest_first(gaps_seconds: list[float]) -> None:
    clock = FakeClock()
    ids: list[str] = []
    for gap in gaps_seconds:
        clock.pass_time(seconds=gap)
        ids.append(new_video_id(clock()))
    assert [video_id[:12] for video_id in ids] == sorted((video_id[:12] for video_id in ids), reverse=True)


def test_an_edit_and_what_processing_writes_at_the_same_moment_are_both_kept(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start(size_bytes=4096)
    transfer.send_and_complete()
    labels = Labels(title="Sea", tags=("holiday",))
    write = platform.metadata.put_if_unchanged
    raced: list[str] = []

    def racing(key: str, body: bytes, etag: str) -> str | None:
        """Edit the video just before the first write of its record, which then comes too late."""
        if not raced:
            raced.append(key)
            if platform.records.find(transfer.token.ref).state is State.PROCESSING:  # pyrefly: ignore[missing-attribute]
                platform.library.edit(transfer.token.ref, lambda _: labels)
        return write(key, body, etag)

    monkeypatch.setattr(platform.metadata, "put_if_unchanged", racing)
    platform.process(transfer)
    record = platform.records.find(transfer.token.ref)
    assert raced
    assert record is not None
    assert (record.state, record.labels) == (State.READY, labels)


def test_processing_between_an_edits_look_and_its_write_is_not_undone(platform: InMemoryPlatform) -> None:
    transfer = platform.start(size_bytes=4096)
    transfer.send_and_complete()
    looked = 0

    def relabel(labels: Labels) -> Labels:
        nonlocal looked
        looked += 1
        if looked == 1:
            platform.process(transfer)
        return labels._replace(title="Sea")

    seen = platform.library.edit(transfer.token.ref, relabel)
    assert (looked, seen.record.state, seen.record.title) == (2, State.READY, "Sea")
    assert seen.urls is not None


@pytest.mark.parametrize("state", [State.DELETED, State.ABORTED, State.EXPIRED])
def test_a_deleted_video_cannot_be_edited(platform: InMemoryPlatform, state: State) -> None:
    (record,) = stored(platform, state)
    with pytest.raises(VideoNotFoundError):
        platform.library.edit(record.ref, lambda _: Labels(title="Sea"))


def test_a_record_of_version_0_1_has_no_labels_and_takes_some(platform: InMemoryPlatform) -> None:
    (record,) = stored(platform, State.READY)
    fields = json.loads(record.to_json())
    for name in ("title", "description", "tags"):
        del fields[name]
    platform.metadata.put(record.ref.record_key, json.dumps(fields).encode(), "application/json")
    assert platform.library.show(record.ref).record.labels == NO_LABELS
    assert platform.library.edit(record.ref, lambda _: Labels(tags=("old",))).record.tags == ("old",)
    assert platform.library.show(record.ref).record.tags == ("old",)
