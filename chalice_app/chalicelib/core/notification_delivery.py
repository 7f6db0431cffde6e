"""Delivery of messages to webhooks and to an event bus, with retries.

Each destination has a queue of its own, so that a slow one holds up no other. A message that was not accepted is hidden
in its queue for longer each time, and ends in the destination's dead-letter queue after a day of attempts.
"""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chalicelib.core.ports import Clock, EventBus, Meter, QueuedMessage, RetryQueue, WebhookPoster, WebhookSecrets
from chalicelib.core.webhook_signatures import signed_headers

log = logging.getLogger(__name__)

RETRY_DELAYS_SECONDS = (5, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 21_600, 21_600)
"""Pauses after the first attempt, the second and so on: together more than a day. Each, with its jitter, is below SQS's
limit of 12 hours from the receipt (SQS Developer Guide, "Amazon SQS visibility timeout")."""

JITTER_SHARE: Final = 0.2
"""Largest share of a pause that is added to it, so that destinations that failed together are not retried together."""

MAX_RECEIVES: Final = len(RETRY_DELAYS_SECONDS) + 1
"""Attempts before SQS moves the message to the dead-letter queue."""

EVENT_BUS: Final = "event-bus"
"""Name of the destination that is not a webhook."""

QUEUE_INFIX: Final = "-to-"
"""Part of a queue's name between the stage's prefix and the destination."""


class NotDeliveredError(Exception):
    """The destination did not accept the message. retry_after_seconds: as it requested, None if it did not."""

    def __init__(self, reason: str, retry_after_seconds: int | None = None) -> None:
        self.reason, self.retry_after_seconds = reason, retry_after_seconds
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """webhooks: URL by the destination's name. event_bus: None if the stage has none."""

    webhooks: Mapping[str, str]
    secrets: WebhookSecrets
    poster: WebhookPoster
    event_bus: EventBus | None
    queue: RetryQueue
    meter: Meter
    now: Clock

    def deliver(self, messages: Sequence[QueuedMessage]) -> list[str]:
        """Try each message once and return the ids of those that must be retried."""
        failed = [message.message_id for message in messages if not self._was_delivered(message)]
        self.meter.record(
            notifications_delivered_count=len(messages) - len(failed), notification_attempts_failed_count=len(failed)
        )
        return failed

    def _was_delivered(self, message: QueuedMessage) -> bool:
        asked_seconds = None
        try:
            self._deliver(message)
        except NotDeliveredError as error:
            asked_seconds = error.retry_after_seconds
            log.warning("notification not delivered", extra={**_about(message), "reason": error.reason})
        except Exception:
            log.exception("notification not delivered", extra=_about(message))
        else:
            log.info("notification delivered", extra=_about(message))
            return True
        self.queue.hide(message.queue_arn, message.receipt_handle, pause_seconds(message.receive_count, asked_seconds))
        return False

    def _deliver(self, message: QueuedMessage) -> None:
        event: dict[str, Any] = json.loads(message.body)
        if _destination(message) == EVENT_BUS and self.event_bus:
            occurred_at = datetime.fromisoformat(event["occurredAt"])
            self.event_bus.put(event_type=event["type"], occurred_at=occurred_at, detail=message.body)
            return
        url = self.webhooks.get(_destination(message))
        if url is None:
            raise NotDeliveredError(reason="the stage no longer has this destination")
        body = message.body.encode()
        headers = signed_headers(
            self.secrets.of(_destination(message)),
            message_id=event["id"],
            timestamp=int(self.now().timestamp()),
            body=body,
        )
        answer = self.poster.post(url, {"content-type": "application/json", **headers}, body)
        if not 200 <= answer.status < 300:
            raise NotDeliveredError(f"HTTP {answer.status}", answer.retry_after_seconds)


def pause_seconds(receive_count: int, asked_seconds: int | None = None, jitter: float | None = None) -> int:
    """Pause before the next attempt. asked_seconds: the receiver's request, which can lengthen the pause up to a limit.

    jitter: 0 to 1; random if it is not given.
    """
    position = min(max(receive_count, 1), len(RETRY_DELAYS_SECONDS)) - 1
    least_seconds = max(RETRY_DELAYS_SECONDS[position], min(asked_seconds or 0, RETRY_DELAYS_SECONDS[-1]))
    drawn = random.random() if jitter is None else jitter  # noqa: S311 - jitter, not a secret
    return round(least_seconds * (1 + JITTER_SHARE * drawn))


def _destination(message: QueuedMessage) -> str:
    return message.queue_arn.rpartition(":")[2].partition(QUEUE_INFIX)[2]


def _about(message: QueuedMessage) -> dict[str, Any]:
    return {"destination": _destination(message), "attempt": message.receive_count, "messageId": message.message_id}
