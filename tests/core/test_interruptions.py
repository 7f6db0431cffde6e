"""Whatever is killed, refused or late on the way: nothing is lost, nothing stays, and everybody gets a place back."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core.errors import ChecksumMismatchError, StorageUnavailableError
from chalicelib.core.janitor import MAX_PROCESSING_RETRIES, PROCESSING_GRACE
from chalicelib.core.ports import OutcomeUnknownError, StorageBusyError
from chalicelib.core.processing import ArrivedObject, Processed
from chalicelib.core.simple_upload import SENDING_TIME
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from tests.world import MP4_HEAD, OWNER, Transfer, World


class KilledError(BaseException):
    """The function is gone: nothing that would tidy up after an error runs."""


def killed(*arguments: Any, **named: Any) -> Any:
    raise KilledError


def s3_does_not_answer() -> None:
    raise OutcomeUnknownError


def a_ready_video(world: World) -> Transfer:
    transfer = world.start()
    transfer.send_and_complete()
    world.process(transfer)
    return transfer


def a_form_that_was_sent(world: World) -> str:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    world.videos.put_object(offered.ref.file_key, MP4_HEAD)
    return offered.ref.file_key


# Starting


@pytest.mark.parametrize("step", ["create_multipart_upload", "generate"])
def test_an_upload_that_could_not_be_started_holds_no_place(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise ConnectionError

    port = world.mac if step == "generate" else world.videos
    with monkeypatch.context() as failing:
        failing.setattr(port, step, refuse)
        for _ in range(5):
            with pytest.raises(ConnectionError):
                world.start()
    assert not world.metadata.objects, "neither a place, nor a record of an upload that its owner never heard of"
    for _ in range(3):
        world.start()


@pytest.mark.parametrize("step", ["create_multipart_upload", "generate"])
def test_an_init_that_was_killed_gives_its_place_back_soon(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with monkeypatch.context() as failing:
        failing.setattr(world.mac if step == "generate" else world.videos, step, killed)
        with pytest.raises(KilledError):
            world.start()
    world.clock.pass_time(minutes=16)
    world.janitor.sweep()
    assert not world.metadata.objects
    assert not world.videos.uploads


def test_a_form_that_takes_long_to_send_is_not_expired_under_its_sender(world: World) -> None:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    assert offered.expires_at == world.clock() + timedelta(minutes=15), "when S3 stops taking the form"
    world.clock.pass_time(seconds=14 * 60 + SENDING_TIME.total_seconds())
    world.janitor.sweep()
    arrived = ArrivedObject(offered.ref.file_key, world.videos.put_object(offered.ref.file_key, MP4_HEAD))
    assert world.processing.process(arrived) is Processed.READY


# Completing


def test_a_completion_that_took_effect_behind_a_busy_answer_is_not_expired(world: World) -> None:
    """S3 joined the parts, its answer was lost, and what was asked again was throttled; then the event was lost too."""
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())

    def busy() -> None:
        raise StorageBusyError

    world.videos.after_complete = busy
    with pytest.raises(StorageUnavailableError):
        world.completions.complete(transfer.token, request)
    assert world.record_state(transfer) == "uploading"
    world.clock.pass_time(days=7, seconds=1)
    assert world.janitor.sweep() == Counter(retried=1)
    assert world.process(transfer) is Processed.READY
    assert world.videos.visible(transfer.key) == transfer.body


def test_a_completion_that_ends_while_the_janitor_looks_is_not_expired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = world.start()
    request = transfer.completion(transfer.send_parts())
    world.videos.before_complete = s3_does_not_answer
    world.completions.complete(transfer.token, request)
    world.videos.before_complete = lambda: None
    world.clock.pass_time(minutes=5)
    list_parts = world.videos.list_parts

    def s3_is_done_just_before(key: str, upload_id: str) -> Any:
        parts = sorted(request.etags_by_part.items())
        world.videos.complete_multipart_upload(key, upload_id, parts, transfer.started.record.size_bytes, None)
        return list_parts(key, upload_id)

    monkeypatch.setattr(world.videos, "list_parts", s3_is_done_just_before)
    world.janitor.sweep()
    assert world.record_state(transfer) == "processing"
    assert world.process(transfer) is Processed.READY


def test_a_killed_completion_without_its_parts_is_open_again(world: World) -> None:
    transfer = world.start()
    request = transfer.completion(dict.fromkeys((1, 2, 3), '"made up"'))
    world.videos.before_complete = s3_does_not_answer
    world.completions.complete(transfer.token, request)
    world.clock.pass_time(minutes=5)
    assert world.janitor.sweep() == Counter(open=1)
    assert world.record_state(transfer) == "uploading"
    world.videos.before_complete = lambda: None
    transfer.send_and_complete()


# The janitor


def test_a_form_upload_that_no_processing_helps_is_asked_for_some_times_and_then_shown(world: World) -> None:
    a_form_that_was_sent(world)
    for _ in range(3 * MAX_PROCESSING_RETRIES):
        world.clock.pass_time(minutes=16)
        world.janitor.sweep()
        world.janitor.sweep()
    assert len(world.trigger.triggered) == MAX_PROCESSING_RETRIES
    assert world.meter.values["uploads_stuck_count"][-1] == 1
    assert sum(world.meter.values["uploads_failed_count"]) == 1


def test_a_video_that_is_just_being_announced_is_not_announced_by_the_janitor_too(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    world.notifier.fails = True
    with pytest.raises(ConnectionError):
        world.process(transfer)
    assert world.janitor.sweep() == Counter(processing=1)
    assert not world.trigger.triggered
    world.clock.pass_time(seconds=PROCESSING_GRACE.total_seconds() + 1)
    for _ in range(3):
        world.janitor.sweep()
    assert len(world.trigger.triggered) == 1, "and not once in each sweep, for as long as nobody can be told"


def test_an_announcement_is_tried_until_it_is_made(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    world.notifier.fails = True
    with pytest.raises(ConnectionError):
        world.process(transfer)
    for _ in range(2 * MAX_PROCESSING_RETRIES):
        world.clock.pass_time(minutes=16)
        assert world.janitor.sweep() == Counter(retried=1)
    assert sum(world.meter.values["uploads_failed_count"]) == 0, "it is ready, whoever was told"
    world.notifier.fails = False
    world.process(transfer)
    assert len(world.notifier.messages) == 1
    assert not list(world.records.markers())


def test_a_video_that_is_deleted_while_the_janitor_looks_is_not_processed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    world.clock.pass_time(minutes=16)
    head = world.videos.head

    def delete_meanwhile(key: str, version_id: str | None = None) -> Any:
        stored = head(key, version_id)
        world.library.delete(transfer.token.ref)
        return stored

    monkeypatch.setattr(world.videos, "head", delete_meanwhile)
    world.janitor.sweep()
    assert not world.trigger.triggered, "processing would remove for good what can still be restored"


def test_slow_completions_do_not_keep_each_other_waiting(world: World) -> None:
    transfers = [world.start(owner=f"owner-{number}") for number in range(2)]
    world.videos.before_complete = s3_does_not_answer
    for transfer in transfers:
        world.completions.complete(transfer.token, transfer.completion(transfer.send_parts()))
    together = threading.Barrier(len(transfers), timeout=5)
    world.videos.before_complete = lambda: (together.wait(), None)[1]
    world.clock.pass_time(minutes=5)
    world.janitor.sweep()
    assert {world.record_state(transfer) for transfer in transfers} == {"processing"}


# Deleting


@pytest.mark.parametrize("step", ["abort_multipart_upload", "delete"])
def test_a_deletion_that_was_killed_is_carried_on(world: World, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    transfer = a_ready_video(world)
    with monkeypatch.context() as failing:
        failing.setattr(world.videos, step, killed)
        with pytest.raises(KilledError):
            world.library.delete(transfer.token.ref)
    assert world.record_state(transfer) == "deleted", "its owner sees it no more, and cannot ask again"
    world.janitor.sweep()
    assert world.videos.visible(transfer.key) is None
    assert not list(world.records.markers())


def test_a_deletion_that_was_killed_at_its_start_deletes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer = a_ready_video(world)
    with monkeypatch.context() as failing:
        failing.setattr(world.metadata, "retire_if_unchanged", killed)
        with pytest.raises(KilledError):
            world.library.delete(transfer.token.ref)
    world.janitor.sweep()
    assert world.record_state(transfer) == "ready"
    assert world.videos.visible(transfer.key) == transfer.body
    assert not list(world.records.markers())


# Deleting


def test_a_repeated_event_after_a_delete_destroys_nothing_that_can_be_restored(world: World) -> None:
    transfer = a_ready_video(world)
    (version,) = world.videos.versions[transfer.key]
    world.library.delete(transfer.token.ref)
    assert world.processing.process(ArrivedObject(transfer.key, version.version_id)) is Processed.REMOVED
    assert world.videos.versions[transfer.key] == [version]
    assert world.videos.visible(transfer.key) is None
    assert not list(world.records.markers())


def test_a_poster_whose_delete_fails_goes_with_the_next_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The video is deleted while it is looked at, and the poster's delete fails after the video's."""
    transfer = world.start()
    transfer.send_and_complete()
    poster_key = transfer.token.ref.poster_key
    put = world.metadata.put

    def deleted_meanwhile(key: str, body: bytes, content_type: str) -> None:
        put(key, body, content_type)
        if key == poster_key:
            world.library.delete(transfer.token.ref)
            put(key, body, content_type)

    delete = world.metadata.delete

    def refuse_posters(key: str) -> None:
        if key == poster_key and key in world.metadata.objects and world.record_state(transfer) == "deleted":
            raise ConnectionError
        delete(key)

    with monkeypatch.context() as failing:
        failing.setattr(world.metadata, "put", deleted_meanwhile)
        with pytest.MonkeyPatch.context() as refusing:
            refusing.setattr(world.library.metadata, "delete", delete)
            failing.setattr(world.metadata, "delete", refuse_posters)
            with pytest.raises(ConnectionError):
                world.process(transfer)
    assert poster_key in world.metadata.objects
    world.process(transfer)
    assert poster_key not in world.metadata.objects
    assert world.videos.visible(transfer.key) is None


