"""What one user may hold open."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.core.caps import Caps, require_room
from chalicelib.core.errors import CapError, ReservedBytesExceededError, TooManyOpenUploadsError
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from tests.world import OWNER, World


def test_the_cap_on_open_uploads_holds_and_names_itself(world: World) -> None:
    for _ in range(3):
        world.start()
    with pytest.raises(TooManyOpenUploadsError) as refused:
        world.start()
    assert refused.value.details == {"maxOpenUploads": 3}
    world.start(owner="somebody-else")


def test_the_cap_on_bytes_counts_what_is_announced(world: World) -> None:
    world.start(size_bytes=60 * 2**20)
    with pytest.raises(ReservedBytesExceededError) as refused:
        world.start(size_bytes=41 * 2**20)
    assert refused.value.details == {
        "sizeBytes": 41 * 2**20,
        "reservedBytes": 60 * 2**20,
        "maxReservedBytes": 100 * 2**20,
    }
    world.start(size_bytes=40 * 2**20)


@pytest.mark.parametrize("end", ["abort", "ready", "expiry", "delete"])
def test_every_end_of_an_upload_gives_its_place_back(world: World, end: str) -> None:
    transfers = [world.start() for _ in range(3)]
    transfer = transfers[0]
    match end:
        case "abort":
            world.uploads.abort(transfer.token)
        case "ready":
            transfer.send_and_complete()
            world.process(transfer)
        case "expiry":
            world.clock.pass_time(days=8)
            world.janitor.sweep()
        case _:
            world.library.delete(transfer.token.ref)
    assert world.start().started.record.state.value == "uploading"


@pytest.mark.parametrize("end", ["abort", "expiry", "delete"])
def test_only_the_record_of_a_video_that_is_gone_may_be_forgotten(world: World, end: str) -> None:
    gone, kept = world.start(), world.start()
    kept.send_and_complete()
    world.process(kept)
    match end:
        case "abort":
            world.uploads.abort(gone.token)
        case "expiry":
            world.clock.pass_time(days=8)
            world.janitor.sweep()
        case _:
            world.library.delete(gone.token.ref)
    assert world.metadata.retired == {gone.token.ref.record_key}


def test_a_refused_upload_leaves_nothing_behind(world: World) -> None:
    for _ in range(3):
        world.start()
    before = set(world.metadata.objects)
    with pytest.raises(TooManyOpenUploadsError):
        world.start()
    assert set(world.metadata.objects) == before
    assert len(world.videos.uploads) == 3


def test_an_upload_that_finds_no_room_is_refused_before_anything_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        world.start()
    written: list[str] = []
    for write in ("put", "put_if_new", "put_if_unchanged", "delete"):
        monkeypatch.setattr(world.metadata, write, lambda key, *_: written.append(key))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(TooManyOpenUploadsError):
        world.start()
    assert written == []


def test_the_look_for_room_does_not_count_the_uploads_own_reservation(world: World) -> None:
    own, other = (VideoRef(OWNER, digit * 28) for digit in "01")
    world.records.reserve(own, 60)
    caps = Caps(max_open_uploads=1, max_reserved_bytes=100)
    require_room(world.records, caps, own, 60)
    with pytest.raises(TooManyOpenUploadsError):
        require_room(world.records, caps, other, 1)


@pytest.mark.parametrize(
    "start",
    [
        lambda world: world.start(correlation_id="an-upload"),
        lambda world: world.simple_uploads.start(OWNER, StartUpload("film.mp4", "video/mp4", 1)),
    ],
    ids=["in parts", "in one request"],
)
def test_two_that_see_the_last_place_free_are_counted_after_the_write(
    world: World, monkeypatch: pytest.MonkeyPatch, start: Callable[[World], object]
) -> None:
    for _ in range(2):
        world.start()
    reserve, quicker = world.records.reserve, list[str]()

    def be_late(ref: VideoRef, size_bytes: int) -> None:
        monkeypatch.setattr(world.records, "reserve", reserve)
        quicker.append(world.start().key)
        reserve(ref, size_bytes)

    monkeypatch.setattr(world.records, "reserve", be_late)
    with pytest.raises(TooManyOpenUploadsError):
        start(world)
    assert quicker
    assert len(list(world.records.markers(OWNER))) == 3, "the refused one's marker is gone"
    assert not [key for key in world.metadata.objects if key.startswith("starts/")], "and so is its claim"


def test_racing_reservations_never_exceed_the_cap(world: World) -> None:
    def try_to_start(_: int) -> bool:
        try:
            world.start()
        except CapError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        started = sum(pool.map(try_to_start, range(40)))
    assert started <= 3
    assert len(list(world.records.markers("2b1f7c1e-user"))) == started
