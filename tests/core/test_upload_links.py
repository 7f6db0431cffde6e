"""Upload links: their caps, their end, and what stays closed to their bearers."""

from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.core import upload_links
from chalicelib.core.errors import (
    ForbiddenError,
    LinkExpiredError,
    LinkNotFoundError,
    LinkRevokedError,
    TooManyLinksError,
    UnauthorizedError,
)
from chalicelib.core.upload_links import REMEMBERED, LinkState, UploadLink, UploadLinks, tokens_by_id
from chalicelib.core.upload_token import LinkToken
from tests.core.uploads_by_link import FILM, a_link, bear, new_link
from tests.in_memory_platform import OWNER, InMemoryPlatform


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