# Forms


def test_a_form_that_is_sent_again_and_whose_event_is_lost_stays_readable(world: World) -> None:
    key = a_form_that_was_sent(world)
    (accepted,) = world.videos.versions[key]
    assert world.processing.process(ArrivedObject(key, accepted.version_id)) is Processed.READY
    for _ in range(2):
        world.videos.put_object(key, MP4_HEAD)
    assert world.janitor.sweep()["watched"] == 1
    assert world.videos.versions[key] == [accepted]
    assert accepted.tags == {"verdict": "accepted"}


def test_a_form_holds_no_reservation_once_its_video_is_settled_and_is_watched_until_nobody_can_send_it(
    world: World,
) -> None:
    key = a_form_that_was_sent(world)
    world.processing.process(ArrivedObject(key, None))
    (watch,) = world.records.markers()
    assert not watch.is_reservation
    world.clock.pass_time(seconds=15 * 60 + SENDING_TIME.total_seconds() - 1)
    assert world.janitor.sweep()["watched"] == 1
    world.clock.pass_time(seconds=1)
    assert world.janitor.sweep()["cleaned"] == 1
    assert not list(world.records.markers())


def test_a_form_that_is_sent_after_its_video_was_deleted_is_hidden_without_its_event(world: World) -> None:
    key = a_form_that_was_sent(world)
    world.processing.process(ArrivedObject(key, None))
    ref = VideoRef.from_file_key(key)
    assert ref
    world.library.delete(ref)
    world.videos.put_object(key, MP4_HEAD)
    assert world.videos.visible(key)
    world.janitor.sweep()
    assert world.videos.visible(key) is None
    world.clock.pass_time(hours=2)
    world.janitor.sweep()
    assert not list(world.records.markers())


