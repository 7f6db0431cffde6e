"""Limits on what one user has stored: counted from the bucket, held in races."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import pytest

from chalicelib.core.caps import Caps, Usage
from chalicelib.core.errors import CapError, StoredBytesExceededError, TooManyStoredVideosError
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef
from tests.in_memory_platform import CAPS, OWNER, InMemoryPlatform, Transfer, platform_in_memory
from tests.soak.interference import Interference, Trouble

KIB = 1024
FILM = 8 * KIB

Start = Callable[[InMemoryPlatform, int], object]
every_way = pytest.mark.parametrize(
    "start",
    [
        lambda platform, size_bytes: platform.start(size_bytes),
        lambda platform, size_bytes: platform.simple_uploads.start(
            OWNER, StartUpload("film.mp4", "video/mp4", size_bytes)
        ),
    ],
    ids=["in parts", "in one request"],
)


def limited(**limits: int) -> InMemoryPlatform:
    return platform_in_memory(caps=replace(CAPS, **limits))


def a_ready_video(platform: InMemoryPlatform, owner: str = OWNER) -> Transfer:
    transfer = platform.start(FILM, owner)
    transfer.send_and_complete()
    platform.process(transfer)
    assert platform.record_state(transfer) == "ready"
    return transfer


@every_way
def test_bytes_fit_up_to_the_limit_and_not_one_past_it(start: Start) -> None:
    platform = limited(max_stored_bytes=3 * FILM)
    a_ready_video(platform)
    platform.start(FILM)
    with pytest.raises(StoredBytesExceededError) as refused:
        start(platform, FILM + 1)
    assert refused.value.details == {
        "sizeBytes": FILM + 1,
        "storedBytes": FILM,
        "reservedBytes": FILM,
        "maxStoredBytes": 3 * FILM,
    }
    start(platform, FILM)


@every_way
def test_videos_fit_up_to_the_limit_and_not_one_past_it(start: Start) -> None:
    platform = limited(max_stored_videos=2)
    a_ready_video(platform)
    start(platform, 1)
    with pytest.raises(TooManyStoredVideosError) as refused:
        start(platform, 1)
    assert refused.value.details == {"storedVideos": 1, "reservedVideos": 1, "maxStoredVideos": 2}
    platform.start(1, owner="somebody-else")


def test_deleting_a_video_makes_room_at_once() -> None:
    platform = limited(max_stored_bytes=FILM)
    film = a_ready_video(platform)
    with pytest.raises(StoredBytesExceededError):
        platform.start(1)
    platform.library.delete(film.token.ref)
    platform.start(FILM)


def test_a_refused_upload_leaves_nothing_behind() -> None:
    platform = limited(max_stored_videos=1)
    a_ready_video(platform)
    before = set(platform.metadata.objects)
    with pytest.raises(TooManyStoredVideosError):
        platform.start(1, correlation_id="an-upload")
    assert set(platform.metadata.objects) == before
    assert not platform.videos.uploads


def test_a_video_counts_once_in_each_moment_of_its_life() -> None:
    platform = limited(max_stored_videos=1)
    whole = Usage(stored_bytes=FILM, stored_videos=1, reserved_bytes=0, reserved_videos=0)
    transfer = platform.start(FILM)
    assert platform.room.usage(OWNER) == Usage(stored_bytes=0, stored_videos=0, reserved_bytes=FILM, reserved_videos=1)
    transfer.send_and_complete()
    assert [marker.size_bytes for marker in platform.records.markers(OWNER)] == [FILM], "stored and reserved"
    assert platform.room.usage(OWNER) == whole
    platform.process(transfer)
    assert platform.room.usage(OWNER) == whole
    platform.library.delete(transfer.token.ref)
    assert platform.room.usage(OWNER) == Usage(stored_bytes=0, stored_videos=0, reserved_bytes=0, reserved_videos=0)


def test_a_video_that_settles_between_the_two_lists_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listed the other way round, it would be in neither list: stored too late, released too early."""
    platform = limited(max_stored_videos=1)
    transfer = platform.start(FILM)
    markers, list_videos = platform.records.markers, platform.videos.list_videos
    settled: list[str] = []

    def settle() -> None:
        if not settled:
            settled.append(transfer.key)
            transfer.send_and_complete()
            platform.process(transfer)

    monkeypatch.setattr(platform.records, "markers", lambda owner: (list(markers(owner)), settle())[0])
    monkeypatch.setattr(platform.videos, "list_videos", lambda prefix: (list(list_videos(prefix)), settle())[0])
    with pytest.raises(TooManyStoredVideosError):
        platform.room.require(VideoRef(OWNER, "0" * 28), 1)
    assert settled


