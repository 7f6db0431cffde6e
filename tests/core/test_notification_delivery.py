"""Attempts to deliver a message, and when the next one comes."""

import base64
import hashlib
import hmac
import ipaddress
import json

import pytest

from chalicelib.core.notification_delivery import (
    JITTER_SHARE,
    MAX_RECEIVES,
    RETRY_DELAYS_SECONDS,
    Deliveries,
    NotDeliveredError,
    QueuedMessage,
    pause_seconds,
)
from chalicelib.core.public_addresses import is_public
from chalicelib.core.webhook_signatures import WrongSecretError, new_secret, signed_headers, signing_key
from tests.fakes import FakeClock, FakeMeter, FakeOutside

DAY_SECONDS = 24 * 3_600
MAX_VISIBILITY_SECONDS = 12 * 3_600  # SQS Developer Guide, "Amazon SQS visibility timeout"
BODY = json.dumps({"id": "evt_1", "type": "video.ready", "occurredAt": "2026-01-31T12:00:00Z"})


def deliveries(outside: FakeOutside, meter: FakeMeter) -> Deliveries:
    return Deliveries(
        webhooks={"mine": "https://mine.example.com/hook"},
        secrets=outside,
        poster=outside,
        event_bus=outside,
        queue=outside,
        meter=meter,
        now=FakeClock(),
    )


def queued(destination: str = "mine", *, receive_count: int = 1, body: str = BODY) -> QueuedMessage:
    return QueuedMessage(
        message_id=f"message-{receive_count}",
        receipt_handle=f"receipt-{receive_count}",
        queue_arn=f"arn:aws:sqs:eu-central-1:123456789012:video-upload-prod-to-{destination}",
        body=body,
        receive_count=receive_count,
    )


def test_attempts_go_on_for_a_day_at_least_and_never_outlast_what_sqs_hides() -> None:
    least = [pause_seconds(receive_count, jitter=0) for receive_count in range(1, MAX_RECEIVES)]
    most = [pause_seconds(receive_count, jitter=1) for receive_count in range(1, MAX_RECEIVES)]
    assert sum(least) >= DAY_SECONDS
    assert max(most) < MAX_VISIBILITY_SECONDS
    assert least == sorted(least)
    assert least[0] <= 10
    assert all(a < b for a, b in zip(least, most, strict=True))


@pytest.mark.parametrize("receive_count", [0, 1, MAX_RECEIVES, MAX_RECEIVES + 50])
def test_every_receipt_has_a_pause(receive_count: int) -> None:
    for _ in range(50):
        pause = pause_seconds(receive_count)
        assert RETRY_DELAYS_SECONDS[0] <= pause <= RETRY_DELAYS_SECONDS[-1] * (1 + JITTER_SHARE)


def test_a_receiver_can_ask_for_a_longer_pause_and_not_for_a_shorter_or_an_endless_one() -> None:
    assert pause_seconds(1, 120, jitter=0) == 120
    assert pause_seconds(6, 1, jitter=0) == RETRY_DELAYS_SECONDS[5]
    assert pause_seconds(1, 10**9, jitter=0) == RETRY_DELAYS_SECONDS[-1]


@pytest.mark.parametrize(
    "status", [100, 199, 301, 302, 307, 400, 404, 410, 429, 500, 503, NotDeliveredError(reason="closed"), ValueError()]
)
def test_an_unsuccessful_delivery_is_repeated_and_hidden_until_then(status: int | Exception) -> None:
    outside, meter = FakeOutside(status=status), FakeMeter()
    failed = deliveries(outside, meter).deliver([queued(receive_count=3), queued("event-bus", receive_count=1)])
    assert failed == ["message-3"]
    ((receipt, seconds),) = outside.hidden
    assert receipt == "receipt-3"
    assert RETRY_DELAYS_SECONDS[2] <= seconds <= RETRY_DELAYS_SECONDS[2] * (1 + JITTER_SHARE)
    assert meter.values["notifications_delivered_count"] == [1]
    assert meter.values["notification_attempts_failed_count"] == [1]
    assert outside.put_types == ["video.ready"]


@pytest.mark.parametrize("body", ["no JSON", "{}", "[]"])
def test_a_message_that_is_none_of_ours_is_set_aside_like_one_that_fails(body: str) -> None:
    outside = FakeOutside()
    assert deliveries(outside, FakeMeter()).deliver([queued(body=body)]) == ["message-1"]
    assert not outside.posted


def test_a_destination_that_was_taken_out_of_the_settings_gets_nothing() -> None:
    outside = FakeOutside()
    assert deliveries(outside, FakeMeter()).deliver([queued("gone")]) == ["message-1"]
    assert not outside.posted


def test_a_signature_is_that_of_the_specification_under_each_secret() -> None:
    keys = [b"n" * 24, b"o" * 64]
    secrets = [f"whsec_{base64.b64encode(key).decode()}" for key in keys]
    headers = signed_headers(secrets, message_id="evt_1", timestamp=1_674_087_231, body=b'{"a": 1}')
    expected = [
        base64.b64encode(hmac.new(key, b'evt_1.1674087231.{"a": 1}', hashlib.sha256).digest()).decode() for key in keys
    ]
    assert headers == {
        "webhook-id": "evt_1",
        "webhook-timestamp": "1674087231",
        "webhook-signature": f"v1,{expected[0]} v1,{expected[1]}",
    }


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_!", base64.b64encode(b"k" * 32).decode()])
def test_a_text_that_is_no_secret_signs_nothing_and_is_not_named(secret: str) -> None:
    with pytest.raises(WrongSecretError) as wrong:
        signing_key(secret)
    assert not str(wrong.value)


def test_new_secrets_differ_and_sign() -> None:
    assert len({signing_key(new_secret()) for _ in range(8)}) == 8


PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "255.255.255.255"),
    str(ipaddress.IPv4Address(0)),
    *("169.254.169.254", "169.254.170.2", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b::808:808"),
    *("fec0::1", "::127.0.0.1", "64:ff9b:1::a9fe:a9fe", "::ffff:0:127.0.0.1", "4000::1", "5f00::1", "3fff::1"),
    *("2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "localhost", "0x7f.1", "2130706433", "127.1"),
]


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_on_the_internet_is_not_public_in_any_form(address: str) -> None:
    assert not is_public(address)