def test_no_version_is_removed_while_the_judged_one_is_gone(world: World) -> None:
    key = a_form_that_was_sent(world)
    world.processing.process(ArrivedObject(key, None))
    world.videos.versions[key].clear()
    later = world.videos.put_object(key, MP4_HEAD)
    world.janitor.sweep()
    assert [version.version_id for version in world.videos.versions[key]] == [later]


# Processing


def test_a_worker_that_was_killed_with_its_event_is_replaced_after_two_minutes(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    world.clock.pass_time(seconds=PROCESSING_GRACE.total_seconds())
    assert world.janitor.sweep()["retried"] == 1
    assert timedelta(minutes=2) == PROCESSING_GRACE
    assert world.process(transfer) is Processed.READY


def test_retries_wait_twice_as_long_each_time_up_to_a_bound(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    waits: list[int] = []
    minutes = 0
    while len(waits) < 6:
        world.clock.pass_time(minutes=1)
        minutes += 1
        if world.janitor.sweep()["retried"]:
            waits.append(minutes)
            minutes = 0
    assert waits == [2, 4, 8, 16, 16, 16]


def test_a_completion_whose_client_insists_on_a_wrong_checksum_holds_its_place_no_longer_than_any_upload(
    world: World,
) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    world.videos.after_complete = s3_does_not_answer
    world.completions.complete(transfer.token, transfer.completion(etags))
    world.videos.after_complete = lambda: None
    world.clock.pass_time(minutes=2)
    with pytest.raises(ChecksumMismatchError):
        world.completions.complete(transfer.token, transfer.completion(etags, checksum="AAAAAAAAAAA="))
    world.clock.pass_time(minutes=5)
    assert world.janitor.sweep()["open"] == 1
    world.clock.pass_time(days=8)
    assert world.janitor.sweep()["expired"] == 1
    assert world.record_state(transfer) == "expired"
    assert world.videos.visible(transfer.key) is None
    assert not list(world.records.markers())
