"""Caps on one user's open uploads and bytes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from chalicelib.core.caps import Caps
from chalicelib.core.errors import CapError, ReservedBytesExceededError, TooManyOpenUploadsError
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from tests.in_memory_platform import OWNER, InMemoryPlatform


def test_the_cap_on_open_uploads_holds_and_names_itself(platform: InMemoryPlatform) -> None:
    for _ in range(3):
        platform.start()
    with pytest.raises(TooManyOpenUploadsError) as refused:
        platform.start()
    assert refused.value.details == {"maxOpenUploads": 3}
    platform.start(owner="somebody-else")


def test_the_cap_on_bytes_counts_what_is_announced(platform: InMemoryPlatform) -> None:
    platform.start(size_bytes=60 * 2**20)
    with pytest.raises(ReservedBytesExceededError) as refused:
        platform.start(size_bytes=41 * 2**20)
    assert refused.value.details == {
        "sizeBytes": 41 * 2**20,
        "reservedBytes": 60 * 2**20,
        "maxReservedBytes": 100 * 2**20,
    }
    platform.start(size_bytes=40 * 2**20)


@pytest.mark.parametrize("end", ["abort", "ready", "expiry", "delete"])
def test_every_end_of_an_upload_gives_its_place_back(platform: InMemoryPlatform, end: str) -> None:
    transfers = [platform.start() for _ in range(3)]
    transfer = transfers[0]
    match end:
        case "abort":
            platform.uploads.abort(transfer.token)
        case "ready":
            transfer.send_and_complete()
            platform.process(transfer)
        case "expiry":
            platform.clock.pass_time(days=8)
            platform.janitor.sweep()
        case _:
            platform.library.delete(transfer.token.ref)
    assert platform.start().started.record.state.value == "uploading"


@pytest.mark.parametrize("end", ["abort", "expiry", "delete"])
def test_only_the_record_of_a_video_that_is_gone_may_be_forgotten(platform: InMemoryPlatform, end: str) -> None:
    gone, kept = platform.start(), platform.start()
    kept.send_and_complete()
    platform.process(kept)
    match end:
        case "abort":
            platform.uploads.abort(gone.token)
        case "expiry":
            platform.clock.pass_time(days=8)
            platform.janitor.sweep()
        case _:
            platform.library.delete(gone.token.ref)
    assert platform.metadata.retired == {gone.token.ref.record_key}


def test_a_refused_upload_leaves_nothing_behind(platform: InMemoryPlatform) -> None:
    for _ in range(3):
        platform.start()
    before = set(platform.metadata.objects)
    with pytest.raises(TooManyOpenUploadsError):
        platform.start()
    assert set(platform.metadata.objects) == before
    assert len(platform.videos.uploads) == 3


def test_an_upload_that_finds_no_room_is_refused_before_anything_is_written(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        platform.start()
    written: list[str] = []
    for write in ("put", "put_if_new", "put_if_unchanged", "delete"):
        monkeypatch.setattr(platform.metadata, write, lambda key, *_: written.append(key))
    with pytest.raises(TooManyOpenUploadsError):
        platform.start()
    assert written == []


def test_the_look_for_room_does_not_count_the_uploads_own_reservation(platform: InMemoryPlatform) -> None:
    own, other = (VideoRef(OWNER, digit * 28) for digit in "01")
    platform.records.reserve(own, 60)
    room = replace(platform.room, caps=Caps(max_open_uploads=1, max_reserved_bytes=100))
    room.require(own, 60)
    with pytest.raises(TooManyOpenUploadsError):
        room.require(other, 1)


@pytest.mark.parametrize(
    "start",
    [
        lambda platform: platform.start(correlation_id="an-upload"),
        lambda platform: platform.simple_uploads.start(OWNER, StartUpload("film.mp4", "video/mp4", 1)),
    ],
    ids=["in parts", "in one request"],
)
def test_two_that_see_the_last_place_free_are_counted_after_the_write(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch, start: Callable[[InMemoryPlatform], object]
) -> None:
    for _ in range(2):
        platform.start()
    reserve, quicker = platform.records.reserve, list[str]()

    def be_late(ref: VideoRef, size_bytes: int) -> None:
        monkeypatch.setattr(platform.records, "reserve", reserve)
        quicker.append(platform.start().key)
        reserve(ref, size_bytes)

    monkeypatch.setattr(platform.records, "reserve", be_late)
    with pytest.raises(TooManyOpenUploadsError):
        start(platform)
    assert quicker
    assert len(list(platform.records.markers(OWNER))) == 3, "the refused one's marker is gone"
    assert not [key for key in platform.metadata.objects if key.startswith("starts/")], "and so is its idempotency key"


def test_racing_reservations_never_exceed_the_cap(platform: InMemoryPlatform) -> None:
    def try_to_start(_: int) -> bool:
        try:
            platform.start()
        except CapError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        started = sum(pool.map(try_to_start, range(40)))
    assert started <= 3
    assert len(list(platform.records.markers("2b1f7c1e-user"))) == started
