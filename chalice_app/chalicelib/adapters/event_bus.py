"""An EventBridge bus."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.core.notification_delivery import NotDeliveredError

if TYPE_CHECKING:
    from types_boto3_events.client import EventBridgeClient

SOURCE = "video-upload"
"""By which the bus's rules find the platform's events."""


@dataclass(frozen=True)
class EventBridgeBus:
    events: "EventBridgeClient"
    name: str

    def put(self, *, event_type: str, occurred_at: datetime, detail: str) -> None:
        answer = self.events.put_events(
            Entries=[
                {
                    "EventBusName": self.name,
                    "Source": SOURCE,
                    "DetailType": event_type,
                    "Time": occurred_at,
                    "Detail": detail,
                }
            ]
        )
        if answer["FailedEntryCount"]:
            entry = answer["Entries"][0]
            raise NotDeliveredError(f"{entry.get('ErrorCode')}: {entry.get('ErrorMessage')}")
