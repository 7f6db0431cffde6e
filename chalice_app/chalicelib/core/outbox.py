"""The outbox: messages of functions that cannot reach the notification topic, until another function has sent them."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from chalicelib.core.ports import Clock, MetadataBucket, Topic

log = logging.getLogger(__name__)

OUTBOX = "outbox/"
SENDING_GRACE = timedelta(minutes=2)
"""Age at which the janitor sends a message that the sender did not: Lambda retries a failed event within that time."""
_MOST_SENT = 100
"""Most messages that one run sends: its other work must not wait long if the topic does not answer."""


def outbox_key(event_id: str) -> str:
    return f"{OUTBOX}{event_id}.json"


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """A store of messages. A message stays until the topic has it, so it is sent at least once, whatever fails in
    between."""

    metadata: MetadataBucket
    topic: Topic
    now: Clock

    def send(self, key: str) -> None:
        """Send a message, unless it was sent before. Safe to repeat. Raises what SNS raises."""
        stored = self.metadata.get(key)
        if stored is None:
            log.info("message already sent")
            return
        self.topic.publish(stored.body)
        self.metadata.delete(key)
        log.info("message sent", extra={"key": key})

    def send_delayed(self) -> None:
        """Send messages that have waited too long, a limited number at a time; one that fails does not hold up the
        others."""
        for listed in islice(self.metadata.list_keys(OUTBOX), _MOST_SENT):
            if listed.last_modified < self.now() - SENDING_GRACE:
                try:
                    self.send(listed.key)
                except Exception:
                    log.exception("message not sent yet")
