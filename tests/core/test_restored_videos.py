"""A restored video: announced again, stored again, and readable only after what a new one needs."""

import pytest

from chalicelib.core.malware_scan import NO_SCAN, ScanPolicy, ScanResult
from chalicelib.core.processing import Processed
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import InMemoryPlatform, Transfer, platform_in_memory

SCAN = ScanPolicy(is_on=True)


def completed(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start(4_096)
    transfer.send_and_complete()
    return transfer


def deleted(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    """Delete the video and return its record of before."""
    before = platform.records.find(transfer.token.ref)
    assert before
    platform.library.delete(before.ref)
    platform.notifier.messages.clear()
    return before


def told(platform: InMemoryPlatform) -> list[str]:
    return [str(message["type"]) for message in platform.notifier.messages]


def tag_of(platform: InMemoryPlatform, transfer: Transfer) -> str | None:
    return platform.videos.versions[transfer.key][-1].tags.get("verdict")


def settle(platform: InMemoryPlatform) -> None:
    """Let the schedule run, and whatever it asks for, for an hour."""
    for _ in range(12):
        platform.clock.pass_time(minutes=5)
        platform.janitor.sweep()
        platform.process_what_was_asked()


def ready(platform: InMemoryPlatform) -> Transfer:
    transfer = completed(platform)
    platform.process(transfer)
    assert platform.record_state(transfer) == "ready"
    return transfer


@pytest.mark.parametrize("loses_event", [False, True])
def test_a_restored_video_is_ready_again_and_announced_under_a_new_id(loses_event: bool) -> None:
    platform = platform_in_memory()
    transfer = ready(platform)
    (first,) = platform.notifier.messages
    before = deleted(platform, transfer)
    assert platform.room.usage(before.owner).stored_videos == 0
    platform.clock.pass_time(days=1)
    platform.restore(transfer, before)
    if loses_event:
        platform.trigger.triggered.clear()
    settle(platform)
    after = platform.records.find(before.ref)
    assert after
    assert (after.state, after.media, after.completed_at) == (before.state, before.media, before.completed_at)
    (again,) = platform.notifier.messages
    assert again["type"] == "video.ready"
    assert again["id"] != first["id"]
    assert not list(platform.records.markers())
    assert platform.room.usage(before.owner).stored_videos == 1


def test_a_restoration_counts_as_no_upload_and_no_processing_of_days() -> None:
    platform = platform_in_memory()
    transfer = ready(platform)
    before = deleted(platform, transfer)
    platform.clock.pass_time(days=1)
    platform.restore(transfer, before)
    platform.process_what_was_asked()
    assert platform.record_state(transfer) == "ready"
    assert sum(platform.meter.values["uploads_ready_count"]) == 1
    assert platform.meter.values["processing_milliseconds"] == [0]


def test_a_restored_video_without_a_verdict_is_scanned_at_once_and_not_readable_before() -> None:
    platform = platform_in_memory(NO_SCAN)
    transfer = ready(platform)
    before = deleted(platform, transfer)
    platform.change_scans(SCAN)
    platform.restore(transfer, before)
    assert platform.process_what_was_asked() == [Processed.WAITING]
    assert platform.library.show(before.ref).urls is None
    assert tag_of(platform, transfer) == "withheld", "nor by a URL of before its deletion"
    platform.janitor.sweep()
    assert platform.scanner.requested == [(transfer.key, before.version_id)]
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process_what_was_asked()
    assert platform.record_state(transfer) == "ready"
    assert tag_of(platform, transfer) == "accepted"
    assert platform.library.show(before.ref).urls


def test_a_restored_video_that_was_found_clean_is_not_scanned_again() -> None:
    platform = platform_in_memory(SCAN)
    transfer = completed(platform)
    platform.scanned(transfer, ScanResult.CLEAN)
    platform.process(transfer)
    before = deleted(platform, transfer)
    platform.restore(transfer, before)
    assert platform.process_what_was_asked() == [Processed.READY]
    settle(platform)
    assert platform.scanner.requested == []


@pytest.mark.parametrize("was_ready", [False, True])
def test_malware_that_was_found_after_the_deletion_keeps_a_restored_video_from_being_read(was_ready: bool) -> None:
    platform = platform_in_memory(NO_SCAN if was_ready else SCAN)
    transfer = completed(platform)
    platform.process(transfer)
    before = deleted(platform, transfer)
    platform.change_scans(SCAN)
    platform.scanned(transfer, ScanResult.INFECTED)
    platform.restore(transfer, before)
    assert platform.process_what_was_asked() == [Processed.REJECTED]
    assert tag_of(platform, transfer) == "rejected"
    assert told(platform) == ["video.rejected"]


def test_a_video_that_was_deleted_before_it_was_looked_at_is_scanned_after_its_restoration() -> None:
    platform = platform_in_memory(SCAN)
    transfer = completed(platform)
    before = deleted(platform, transfer)
    platform.restore(transfer, before)
    assert platform.process_what_was_asked() == [Processed.WAITING]
    platform.janitor.sweep()
    assert len(platform.scanner.requested) == 1
    platform.janitor.sweep()
    assert len(platform.scanner.requested) == 1, "one request at a time"


def test_a_rejected_video_comes_back_rejected_and_is_announced() -> None:
    platform = platform_in_memory()
    transfer = platform.start(4_096)
    platform.videos.put_object(transfer.key, b"no video")
    platform.process(transfer)
    before = deleted(platform, transfer)
    assert before.state.value == "rejected"
    platform.restore(transfer, before)
    settle(platform)
    assert platform.record_state(transfer) == "rejected"
    assert told(platform) == ["video.rejected"]
