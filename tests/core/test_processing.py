"""Events come twice, late and in any order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.contract.views import video
from chalicelib.core.media.containers import Container
from chalicelib.core.media.errors import MediaBudgetError, UnreadableMediaError
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.processing import MAX_SLOW_RETRIES, ArrivedObject, Processed
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_record import VideoRecord
from tests.world import MP4_HEAD, OWNER, Transfer, World, inspected


def record_of(world: World, transfer: Transfer) -> VideoRecord:
    record = world.records.find(transfer.token.ref)
    assert record
    return record


def completed(world: World) -> Transfer:
    transfer = world.start()
    transfer.send_and_complete()
    return transfer


def test_a_good_video_becomes_ready_with_facts_poster_verdict_and_message(world: World) -> None:
    transfer = completed(world)
    assert world.process(transfer) is Processed.READY
    record = record_of(world, transfer)
    assert record.state.value == "ready"
    assert record.media
    assert record.media["container"] == "mp4"
    assert world.metadata.get(record.ref.poster_key)
    assert world.videos.versions[transfer.key][-1].tags == {"verdict": "accepted"}
    (message,) = world.notifier.messages
    assert (message["videoId"], message["state"]) == (record.video_id, "ready")
    assert not list(world.records.markers())


def test_the_same_event_twice_is_one_video_and_one_message(world: World) -> None:
    transfer = completed(world)
    assert world.process(transfer) is Processed.READY
    assert world.process(transfer) is Processed.DUPLICATE
    assert len(world.notifier.messages) == 1
    assert world.meter.values["uploads_ready_count"] == [1]


def test_an_event_that_overtakes_the_answer_of_complete_is_no_harm(world: World) -> None:
    transfer = world.start()
    etags = transfer.send_parts()
    world.videos.after_complete = lambda: (world.process(transfer), None)[1]
    completion = world.completions.complete(transfer.token, transfer.completion(etags))
    assert completion.outcome.name == "COMPLETED"
    assert world.record_state(transfer) == "ready"
    assert world.meter.values["uploads_completed_count"] == [1], "whoever is first counts, and only they"
    assert world.meter.values["parts_completed_count"] == [3]
    assert len(world.meter.values["upload_throughput_bytes_per_second"]) == 1


def test_a_form_upload_counts_as_complete_when_its_event_arrives(world: World) -> None:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    world.clock.pass_time(seconds=2)
    arrived = ArrivedObject(offered.ref.file_key, world.videos.put_object(offered.ref.file_key, MP4_HEAD))
    for _ in range(2):
        world.processing.process(arrived)
    assert world.meter.values["uploads_completed_count"] == [1]
    assert world.meter.values["upload_throughput_bytes_per_second"] == [len(MP4_HEAD) / 2]
    assert "parts_completed_count" not in world.meter.values


def test_looking_inside_a_form_is_processing_and_no_part_of_its_transfer(world: World) -> None:
    def take_eight_seconds(*arguments: Any) -> Inspection:
        world.clock.pass_time(seconds=8)
        return inspected(*arguments)

    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    world.clock.pass_time(seconds=2)
    arrived = ArrivedObject(offered.ref.file_key, world.videos.put_object(offered.ref.file_key, MP4_HEAD))
    replace(world.processing, inspect=take_eight_seconds).process(arrived)
    assert world.meter.values["processing_milliseconds"] == [8000]
    assert world.meter.values["upload_throughput_bytes_per_second"] == [len(MP4_HEAD) / 2]


@pytest.mark.parametrize("end", ["delete", "abort", "expire"])
def test_a_late_event_resurrects_nothing(world: World, end: str) -> None:
    transfer = world.start()
    transfer.send_parts()
    match end:
        case "delete":
            world.library.delete(transfer.token.ref)
        case "abort":
            world.uploads.abort(transfer.token)
        case _:
            world.clock.pass_time(days=8)
            world.janitor.sweep()
    state = world.record_state(transfer)
    world.videos.put_object(transfer.key, transfer.body)
    assert world.process(transfer) is Processed.REMOVED
    assert world.record_state(transfer) == state
    assert world.videos.visible(transfer.key) is None
    assert not world.notifier.messages


def test_a_video_deleted_while_it_is_looked_at_stays_deleted(world: World) -> None:
    transfer = completed(world)
    inspect = world.processing.inspect

    def delete_meanwhile(read_range: Callable[[int, int], bytes], size_bytes: int, container: Container) -> Inspection:
        world.library.delete(transfer.token.ref)
        return inspect(read_range, size_bytes, container)

    processing = replace(world.processing, inspect=delete_meanwhile)
    version = world.videos.versions[transfer.key][-1]
    assert processing.process(ArrivedObject(transfer.key, version.version_id)) is Processed.REMOVED
    assert world.record_state(transfer) == "deleted"
    assert world.metadata.get(transfer.token.ref.poster_key) is None
    assert not world.notifier.messages


def test_a_function_that_died_before_the_message_sends_it_the_next_time(world: World) -> None:
    transfer = completed(world)
    world.notifier.fails = True
    with pytest.raises(ConnectionError):
        world.process(transfer)
    world.notifier.fails = False
    assert world.process(transfer) is Processed.DUPLICATE
    assert len(world.notifier.messages) == 1
    assert world.meter.values["uploads_ready_count"] == [1]


@pytest.mark.parametrize(
    ("head", "code"),
    [(b"just a text, renamed", "not_a_video"), (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska", "container_mismatch")],
)
def test_what_is_not_the_declared_video_is_rejected_with_its_reason(world: World, head: bytes, code: str) -> None:
    transfer = world.start(size_bytes=4096)
    etag = world.videos.put_part(transfer.token.upload_id, 1, head.ljust(4096, b"\0"))
    world.completions.complete(transfer.token, transfer.completion({1: etag}))
    assert world.process(transfer) is Processed.REJECTED
    record = record_of(world, transfer)
    assert record.rejection
    assert record.rejection.code == code
    assert world.videos.versions[transfer.key][-1].tags == {"verdict": "rejected"}
    view = video(world.library.show(record.ref))
    assert (view.state, view.playback_url, view.poster_url) == ("rejected", None, None)


def test_a_damaged_video_is_rejected(world: World) -> None:
    def damaged(read_range: Callable[[int, int], bytes], size_bytes: int, container: Container) -> Inspection:
        raise UnreadableMediaError("moov atom not found")

    transfer = completed(world)
    version = world.videos.versions[transfer.key][-1]
    processing = replace(world.processing, inspect=damaged)
    assert processing.process(ArrivedObject(transfer.key, version.version_id)) is Processed.REJECTED


def test_slow_storage_is_given_its_chances_before_the_file_is_blamed(world: World) -> None:
    def slow(read_range: Callable[[int, int], bytes], size_bytes: int, container: Container) -> Inspection:
        raise MediaBudgetError("max_wall_seconds", 60, resource="seconds")

    transfer = completed(world)
    arrived = ArrivedObject(transfer.key, world.videos.versions[transfer.key][-1].version_id)
    processing = replace(world.processing, inspect=slow)
    with pytest.raises(MediaBudgetError):
        processing.process(arrived)
    world.records.change(transfer.token.ref, lambda record: record.noted(processing_retries=MAX_SLOW_RETRIES))
    assert processing.process(arrived) is Processed.REJECTED


def test_a_form_sent_twice_keeps_the_video_that_was_looked_at(world: World) -> None:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", 4096))
    key = offered.ref.file_key
    first = world.videos.put_object(key, MP4_HEAD.ljust(4096, b"1"))
    assert world.processing.process(ArrivedObject(key, first)) is Processed.READY
    second = world.videos.put_object(key, MP4_HEAD.ljust(4096, b"2"))
    assert world.processing.process(ArrivedObject(key, second)) is Processed.REMOVED
    assert [version.version_id for version in world.videos.versions[key]] == [first]


def test_another_size_than_announced_is_rejected(world: World) -> None:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", 4096))
    version_id = world.videos.put_object(offered.ref.file_key, MP4_HEAD)
    assert world.processing.process(ArrivedObject(offered.ref.file_key, version_id)) is Processed.REJECTED
    record = world.records.find(offered.ref)
    assert record
    assert record.rejection
    assert record.rejection.code == "size_mismatch"


@pytest.mark.parametrize("key", ["videos/", "videos/a/b", "odd key", "videos/../x/y", "posters/a/b.jpg", ""])
def test_an_object_that_the_platform_did_not_make_is_left_alone(world: World, key: str) -> None:
    world.videos.put_object(key, b"x")
    assert world.processing.process(ArrivedObject(key, "version-1")) is Processed.IGNORED
    assert world.videos.versions[key]
