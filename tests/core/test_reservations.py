"""An upload without a part gives its reservation back and takes one again when it goes on."""

import pytest

from chalicelib.core.errors import PartsIncompleteError, TooManyOpenUploadsError, UploadAbortedError
from chalicelib.core.janitor import IDLE_GRACE, LATE_PARTS_GRACE
from chalicelib.core.ports import StoredPart
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer

CAP = 3


def released(platform: InMemoryPlatform, transfer: Transfer) -> bool:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record.reservation_released_at is not None


def reservations(platform: InMemoryPlatform) -> int:
    return sum(marker.is_reservation for marker in platform.records.markers(OWNER))


def an_idle_upload(platform: InMemoryPlatform) -> Transfer:
    transfer = platform.start()
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    platform.janitor.sweep()
    assert released(platform, transfer)
    return transfer


def go_on(platform: InMemoryPlatform, transfer: Transfer, way: str) -> None:
    match way:
        case "sign":
            record = platform.uploads.find_open(transfer.token)
            platform.uploads.sign_parts(transfer.token, record, {1: None})
        case "list":
            platform.uploads.stored_parts(transfer.token)
        case _:
            platform.start(correlation_id="one-upload")


def test_an_upload_is_not_idle_before_its_hour_is_over(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds())
    assert platform.janitor.sweep()["open"] == 1
    assert not released(platform, transfer)
    platform.clock.pass_time(seconds=1)
    assert platform.janitor.sweep()["idle"] == 1
    assert released(platform, transfer)


