"""Clean-up of abandoned uploads, dead inits and lost events."""

from collections import Counter
from dataclasses import replace

import pytest

from chalicelib.core.janitor import MAX_PROCESSING_RETRIES
from chalicelib.core.records import Records
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_films import MP4_HEAD
from tests.in_memory_platform import OWNER, InMemoryPlatform


def test_a_fresh_upload_is_left_alone(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    assert platform.janitor.sweep() == Counter(open=1)
    assert platform.record_state(transfer) == "uploading"


def test_an_abandoned_upload_expires_and_leaves_no_part(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_parts()
    platform.clock.pass_time(days=7, seconds=1)
    assert platform.janitor.sweep() == Counter(expired=1)
    assert platform.record_state(transfer) == "expired"
    assert not platform.videos.uploads
    assert platform.janitor.sweep() == Counter()


def test_an_init_that_died_before_its_record_is_cleaned_up(platform: InMemoryPlatform) -> None:
    ref = VideoRef(OWNER, new_video_id(platform.clock()))
    platform.records.reserve(ref, 1)
    platform.videos.create_multipart_upload(ref.file_key, "video/mp4", "attachment")
    assert platform.janitor.sweep() == Counter(open=1)
    platform.clock.pass_time(minutes=16)
    assert platform.janitor.sweep() == Counter(cleaned=1)
    assert not platform.videos.uploads
    assert not platform.metadata.objects


def test_a_completion_whose_function_and_client_died_is_finished(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    platform.clock.pass_time(minutes=5)
    platform.janitor.sweep()
    assert platform.record_state(transfer) == "processing"
    assert platform.videos.visible(transfer.key) == transfer.body


def test_a_lost_event_is_repeated(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    platform.clock.pass_time(minutes=16)
    assert platform.janitor.sweep() == Counter(retried=1)
    assert platform.trigger.triggered == [(transfer.key, platform.videos.versions[transfer.key][-1].version_id)]
    assert platform.janitor.sweep() == Counter(processing=1)


def test_a_lost_event_of_a_form_upload_is_repeated_and_the_video_not_expired(platform: InMemoryPlatform) -> None:
    offered = platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    platform.videos.put_object(offered.ref.file_key, MP4_HEAD)
    platform.clock.pass_time(hours=2)
    assert platform.janitor.sweep() == Counter(retried=1)
    assert platform.trigger.triggered


def test_a_form_that_was_never_sent_expires(platform: InMemoryPlatform) -> None:
    platform.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    platform.clock.pass_time(hours=2)
    assert platform.janitor.sweep() == Counter(expired=1)


def test_a_video_that_no_retry_helps_is_shown_and_never_deleted(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    transfer.send_and_complete()
    for _ in range(MAX_PROCESSING_RETRIES):
        platform.clock.pass_time(minutes=16)
        platform.janitor.sweep()
    assert sum(platform.meter.values["uploads_failed_count"]) == 0
    platform.clock.pass_time(days=30)
    assert platform.janitor.sweep() == Counter({"given up": 1})
    for _ in range(2):
        assert platform.janitor.sweep() == Counter(stuck=1)
        assert platform.meter.values["uploads_stuck_count"][-1] == 1
    assert sum(platform.meter.values["uploads_failed_count"]) == 1, "one video fails once"
    assert platform.videos.visible(transfer.key) == transfer.body


def test_gauges_tell_what_is_open(platform: InMemoryPlatform) -> None:
    platform.start(size_bytes=10)
    platform.start(size_bytes=20)
    arrived = platform.start(size_bytes=30, owner="another")
    arrived.send_and_complete()
    platform.janitor.sweep()
    latest = {name: values[-1] for name, values in platform.meter.values.items()}
    assert latest["uploads_in_flight_count"] == 2, "an arrived video is no longer in flight"
    assert latest["uploads_processing_count"] == 1
    assert latest["users_in_flight_count"] == 2
    assert latest["reserved_size_bytes"] == 60


def test_an_idle_stage_says_zero_so_that_rates_have_both_their_terms(platform: InMemoryPlatform) -> None:
    platform.janitor.sweep()
    assert {name: values for name, values in platform.meter.values.items() if any(values)} == {}
    assert {"uploads_ready_count", "uploads_failed_count", "uploads_in_flight_count"} <= set(platform.meter.values)


def test_an_abandoned_upload_counts_as_failed(platform: InMemoryPlatform) -> None:
    platform.start()
    platform.clock.pass_time(days=8)
    platform.janitor.sweep()
    platform.janitor.sweep()
    assert sum(platform.meter.values["uploads_expired_count"]) == 1
    assert sum(platform.meter.values["uploads_failed_count"]) == 1


def test_an_upload_that_s3_dropped_under_a_completion_fails_once_and_is_nobodys_delay(
    platform: InMemoryPlatform,
) -> None:
    transfer = platform.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    platform.videos.abort_multipart_upload(transfer.key, transfer.token.upload_id)
    platform.clock.pass_time(minutes=5)
    assert platform.janitor.sweep() == Counter(dropped=1)
    assert platform.record_state(transfer) == "expired"
    assert sum(platform.meter.values["uploads_failed_count"]) == 1
    assert sum(platform.meter.values["uploads_expired_count"]) == 0, "the alarm takes what expired for abandoned"


@pytest.mark.parametrize("end", ["expired", "given up"])
def test_two_janitors_at_once_count_what_ended_once(platform: InMemoryPlatform, end: str) -> None:
    transfer = platform.start()
    if end == "given up":
        transfer.send_and_complete()
        for _ in range(MAX_PROCESSING_RETRIES):
            platform.clock.pass_time(minutes=16)
            platform.janitor.sweep()
    platform.clock.pass_time(days=8)
    others: list[Counter[str]] = []

    class Overtaken(Records):
        def find(self, ref: VideoRef) -> VideoRecord | None:
            found = super().find(ref)
            if not others:
                others.append(platform.janitor.sweep())
            return found

    assert replace(platform.janitor, records=Overtaken(platform.metadata)).sweep()[end] == 0
    assert others == [Counter({end: 1})]
    assert sum(platform.meter.values["uploads_failed_count"]) == 1


def test_one_broken_record_does_not_keep_the_others_waiting(platform: InMemoryPlatform) -> None:
    broken, other = platform.start(), platform.start()
    platform.metadata.put(broken.token.ref.record_key, b"not json", "application/json")
    platform.clock.pass_time(days=8)
    assert platform.janitor.sweep() == Counter(failed=1, expired=1)
    assert platform.record_state(other) == "expired"
