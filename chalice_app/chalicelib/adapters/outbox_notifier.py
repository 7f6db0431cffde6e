"""The outbox, as functions fill it that do not reach the notification topic."""

from dataclasses import dataclass

import msgspec

from chalicelib.contract.views import video_message
from chalicelib.core.outbox import outbox_key
from chalicelib.core.ports import MetadataBucket
from chalicelib.core.video_events import VideoEvent


@dataclass(frozen=True)
class OutboxNotifier:
    metadata: MetadataBucket

    def announce(self, event: VideoEvent) -> None:
        """A repeated announcement overwrites its message, or sends it again with the same id."""
        body = msgspec.json.encode(video_message(event))
        self.metadata.put(outbox_key(event.id), body, "application/json")
