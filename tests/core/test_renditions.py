"""A ready video that some browsers do not play gets a copy that all play, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest

from chalicelib.contract.views import video
from chalicelib.core.malware_scan import MALWARE, NO_SCAN, ScanPolicy, ScanResult
from chalicelib.core.media.copying import Source
from chalicelib.core.processing import Processed
from chalicelib.core.rendition import MAX_ATTEMPTS
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_films import COPY_MARK
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer, platform_in_memory
from tests.outside_calls import Interruption, KilledError

MORE_CALLS_THAN_THERE_ARE = 80


class StorageSlowError(Exception):
    """S3 takes too long."""


def die(source: Source, send: Callable[[int, bytes], None]) -> int:
    raise KilledError


@pytest.fixture
def converting() -> InMemoryPlatform:
    return platform_with_renditions()


def platform_with_renditions(scans: ScanPolicy = NO_SCAN) -> InMemoryPlatform:
    platform = platform_in_memory(scans)
    platform.change_renditions(makes=True)
    return platform


def completed(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start()
    transfer.send_and_complete()
    return transfer


def record_of(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record


def shown(platform: InMemoryPlatform, transfer: Transfer) -> tuple[str, int | None, str | None] | None:
    rendition = video(platform.library.show(transfer.token.ref)).rendition
    return (rendition.state, rendition.size_bytes, rendition.reason) if rendition else None


def told(platform: InMemoryPlatform) -> list[str]:
    return [str(message["type"]) for message in platform.notifier.messages]


def with_copy(platform: InMemoryPlatform, copy: Callable[..., int]) -> None:
    assert platform.processing.renditions
    platform.processing = replace(platform.processing, renditions=replace(platform.processing.renditions, copy=copy))


def sweep_until_settled(platform: InMemoryPlatform, *, sweeps: int = MAX_ATTEMPTS + 3) -> None:
    for _ in range(sweeps):
        platform.clock.pass_time(minutes=21)
        platform.janitor.sweep()
        platform.process_what_was_asked()


def test_a_video_in_a_container_that_some_browsers_do_not_play_is_played_from_its_copy(
    converting: InMemoryPlatform,
) -> None:
    transfer = completed(converting)
    assert converting.process(transfer) is Processed.READY
    key = transfer.token.ref.rendition_key
    (copy,) = converting.videos.versions[key]
    assert copy.body == COPY_MARK + transfer.body
    assert copy.tags == {"verdict": "accepted"}
    assert shown(converting, transfer) == ("ready", len(copy.body), None)
    assert told(converting) == ["video.ready", "video.rendition_ready"]
    view = video(converting.library.show(transfer.token.ref))
    assert f"/{key}?" in str(view.playback_url)
    assert f"/{transfer.key}?" in str(view.download_url)
    assert not list(converting.records.markers())


def test_a_page_of_the_library_shows_the_rendition_and_its_address(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    converting.folding.rebuild(OWNER)
    converting.process(transfer)
    (seen,), _ = converting.library.page(OWNER, 10)
    assert video(seen).rendition == video(converting.library.show(transfer.token.ref)).rendition
    assert transfer.token.ref.rendition_key in str(video(seen).playback_url)


def test_a_video_that_all_browsers_play_gets_none(platform: InMemoryPlatform, converting: InMemoryPlatform) -> None:
    converting.processing = replace(converting.processing, inspect=platform.processing.inspect)
    transfer = completed(converting)
    converting.process(transfer)
    assert shown(converting, transfer) is None
    assert not converting.videos.versions[transfer.token.ref.rendition_key]


def test_a_stage_without_the_setting_makes_none(converting: InMemoryPlatform) -> None:
    converting.processing = replace(converting.processing, renditions=None)
    transfer = completed(converting)
    converting.process(transfer)
    assert (shown(converting, transfer), told(converting)) == (None, ["video.ready"])


def test_repeated_events_make_one_copy_and_one_message(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    for _ in range(3):
        converting.process(transfer)
    assert len(converting.videos.versions[transfer.token.ref.rendition_key]) == 1
    assert told(converting) == ["video.ready", "video.rendition_ready"]
    assert converting.meter.values["renditions_ready_count"] == [1]


def test_the_second_of_two_simultaneous_copies_is_removed(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    assert converting.processing.renditions
    copy = converting.processing.renditions.copy

    def overtaken(source: Source, send: Callable[[int, bytes], None]) -> int:
        with_copy(converting, copy)
        converting.process(transfer)
        return copy(source, send)

    with_copy(converting, overtaken)
    converting.process(transfer)
    (kept,) = converting.videos.versions[transfer.token.ref.rendition_key]
    rendition = record_of(converting, transfer).rendition
    assert rendition
    assert rendition.version_id == kept.version_id
    assert told(converting).count("video.rendition_ready") == 1


def test_a_file_that_cannot_be_copied_plays_as_it_is_and_its_owner_is_told(converting: InMemoryPlatform) -> None:
    converting.fail_copies()
    transfer = completed(converting)
    assert converting.process(transfer) is Processed.READY
    assert shown(converting, transfer) == ("failed", None, "not_convertible")
    assert told(converting) == ["video.ready", "video.rendition_failed"]
    view = video(converting.library.show(transfer.token.ref))
    assert view.playback_url == view.download_url
    assert not converting.videos.uploads, "nothing half-sent is left at S3"
    assert not list(converting.records.markers())
    assert converting.meter.values["renditions_failed_count"] == [1]


def test_a_copy_whose_parts_s3_does_not_put_together_leaves_none_of_them(
    converting: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise StorageSlowError

    transfer = completed(converting)
    with monkeypatch.context() as refusing:
        refusing.setattr(converting.renditions, "complete", refuse)
        with pytest.raises(StorageSlowError):
            converting.process(transfer)
    assert not converting.videos.uploads
    converting.process(transfer)
    assert shown(converting, transfer) == ("ready", len(COPY_MARK + transfer.body), None)


def test_a_copy_that_some_browsers_do_not_play_either_is_removed(converting: InMemoryPlatform) -> None:
    def leave_as_it_is(source: Source, send: Callable[[int, bytes], None]) -> int:
        body = source.read_range(0, source.size_bytes)
        send(1, body)
        return len(body)

    with_copy(converting, leave_as_it_is)
    transfer = completed(converting)
    converting.process(transfer)
    assert shown(converting, transfer) == ("failed", None, "not_convertible")
    assert not converting.videos.versions[transfer.token.ref.rendition_key]


def test_a_function_that_always_dies_over_a_copy_gives_up_at_last(converting: InMemoryPlatform) -> None:
    with_copy(converting, die)
    transfer = completed(converting)
    with pytest.raises(KilledError):
        converting.process(transfer)
    assert shown(converting, transfer) == ("pending", None, None)
    for _ in range(MAX_ATTEMPTS - 1):
        converting.clock.pass_time(minutes=21)
        converting.janitor.sweep()
        with pytest.raises(KilledError):
            converting.process_what_was_asked()
    sweep_until_settled(converting, sweeps=2)
    assert shown(converting, transfer) == ("failed", None, "unanswered")
    assert told(converting) == ["video.ready", "video.rendition_failed"]
    assert not list(converting.records.markers())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("then", ["stays", "is deleted"])
def test_a_function_that_dies_at_any_call_leaves_one_copy_of_a_video_and_none_of_a_deleted_one(
    when: Literal["before", "after"], then: str
) -> None:
    for at in range(1, MORE_CALLS_THAN_THERE_ARE):
        converting = platform_with_renditions()
        transfer = completed(converting)
        death = Interruption(converting, at, when)
        try:
            converting.process(transfer)
        except KilledError:
            death.is_armed = False
        else:
            assert death.calls_left > 0
            return
        if then == "is deleted":
            converting.library.delete(transfer.token.ref)
            converting.process(transfer)
        sweep_until_settled(converting, sweeps=3)
        key = transfer.token.ref.rendition_key
        if then == "is deleted":
            assert converting.videos.visible(key) is None, at
        else:
            rendition = record_of(converting, transfer).rendition
            assert rendition, at
            assert rendition.is_ready, at
            newest = converting.videos.versions[key][-1]
            assert (newest.version_id, newest.tags) == (rendition.version_id, {"verdict": "accepted"}), at
            assert "video.rendition_ready" in told(converting), at
        assert not list(converting.records.markers()), at
    pytest.fail("it calls more often than that")


def test_a_video_that_is_deleted_while_it_is_copied_leaves_no_copy(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    assert converting.processing.renditions
    copy = converting.processing.renditions.copy

    def deleted_meanwhile(source: Source, send: Callable[[int, bytes], None]) -> int:
        converting.library.delete(transfer.token.ref)
        return copy(source, send)

    with_copy(converting, deleted_meanwhile)
    converting.process(transfer)
    assert not converting.videos.versions[transfer.token.ref.rendition_key]
    assert "video.rendition_ready" not in told(converting)


def test_a_copy_whose_function_dies_after_its_video_was_deleted_is_hidden_by_the_repeated_event(
    converting: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = completed(converting)
    complete = converting.renditions.complete

    def deleted_before_and_killed_after(*arguments: Any) -> str:
        converting.library.delete(transfer.token.ref)
        complete(*arguments)
        raise KilledError

    monkeypatch.setattr(converting.renditions, "complete", deleted_before_and_killed_after)
    with pytest.raises(KilledError):
        converting.process(transfer)
    key = transfer.token.ref.rendition_key
    assert converting.videos.visible(key)
    converting.process(transfer)
    assert converting.videos.visible(key) is None


def test_deleting_a_video_hides_its_copy_and_restoring_it_makes_another(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    converting.process(transfer)
    before = record_of(converting, transfer)
    converting.library.delete(transfer.token.ref)
    key = transfer.token.ref.rendition_key
    assert converting.videos.visible(key) is None

    converting.restore(transfer, before)
    converting.process_what_was_asked()
    assert shown(converting, transfer) == ("ready", len(COPY_MARK + transfer.body), None)
    assert converting.videos.visible(key) == COPY_MARK + transfer.body


def test_malware_that_a_late_scan_finds_hides_the_copy_as_well() -> None:
    converting = platform_with_renditions(ScanPolicy(is_on=True))
    transfer = completed(converting)
    converting.process(transfer)
    assert shown(converting, transfer) is None, "nothing is copied before the verdict"
    converting.scanned(transfer, ScanResult.CLEAN)
    converting.process_what_was_asked()
    key = transfer.token.ref.rendition_key
    assert converting.videos.visible(key)

    converting.scanned(transfer, ScanResult.INFECTED)
    converting.process_what_was_asked()
    record = record_of(converting, transfer)
    assert (record.rejection, record.rendition) == (MALWARE, None)
    assert converting.videos.visible(key) is None


def test_a_rendition_that_waits_is_forgotten_where_the_setting_is_turned_off(converting: InMemoryPlatform) -> None:
    with_copy(converting, die)
    transfer = completed(converting)
    with pytest.raises(KilledError):
        converting.process(transfer)
    converting.change_renditions(makes=False)
    sweep_until_settled(converting, sweeps=2)
    assert shown(converting, transfer) is None
    assert not list(converting.records.markers())


def test_the_original_is_played_again_once_the_setting_is_off(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    converting.process(transfer)
    converting.change_renditions(makes=False)
    view = video(converting.library.show(transfer.token.ref))
    assert view.playback_url == view.download_url
    converting.library.delete(transfer.token.ref)
    assert converting.videos.visible(transfer.token.ref.rendition_key) is None, "it goes with its video all the same"


def test_copies_count_against_nobodys_limit(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    converting.process(transfer)
    used = converting.room.usage(OWNER)
    assert (used.stored_videos, used.stored_bytes) == (1, len(transfer.body))


def test_a_message_that_the_topic_did_not_take_is_sent_by_a_sweep(converting: InMemoryPlatform) -> None:
    transfer = completed(converting)
    assert converting.processing.renditions
    copy = converting.processing.renditions.copy

    def copy_while_the_topic_breaks(source: Source, send: Callable[[int, bytes], None]) -> int:
        converting.notifier.fails = True
        return copy(source, send)

    with_copy(converting, copy_while_the_topic_breaks)
    with pytest.raises(ConnectionError):
        converting.process(transfer)
    assert told(converting) == ["video.ready"]
    converting.notifier.fails = False
    converting.janitor.sweep()
    assert told(converting) == ["video.ready", "video.rendition_ready"]
    converting.janitor.sweep()
    assert not list(converting.records.markers())
