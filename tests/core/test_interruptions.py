"""Interrupted uploads: kills, refusals and delays lose nothing, leave nothing behind and free every place."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.errors import ChecksumMismatchError, StorageUnavailableError
from chalicelib.core.janitor import MAX_PROCESSING_RETRIES, PROCESSING_GRACE
from chalicelib.core.ports import OutcomeUnknownError, StorageBusyError, StoredObject
from chalicelib.core.processing import Processed
from tests.in_memory_platform import InMemoryPlatform, Transfer
from tests.outside_calls import KilledError


def killed(*arguments: Any, **named: Any) -> Any:
    raise KilledError


def s3_does_not_answer() -> None:
    raise OutcomeUnknownError


def a_ready_video(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.process(transfer)
    return transfer


# Starting


@pytest.mark.parametrize("step", ["create_multipart_upload", "generate"])
def test_an_upload_that_could_not_be_started_holds_no_place(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise ConnectionError

    port = platform.mac if step == "generate" else platform.videos
    with monkeypatch.context() as failing:
        failing.setattr(port, step, refuse)
        for _ in range(5):
            with pytest.raises(ConnectionError):
                platform.start()
    assert not platform.metadata.objects, "neither a place, nor a record of an upload that its owner never heard of"
    for _ in range(3):
        platform.start()


@pytest.mark.parametrize("step", ["create_multipart_upload", "generate"])
def test_an_init_that_was_killed_gives_its_place_back_soon(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(platform.mac if step == "generate" else platform.videos, step, killed)
        with pytest.raises(KilledError):
            platform.start()
    platform.clock.pass_time(minutes=16)
    platform.janitor.sweep()
    assert not platform.metadata.objects
    assert not platform.videos.uploads


# Completing


def test_a_completion_that_took_effect_behind_a_busy_answer_is_not_expired(platform: InMemoryPlatform) -> None:
    """S3 joined the parts, its answer was lost, and what was asked again was throttled; then the event was lost too."""
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())

    def busy() -> None:
        raise StorageBusyError

    platform.videos.after_complete = busy
    with pytest.raises(StorageUnavailableError):
        platform.completions.complete(transfer.token, request)
    assert platform.record_state(transfer) == "uploading"
    platform.clock.pass_time(days=7, seconds=1)
    assert platform.janitor.sweep() == Counter(retried=1)
    assert platform.process(transfer) is Processed.READY
    assert platform.videos.visible(transfer.key) == transfer.body


def test_a_completion_that_ends_while_the_janitor_looks_is_not_expired(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start()
    request = transfer.completion(transfer.send_parts())
    platform.videos.before_complete = s3_does_not_answer
    platform.completions.complete(transfer.token, request)
    platform.videos.before_complete = lambda: None
    platform.clock.pass_time(minutes=5)
    list_parts = platform.videos.list_parts

    def s3_is_done_just_before(key: str, upload_id: str) -> Any:
        parts = sorted(request.etags_by_part.items())
        platform.videos.complete_multipart_upload(key, upload_id, parts, transfer.started.record.size_bytes, None)
        return list_parts(key, upload_id)

    monkeypatch.setattr(platform.videos, "list_parts", s3_is_done_just_before)
    platform.janitor.sweep()
    assert platform.record_state(transfer) == "processing"
    assert platform.process(transfer) is Processed.READY


def test_a_killed_completion_without_its_parts_is_open_again(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    request = transfer.completion(dict.fromkeys((1, 2, 3), '"made up"'))
    platform.videos.before_complete = s3_does_not_answer
    platform.completions.complete(transfer.token, request)
    platform.clock.pass_time(minutes=5)
    assert platform.janitor.sweep() == Counter(open=1)
    assert platform.record_state(transfer) == "uploading"
    platform.videos.before_complete = lambda: None
    transfer.send_and_complete()


# The janitor


def test_an_announcement_is_tried_until_it_is_made(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.notifier.fails = True
    with pytest.raises(ConnectionError):
        platform.process(transfer)
    for _ in range(2 * MAX_PROCESSING_RETRIES):
        platform.clock.pass_time(minutes=16)
        assert platform.janitor.sweep() == Counter(failed=1), "an alarm tells the operators"
    assert sum(platform.meter.values["uploads_failed_count"]) == 0, "it is ready, whichever call was told"
    platform.notifier.fails = False
    platform.janitor.sweep()
    (message,) = platform.notifier.messages
    assert message["type"] == "video.ready"
    assert not platform.trigger.triggered
    assert not list(platform.records.markers())


def test_a_deletion_succeeds_while_nobody_can_be_told_and_is_told_later(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.process(transfer)
    platform.notifier.fails = True
    platform.library.delete(transfer.token.ref)
    assert platform.videos.visible(transfer.key) is None
    platform.notifier.fails = False
    for _ in range(2):
        platform.janitor.sweep()
    assert [message["type"] for message in platform.notifier.messages] == ["video.ready", "video.deleted"]
    assert platform.notifier.messages[-1]["cause"] == "owner"
    assert not list(platform.records.markers())


def test_a_video_whose_processing_is_given_up_is_told_once_and_once_more_if_it_gets_ready(
    platform: InMemoryPlatform,
) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    for _ in range(2 * MAX_PROCESSING_RETRIES):
        platform.clock.pass_time(minutes=16)
        platform.janitor.sweep()
    (message,) = platform.notifier.messages
    assert (message["type"], message["state"], message["cause"]) == ("video.failed", "failed", "given_up")
    platform.process(transfer)
    assert [message["type"] for message in platform.notifier.messages] == ["video.failed", "video.ready"]


def test_a_repeated_message_has_the_same_id_and_another_event_another(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.process(transfer)
    record = platform.records.find(transfer.token.ref)
    assert record
    platform.clock.pass_time(hours=1)
    # The function died after it had sent the message.
    platform.records.change(record.ref, lambda current: current.noted(notified_at=None))
    platform.process(transfer)
    platform.library.delete(record.ref)
    ready, again, deleted = (message["id"] for message in platform.notifier.messages)
    assert ready == again
    assert ready != deleted


def test_a_video_that_is_deleted_while_the_janitor_looks_is_not_processed_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.clock.pass_time(minutes=16)
    head = platform.videos.head

    def delete_meanwhile(key: str, version_id: str | None = None) -> Any:
        stored = head(key, version_id)
        platform.library.delete(transfer.token.ref)
        return stored

    monkeypatch.setattr(platform.videos, "head", delete_meanwhile)
    platform.janitor.sweep()
    assert not platform.trigger.triggered, "processing would permanently remove what can still be restored"


def test_slow_completions_do_not_keep_each_other_waiting(platform: InMemoryPlatform) -> None:
    transfers = [platform.start(owner=f"owner-{number}") for number in range(2)]
    platform.videos.before_complete = s3_does_not_answer
    for transfer in transfers:
        platform.completions.complete(transfer.token, transfer.completion(transfer.send_parts()))
    together = threading.Barrier(len(transfers), timeout=5)
    platform.videos.before_complete = lambda: (together.wait(), None)[1]
    platform.clock.pass_time(minutes=5)
    platform.janitor.sweep()
    assert {platform.record_state(transfer) for transfer in transfers} == {"processing"}


# Deleting


@pytest.mark.parametrize("step", ["abort_multipart_upload", "delete"])
def test_a_deletion_that_was_killed_is_carried_on(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    transfer = a_ready_video(platform)
    with monkeypatch.context() as failing:
        failing.setattr(platform.videos, step, killed)
        with pytest.raises(KilledError):
            platform.library.delete(transfer.token.ref)
    assert platform.record_state(transfer) == "deleted", "its owner sees it no more, and cannot ask again"
    platform.janitor.sweep()
    assert platform.videos.visible(transfer.key) is None
    assert not list(platform.records.markers())


def test_a_deletion_that_was_killed_at_its_start_deletes_nothing(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = a_ready_video(platform)
    with monkeypatch.context() as failing:
        failing.setattr(platform.metadata, "retire_if_unchanged", killed)
        with pytest.raises(KilledError):
            platform.library.delete(transfer.token.ref)
    platform.janitor.sweep()
    assert platform.record_state(transfer) == "ready"
    assert platform.videos.visible(transfer.key) == transfer.body
    assert not list(platform.records.markers())


# Deleting


def test_a_repeated_event_after_a_delete_destroys_nothing_that_can_be_restored(platform: InMemoryPlatform) -> None:
    transfer = a_ready_video(platform)
    (version,) = platform.videos.versions[transfer.key]
    platform.library.delete(transfer.token.ref)
    assert platform.processing.process(StoredObject(transfer.key, version.version_id)) is Processed.REMOVED
    assert platform.videos.versions[transfer.key] == [version]
    assert platform.videos.visible(transfer.key) is None
    assert not list(platform.records.markers())


def test_a_poster_whose_delete_fails_goes_with_the_next_try(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The video is deleted while it is looked at, and the poster's delete fails after the video's."""
    transfer = platform.start()
    transfer.send_and_complete()
    poster_key = transfer.token.ref.poster_key
    put = platform.metadata.put

    def deleted_meanwhile(key: str, body: bytes, content_type: str) -> None:
        put(key, body, content_type)
        if key == poster_key:
            platform.library.delete(transfer.token.ref)
            put(key, body, content_type)

    delete = platform.metadata.delete

    def refuse_posters(key: str) -> None:
        if key == poster_key and key in platform.metadata.objects and platform.record_state(transfer) == "deleted":
            raise ConnectionError
        delete(key)

    with monkeypatch.context() as failing:
        failing.setattr(platform.metadata, "put", deleted_meanwhile)
        with pytest.MonkeyPatch.context() as refusing:
            refusing.setattr(platform.library.deletions.metadata, "delete", delete)
            failing.setattr(platform.metadata, "delete", refuse_posters)
            with pytest.raises(ConnectionError):
                platform.process(transfer)
    assert poster_key in platform.metadata.objects
    platform.process(transfer)
    assert poster_key not in platform.metadata.objects
    assert platform.videos.visible(transfer.key) is None


