"""What a user sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.video_id import VideoRef, new_video_id
from tests.fakes import FakeClock
from tests.world import OWNER, Transfer, World


def finished(world: World, owner: str = OWNER) -> Transfer:
    world.clock.pass_time(seconds=1)
    transfer = world.start(size_bytes=4096, owner=owner)
    transfer.send_and_complete()
    world.process(transfer)
    return transfer


def test_pages_are_newest_first_and_lose_or_double_nothing(world: World) -> None:
    newest_first = [finished(world).token.video_id for _ in range(7)][::-1]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page, cursor = world.library.page(OWNER, 3, cursor)
        seen += [str(video["videoId"]) for video in page]
    assert seen == newest_first


def test_a_deleted_video_is_gone_from_every_view_and_stays_gone(world: World) -> None:
    transfer = finished(world)
    world.library.delete(transfer.token.ref)
    world.library.delete(transfer.token.ref)
    assert world.meter.values["videos_deleted_count"] == [1]
    assert world.library.page(OWNER, 10, "") == ([], None)
    with pytest.raises(VideoNotFoundError):
        world.library.show(transfer.token.ref)
    assert world.videos.visible(transfer.key) is None


def test_somebody_elses_video_is_the_same_as_an_unknown_one(world: World) -> None:
    video_id = finished(world, "owner-a").token.video_id
    failures: list[str] = []
    for ref in (VideoRef("owner-b", video_id), VideoRef("owner-b", "f" * 28)):
        for ask in (world.library.show, world.library.delete):
            with pytest.raises(VideoNotFoundError) as refused:
                ask(ref)
            failures.append(str(refused.value))
    assert len(set(failures)) == 1
    assert world.library.show(VideoRef("owner-a", video_id))["state"] == "ready"


def test_only_a_ready_video_has_urls_and_they_name_the_accepted_version(world: World) -> None:
    open_upload = world.start(size_bytes=4096)
    assert world.library.show(open_upload.token.ref)["playbackUrl"] is None
    transfer = finished(world)
    url = str(world.library.show(transfer.token.ref)["playbackUrl"])
    assert f"versionId={world.videos.versions[transfer.key][-1].version_id}" in url


@given(st.lists(st.floats(min_value=0.001, max_value=10**7), min_size=2, max_size=10))
def test_video_ids_sort_newest_first(gaps_seconds: list[float]) -> None:
    clock = FakeClock()
    ids: list[str] = []
    for gap in gaps_seconds:
        clock.pass_time(seconds=gap)
        ids.append(new_video_id(clock()))
    assert [video_id[:12] for video_id in ids] == sorted((video_id[:12] for video_id in ids), reverse=True)
