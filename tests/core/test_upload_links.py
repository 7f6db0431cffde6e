"""Upload links: their caps, their end, and what stays closed to their bearers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest

from chalicelib.core import upload_links
from chalicelib.core.errors import (
    ForbiddenError,
    LinkExpiredError,
    LinkMakerFullError,
    LinkNotFoundError,
    LinkRevokedError,
    LinkUsedUpError,
    PartsIncompleteError,
    TooManyLinksError,
    UnauthorizedError,
)
from chalicelib.core.janitor import IDLE_GRACE
from chalicelib.core.processing import Processed
from chalicelib.core.upload_links import REMEMBERED, LinkState, NewLink, UploadLink, UploadLinks, tokens_by_id
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.upload_token import LinkToken
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import MP4_HEAD, OWNER, InMemoryPlatform, Transfer

FILM = 8 * 1024


def new_link(**changes: object) -> NewLink:
    asked = {"title": "Match day", "note": None, "valid": timedelta(days=7), "max_videos": 2, "max_bytes": 3 * FILM}
    return NewLink(**(asked | changes))  # pyrefly: ignore[bad-argument-type] - the tests change fields by name


def a_link(platform: InMemoryPlatform, owner: str = OWNER, **changes: object) -> UploadLink:
    return platform.links.make(owner, new_link(**changes))


def bear(platform: InMemoryPlatform, link: UploadLink, size_bytes: int = FILM, *, name: str | None = None) -> Transfer:
    """Start an upload as the bearer of a link does: from its token alone."""
    token = platform.tokens.verify_any(platform.tokens.issue_for_link(link.owner, link.link_id))
    assert isinstance(token, LinkToken)
    borne = platform.links.open(token)
    request = StartUpload("film.mp4", "video/mp4", size_bytes, origin=borne.origin("Ada"))
    started = platform.uploads.start(borne.owner, request, name, borne)
    return Transfer(platform, started, platform.tokens.verify(started.token))


def used(platform: InMemoryPlatform, link: UploadLink) -> tuple[int, int]:
    (found,) = (each for each in platform.links.list_newest(link.owner) if each.link.link_id == link.link_id)
    return found.videos, found.size_bytes


def reserved(platform: InMemoryPlatform) -> int:
    return sum(marker.is_reservation for marker in platform.records.markers(OWNER))


def record_of(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record


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


def test_what_is_given_up_is_free_for_the_link_again(platform: InMemoryPlatform) -> None:
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


def test_a_revoked_link_starts_nothing_and_stops_what_runs(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    running = bear(platform, link, name="one-upload")
    etags = running.send_parts()
    platform.links.revoke(OWNER, link.link_id)
    for step in (
        lambda: bear(platform, link),
        lambda: bear(platform, link, name="one-upload"),
        lambda: platform.uploads.find_open(running.token),
        lambda: platform.uploads.stored_parts(running.token),
        lambda: platform.completions.complete(running.token, running.completion(etags)),
    ):
        with pytest.raises(LinkRevokedError):
            step()
    assert platform.record_state(running) == "uploading"
    platform.uploads.abort(running.token)  # giving it up stays possible
    assert platform.links.revoke(OWNER, link.link_id).revoked_at is not None


def test_an_expired_link_starts_nothing_and_lets_what_runs_end(platform: InMemoryPlatform) -> None:
    link = a_link(platform, valid=timedelta(hours=1))
    running = bear(platform, link)
    platform.clock.pass_time(hours=2)
    with pytest.raises(LinkExpiredError):
        bear(platform, link)
    running.send_and_complete()
    (seen,) = platform.links.list_newest(OWNER)
    assert seen.link.state(platform.clock()) is LinkState.EXPIRED


def test_an_id_that_a_bearer_guesses_opens_neither_the_makers_upload_nor_another_links(
    platform: InMemoryPlatform,
) -> None:
    own = platform.start(FILM, correlation_id="guessed-id")
    first, second = a_link(platform), a_link(platform)
    by_first, by_second = (bear(platform, link, name="guessed-id") for link in (first, second))
    assert len({own.key, by_first.key, by_second.key}) == 3
    assert bear(platform, first, name="guessed-id").key == by_first.key


def test_only_its_maker_revokes_a_link(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    for owner, link_id in (("another", link.link_id), (OWNER, "f" * 28), (OWNER, f"../another/{link.link_id}")):
        with pytest.raises(LinkNotFoundError):
            platform.links.revoke(owner, link_id)
    with pytest.raises(LinkNotFoundError):
        platform.links.open(LinkToken("k1", "another", link.link_id))


def test_a_links_token_is_no_upload_token(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    with pytest.raises(UnauthorizedError):
        platform.tokens.verify(platform.tokens.issue_for_link(OWNER, link.link_id))


def test_tokens_of_many_links_are_signed_eight_at_a_time_each_for_its_own_link(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = [a_link(platform) for _ in range(16)]
    generate, eight = platform.mac.generate, Barrier(8)

    def waiting(message: bytes) -> bytes:
        eight.wait(timeout=10)
        return generate(message)

    with monkeypatch.context() as patch:
        patch.setattr(platform.mac, "generate", waiting)
        tokens = tokens_by_id(platform.tokens, links)
    assert tokens == {link.link_id: platform.tokens.issue_for_link(OWNER, link.link_id) for link in links}


def test_nothing_secret_of_a_link_is_stored(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    token = platform.tokens.issue_for_link(OWNER, link.link_id)
    stored = b"".join(body for body, _, _ in platform.metadata.objects.values())
    assert token.encode() not in stored
    assert token.partition(".")[2].encode() not in stored


def test_a_stage_without_links_makes_none_and_opens_none(platform: InMemoryPlatform) -> None:
    link = a_link(platform)
    off = UploadLinks(
        metadata=platform.metadata,
        records=platform.records,
        now=platform.clock,
        longest=timedelta(),
        caps=platform.room.caps,
    )
    with pytest.raises(ForbiddenError):
        off.make(OWNER, new_link())
    with pytest.raises(LinkNotFoundError):
        off.open(LinkToken("k1", OWNER, link.link_id))


def test_an_owner_has_so_many_links_and_old_ones_make_way(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload_links, "MAX_LINKS", 5)
    for _ in range(5):
        a_link(platform, valid=timedelta(days=1))
        platform.clock.pass_time(seconds=1)
    with pytest.raises(TooManyLinksError):
        a_link(platform)
    platform.clock.pass_time(seconds=(REMEMBERED + timedelta(days=2)).total_seconds())
    latest = a_link(platform)
    assert [each.link for each in platform.links.list_newest(OWNER)] == [latest]


def test_a_listing_holds_the_newest_links(platform: InMemoryPlatform) -> None:
    made: list[UploadLink] = []
    for _ in range(3):
        made.append(a_link(platform))
        platform.clock.pass_time(seconds=1)
    assert [each.link for each in platform.links.list_newest(OWNER, most=2)] == [made[2], made[1]]
    assert len(platform.links.list_newest(OWNER, most=None)) == 3