# Processing


def test_a_worker_that_was_killed_with_its_event_is_replaced_after_two_minutes(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.clock.pass_time(seconds=PROCESSING_GRACE.total_seconds())
    assert platform.janitor.sweep()["retried"] == 1
    assert timedelta(minutes=2) == PROCESSING_GRACE
    assert platform.process(transfer) is Processed.READY


def test_retries_wait_twice_as_long_each_time_up_to_a_bound(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    waits: list[int] = []
    minutes = 0
    while len(waits) < 6:
        platform.clock.pass_time(minutes=1)
        minutes += 1
        if platform.janitor.sweep()["retried"]:
            waits.append(minutes)
            minutes = 0
    assert waits == [2, 4, 8, 16, 16, 16]


def test_a_completion_whose_client_insists_on_a_wrong_checksum_holds_its_place_no_longer_than_any_upload(
    platform: InMemoryPlatform,
) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    platform.videos.after_complete = s3_does_not_answer
    platform.completions.complete(transfer.token, transfer.completion(etags))
    platform.videos.after_complete = lambda: None
    platform.clock.pass_time(minutes=2)
    with pytest.raises(ChecksumMismatchError):
        platform.completions.complete(transfer.token, transfer.completion(etags, checksum="AAAAAAAAAAA="))
    platform.clock.pass_time(minutes=5)
    assert platform.janitor.sweep()["open"] == 1
    platform.clock.pass_time(days=8)
    assert platform.janitor.sweep()["expired"] == 1
    assert platform.record_state(transfer) == "expired"
    assert platform.videos.visible(transfer.key) is None
    assert not list(platform.records.markers())
