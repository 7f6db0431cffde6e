"""What nobody came back for."""

from collections import Counter
from dataclasses import replace

import pytest

from chalicelib.core.janitor import MAX_PROCESSING_RETRIES
from chalicelib.core.records import Records
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import VideoRecord
from tests.world import MP4_HEAD, OWNER, World


def test_a_fresh_upload_is_left_alone(world: World) -> None:
    transfer = world.start()
    assert world.janitor.sweep() == Counter(open=1)
    assert world.record_state(transfer) == "uploading"


def test_an_abandoned_upload_expires_and_leaves_no_part(world: World) -> None:
    transfer = world.start()
    transfer.send_parts()
    world.clock.pass_time(days=7, seconds=1)
    assert world.janitor.sweep() == Counter(expired=1)
    assert world.record_state(transfer) == "expired"
    assert not world.videos.uploads
    assert world.janitor.sweep() == Counter()


def test_an_init_that_died_before_its_record_is_cleaned_up(world: World) -> None:
    ref = VideoRef(OWNER, new_video_id(world.clock()))
    world.records.reserve(ref, 1)
    world.videos.create_multipart_upload(ref.file_key, "video/mp4", "attachment")
    assert world.janitor.sweep() == Counter(open=1)
    world.clock.pass_time(minutes=16)
    assert world.janitor.sweep() == Counter(cleaned=1)
    assert not world.videos.uploads
    assert not world.metadata.objects


def test_a_completion_whose_function_and_client_died_is_finished(world: World) -> None:
    transfer = world.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    world.clock.pass_time(minutes=5)
    world.janitor.sweep()
    assert world.record_state(transfer) == "processing"
    assert world.videos.visible(transfer.key) == transfer.body


def test_a_lost_event_is_repeated(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    world.clock.pass_time(minutes=16)
    assert world.janitor.sweep() == Counter(retried=1)
    assert world.trigger.triggered == [(transfer.key, world.videos.versions[transfer.key][-1].version_id)]
    assert world.janitor.sweep() == Counter(processing=1)


def test_a_lost_event_of_a_form_upload_is_repeated_and_the_video_not_expired(world: World) -> None:
    offered = world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    world.videos.put_object(offered.ref.file_key, MP4_HEAD)
    world.clock.pass_time(hours=2)
    assert world.janitor.sweep() == Counter(retried=1)
    assert world.trigger.triggered


def test_a_form_that_was_never_sent_expires(world: World) -> None:
    world.simple_uploads.start(OWNER, StartUpload("clip.mp4", "video/mp4", len(MP4_HEAD)))
    world.clock.pass_time(hours=2)
    assert world.janitor.sweep() == Counter(expired=1)


def test_what_no_retry_helps_is_shown_and_never_thrown_away(world: World) -> None:
    transfer = world.start()
    transfer.send_and_complete()
    for _ in range(MAX_PROCESSING_RETRIES):
        world.clock.pass_time(minutes=16)
        world.janitor.sweep()
    assert sum(world.meter.values["uploads_failed_count"]) == 0
    world.clock.pass_time(days=30)
    assert world.janitor.sweep() == Counter({"given up": 1})
    for _ in range(2):
        assert world.janitor.sweep() == Counter(stuck=1)
        assert world.meter.values["uploads_stuck_count"][-1] == 1
    assert sum(world.meter.values["uploads_failed_count"]) == 1, "one video fails once"
    assert world.videos.visible(transfer.key) == transfer.body


def test_gauges_tell_what_is_open(world: World) -> None:
    world.start(size_bytes=10)
    world.start(size_bytes=20)
    arrived = world.start(size_bytes=30, owner="another")
    arrived.send_and_complete()
    world.janitor.sweep()
    latest = {name: values[-1] for name, values in world.meter.values.items()}
    assert latest["uploads_in_flight_count"] == 2, "what has arrived is not on its way any more"
    assert latest["uploads_processing_count"] == 1
    assert latest["users_in_flight_count"] == 2
    assert latest["reserved_size_bytes"] == 60


def test_an_idle_stage_says_zero_so_that_rates_have_both_their_terms(world: World) -> None:
    world.janitor.sweep()
    assert {name: values for name, values in world.meter.values.items() if any(values)} == {}
    assert {"uploads_ready_count", "uploads_failed_count", "uploads_in_flight_count"} <= set(world.meter.values)


def test_an_abandoned_upload_counts_as_failed(world: World) -> None:
    world.start()
    world.clock.pass_time(days=8)
    world.janitor.sweep()
    world.janitor.sweep()
    assert sum(world.meter.values["uploads_expired_count"]) == 1
    assert sum(world.meter.values["uploads_failed_count"]) == 1


def test_an_upload_that_s3_dropped_under_a_completion_fails_once_and_is_nobodys_delay(world: World) -> None:
    transfer = world.start()
    transfer.die_completing(transfer.completion(transfer.send_parts()))
    world.videos.abort_multipart_upload(transfer.key, transfer.token.upload_id)
    world.clock.pass_time(minutes=5)
    assert world.janitor.sweep() == Counter(dropped=1)
    assert world.record_state(transfer) == "expired"
    assert sum(world.meter.values["uploads_failed_count"]) == 1
    assert sum(world.meter.values["uploads_expired_count"]) == 0, "the alarm takes what expired for abandoned"


@pytest.mark.parametrize("end", ["expired", "given up"])
def test_two_janitors_at_once_count_what_ended_once(world: World, end: str) -> None:
    transfer = world.start()
    if end == "given up":
        transfer.send_and_complete()
        for _ in range(MAX_PROCESSING_RETRIES):
            world.clock.pass_time(minutes=16)
            world.janitor.sweep()
    world.clock.pass_time(days=8)
    others: list[Counter[str]] = []

    class Overtaken(Records):
        def find(self, ref: VideoRef) -> VideoRecord | None:
            found = super().find(ref)
            others.append(world.janitor.sweep())
            return found

    assert replace(world.janitor, records=Overtaken(world.metadata)).sweep()[end] == 0
    assert others == [Counter({end: 1})]
    assert sum(world.meter.values["uploads_failed_count"]) == 1


def test_one_broken_record_does_not_keep_the_others_waiting(world: World) -> None:
    broken, other = world.start(), world.start()
    world.metadata.put(broken.token.ref.record_key, b"not json", "application/json")
    world.clock.pass_time(days=8)
    assert world.janitor.sweep() == Counter(failed=1, expired=1)
    assert world.record_state(other) == "expired"