def test_an_idle_upload_takes_its_reservation_again_only_where_its_video_fits() -> None:
    platform = limited(max_stored_bytes=FILM)
    idle = platform.start(FILM)
    platform.clock.pass_time(hours=2)
    platform.janitor.sweep()
    film = a_ready_video(platform)
    with pytest.raises(StoredBytesExceededError):
        platform.uploads.stored_parts(idle.token)
    platform.library.delete(film.token.ref)
    platform.uploads.stored_parts(idle.token)


def test_a_rejected_video_counts_until_it_is_deleted() -> None:
    platform = limited(max_stored_videos=1)
    transfer = platform.start(FILM)
    transfer.send_and_complete()
    newest = platform.videos.versions[transfer.key][-1]
    newest.body = b"no video" + newest.body[8:]
    platform.process(transfer)
    assert platform.record_state(transfer) == "rejected"
    with pytest.raises(TooManyStoredVideosError):
        platform.start(1)


def test_videos_of_an_earlier_version_count_without_being_counted_first() -> None:
    """The count is of objects: no record, counter or command is needed."""
    platform = limited(max_stored_bytes=2 * FILM)
    platform.videos.put_object(VideoRef(OWNER, "0" * 28).file_key, b"1" * FILM)
    platform.start(FILM)
    with pytest.raises(StoredBytesExceededError):
        platform.start(1)


def test_nothing_is_listed_where_nothing_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = platform_in_memory()
    monkeypatch.setattr(platform.videos, "list_videos", lambda prefix: pytest.fail(f"listed {prefix}"))
    platform.start()


@pytest.mark.parametrize(
    "limits", [{"max_stored_videos": 3}, {"max_stored_bytes": 3 * FILM}], ids=lambda each: next(iter(each))
)
def test_racing_uploads_never_exceed_what_may_be_stored(limits: dict[str, int]) -> None:
    platform = platform_in_memory(caps=replace(Caps(max_open_uploads=100, max_reserved_bytes=100 * FILM), **limits))

    def try_to_store(_: int) -> bool:
        try:
            a_ready_video(platform)
        except CapError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        stored = sum(pool.map(try_to_store, range(40)))
    assert stored <= 3
    assert platform.room.usage(OWNER).stored_videos == stored


CALLERS = ("an upload", "a form", "an idle upload")


@dataclass
class NearlyFull:
    """One video is being uploaded, and two idle uploads wait."""

    max_stored_videos: int

    def __post_init__(self) -> None:
        self.platform = limited(max_stored_videos=self.max_stored_videos)
        self.idle = [self._idle_upload() for _ in range(2)]
        self.pending = self.platform.start(FILM)
        self.other_calls = 0

    def _idle_upload(self) -> Transfer:
        transfer = self.platform.start(FILM)
        self.platform.clock.pass_time(hours=2)
        self.platform.janitor.sweep()
        return transfer

    def act(self, what: str) -> None:
        self.other_calls += 1
        with suppress(CapError):
            match what:
                case "an upload":
                    self.platform.start(FILM)
                case "a form":
                    self.platform.simple_uploads.start(OWNER, StartUpload("film.mp4", "video/mp4", FILM))
                case "an idle upload":
                    self.platform.uploads.stored_parts(self.idle.pop().token)
                case _:
                    self.pending.send_and_complete()
                    self.platform.process(self.pending)


@pytest.mark.parametrize("first", CALLERS)
@pytest.mark.parametrize("other", [*CALLERS, "a video settles"])
def test_the_limit_holds_wherever_one_call_comes_between_the_calls_of_another(first: str, other: str) -> None:
    for at_call in range(1, 40):
        # A video that settles counts before and after; other callers compete for one more.
        scene = NearlyFull(2 if other in CALLERS else 1)
        interference = Interference(scene.platform, random.Random(0), partial(scene.act, other))
        interference.during(Trouble(at_call, "other work"), partial(scene.act, first))
        usage = scene.platform.room.usage(OWNER)
        assert usage.stored_videos + usage.reserved_videos <= scene.max_stored_videos, (
            f"{other} before call {at_call} of {first}"
        )
        if scene.other_calls == 1:
            assert at_call > 2
            return
    pytest.fail("a call makes more than 40 calls")
