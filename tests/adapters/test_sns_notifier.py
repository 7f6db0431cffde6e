"""Messages that SNS is asked to publish."""

import json
from typing import Any, cast

import pytest

from chalicelib.adapters.sns_notifier import SnsNotifier
from chalicelib.core.rendition import Failure, Rendition
from chalicelib.core.upload_requests import Origin, StartUpload
from chalicelib.core.video_events import EventType, VideoEvent, owed_event
from chalicelib.core.video_record import Deleter, Rejection, State
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer, platform_in_memory


class FakeSns:
    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def publish(self, **call: Any) -> None:
        self.published.append(call)


def published(transfer: Transfer, state: State) -> dict[str, Any]:
    record, now = transfer.started.record, transfer.started.record.created_at
    changes: dict[State, dict[str, Any]] = {
        State.REJECTED: {"rejection": Rejection(code="not_a_video", message="This is no video.")},
        State.DELETED: {"deleted_by": Deleter.RETENTION},
    }
    event = owed_event(record.moved_to(state, now, **changes.get(state, {})))
    assert event
    sns = FakeSns()
    SnsNotifier(lambda: cast("Any", sns), "topic").announce(event)
    (call,) = sns.published
    return call


@pytest.mark.parametrize(
    ("state", "event_type", "sentence"),
    [
        (State.READY, "video.ready", "film.mp4 is ready to play."),
        (State.REJECTED, "video.rejected", "film.mp4 was rejected: This is no video."),
        (
            State.EXPIRED,
            "video.failed",
            "film.mp4 did not arrive in full: its upload was not finished in time. Upload it again.",
        ),
        (State.DELETED, "video.deleted", "film.mp4 was deleted."),
    ],
)
def test_a_mail_says_in_a_sentence_what_happened(
    platform: InMemoryPlatform, state: State, event_type: str, sentence: str
) -> None:
    call = published(platform.start(), state)
    texts = json.loads(call["Message"])
    assert call["MessageStructure"] == "json"
    assert set(texts) == {"default", "email"}
    assert texts["email"].splitlines()[0] == sentence
    message = json.loads(texts["default"])
    assert message["type"] == event_type
    assert call["MessageAttributes"]["type"]["StringValue"] == event_type
    assert call["MessageAttributes"]["state"]["StringValue"] == message["state"] == event_type.partition(".")[2]


@pytest.mark.parametrize("event_type", EventType)
def test_every_event_has_a_sentence(platform: InMemoryPlatform, event_type: EventType) -> None:
    record = platform.start().started.record
    now = record.created_at
    record = record.noted(deletes_at=now, rendition=Rendition().failed(now, Failure.NOT_CONVERTIBLE))
    sns = FakeSns()
    SnsNotifier(lambda: cast("Any", sns), "topic").announce(VideoEvent(event_type, record, now))
    (call,) = sns.published
    assert json.loads(call["Message"])["email"].startswith("film.mp4 ")


def test_a_message_holds_no_character_that_sqs_refuses() -> None:
    """SQS Developer Guide, "Message quotas": U+FFFE and U+FFFF are none of XML 1.0, and a queue takes no others."""
    platform = platform_in_memory()
    request = StartUpload("a\ufffeb\uffff.mp4", "video/mp4", 4096, origin=Origin(reference="order\uffff7"))
    started = platform.uploads.start(OWNER, request)
    call = published(Transfer(platform, started, platform.tokens.verify(started.token)), State.READY)
    assert set("\ufffe\uffff").isdisjoint(call["Message"])
    texts = json.loads(call["Message"])
    assert all(set("\ufffe\uffff").isdisjoint(text) for text in texts.values())
    message = json.loads(texts["default"])
    assert (message["fileName"], message["reference"]) == (request.file_name, request.origin.reference)
