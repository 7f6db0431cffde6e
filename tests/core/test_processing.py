"""Events come twice, late and in any order."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.contract.views import video
from chalicelib.core.media.errors import MediaBudgetError, UnreadableMediaError
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.ports import StoredObject
from chalicelib.core.processing import MAX_SLOW_RETRIES, Processed
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_record import VideoRecord
from chalicelib.core.video_types import Container
from tests.in_memory_films import MP4_HEAD, inspected
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer


def record_of(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record


def completed(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start()
    transfer.send_and_complete()
    return transfer


def test_a_good_video_becomes_ready_with_facts_poster_verdict_and_message(platform: InMemoryPlatform) -> None:
    transfer = completed(platform)
    assert platform.process(transfer) is Processed.READY
    record = record_of(platform, transfer)
    assert record.state.value == "ready"
    assert record.media
    assert record.media["container"] == "mp4"
    assert platform.metadata.get(record.ref.poster_key)
    assert platform.metadata.get(record.ref.thumbnails_key)
    assert record.media["thumbnails"]
    assert platform.videos.versions[transfer.key][-1].tags == {"verdict": "accepted"}
    (message,) = platform.notifier.messages
    assert (message["videoId"], message["state"]) == (record.video_id, "ready")
    assert not list(platform.records.markers())


def test_the_same_event_twice_is_one_video_and_one_message(platform: InMemoryPlatform) -> None:
    transfer = completed(platform)
    assert platform.process(transfer) is Processed.READY
    assert platform.process(transfer) is Processed.DUPLICATE
    assert len(platform.notifier.messages) == 1
    assert platform.meter.values["uploads_ready_count"] == [1]


def test_an_event_that_overtakes_the_response_of_complete_does_no_harm(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    etags = transfer.send_parts()
    platform.videos.after_complete = lambda: (platform.process(transfer), None)[1]
    completion = platform.completions.complete(transfer.token, transfer.completion(etags))
    assert completion.outcome.name == "COMPLETED"
    assert platform.record_state(transfer) == "ready"
    assert platform.meter.values["uploads_completed_count"] == [1], "the first call counts, and no other"
    assert platform.meter.values["parts_completed_count"] == [3]
    assert len(platform.meter.values["upload_throughput_bytes_per_second"]) == 1


def test_a_form_upload_counts_as_complete_when_its_event_arrives(platform: InMemoryPlatform) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    platform.clock.pass_time(seconds=2)
    arrived = StoredObject(offered.ref.file_key, platform.videos.put_object(offered.ref.file_key, MP4_HEAD))
    for _ in range(2):
        platform.processing.process(arrived)
    assert platform.meter.values["uploads_completed_count"] == [1]
    assert platform.meter.values["upload_throughput_bytes_per_second"] == [len(MP4_HEAD) / 2]
    assert "parts_completed_count" not in platform.meter.values


def test_looking_inside_a_form_is_processing_and_no_part_of_its_transfer(platform: InMemoryPlatform) -> None:
    def take_eight_seconds(*arguments: Any) -> Inspection:
        platform.clock.pass_time(seconds=8)
        return inspected(*arguments)

    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    platform.clock.pass_time(seconds=2)
    arrived = StoredObject(offered.ref.file_key, platform.videos.put_object(offered.ref.file_key, MP4_HEAD))
    replace(platform.processing, inspect=take_eight_seconds).process(arrived)
    assert platform.meter.values["processing_milliseconds"] == [8000]
    assert platform.meter.values["upload_throughput_bytes_per_second"] == [len(MP4_HEAD) / 2]


@pytest.mark.parametrize("end", ["delete", "abort", "expire"])
def test_a_late_event_resurrects_nothing(platform: InMemoryPlatform, end: str) -> None:
    transfer = platform.start()
    transfer.send_parts()
    match end:
        case "delete":
            platform.library.delete(transfer.token.ref)
        case "abort":
            platform.uploads.abort(transfer.token)
        case _:
            platform.clock.pass_time(days=8)
            platform.janitor.sweep()
    state = platform.record_state(transfer)
    platform.videos.put_object(transfer.key, transfer.body)
    assert platform.process(transfer) is Processed.REMOVED
    assert platform.record_state(transfer) == state
    assert platform.videos.visible(transfer.key) is None
    told = {"delete": ["video.deleted"], "abort": [], "expire": ["video.failed"]}[end]
    assert [message["type"] for message in platform.notifier.messages] == told


def test_a_video_deleted_while_it_is_looked_at_stays_deleted(platform: InMemoryPlatform) -> None:
    transfer = completed(platform)
    inspect = platform.processing.inspect

    def delete_meanwhile(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
        platform.library.delete(transfer.token.ref)
        return inspect(read_range, size_bytes)

    processing = replace(platform.processing, inspect=delete_meanwhile)
    version = platform.videos.versions[transfer.key][-1]
    assert processing.process(StoredObject(transfer.key, version.version_id)) is Processed.REMOVED
    assert platform.record_state(transfer) == "deleted"
    assert [platform.metadata.get(key) for key in transfer.token.ref.picture_keys] == [None, None]
    assert [message["type"] for message in platform.notifier.messages] == ["video.deleted"]


def test_a_function_that_died_before_the_message_sends_it_the_next_time(platform: InMemoryPlatform) -> None:
    transfer = completed(platform)
    platform.notifier.fails = True
    with pytest.raises(ConnectionError):
        platform.process(transfer)
    platform.notifier.fails = False
    assert platform.process(transfer) is Processed.DUPLICATE
    assert len(platform.notifier.messages) == 1
    assert platform.meter.values["uploads_ready_count"] == [1]


def test_a_file_that_is_no_video_is_rejected_with_its_reason(platform: InMemoryPlatform) -> None:
    transfer = platform.start(size_bytes=4096)
    etag = platform.videos.put_part(transfer.token.upload_id, 1, b"just a text, renamed".ljust(4096, b"\0"))
    platform.completions.complete(transfer.token, transfer.completion({1: etag}))
    assert platform.process(transfer) is Processed.REJECTED
    record = record_of(platform, transfer)
    assert record.rejection
    assert record.rejection.code == "not_a_video"
    assert platform.videos.versions[transfer.key][-1].tags == {"verdict": "rejected"}
    view = video(platform.library.show(record.ref))
    assert (view.state, view.playback_url, view.poster_url) == ("rejected", None, None)


def test_a_video_is_what_it_contains_whatever_its_name_says(platform: InMemoryPlatform) -> None:
    transfer = platform.start(size_bytes=4096)
    head = b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska"
    etag = platform.videos.put_part(transfer.token.upload_id, 1, head.ljust(4096, b"\0"))
    platform.completions.complete(transfer.token, transfer.completion({1: etag}))
    assert platform.process(transfer) is Processed.READY
    record = record_of(platform, transfer)
    assert record.content_type == "video/mp4"
    assert record.media
    assert record.media["container"] == "matroska"


def arrived_with(platform: InMemoryPlatform, head: bytes) -> tuple[Transfer, StoredObject]:
    transfer = platform.start(size_bytes=4096)
    etag = platform.videos.put_part(transfer.token.upload_id, 1, head.ljust(4096, b"\0"))
    platform.completions.complete(transfer.token, transfer.completion({1: etag}))
    return transfer, StoredObject(transfer.key, platform.videos.versions[transfer.key][-1].version_id)


def test_content_that_the_stage_does_not_accept_is_rejected_in_words_that_name_what_is(
    platform: InMemoryPlatform,
) -> None:
    transfer, arrived = arrived_with(platform, b"OggS")
    processing = replace(platform.processing, containers=frozenset({Container.MP4, Container.QUICKTIME}))
    assert processing.process(arrived) is Processed.REJECTED
    rejection = record_of(platform, transfer).rejection
    assert rejection
    assert rejection.code == "container_not_accepted"
    assert rejection.message == "The content of the file is Ogg. Accepted here: MP4 or MOV."


def test_a_rejection_names_only_what_the_stage_accepts(platform: InMemoryPlatform) -> None:
    transfer, arrived = arrived_with(platform, b"GIF89a")
    processing = replace(platform.processing, containers=frozenset({Container.MP4}))
    assert processing.process(arrived) is Processed.REJECTED
    rejection = record_of(platform, transfer).rejection
    assert rejection
    assert rejection.message == "The file is a GIF file, not a video. Accepted here: MP4."


def test_a_video_whose_upload_began_under_another_setting_is_not_refused_for_its_name(
    platform: InMemoryPlatform,
) -> None:
    _, arrived = arrived_with(platform, MP4_HEAD)
    processing = replace(platform.processing, containers=frozenset({Container.WEBM}))
    assert processing.process(arrived) is Processed.READY


def test_a_damaged_video_is_rejected(platform: InMemoryPlatform) -> None:
    def damaged(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
        raise UnreadableMediaError("moov atom not found")

    transfer = completed(platform)
    version = platform.videos.versions[transfer.key][-1]
    processing = replace(platform.processing, inspect=damaged)
    assert processing.process(StoredObject(transfer.key, version.version_id)) is Processed.REJECTED


def test_slow_storage_is_given_its_chances_before_the_file_is_blamed(platform: InMemoryPlatform) -> None:
    def slow(read_range: Callable[[int, int], bytes], size_bytes: int) -> Inspection:
        raise MediaBudgetError("max_wall_seconds", 60, resource="seconds")

    transfer = completed(platform)
    arrived = StoredObject(transfer.key, platform.videos.versions[transfer.key][-1].version_id)
    processing = replace(platform.processing, inspect=slow)
    with pytest.raises(MediaBudgetError):
        processing.process(arrived)
    platform.records.change(transfer.token.ref, lambda record: record.noted(processing_retries=MAX_SLOW_RETRIES))
    assert processing.process(arrived) is Processed.REJECTED


def test_a_form_sent_twice_keeps_the_video_that_was_looked_at(platform: InMemoryPlatform) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", 4096))
    key = offered.ref.file_key
    first = platform.videos.put_object(key, MP4_HEAD.ljust(4096, b"1"))
    assert platform.processing.process(StoredObject(key, first)) is Processed.READY
    second = platform.videos.put_object(key, MP4_HEAD.ljust(4096, b"2"))
    assert platform.processing.process(StoredObject(key, second)) is Processed.REMOVED
    assert [version.version_id for version in platform.videos.versions[key]] == [first]


def test_another_size_than_announced_is_rejected(platform: InMemoryPlatform) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", 4096))
    version_id = platform.videos.put_object(offered.ref.file_key, MP4_HEAD)
    assert platform.processing.process(StoredObject(offered.ref.file_key, version_id)) is Processed.REJECTED
    record = platform.records.find(offered.ref)
    assert record
    assert record.rejection
    assert record.rejection.code == "size_mismatch"


@pytest.mark.parametrize("key", ["videos/", "videos/a/b", "odd key", "videos/../x/y", "posters/a/b.jpg", ""])
def test_an_object_that_the_platform_did_not_make_is_left_alone(platform: InMemoryPlatform, key: str) -> None:
    platform.videos.put_object(key, b"x")
    assert platform.processing.process(StoredObject(key, "version-1")) is Processed.IGNORED
    assert platform.videos.versions[key]
