"""The outbox: messages of functions that do not reach the notification topic."""

import json

import pytest

from chalicelib.adapters.outbox_notifier import OutboxNotifier
from chalicelib.core.announcements import Announcements
from chalicelib.core.outbox import OUTBOX, SENDING_GRACE
from chalicelib.core.video_record import Deleter, State, VideoRecord
from tests.in_memory_platform import InMemoryPlatform


@pytest.fixture
def announcements(platform: InMemoryPlatform) -> Announcements:
    """Services of a function in the network."""
    return Announcements(records=platform.records, notifier=OutboxNotifier(platform.metadata), now=platform.clock)


def settled(platform: InMemoryPlatform) -> VideoRecord:
    """A record that owes its message."""
    record = platform.start().started.record
    change = platform.records.change(record.ref, lambda current: current.moved_to(State.READY, platform.clock()))
    assert change
    return change.record


def waiting(platform: InMemoryPlatform) -> list[str]:
    return [listed.key for listed in platform.metadata.list_keys(OUTBOX)]


def test_a_message_waits_until_the_topic_has_it(platform: InMemoryPlatform, announcements: Announcements) -> None:
    record = announcements.send_owed(settled(platform))
    assert record.notified_at
    assert platform.notifier.messages == []
    (key,) = waiting(platform)
    platform.notifier.fails = True
    with pytest.raises(ConnectionError):
        platform.outbox.send(key)
    assert waiting(platform) == [key]
    platform.notifier.fails = False
    platform.outbox.send(key)
    assert waiting(platform) == []
    (message,) = platform.notifier.messages
    assert (message["type"], message["videoId"]) == ("video.ready", record.video_id)
    assert key == f"{OUTBOX}{message['id']}.json"


def test_a_repeated_event_of_the_bucket_sends_nothing(platform: InMemoryPlatform, announcements: Announcements) -> None:
    announcements.send_owed(settled(platform))
    (key,) = waiting(platform)
    platform.outbox.send(key)
    platform.outbox.send(key)
    assert len(platform.notifier.messages) == 1


def test_each_event_of_a_video_is_told_however_soon_the_next_follows(
    platform: InMemoryPlatform, announcements: Announcements
) -> None:
    record = announcements.send_owed(settled(platform))
    change = platform.records.change(record.ref, lambda current: current.deleted(Deleter.OWNER, platform.clock()))
    assert change
    announcements.send_owed(change.record)
    for key in waiting(platform):
        platform.outbox.send(key)
    assert {message["type"] for message in platform.notifier.messages} == {"video.ready", "video.deleted"}


def test_the_janitor_sends_what_has_waited_too_long_and_nothing_sooner(
    platform: InMemoryPlatform, announcements: Announcements
) -> None:
    announcements.send_owed(settled(platform))
    platform.clock.moment += SENDING_GRACE
    platform.outbox.send_delayed()
    assert platform.notifier.messages == []
    platform.clock.pass_time(seconds=1)
    platform.outbox.send_delayed()
    assert len(platform.notifier.messages) == 1
    assert waiting(platform) == []


def test_a_message_that_fails_does_not_hold_up_the_others(
    platform: InMemoryPlatform, announcements: Announcements
) -> None:
    platform.metadata.put(f"{OUTBOX}a-broken-one.json", b"{", "application/json")
    announcements.send_owed(settled(platform))
    platform.clock.moment += 2 * SENDING_GRACE
    platform.outbox.send_delayed()
    assert len(platform.notifier.messages) == 1
    assert waiting(platform) == [f"{OUTBOX}a-broken-one.json"]


def test_the_topic_gets_the_same_message_by_the_outbox_as_directly(
    platform: InMemoryPlatform, announcements: Announcements
) -> None:
    record = settled(platform)
    announcements.send_owed(record)
    (key,) = waiting(platform)
    stored = platform.metadata.get(key)
    assert stored
    direct = Announcements(records=platform.records, notifier=platform.notifier, now=platform.clock)
    direct.send_owed(record)
    assert [json.loads(stored.body)] == platform.notifier.messages