def test_an_upload_with_a_part_keeps_its_reservation_and_is_looked_into_once(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start()
    platform.videos.put_part(transfer.token.upload_id, 1, transfer.body[:100])
    platform.clock.pass_time(hours=2)
    asked: list[str] = []
    list_parts = platform.videos.list_parts
    monkeypatch.setattr(
        platform.videos,
        "list_parts",
        lambda key, upload_id: asked.append(key) or list_parts(key, upload_id),
    )
    for _ in range(3):
        assert platform.janitor.sweep()["open"] == 1
    assert asked == [transfer.key]
    assert reservations(platform) == 1


def test_idle_uploads_make_room_for_others_and_are_still_listed(platform: InMemoryPlatform) -> None:
    for _ in range(CAP):
        platform.start()
    with pytest.raises(TooManyOpenUploadsError):
        platform.start()
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    assert reservations(platform) == 0
    for _ in range(CAP):
        platform.start()
    assert len(platform.uploads.open_uploads(OWNER, with_tokens=True)) == 2 * CAP


@pytest.mark.parametrize("way", ["sign", "list", "init again"])
def test_a_resumed_upload_takes_its_reservation_again(platform: InMemoryPlatform, way: str) -> None:
    transfer = platform.start(correlation_id="one-upload")
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    assert reservations(platform) == 0
    go_on(platform, transfer, way)
    assert reservations(platform) == 1
    assert not released(platform, transfer)
    # Another hour passes.
    platform.clock.pass_time(minutes=59)
    assert platform.janitor.sweep()["open"] == 1


def test_nothing_is_stored_without_a_reservation(platform: InMemoryPlatform) -> None:
    """A part may take longer to arrive than the hour after which its upload counts as idle."""
    transfer = an_idle_upload(platform)
    etags = transfer.send_parts()
    with pytest.raises(PartsIncompleteError) as refused:
        platform.completions.complete(transfer.token, transfer.completion(etags))
    assert refused.value.missing_count == len(etags)
    go_on(platform, transfer, "list")
    platform.completions.complete(transfer.token, transfer.completion(etags))
    assert platform.record_state(transfer) == "processing"


@pytest.mark.parametrize("seconds_late", [0, LATE_PARTS_GRACE.total_seconds()])
def test_parts_that_arrive_after_their_reservation_was_given_back_are_counted_even_without_room(
    platform: InMemoryPlatform, seconds_late: float
) -> None:
    """Their URLs were signed before: a user might fill the storage with uploads that count for nothing."""
    late = an_idle_upload(platform)
    late.send_parts()
    platform.clock.pass_time(seconds=seconds_late)
    others = [platform.start() for _ in range(CAP)]
    assert platform.janitor.sweep()["open"] == CAP + 1
    assert reservations(platform) == CAP + 1
    with pytest.raises(TooManyOpenUploadsError):
        go_on(platform, late, "list")
    platform.uploads.abort(others[0].token)
    with pytest.raises(TooManyOpenUploadsError):
        platform.start()
    go_on(platform, late, "list")
    platform.clock.pass_time(days=1)
    platform.janitor.sweep()
    assert reservations(platform) == 1, "the others are idle by then"
    late.send_and_complete()
    assert platform.record_state(late) == "processing"


def test_late_parts_stay_counted_until_their_upload_ends(platform: InMemoryPlatform) -> None:
    late = an_idle_upload(platform)
    late.send_parts()
    platform.janitor.sweep()
    platform.clock.pass_time(seconds=LATE_PARTS_GRACE.total_seconds() + 1)
    assert platform.janitor.sweep()["open"] == 1
    assert reservations(platform) == 1
    platform.clock.pass_time(days=8)
    platform.janitor.sweep()
    assert not list(platform.records.markers())


def test_an_idle_upload_is_looked_into_only_while_a_part_may_be_on_its_way(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_idle_upload(platform)
    asked: list[str] = []
    monkeypatch.setattr(platform.videos, "list_parts", lambda key, upload_id: asked.append(key) or [])
    platform.clock.pass_time(seconds=LATE_PARTS_GRACE.total_seconds())
    assert platform.janitor.sweep()["idle"] == 1
    assert len(asked) == 1
    platform.clock.pass_time(seconds=1)
    assert platform.janitor.sweep()["idle"] == 1
    assert len(asked) == 1


def test_an_upload_that_was_aborted_while_late_parts_were_found_leaves_no_marker(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = an_idle_upload(platform)
    late.send_parts()
    list_parts = platform.videos.list_parts

    def abort_meanwhile(key: str, upload_id: str) -> list[StoredPart]:
        parts = list_parts(key, upload_id)
        platform.uploads.abort(late.token)
        return parts

    with monkeypatch.context() as racing:
        racing.setattr(platform.videos, "list_parts", abort_meanwhile)
        platform.janitor.sweep()
    platform.janitor.sweep()
    assert not list(platform.records.markers())


@pytest.mark.parametrize("way", ["sign", "list"])
def test_an_upload_that_finds_no_room_is_refused_and_not_lost(platform: InMemoryPlatform, way: str) -> None:
    transfer = an_idle_upload(platform)
    others = [platform.start() for _ in range(CAP)]
    with pytest.raises(TooManyOpenUploadsError):
        go_on(platform, transfer, way)
    assert reservations(platform) == CAP
    platform.uploads.abort(others[0].token)
    go_on(platform, transfer, way)
    transfer.send_and_complete()
    assert platform.record_state(transfer) == "processing"


def test_a_reservation_that_another_call_took_again_is_not_given_back_by_a_refusal(platform: InMemoryPlatform) -> None:
    """Two calls of one upload at once; the second one lists its markers when the last place was just taken."""
    transfer = an_idle_upload(platform)
    stale = platform.uploads.find_open(transfer.token)
    go_on(platform, transfer, "sign")
    for _ in range(CAP - 1):
        platform.start()
    platform.records.reserve(
        VideoRef(OWNER, new_video_id(platform.clock())), 1
    )  # an init at the very limit, not refused yet
    platform.uploads.sign_parts(transfer.token, stale, {1: None})
    assert transfer.token.ref in {marker.ref for marker in platform.records.markers(OWNER) if marker.is_reservation}


def test_an_idle_upload_that_completes_or_ends_leaves_no_marker(platform: InMemoryPlatform) -> None:
    completed, aborted, deleted, expired = (an_idle_upload(platform) for _ in range(4))
    go_on(platform, completed, "list")
    completed.send_and_complete()
    platform.process(completed)
    platform.uploads.abort(aborted.token)
    platform.library.delete(deleted.token.ref)
    platform.clock.pass_time(days=8)
    assert platform.janitor.sweep()["expired"] == 1
    assert platform.record_state(expired) == State.EXPIRED
    assert not list(platform.records.markers())


def test_a_sweep_that_died_between_record_and_marker_is_carried_on(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = platform.start()
    platform.clock.pass_time(hours=2)
    with monkeypatch.context() as dying:
        dying.setattr(platform.metadata, "delete", lambda key: (_ for _ in ()).throw(ConnectionError))
        assert platform.janitor.sweep()["failed"] == 1
    assert released(platform, transfer)
    assert reservations(platform) == 1
    platform.janitor.sweep()
    assert reservations(platform) == 0


def test_a_sweep_that_loses_to_a_client_gives_the_reservation_back_to_it(platform: InMemoryPlatform) -> None:
    """The client went on after the sweep had read the record; the marker that the sweep deletes is written again."""
    transfer = an_idle_upload(platform)
    go_on(platform, transfer, "sign")
    platform.records.release(transfer.token.ref, transfer.started.record.size_bytes)
    platform.janitor.sweep()
    assert reservations(platform) == 1


def test_an_upload_that_was_aborted_meanwhile_takes_no_reservation(platform: InMemoryPlatform) -> None:
    transfer = an_idle_upload(platform)
    stale = platform.uploads.find_open(transfer.token)
    platform.uploads.abort(transfer.token)
    with pytest.raises(UploadAbortedError):
        platform.uploads.sign_parts(transfer.token, stale, {1: None})
    assert not list(platform.records.markers())


def test_the_gauges_leave_idle_uploads_out(platform: InMemoryPlatform) -> None:
    an_idle_upload(platform)
    assert platform.meter.values["uploads_in_flight_count"] == [0]
    assert platform.meter.values["reserved_size_bytes"] == [0]
