"""Uses of upload links: what their uploads take of their caps and of their makers' limits."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.core import upload_links
from chalicelib.core.errors import LinkMakerFullError, LinkUsedUpError, PartsIncompleteError
from chalicelib.core.janitor import IDLE_GRACE
from chalicelib.core.processing import Processed
from chalicelib.core.upload_links import REMEMBERED
from chalicelib.core.video_record import VideoRecord
from tests.core.uploads_by_link import FILM, a_link, bear, record_of, reserved, used
from tests.in_memory_films import MP4_HEAD
from tests.in_memory_platform import OWNER, InMemoryPlatform


def test_a_video_comes_into_the_makers_library_with_the_link_and_the_uploaders_name(platform: InMemoryPlatform) -> None:
    link = a_link(platform, reference="order-7", on_behalf_of="customer-3")
    transfer = bear(platform, link)
    transfer.send_and_complete()
    platform.process(transfer)
    (seen,), _ = platform.library.page(OWNER, 10, "")
    record = seen.record
    assert (record.link_id, record.uploader_name) == (link.link_id, "Ada")
    assert (record.reference, record.on_behalf_of) == ("order-7", "customer-3")
    message = platform.notifier.messages[-1]
    told = {"linkId": link.link_id, "uploaderName": "Ada", "reference": "order-7", "onBehalfOf": "customer-3"}
    assert {name: message[name] for name in told} == told
    assert used(platform, link) == (1, FILM)


def test_a_link_takes_its_number_of_videos_and_not_one_more(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    bear(platform, link).send_and_complete()
    bear(platform, link)
    with pytest.raises(LinkUsedUpError) as refused:
        bear(platform, link)
    assert refused.value.details == {
        "sizeBytes": FILM,
        "usedVideos": 2,
        "usedBytes": 2 * FILM,
        "maxVideos": 2,
        "maxBytes": 3 * FILM,
    }
    assert reserved(platform) == 2  # what is refused holds no place of the maker's either


def test_a_link_takes_its_bytes_and_not_one_more(platform: InMemoryPlatform) -> None:
    link = a_link(platform, max_videos=5)
    bear(platform, link, 2 * FILM)
    with pytest.raises(LinkUsedUpError):
        bear(platform, link, FILM + 1)
    bear(platform, link, FILM)


def test_however_many_bearers_start_at_once_a_link_is_never_overdrawn(platform: InMemoryPlatform) -> None:
    for _ in range(10):
        link = a_link(platform, max_videos=1)
        with ThreadPoolExecutor(8) as bearers:
            for begun in [bearers.submit(partial(bear, platform, link)) for _ in range(8)]:
                with suppress(LinkUsedUpError, LinkMakerFullError):
                    begun.result()
        assert used(platform, link)[0] <= 1
        platform.metadata.objects = {
            key: body for key, body in platform.metadata.objects.items() if not key.startswith("open/")
        }


def test_a_bearer_who_comes_second_to_the_last_place_leaves_nothing_behind(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = a_link(platform, max_videos=1)
    bear(platform, link)
    # Both have seen the place free.
    monkeypatch.setattr(platform.links, "require", lambda link, size_bytes: None)
    with pytest.raises(LinkUsedUpError):
        bear(platform, link)
    assert used(platform, link) == (1, FILM)
    assert reserved(platform) == 1


def test_an_abandoned_upload_frees_its_use_of_the_link(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    aborted, deleted = bear(platform, link), bear(platform, link)
    platform.uploads.abort(aborted.token)
    assert used(platform, link) == (1, FILM)
    platform.library.delete(deleted.token.ref)
    assert used(platform, link) == (0, 0)
    expired = bear(platform, link)
    platform.clock.pass_time(days=8)
    platform.janitor.sweep()
    assert platform.record_state(expired) == "expired"
    assert used(platform, link) == (0, 0)


def test_a_video_that_its_maker_deletes_stays_counted(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    transfer = bear(platform, link)
    transfer.send_and_complete()
    platform.process(transfer)
    platform.library.delete(transfer.token.ref)
    assert used(platform, link) == (1, FILM)


@pytest.mark.parametrize("outcome", [Processed.READY, Processed.REJECTED])
def test_a_video_that_the_janitor_settles_stays_counted(platform: InMemoryPlatform, outcome: Processed) -> None:
    """The function died after it wrote the record and before it deleted the marker."""
    link = a_link(platform)
    transfer = bear(platform, link, 4096)
    head = MP4_HEAD if outcome is Processed.READY else b"just a text, renamed"
    etag = platform.videos.put_part(transfer.token.upload_id, 1, head.ljust(4096, b"\0"))
    platform.completions.complete(transfer.token, transfer.completion({1: etag}))
    assert platform.process(transfer) is outcome
    platform.records.reserve(transfer.token.ref, 4096)
    platform.records.watch(transfer.token.ref)
    platform.janitor.sweep()
    assert not list(platform.records.markers(OWNER))
    assert used(platform, link) == (1, 4096)


def test_a_deleted_video_that_an_operator_brings_back_is_counted_once(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    transfer = bear(platform, link)
    transfer.send_and_complete()
    platform.process(transfer)
    before = record_of(platform, transfer)
    platform.library.delete(transfer.token.ref)
    platform.restore(transfer, before)
    for _ in range(3):
        platform.clock.pass_time(minutes=17)
        platform.janitor.sweep()
        platform.process_what_was_asked()
    assert platform.record_state(transfer) == "ready"
    assert not list(platform.records.markers(OWNER))
    assert used(platform, link) == (1, FILM)


def test_nothing_of_a_link_that_is_forgotten_is_left(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_links, "MAX_LINKS", 1)
    bear(platform, a_link(platform)).send_and_complete()
    platform.clock.pass_time(seconds=(REMEMBERED + timedelta(days=8)).total_seconds())
    platform.janitor.sweep()
    latest = a_link(platform)
    assert not list(platform.records.uses(OWNER))
    assert [listed.key for listed in platform.metadata.list_keys("links/")] == [latest.key]


def test_an_idle_upload_gives_its_use_back_and_takes_it_again(platform: InMemoryPlatform) -> None:
    link = a_link(platform, max_videos=1)
    idle = bear(platform, link)
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    platform.janitor.sweep()
    assert used(platform, link) == (0, 0)
    other = bear(platform, link)
    with pytest.raises(LinkUsedUpError):
        platform.uploads.stored_parts(idle.token)
    platform.uploads.abort(other.token)
    platform.uploads.stored_parts(idle.token)
    assert used(platform, link) == (1, FILM)


def test_late_parts_of_an_idle_upload_bring_no_more_videos_in_than_its_link_lets(platform: InMemoryPlatform) -> None:
    """Their URLs were signed before the upload gave its use back, and another upload has taken it."""
    link = a_link(platform, max_videos=1)
    idle = bear(platform, link)
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    platform.janitor.sweep()
    other = bear(platform, link)
    etags = idle.send_parts()
    platform.janitor.sweep()
    with pytest.raises(PartsIncompleteError):
        platform.completions.complete(idle.token, idle.completion(etags))
    with pytest.raises(LinkUsedUpError):
        platform.uploads.stored_parts(idle.token)
    other.send_and_complete()
    assert used(platform, link) == (1, FILM)


def test_a_sweep_leaves_an_upload_the_use_that_it_takes_again_at_this_moment(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = a_link(platform, max_videos=1)
    idle = bear(platform, link)
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    platform.janitor.sweep()
    use_again = platform.links.use_again

    def swept_before_the_record_tells(record: VideoRecord) -> None:
        use_again(record)
        platform.janitor.sweep()

    monkeypatch.setattr(platform.links, "use_again", swept_before_the_record_tells)
    platform.uploads.stored_parts(idle.token)
    assert used(platform, link) == (1, FILM)
    assert reserved(platform) == 1


def test_a_sweep_gives_nothing_back_of_an_upload_that_has_just_gone_on(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = a_link(platform, max_videos=1)
    idle = bear(platform, link)
    let_go = platform.records.let_go

    def gone_on_before(record: VideoRecord) -> None:
        platform.uploads.stored_parts(idle.token)
        let_go(record)

    monkeypatch.setattr(platform.records, "let_go", gone_on_before)
    platform.clock.pass_time(seconds=IDLE_GRACE.total_seconds() + 1)
    platform.janitor.sweep()
    assert used(platform, link) == (1, FILM)
    assert reserved(platform) == 1


def test_an_init_that_died_leaves_no_use_behind(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    link = a_link(platform)

    def die(record: VideoRecord) -> None:
        raise ConnectionAbortedError

    monkeypatch.setattr(platform.records, "create", die)
    with pytest.raises(ConnectionAbortedError):
        bear(platform, link)
    monkeypatch.undo()
    assert used(platform, link) == (1, FILM)
    platform.clock.pass_time(hours=1)
    platform.janitor.sweep()
    assert used(platform, link) == (0, 0)


def test_the_makers_limits_hold_and_their_figures_stay_the_makers(platform: InMemoryPlatform) -> None:
    link = a_link(platform, max_videos=9, max_bytes=10**9)
    for _ in range(3):
        platform.start()
    with pytest.raises(LinkMakerFullError) as refused:
        bear(platform, link)
    assert refused.value.details == {"sizeBytes": FILM}
    assert used(platform, link) == (0, 0)


def test_a_link_leaves_its_maker_half_of_the_open_uploads(platform: InMemoryPlatform) -> None:
    """Three at most may be open: a link holds two of them, whatever it is good for."""
    link = a_link(platform, max_videos=9, max_bytes=10**9)
    first = bear(platform, link)
    bear(platform, link)
    with pytest.raises(LinkMakerFullError) as refused:
        bear(platform, link)
    assert refused.value.details == {"sizeBytes": FILM}
    assert used(platform, link) == (2, 2 * FILM)
    assert reserved(platform) == 2
    platform.start()
    first.send_and_complete()
    platform.process(first)
    bear(platform, link)


def test_a_link_leaves_its_maker_half_of_the_reserved_bytes_unless_one_file_needs_more(
    platform: InMemoryPlatform,
) -> None:
    half = platform.room.caps.max_reserved_bytes // 2
    link = a_link(platform, max_videos=9, max_bytes=10 * half)
    large = bear(platform, link, half + 1)
    with pytest.raises(LinkMakerFullError):
        bear(platform, link, 1)
    platform.uploads.abort(large.token)
    bear(platform, link, half - 1)
    bear(platform, link, 1)


def test_however_many_bearers_start_at_once_they_leave_the_maker_a_place(platform: InMemoryPlatform) -> None:
    for _ in range(10):
        link = a_link(platform, max_videos=100, max_bytes=10**9)
        with ThreadPoolExecutor(8) as bearers:
            for begun in [bearers.submit(partial(bear, platform, link)) for _ in range(8)]:
                with suppress(LinkMakerFullError):
                    begun.result()
        assert reserved(platform) <= 2
        platform.metadata.objects = {
            key: body for key, body in platform.metadata.objects.items() if not key.startswith(("open/", "link-uses/"))
        }
