"""Verification of webhooks by the Python library, of what the platform really signs."""

import base64
import json

import pytest

from chalicelib.core.webhook_signatures import new_secret, signed_headers
from video_upload.webhooks import TOLERANCE_SECONDS, InvalidSecretError, WebhookError, verify_webhook

NOW = 1_790_000_000
BODY = json.dumps({"id": "evt_1", "type": "video.ready"}).encode()
SECRET, NEWER = new_secret(), new_secret()


def headers(*secrets: str, timestamp: int = NOW, body: bytes = BODY) -> dict[str, str]:
    return signed_headers(secrets or (SECRET,), message_id="evt_1", timestamp=timestamp, body=body)


def test_the_specifications_own_example_is_verified() -> None:
    """Standard Webhooks, the example of its reference libraries."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    example = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert verify_webhook(secret, example, b'{"test": 2432232314}', now=1614265330) == {"test": 2432232314}


@pytest.mark.parametrize("known", [SECRET, [SECRET], [NEWER, SECRET], [SECRET, NEWER]])
@pytest.mark.parametrize("signing", [(SECRET,), (SECRET, NEWER), (NEWER, SECRET)])
def test_one_common_secret_is_enough_while_one_is_rotated(known: str | list[str], signing: tuple[str, ...]) -> None:
    assert verify_webhook(known, headers(*signing), BODY, now=NOW)["type"] == "video.ready"


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_an_attempt_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(WebhookError):
        verify_webhook(SECRET, headers(), BODY, now=NOW + seconds)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "1", "\u0661", "v1,", "v1a,AAAA", "v1,\u00e9"])
def test_a_changed_or_missing_header_is_refused(name: str, value: str | None) -> None:
    changed = headers()
    del changed[name]
    if value is not None:
        changed[name] = value
    with pytest.raises(WebhookError):
        verify_webhook(SECRET, changed, BODY, now=NOW)


def test_a_changed_body_or_another_secret_is_refused() -> None:
    for secret, body in ((SECRET, BODY + b" "), (NEWER, BODY)):
        with pytest.raises(WebhookError):
            verify_webhook(secret, headers(), body, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_?", base64.b64encode(b"k" * 32).decode()])
def test_a_secret_that_is_none_verifies_nothing(secret: str) -> None:
    with pytest.raises(InvalidSecretError):
        verify_webhook(secret, headers(), BODY, now=NOW)
