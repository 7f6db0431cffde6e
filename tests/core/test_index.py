"""The index of the library against the records: histories of writes, deaths between the steps, and folding."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.errors import IndexMissingError
from chalicelib.core.index import changes, packs, reading
from chalicelib.core.index.changes import fact_keys, fact_lines
from chalicelib.core.index.lines import Line, record_in
from chalicelib.core.index.packs import Pack
from chalicelib.core.index.queries import NEWEST_FIRST
from chalicelib.core.labels import Labels
from chalicelib.core.video_record import State
from tests.core.index_history import OWNERS, STEPS, History, Step, complete, lease, new_record, settle
from tests.core.shown_index import ids_shown, keys_of_changes, shown_of
from tests.in_memory_platform import OWNER, InMemoryPlatform, platform_in_memory
from tests.outside_calls import KilledError, around_calls


@settings(max_examples=400)
@given(steps=st.lists(STEPS, max_size=25), block_lines=st.integers(1, 4))
def test_the_index_is_the_records_after_a_minute_and_a_folding_whatever_happened(
    steps: list[Step], block_lines: int
) -> None:
    history = History()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "BLOCK_LINES", block_lines)
        for step in steps:
            history.take(step)
            if step.number == 0:
                history.platform.folding.fold()
                assert_index_is_records(history, sees_leases=False)
        history.platform.clock.pass_time(minutes=1)
        history.platform.folding.fold()
        assert_index_is_records(history)


def assert_index_is_records(history: History, *, sees_leases: bool = True) -> None:
    """sees_leases: False within 20 seconds, in which a completion that has begun is shown as an upload still."""

    def seen(videos: dict[str, tuple[str, str | None]] | None) -> dict[str, tuple[str, str | None]]:
        shown_as = {} if sees_leases else {State.COMPLETING.value: State.UPLOADING.value}
        return {key: (shown_as.get(state, state), title) for key, (state, title) in (videos or {}).items()}

    # No write was ever completed for an owner without an index.
    for owner in (*{ref.owner for ref in history.refs}, None):
        assert seen(history.shown(owner)) == seen(history.truth(owner))


@settings(max_examples=200)
@given(steps=st.lists(STEPS.filter(lambda step: step.what != "repeat"), max_size=20))
def test_a_completed_write_is_read_at_once(steps: list[Step]) -> None:
    history = History()
    for step in steps:
        history.take(replace(step, trouble="none"))
        for owner in OWNERS:
            shown = history.shown(owner)
            assert shown is None or shown == history.truth(owner)


def test_an_announced_record_that_nobody_told_of_is_read_at_the_next_folding(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.folding.fold()
    other = new_record(platform, name="other.mp4")
    for key in [key for key in platform.metadata.objects if ".told." in key]:
        platform.metadata.delete(key)
    put = platform.metadata.put

    def dying(key: str, body: bytes, content_type: str) -> None:
        if ".told." in key:
            raise KilledError
        put(key, body, content_type)

    with monkeypatch.context() as patch:
        patch.setattr(platform.metadata, "put", dying)
        with pytest.raises(KilledError):
            platform.records.create(other)
    assert ids_shown(platform) == [record.video_id]
    platform.folding.fold()
    assert set(ids_shown(platform)) == {record.video_id, other.video_id}


def test_a_completion_that_died_is_shown_after_20_seconds_without_a_folding(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.folding.fold()
    lease(platform, record.ref)
    assert [each.state for each in shown_of(platform)] == [State.UPLOADING]
    platform.clock.pass_time(seconds=21)
    assert [each.state for each in shown_of(platform)] == [State.COMPLETING]


def test_a_completion_that_another_write_came_between_announces_its_last_write_anew(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = new_record(platform)
    platform.records.create(record)
    leased = lease(platform, record.ref)
    assert leased
    platform.records.change(record.ref, lambda current: current.labelled(Labels(title="Sea")))
    platform.folding.fold()
    monkeypatch.setattr(changes.Changes, "write_facts", lambda *_: None)
    settle(platform, leased.record)
    platform.clock.pass_time(seconds=21)
    assert [(each.state, each.title) for each in shown_of(platform)] == [(State.PROCESSING, "Sea")]


def test_a_completion_announces_both_its_writes_at_once_and_tells_of_the_last(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.folding.fold()
    complete(platform, record.ref)
    announced, told = sorted(keys_of_changes(platform), key=lambda key: ".told." in key)
    assert "/00000003.announced." in announced
    assert "/00000003.told." in told
    assert [each.state for each in shown_of(platform)] == [State.PROCESSING]


@pytest.mark.parametrize("dead", [100, 101])
def test_records_whose_writers_died_are_shown_after_20_seconds_without_a_folding(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, dead: int
) -> None:
    """More of them than are read beside the index are read without it."""
    monkeypatch.setattr(reading, "MOST_READ_RECORDS", 100)
    platform.records.create(new_record(platform))
    platform.folding.fold()
    with monkeypatch.context() as patch:
        patch.setattr(changes.Changes, "write_facts", lambda *_: None)
        for _ in range(dead):
            platform.records.create(new_record(platform))
    assert len(platform.library.page(OWNER, 1_000)[0]) == 1
    platform.clock.pass_time(seconds=21)
    assert len(platform.library.page(OWNER, 1_000)[0]) == 1 + dead
    assert len(platform.library.found(None, 1_000)[0]) == 1 + dead


def test_a_page_that_cannot_be_right_for_all_that_has_changed_is_read_from_the_records_or_refused(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_READ_CHANGES", 4)
    platform.records.create(new_record(platform))
    platform.folding.fold()
    written = [new_record(platform, owner=owner) for owner in ("a", "b", "z")]
    for record in written:
        platform.records.create(record)
    assert len(platform.library.found(None, 24)[0]) == 4
    strict = replace(platform.library, most_read_records=3)
    with pytest.raises(IndexMissingError) as refused:
        strict.found(None, 24)
    assert refused.value.retry_after_seconds == 60
    assert len(strict.found("z", 24)[0]) == 1
    platform.folding.fold()
    assert len(strict.found(None, 24)[0]) == 4


def test_an_index_that_cannot_be_told_lets_the_write_pass(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = platform.metadata.put

    def refusing(key: str, body: bytes, content_type: str) -> None:
        if ".told." in key:
            raise ConnectionError
        put(key, body, content_type)

    monkeypatch.setattr(platform.metadata, "put", refusing)
    record = new_record(platform)
    platform.records.create(record)
    platform.folding.fold()
    assert ids_shown(platform) == [record.video_id]


def test_thousands_of_changes_are_read_before_they_are_folded(platform: InMemoryPlatform) -> None:
    """1,247 uploads at once make about ten thousand between two foldings."""
    platform.start()
    platform.folding.fold()
    for _ in range(1_049):
        platform.clock.pass_time(seconds=0.01)
        platform.start(owner=str(uuid4()))
    assert len(list(platform.metadata.list_keys("index/new/"))) > 2_000
    view = platform.library.index.view(None)
    assert view
    assert len(view.page(NEWEST_FIRST, 2_000)[0]) == 1_050


def test_a_page_costs_three_calls_at_any_size(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(30):
        platform.clock.pass_time(seconds=1)
        platform.records.create(new_record(platform))
    platform.folding.fold()
    platform.records.create(new_record(platform))
    asked: list[str] = []

    def noted(name: str, _arguments: tuple[Any, ...], call: Callable[[], Any]) -> Any:
        asked.append(name.removeprefix("metadata."))
        return call()

    around_calls(platform, {"metadata": ("get", "get_newer", "list_keys", "put")}, noted)
    page, cursor = platform.library.page(OWNER, 24)
    assert (len(page), len(asked)) == (24, 3)
    asked.clear()
    page, cursor = platform.library.page(OWNER, 24, cursor or "")
    assert (len(page), cursor, asked) == (7, None, ["list_keys", "get", "get_newer"])


@given(
    title=st.text(min_size=1, max_size=120),
    description=st.text(max_size=1000),
    tags=st.lists(st.text(min_size=1, max_size=32), max_size=20),
)
def test_facts_of_any_length_fit_into_keys_and_are_read_as_they_were(
    title: str, description: str, tags: list[str]
) -> None:
    platform = platform_in_memory()
    record = new_record(platform, "o" * 128).labelled(Labels(title=title, description=description, tags=tuple(tags)))
    line = Line.of(record)
    keys = fact_keys(line)
    assert all(len(key.encode()) <= 1024 for key in keys)
    found = [changes.Change.from_key(key, platform.clock()) for key in reversed(keys)]
    assert fact_lines(change for change in found if change) == {record.ref: line}
    assert record_in(line.facts).labels == record.labels
    assert fact_lines(change for change in found[1:] if change) == {}


def test_a_pack_of_another_version_is_made_anew(platform: InMemoryPlatform) -> None:
    record = new_record(platform)
    platform.records.create(record)
    platform.folding.fold()
    for key in [key for key in platform.metadata.objects if key.startswith("index/packs/")]:
        platform.metadata.put(key, b"{}", "")
    assert platform.library.index.view(OWNER) is None
    platform.library.page(OWNER, 1)
    platform.folding.fold()
    assert ids_shown(platform) == [record.video_id]


def test_blocks_stay_about_as_long_as_they_should_however_lines_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "BLOCK_LINES", 10)
    platform = platform_in_memory()
    pack = Pack()
    for _ in range(200):
        platform.clock.pass_time(seconds=1)
        line = Line.of(new_record(platform))
        pack = Pack.read(pack.changed({line.key: line}, keeps_gone=False).written())
    assert pack.line_count == 200
    assert all(5 <= block.line_count < 20 for block in pack.blocks)
    assert [line.key for line in pack.lines()] == sorted(line.key for line in pack.lines())
