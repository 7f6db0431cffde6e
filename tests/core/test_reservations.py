"""An upload without a part gives its reservation back and takes one again when it goes on."""

import pytest

from chalicelib.core.errors import TooManyOpenUploadsError, UploadAbortedError
from chalicelib.core.janitor import IDLE_GRACE
from chalicelib.core.upload_requests import CompleteUpload
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State
from tests.world import OWNER, Transfer, World

CAP = 3


def released(world: World, transfer: Transfer) -> bool:
    record = world.records.find(transfer.token.ref)
    assert record
    return record.reservation_released_at is not None


def reservations(world: World) -> int:
    return sum(marker.is_reservation for marker in world.records.markers(OWNER))


def an_idle_upload(world: World) -> Transfer:
    transfer = world.start()
    world.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    world.janitor.sweep()
    assert released(world, transfer)
    return transfer


def go_on(world: World, transfer: Transfer, way: str) -> None:
    match way:
        case "sign":
            record = world.uploads.find_open(transfer.token)
            world.uploads.sign_parts(transfer.token, record, {1: None})
        case "list":
            world.uploads.stored_parts(transfer.token)
        case _:
            world.start(correlation_id="one-upload")


def test_an_upload_is_not_idle_before_its_hour_is_over(world: World) -> None:
    transfer = world.start()
    world.clock.pass_time(seconds=IDLE_GRACE.total_seconds())
    assert world.janitor.sweep()["open"] == 1
    assert not released(world, transfer)
    world.clock.pass_time(seconds=1)
    assert world.janitor.sweep()["idle"] == 1
    assert released(world, transfer)


def test_an_upload_with_a_part_keeps_its_reservation_and_is_looked_into_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = world.start()
    world.videos.put_part(transfer.token.upload_id, 1, transfer.body[:100])
    world.clock.pass_time(hours=2)
    asked: list[str] = []
    list_parts = world.videos.list_parts
    monkeypatch.setattr(
        world.videos,
        "list_parts",
        lambda key, upload_id: asked.append(key) or list_parts(key, upload_id),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    )
    for _ in range(3):
        assert world.janitor.sweep()["open"] == 1
    assert asked == [transfer.key]
    assert reservations(world) == 1


def test_idle_uploads_make_room_for_others_and_are_still_listed(world: World) -> None:
    for _ in range(CAP):
        world.start()
    with pytest.raises(TooManyOpenUploadsError):
        world.start()
    world.clock.pass_time(hours=2)
    world.janitor.sweep()
    assert reservations(world) == 0
    for _ in range(CAP):
        world.start()
    assert len(world.uploads.open_uploads(OWNER, with_tokens=True)) == 2 * CAP


@pytest.mark.parametrize("way", ["sign", "list", "init again"])
def test_whoever_goes_on_takes_the_reservation_again(world: World, way: str) -> None:
    transfer = world.start(correlation_id="one-upload")
    world.clock.pass_time(hours=2)
    world.janitor.sweep()
    assert reservations(world) == 0
    go_on(world, transfer, way)
    assert reservations(world) == 1
    assert not released(world, transfer)
    # An hour passes anew.
    world.clock.pass_time(minutes=59)
    assert world.janitor.sweep()["open"] == 1


@pytest.mark.parametrize("way", ["sign", "list"])
def test_an_upload_that_finds_no_room_is_refused_and_not_lost(world: World, way: str) -> None:
    transfer = an_idle_upload(world)
    others = [world.start() for _ in range(CAP)]
    with pytest.raises(TooManyOpenUploadsError):
        go_on(world, transfer, way)
    assert reservations(world) == CAP
    world.uploads.abort(others[0].token)
    go_on(world, transfer, way)
    transfer.send_and_complete()
    assert world.record_state(transfer) == "processing"


def test_a_reservation_that_another_call_took_again_is_not_given_back_by_a_refusal(world: World) -> None:
    """Two calls of one upload at once; the second one lists its markers when the last place was just taken."""
    transfer = an_idle_upload(world)
    stale = world.uploads.find_open(transfer.token)
    go_on(world, transfer, "sign")
    for _ in range(CAP - 1):
        world.start()
    world.records.reserve(VideoRef(OWNER, new_video_id(world.clock())), 1)  # an init at the very limit, not refused yet
    world.uploads.sign_parts(transfer.token, stale, {1: None})
    assert transfer.token.ref in {marker.ref for marker in world.records.markers(OWNER) if marker.is_reservation}


def test_an_idle_upload_that_completes_or_ends_leaves_no_marker(world: World) -> None:
    completed, aborted, deleted, expired = (an_idle_upload(world) for _ in range(4))
    completed.send_and_complete()
    world.process(completed)
    world.uploads.abort(aborted.token)
    world.library.delete(deleted.token.ref)
    world.clock.pass_time(days=8)
    assert world.janitor.sweep()["expired"] == 1
    assert world.record_state(expired) == State.EXPIRED
    assert not list(world.records.markers())


def test_a_sweep_that_died_between_record_and_marker_is_carried_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = world.start()
    world.clock.pass_time(hours=2)
    with monkeypatch.context() as dying:
        dying.setattr(world.metadata, "delete", lambda key: (_ for _ in ()).throw(ConnectionError))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
        assert world.janitor.sweep()["failed"] == 1
    assert released(world, transfer)
    assert reservations(world) == 1
    world.janitor.sweep()
    assert reservations(world) == 0


def test_a_sweep_that_loses_to_a_client_gives_the_reservation_back_to_it(world: World) -> None:
    """The client went on after the sweep had read the record; the marker that the sweep deletes is written again."""
    transfer = an_idle_upload(world)
    go_on(world, transfer, "sign")
    world.records.release(transfer.token.ref, transfer.started.record.size_bytes)
    world.janitor.sweep()
    assert reservations(world) == 1


def test_an_upload_that_was_aborted_meanwhile_takes_no_reservation(world: World) -> None:
    transfer = an_idle_upload(world)
    stale = world.uploads.find_open(transfer.token)
    world.uploads.abort(transfer.token)
    with pytest.raises(UploadAbortedError):
        world.uploads.sign_parts(transfer.token, stale, {1: None})
    assert not list(world.records.markers())


def test_a_released_upload_completes_without_a_reservation(world: World) -> None:
    transfer = an_idle_upload(world)
    world.completions.complete(transfer.token, CompleteUpload(transfer.send_parts(), None, None, None))
    world.process(transfer)
    assert world.record_state(transfer) == "ready"
    assert not list(world.records.markers())


def test_the_gauges_leave_idle_uploads_out(world: World) -> None:
    an_idle_upload(world)
    assert world.meter.values["uploads_in_flight_count"] == [0]
    assert world.meter.values["reserved_size_bytes"] == [0]
