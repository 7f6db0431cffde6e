"""Uploads by forms: late, repeated and lost ones; in the end each marker is gone."""

from datetime import timedelta

import pytest

from chalicelib.core.errors import TooManyOpenUploadsError
from chalicelib.core.janitor import MAX_PROCESSING_RETRIES
from chalicelib.core.ports import StoredObject
from chalicelib.core.processing import Processed
from chalicelib.core.simple_upload import SENDING_TIME
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from tests.in_memory_films import MP4_HEAD
from tests.in_memory_platform import OWNER, InMemoryPlatform

ENDS: dict[str, bytes | None] = {
    "never sent": None,
    "a video": MP4_HEAD,
    "no video": b"x" * len(MP4_HEAD),
    "another size": MP4_HEAD + b"x",
}


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("end", ENDS)
def test_no_form_leaves_a_marker(platform: InMemoryPlatform, end: str, *, is_deleted: bool) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    if body := ENDS[end]:
        version_id = platform.videos.put_object(offered.ref.file_key, body)
        platform.processing.process(StoredObject(offered.ref.file_key, version_id))
        assert not [marker for marker in platform.records.markers() if marker.is_reservation]
    if is_deleted:
        platform.library.delete(offered.ref)
    for _ in range(3):
        platform.clock.pass_time(hours=2)
        platform.janitor.sweep()
    assert not [*platform.records.markers()]


def test_a_form_that_was_deleted_before_it_was_sent_counts_while_it_may_be_sent(platform: InMemoryPlatform) -> None:
    film = StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD))
    begin_and_delete = lambda: platform.library.delete(platform.simple_uploads.start(OWNER, film).ref)  # noqa: E731
    for _ in range(platform.room.caps.max_open_uploads):
        begin_and_delete()
    with pytest.raises(TooManyOpenUploadsError):
        begin_and_delete()
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    platform.simple_uploads.start(OWNER, film)


@pytest.mark.parametrize("is_sent_before", [False, True])
def test_a_form_sent_again_and_again_after_its_deletion_stores_nothing(
    platform: InMemoryPlatform, *, is_sent_before: bool
) -> None:
    key = (
        ref := platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD))).ref
    ).file_key
    if is_sent_before:
        platform.processing.process(StoredObject(key, platform.videos.put_object(key, MP4_HEAD)))
    platform.library.delete(ref)
    kept = len([version for version in platform.videos.versions[key] if version.body]) if is_sent_before else 0
    for _ in range(5):
        platform.processing.process(StoredObject(key, platform.videos.put_object(key, MP4_HEAD)))
    assert len([version for version in platform.videos.versions[key] if version.body]) == kept


def a_form_that_was_sent(platform: InMemoryPlatform) -> str:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    platform.videos.put_object(offered.ref.file_key, MP4_HEAD)
    return offered.ref.file_key


def test_a_form_that_takes_long_to_send_is_not_expired_under_its_sender(platform: InMemoryPlatform) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    assert offered.expires_at == platform.clock() + timedelta(minutes=15), "when S3 stops taking the form"
    platform.clock.pass_time(seconds=14 * 60 + SENDING_TIME.total_seconds())
    platform.janitor.sweep()
    arrived = StoredObject(offered.ref.file_key, platform.videos.put_object(offered.ref.file_key, MP4_HEAD))
    assert platform.processing.process(arrived) is Processed.READY


def test_a_form_upload_that_no_processing_helps_is_asked_for_some_times_and_then_shown(
    platform: InMemoryPlatform,
) -> None:
    a_form_that_was_sent(platform)
    for _ in range(3 * MAX_PROCESSING_RETRIES):
        platform.clock.pass_time(minutes=16)
        platform.janitor.sweep()
        platform.janitor.sweep()
    assert len(platform.trigger.triggered) == MAX_PROCESSING_RETRIES
    assert platform.meter.values["uploads_stuck_count"][-1] == 1
    assert sum(platform.meter.values["uploads_failed_count"]) == 1


def test_a_form_that_is_sent_again_and_whose_event_is_lost_stays_readable(platform: InMemoryPlatform) -> None:
    key = a_form_that_was_sent(platform)
    (accepted,) = platform.videos.versions[key]
    assert platform.processing.process(StoredObject(key, accepted.version_id)) is Processed.READY
    for _ in range(2):
        platform.videos.put_object(key, MP4_HEAD)
    assert platform.janitor.sweep()["watched"] == 1
    assert platform.videos.versions[key] == [accepted]
    assert accepted.tags == {"verdict": "accepted"}


def test_a_form_holds_no_reservation_once_its_video_is_settled_and_keeps_its_marker_until_nobody_can_send_it(
    platform: InMemoryPlatform,
) -> None:
    key = a_form_that_was_sent(platform)
    platform.processing.process(StoredObject(key, None))
    (watch,) = platform.records.markers()
    assert not watch.is_reservation
    platform.clock.pass_time(seconds=15 * 60 + SENDING_TIME.total_seconds() - 1)
    assert platform.janitor.sweep()["watched"] == 1
    platform.clock.pass_time(seconds=1)
    assert platform.janitor.sweep()["cleaned"] == 1
    assert not list(platform.records.markers())


def test_a_form_that_is_sent_after_its_video_was_deleted_is_hidden_without_its_event(
    platform: InMemoryPlatform,
) -> None:
    key = a_form_that_was_sent(platform)
    platform.processing.process(StoredObject(key, None))
    ref = VideoRef.from_file_key(key)
    assert ref
    platform.library.delete(ref)
    platform.videos.put_object(key, MP4_HEAD)
    assert platform.videos.visible(key)
    platform.janitor.sweep()
    assert platform.videos.visible(key) is None
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    assert not list(platform.records.markers())


def test_no_version_is_removed_while_the_inspected_one_is_gone(platform: InMemoryPlatform) -> None:
    key = a_form_that_was_sent(platform)
    platform.processing.process(StoredObject(key, None))
    platform.videos.versions[key].clear()
    later = platform.videos.put_object(key, MP4_HEAD)
    platform.janitor.sweep()
    assert [version.version_id for version in platform.videos.versions[key]] == [later]
