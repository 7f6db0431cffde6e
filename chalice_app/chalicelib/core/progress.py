"""Progress that clients report: checked against closed sets, logged in one line per call, counted by fixed metrics.

Only the owner is verified: a client may invent the progress of its uploads. It cannot invent a metric: names,
dimensions and namespaces are never taken from a request.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chalicelib.core.json_values import JsonObject
from chalicelib.core.log_context import about_upload
from chalicelib.core.ports import Meter

log = logging.getLogger(__name__)

COUNTED = frozenset({"uploadBegan", "processing", "failed", "aborted", "partRetried", "partsDiffered"})
"""Events and states that a metric counts."""

TOLD_EVERY_SECONDS = 30
"""Shortest pause between two calls of one of our clients: ten calls in five minutes, of those that the web ACL allows a
token."""


class ProgressEvent(NamedTuple):
    """One event. said: its other fields, under the contract's names."""

    name: str
    video_id: str
    correlation_id: str | None
    said: JsonObject

    @property
    def upload(self) -> tuple[str, str | None]:
        return self.video_id, self.correlation_id

    @property
    def happened(self) -> str:
        """The state that was entered, or the name of the event."""
        return str(self.said.get("state", self.name))


class ReportedProgress(NamedTuple):
    """Progress of one call. client: program and version. system: its operating system; None if not given."""

    client: str
    system: str | None
    events: Sequence[ProgressEvent]


@dataclass(frozen=True)
class ProgressLog:
    """Log of progress: one line per call, and one line of metrics if something is counted.

    One line per event would repeat what they share, and write five times what a client sends.
    """

    meter: Meter

    def write(self, owner: str, told: ReportedProgress) -> None:
        uploads = {event.upload for event in told.events}
        if len(uploads) == 1:
            ((video_id, correlation_id),) = uploads
            about_upload(owner=owner, video_id=video_id, correlation_id=correlation_id)
        else:
            about_upload(owner=owner)
        events = [_line_of(event, names_upload=len(uploads) > 1) for event in told.events]
        system = {"system": told.system} if told.system else {}
        log.info("progress reported", extra={"client": told.client, **system, "events": events})
        about_upload(owner=owner)
        counts = Counter(event.happened for event in told.events)
        if not COUNTED.isdisjoint(counts):
            self.meter.record(
                client_uploads_began_count=counts["uploadBegan"],
                client_uploads_arrived_count=counts["processing"],
                client_uploads_failed_count=counts["failed"],
                client_uploads_aborted_count=counts["aborted"],
                client_parts_retried_count=counts["partRetried"],
                client_parts_differed_count=counts["partsDiffered"],
            )


def _line_of(event: ProgressEvent, *, names_upload: bool) -> JsonObject:
    """Return an event as it is logged. names_upload: whether it needs the upload's ids, because the line lacks them."""
    ids: JsonObject = {}
    if names_upload:
        ids["videoId"] = event.video_id
        if event.correlation_id:
            ids["correlationId"] = event.correlation_id
    return {"event": event.name, **ids, **event.said}
