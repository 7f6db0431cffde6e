"""Retention: nothing is deleted before its warning was sent long enough ago, whatever was lost or changed meanwhile."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.core import retention as retention_module
from chalicelib.core.retention import WALK_KEY, CheckOutcome
from chalicelib.core.retention_policy import FOR_EVER, RetentionPolicy
from chalicelib.core.video_events import owed_warning
from chalicelib.core.video_record import Deleter
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer, platform_in_memory

POLICY = RetentionPolicy(stays=timedelta(days=30), warning=timedelta(days=14))
FILM = 8_192


@pytest.fixture
def platform() -> InMemoryPlatform:
    return platform_in_memory(retention=POLICY)


def ready(platform: InMemoryPlatform, owner: str = OWNER) -> Transfer:
    transfer = platform.start(FILM, owner)
    transfer.send_and_complete()
    platform.process(transfer)
    platform.notifier.messages.clear()
    return transfer


def let_days_pass(platform: InMemoryPlatform, days: int) -> Counter[str]:
    """Walk once a day."""
    done: Counter[str] = Counter()
    for _ in range(days):
        platform.clock.pass_time(days=1)
        done += platform.retention.walk()
    return done


def told(platform: InMemoryPlatform, event_type: str) -> list[dict[str, Any]]:
    return [dict(message) for message in platform.notifier.messages if message["type"] == event_type]


def test_a_video_is_announced_once_and_deleted_after_the_warning_time(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    assert let_days_pass(platform, 15)[CheckOutcome.YOUNG] == 15, "a young video costs no request of its own"
    assert told(platform, "video.expiring") == []

    let_days_pass(platform, 14)
    (warning,) = told(platform, "video.expiring")
    assert (warning["occurredAt"], warning["expiresAt"]) == ("2026-02-16T12:00:00Z", "2026-03-02T12:00:00Z")
    assert platform.record_state(transfer) == "ready"

    let_days_pass(platform, 1)
    (deleted,) = told(platform, "video.deleted")
    assert (deleted["cause"], deleted["expiresAt"]) == ("retention", None)
    assert platform.record_state(transfer) == "deleted"
    assert platform.videos.visible(transfer.key) is None
    assert platform.videos.versions[transfer.key], "it can be restored as after any deletion"
    assert not list(platform.records.markers())
    assert sum(platform.meter.values["retention_warnings_count"]) == 1
    assert sum(platform.meter.values["retention_deletions_count"]) == 1


def test_its_owner_sees_when_it_expires_and_that_it_was_announced(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    due = platform.clock() + POLICY.stays
    expiry = platform.library.show(transfer.token.ref).expiry
    assert expiry
    assert (expiry.expires_at, expiry.is_near) == (due, False)
    let_days_pass(platform, 16)
    expiry = platform.library.show(transfer.token.ref).expiry
    assert expiry
    assert (expiry.expires_at, expiry.is_near) == (due, True)
    platform.change_retention(FOR_EVER)
    assert platform.library.show(transfer.token.ref).expiry is None


def test_a_stage_that_turns_retention_on_deletes_nothing_before_the_warning_time(platform: InMemoryPlatform) -> None:
    platform.change_retention(FOR_EVER)
    transfer = ready(platform)
    let_days_pass(platform, 400)
    platform.change_retention(POLICY)
    expiry = platform.library.show(transfer.token.ref).expiry
    assert expiry
    assert expiry.expires_at == platform.clock() + POLICY.warning
    let_days_pass(platform, 14)
    (warning,) = told(platform, "video.expiring")
    assert warning["expiresAt"] == "2027-03-22T12:00:00Z", "a day to come, however long the video is due"
    assert platform.record_state(transfer) == "ready"
    let_days_pass(platform, 1)
    assert platform.record_state(transfer) == "deleted"


def test_a_warning_of_before_retention_was_off_does_not_count(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 20)
    platform.change_retention(FOR_EVER)
    let_days_pass(platform, 100)
    platform.change_retention(POLICY)
    let_days_pass(platform, 14)
    assert len(told(platform, "video.expiring")) == 2
    assert platform.record_state(transfer) == "ready"
    let_days_pass(platform, 1)
    assert platform.record_state(transfer) == "deleted"


def test_a_longer_retention_makes_a_warned_video_safe_again_and_it_is_warned_of_anew(
    platform: InMemoryPlatform,
) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 20)
    platform.change_retention(RetentionPolicy(stays=timedelta(days=60), warning=POLICY.warning))
    expiry = platform.library.show(transfer.token.ref).expiry
    assert expiry
    assert not expiry.is_near
    let_days_pass(platform, 39)
    assert [each["expiresAt"] for each in told(platform, "video.expiring")] == [
        "2026-03-02T12:00:00Z",
        "2026-04-01T12:00:00Z",
    ]
    assert platform.record_state(transfer) == "ready"
    let_days_pass(platform, 1)
    assert platform.record_state(transfer) == "deleted"


@pytest.mark.parametrize(("stays", "warning"), [(20, 14), (20, 7), (30, 7), (30, 21)])
def test_another_setting_deletes_nothing_before_the_day_that_was_announced(
    platform: InMemoryPlatform, stays: int, warning: int
) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 16)
    platform.change_retention(RetentionPolicy(stays=timedelta(days=stays), warning=timedelta(days=warning)))
    let_days_pass(platform, 13)
    assert platform.record_state(transfer) == "ready"
    let_days_pass(platform, 8)
    assert platform.record_state(transfer) == "deleted"
    assert len(told(platform, "video.expiring")) == 1


def test_a_warning_that_could_not_be_sent_is_the_same_event_later_and_its_time_counts_from_then(
    platform: InMemoryPlatform,
) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 15)
    platform.notifier.fails = True
    assert let_days_pass(platform, 10)[CheckOutcome.FAILED] == 10
    assert platform.meter.values["janitor_failures_count"] == [1] * 10
    platform.notifier.fails = False
    assert let_days_pass(platform, 14)[CheckOutcome.WARNED] == 1
    (warning,) = told(platform, "video.expiring")
    assert warning["occurredAt"] == "2026-02-16T12:00:00Z", "when it was first noted, so that a repetition has its id"
    assert platform.record_state(transfer) == "ready"
    let_days_pass(platform, 1)
    assert platform.record_state(transfer) == "deleted"


def test_a_function_that_dies_after_sending_sends_the_same_event_again(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(platform)
    let_days_pass(platform, 15)
    with monkeypatch.context() as dying:

        def die(*arguments: object) -> None:
            dying.setattr(platform.metadata, "put_if_unchanged", write)
            raise ConnectionError

        def announce(event: Any) -> None:
            real_announce(event)
            dying.setattr(platform.metadata, "put_if_unchanged", die)

        write, real_announce = platform.metadata.put_if_unchanged, platform.notifier.announce
        dying.setattr(platform.notifier, "announce", announce)
        let_days_pass(platform, 1)
    let_days_pass(platform, 5)
    first, again = told(platform, "video.expiring")
    assert first["id"] == again["id"]


def test_a_pause_of_the_janitor_deletes_nothing_early(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 16)
    platform.clock.pass_time(days=200)
    let_days_pass(platform, 14)
    assert platform.record_state(transfer) == "ready"


def test_a_walk_goes_on_where_its_time_was_over(platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "_LISTED_AT_ONCE", 2)
    for number in range(9):
        ready(platform, f"user-{number}")
    let_days_pass(platform, 15)
    platform.clock.pass_time(days=1)
    announce = platform.notifier.announce

    def slowly(event: Any) -> None:
        platform.clock.pass_time(seconds=16)
        announce(event)

    monkeypatch.setattr(platform.notifier, "announce", slowly)
    walks = []
    for _ in range(5):
        walks.append(platform.retention.walk())
        platform.clock.pass_time(minutes=5)
    four = {CheckOutcome.WARNED: 4}
    assert walks == [four, four, {CheckOutcome.WARNED: 1}, {}, {}], (
        "each is looked at once, and the next walk is tomorrow's"
    )
    assert len({message["videoId"] for message in told(platform, "video.expiring")}) == 9


def test_a_walk_that_breaks_off_is_counted_and_goes_on(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(platform)
    let_days_pass(platform, 15)
    with monkeypatch.context() as broken:

        def lists(prefix: str, start_after: str = "") -> Any:
            raise ConnectionError

        broken.setattr(platform.videos, "list_videos", lists)
        assert let_days_pass(platform, 1) == {CheckOutcome.FAILED: 1}
    assert platform.retention.walk()[CheckOutcome.WARNED] == 1


def test_only_ready_videos_expire(platform: InMemoryPlatform) -> None:
    transfer = platform.start(FILM)
    transfer.send_and_complete()
    platform.videos.put_object("videos/no-record-at-all", b"")
    let_days_pass(platform, 60)
    assert platform.record_state(transfer) == "processing"
    assert platform.notifier.messages == []


def test_a_video_that_was_deleted_meanwhile_stays_its_owners_deletion(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 29)
    delete = platform.retention.deletions.announcements.records.watch

    def first(ref: Any) -> None:
        monkeypatch.setattr(platform.records, "watch", delete)
        platform.library.delete(ref)
        delete(ref)

    monkeypatch.setattr(platform.records, "watch", first)
    assert let_days_pass(platform, 1)[CheckOutcome.DELETED] == 0
    assert [message["cause"] for message in told(platform, "video.deleted")] == ["owner"]
    assert platform.record_state(transfer) == "deleted"


def test_a_stage_without_retention_asks_and_measures_nothing() -> None:
    platform = platform_in_memory()
    ready(platform)
    let_days_pass(platform, 3)
    assert WALK_KEY not in platform.metadata.objects
    assert "retention_warnings_count" not in platform.meter.values


def test_a_video_that_was_restored_gets_its_whole_time_again(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 29)
    restored = platform.clock()
    platform.records.change(transfer.token.ref, lambda current: current.noted(restored_at=restored))
    expiry = platform.library.show(transfer.token.ref).expiry
    assert expiry
    assert (expiry.expires_at, expiry.is_near) == (restored + POLICY.stays, False)
    let_days_pass(platform, 29)
    assert platform.record_state(transfer) == "ready"
    assert len(told(platform, "video.expiring")) == 2


def test_a_video_that_may_stay_by_what_changed_meanwhile_is_not_deleted(
    platform: InMemoryPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = ready(platform)
    let_days_pass(platform, 29)
    watch = platform.records.watch

    def restored_meanwhile(ref: Any) -> None:
        platform.records.change(ref, lambda current: current.noted(restored_at=platform.clock()))
        watch(ref)

    monkeypatch.setattr(platform.records, "watch", restored_meanwhile)
    assert let_days_pass(platform, 1)[CheckOutcome.KEPT] == 1
    assert platform.record_state(transfer) == "ready"
    assert platform.videos.visible(transfer.key)
    platform.janitor.sweep()
    assert not list(platform.records.markers())


def test_a_deleted_video_owes_no_warning_any_more(platform: InMemoryPlatform) -> None:
    transfer = ready(platform)
    record = platform.records.find(transfer.token.ref)
    assert record
    warned = POLICY.warned(record, platform.clock())
    assert owed_warning(warned)
    assert owed_warning(warned.deleted(Deleter.OWNER, platform.clock())) is None
