"""Webhooks and the event bus on the local platform, with a real receiver that does not always behave."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.adapters.webhook_secrets import parameter_name
from chalicelib.core.outbox import OUTBOX, outbox_key
from local.notification_queues import queue_name
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from tests.end_to_end.actors import Person, StandIn, make_person, wait_until

BUS = "videos"
BUS_QUEUE = "events-of-the-bus"
WEBHOOKS = ("well", "flaky", "redirects", "hangs", "closes", "dies", "rotated")
NEW_SECRET, OLD_SECRET = (f"whsec_{base64.b64encode(key * 32).decode()}" for key in (b"n", b"o"))


@dataclass(frozen=True)
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)

    def is_signed_with(self, secret: str) -> bool:
        """Standard Webhooks 1.0.0, "Signature scheme", by hand."""
        key = base64.b64decode(secret.split("_", 1)[1])
        signed = b".".join([self.headers["webhook-id"].encode(), self.headers["webhook-timestamp"].encode(), self.body])
        signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{signature}" in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """A receiver on loopback; each path behaves in its own way."""

    received: dict[str, list[Received]] = field(default_factory=dict[str, list[Received]])
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> int:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                path = self.path.strip("/")
                body = self.rfile.read(int(self.headers["content-length"]))
                known = receiver.received.setdefault(path, [])
                known.append(Received({name.lower(): value for name, value in self.headers.items()}, body))
                is_first = len(known) == 1
                if path in {"hangs", "dies"} and is_first:
                    receiver.may_go_on.wait(60)
                if path == "closes" and is_first:
                    self.close_connection = True
                    return
                self.send_response(500 if path == "flaky" and is_first else 302 if path == "redirects" else 200)
                self.send_header("location", "/stolen")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    def first(self, path: str, video_id: str, count: int = 1) -> list[Received]:
        """The first `count` requests about a video."""

        def found() -> list[Received] | None:
            about = [each for each in self.received.get(path, []) if each.message["videoId"] == video_id]
            return about[:count] if len(about) >= count else None

        return wait_until(found)


@dataclass(frozen=True)
class Stage:
    """The platform with its receiver, and a video that became ready."""

    platform: LocalPlatform
    receiver: Receiver
    person: Person
    video_id: str

    @property
    def stand_in(self) -> StandIn:
        return StandIn(self.platform.stand_in_url)

    def secret_of(self, webhook: str) -> str:
        parameter = parameter_name("local", webhook)
        answer = self.stand_in.client("ssm").get_parameter(Name=parameter, WithDecryption=True)
        return answer["Parameter"]["Value"]


@pytest.fixture(scope="module")
def stage(small_video: bytes) -> Iterator[Stage]:
    receiver = Receiver()
    port = receiver.serve()
    urls = ",".join(f"{name}=http://127.0.0.1:{port}/{name}" for name in WEBHOOKS)
    variables = {"WEBHOOKS": urls, "EVENT_BUS_NAME": BUS, "MESSAGE_OUTBOX": "true"}
    with LocalPlatform(data_dir=None, ports=Ports.free(), api_variables=variables) as platform:
        stand_in = StandIn(platform.stand_in_url)
        stand_in.client("ssm").put_parameter(
            Name=parameter_name("local", "rotated"), Value=f"{NEW_SECRET} {OLD_SECRET}", Overwrite=True
        )
        stand_in.client("sqs").create_queue(QueueName=BUS_QUEUE)
        events = stand_in.client("events")
        events.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["video-upload"]}))
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": names.queue_arn(BUS_QUEUE)}])
        person = make_person(platform)
        video_id = person.upload(small_video)["videoId"]
        yield Stage(platform, receiver, person, video_id)
        receiver.may_go_on.set()


def test_a_webhook_tells_of_a_ready_video_under_a_signature_that_the_receiver_can_verify(stage: Stage) -> None:
    (received,) = stage.receiver.first("well", stage.video_id)
    assert received.is_signed_with(stage.secret_of("well"))
    assert not received.is_signed_with(stage.secret_of("flaky"))
    assert received.headers["content-type"] == "application/json"
    assert received.message["type"] == "video.ready"
    assert received.headers["webhook-id"] == received.message["id"]


def test_a_message_goes_through_the_outbox_and_leaves_it_empty(stage: Stage) -> None:
    (received,) = stage.receiver.first("well", stage.video_id)
    s3 = stage.stand_in.client("s3")
    key = outbox_key(received.message["id"])
    wait_until(lambda: not s3.list_objects_v2(Bucket=names.METADATA_BUCKET, Prefix=OUTBOX).get("Contents"))
    versions = s3.list_object_versions(Bucket=names.METADATA_BUCKET, Prefix=key)
    assert len(versions["Versions"]) == len(versions["DeleteMarkers"]) == 1


def test_a_receiver_that_hangs_or_closes_the_connection_holds_up_no_other(stage: Stage) -> None:
    stage.receiver.first("hangs", stage.video_id)
    stage.receiver.first("well", stage.video_id)
    first, again = stage.receiver.first("closes", stage.video_id, count=2)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    first, again = stage.receiver.first("hangs", stage.video_id, count=2)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]


def test_a_failed_attempt_is_repeated_with_the_same_id_and_a_time_of_its_own(stage: Stage) -> None:
    first, again = stage.receiver.first("flaky", stage.video_id, count=2)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.body == again.body
    assert int(again.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert again.is_signed_with(stage.secret_of("flaky"))


def test_a_redirect_is_not_followed_and_the_message_waits(stage: Stage) -> None:
    stage.receiver.first("redirects", stage.video_id)
    assert "stolen" not in stage.receiver.received
    sqs = stage.stand_in.client("sqs")
    waiting = sqs.get_queue_attributes(
        QueueUrl=names.queue_url(stage.platform.stand_in_url, queue_name("redirects")), AttributeNames=["All"]
    )["Attributes"]
    assert int(waiting["ApproximateNumberOfMessages"]) + int(waiting["ApproximateNumberOfMessagesNotVisible"]) == 1


def test_both_secrets_sign_while_one_is_rotated(stage: Stage) -> None:
    (received,) = stage.receiver.first("rotated", stage.video_id)
    assert received.is_signed_with(NEW_SECRET)
    assert received.is_signed_with(OLD_SECRET)


def test_the_event_bus_gets_the_message_as_an_event(stage: Stage) -> None:
    sqs = stage.stand_in.client("sqs")
    queue_url = names.queue_url(stage.platform.stand_in_url, BUS_QUEUE)
    (message,) = wait_until(lambda: sqs.receive_message(QueueUrl=queue_url).get("Messages"))
    event = json.loads(message["Body"])
    assert (event["source"], event["detail-type"]) == ("video-upload", "video.ready")
    assert event["detail"]["videoId"] == stage.video_id
    assert event["detail"]["version"] == 1


def test_a_message_whose_function_is_killed_during_the_attempt_comes_again(stage: Stage) -> None:
    stage.receiver.first("dies", stage.video_id)
    stage.platform.restart("worker")
    stage.receiver.may_go_on.set()
    first, again = stage.receiver.first("dies", stage.video_id, count=2)
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    # The worker that comes after finds queues and secrets as they were.
    assert again.is_signed_with(stage.secret_of("dies"))


def test_a_deleted_video_is_told_of_at_once(stage: Stage) -> None:
    stage.person.call("DELETE", f"/videos/{stage.video_id}")
    _, received = stage.receiver.first("well", stage.video_id, count=2)
    assert (received.message["type"], received.message["cause"]) == ("video.deleted", "owner")
