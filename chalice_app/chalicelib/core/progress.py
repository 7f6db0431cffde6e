"""Progress that clients report: checked against closed sets, logged in one line a call, counted by fixed metrics.

Nothing here is proven but the owner: a client may make up how its uploads go. It cannot make up a metric: names,
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
"""Pause between two calls of one of our clients, at least: ten of the calls that the web ACL allows a token in five
minutes."""


class ProgressEvent(NamedTuple):
    """One event. said: everything else that it says, as the contract spells it."""

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


class ToldProgress(NamedTuple):
    """Progress of one call. client: program and version. system: what it runs on; None where it does not say."""

    client: str
    system: str | None
    events: Sequence[ProgressEvent]


@dataclass(frozen=True)
class ProgressLog:
    """Log of progress: one line a call, and one line of metrics if something is counted.

    A line an event would repeat what all of them share, and write five times what a client sends.
    """

    meter: Meter

    def write(self, owner: str, told: ToldProgress) -> None:
        uploads = {event.upload for event in told.events}
        if len(uploads) == 1:
            ((video_id, correlation_id),) = uploads
            about_upload(owner=owner, video_id=video_id, correlation_id=correlation_id)
        else:
            about_upload(owner=owner)
        events = [_line_of(event, names_upload=len(uploads) > 1) for event in told.events]
        system = {"system": told.system} if told.system else {}
        log.info("progress told", extra={"client": told.client, **system, "events": events})
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
    """Return an event as the log keeps it. names_upload: with the upload's ids, because the line lacks them."""
    ids: JsonObject = {}
    if names_upload:
        ids["videoId"] = event.video_id
        if event.correlation_id:
            ids["correlationId"] = event.correlation_id
    return {"event": event.name, **ids, **event.said}
