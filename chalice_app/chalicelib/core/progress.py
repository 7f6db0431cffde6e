"""Progress as clients tell it: checked against closed sets, written into the log in one line a call, counted by fixed
metrics.

Nothing here is proven but the owner: a client may make up how its uploads go. It cannot make up a metric: names,
dimensions and namespaces are never taken from a request.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from chalicelib.core.json_values import JsonObject, JsonValue
from chalicelib.core.log_context import CORRELATION_ID, about_upload
from chalicelib.core.part_plan import MAX_PARTS
from chalicelib.core.ports import Meter
from chalicelib.core.request_fields import Fields
from chalicelib.core.video_id import VIDEO_ID
from chalicelib.core.video_record import State

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 2**14
MAX_EVENTS = 25
"""Of one call. With all fields as long as they may be they fill MAX_BODY_BYTES."""
MAX_PART_NUMBERS = 20
MAX_FAILURES = 1_000
MAX_WHOLE_NUMBER = 2**53 - 1
"""The largest that every client can write exactly (RFC 8259, section 6)."""
LAST_MOMENT_MS = 253_402_300_799_999
"""The end of the year 9999."""

EVENTS = frozenset({"uploadBegan", "uploadProgress", "uploadState", "partRetried", "partsDiffered"})
STATES = frozenset({*(state.value for state in State), "paused", "failed"})
"""The API's own, and two that only a client sees."""

COUNTED = frozenset({"uploadBegan", "processing", "failed", "aborted", "partRetried", "partsDiffered"})
"""Events and states that a metric counts."""

_CLIENT = re.compile(r"[a-z]{1,16}/[0-9A-Za-z.+-]{1,32}")
_SYSTEM = re.compile(r"[ -~]{1,64}")
_CODE = re.compile(r"[0-9A-Za-z._-]{1,64}")


@dataclass(frozen=True)
class ProgressEvent:
    """One event. at_ms: by the client's clock. more: what only this kind of event says."""

    name: str
    at_ms: int
    video_id: str
    correlation_id: str | None
    size_bytes: int
    sent_bytes: int
    more: JsonObject

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Problems stay in `fields`."""
        name = fields.one_of("event", EVENTS)
        return cls(
            name=name,
            at_ms=fields.whole_number("at", 0, LAST_MOMENT_MS),
            video_id=fields.matching("videoId", VIDEO_ID, "a videoId"),
            correlation_id=fields.optional_matching("correlationId", CORRELATION_ID, "the upload's correlation id"),
            size_bytes=fields.whole_number("sizeBytes", 0, MAX_WHOLE_NUMBER),
            sent_bytes=fields.whole_number("sentBytes", 0, MAX_WHOLE_NUMBER),
            more=_more(name, fields),
        )

    @property
    def upload(self) -> tuple[str, str | None]:
        return self.video_id, self.correlation_id

    @property
    def happened(self) -> str:
        """The state that was entered, or what the event is called."""
        return str(self.more.get("state", self.name))


def _more(name: str, fields: Fields) -> JsonObject:
    match name:
        case "uploadBegan":
            return {"partCount": fields.whole_number("partCount", 1, MAX_PARTS)}
        case "uploadState":
            code = fields.optional_matching("code", _CODE, "a code of 1 to 64 letters, digits, dots and dashes")
            return {"state": fields.one_of("state", STATES), **({"code": code} if code else {})}
        case "partRetried":
            return {
                "partNumber": fields.whole_number("partNumber", 1, MAX_PARTS),
                "failures": fields.whole_number("failures", 1, MAX_FAILURES),
            }
        case "partsDiffered":
            numbers: list[JsonValue] = [*fields.whole_numbers("partNumbers", 1, MAX_PARTS, MAX_PART_NUMBERS)]
            return {"partNumbers": numbers}
        case _:
            return {}


@dataclass(frozen=True)
class ToldProgress:
    """The body of one call. client: program and version. system: what it runs on; None where it does not say."""

    client: str
    system: str | None
    events: Sequence[ProgressEvent]

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Raises InvalidRequestError."""
        fields = Fields(body)
        client = fields.matching("client", _CLIENT, "a program and its version, like web/1.0.0")
        system = fields.optional_matching("system", _SYSTEM, "1 to 64 printable ASCII characters")
        events: list[ProgressEvent] = []
        for index, entry in enumerate(fields.objects("events", MAX_EVENTS)):
            event = Fields(entry, f"events[{index}].")
            events.append(ProgressEvent.read(event))
            fields.adopt(event)
        fields.finish()
        return cls(client, system, events)


@dataclass(frozen=True)
class ProgressLog:
    """Where progress goes: one log line a call, and one line of metrics where something is counted.

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
    """What the log keeps of an event. names_upload: whether the line itself does not."""
    ids: JsonObject = {}
    if names_upload:
        ids["videoId"] = event.video_id
        if event.correlation_id:
            ids["correlationId"] = event.correlation_id
    return {
        "event": event.name,
        "at": event.at_ms,
        **ids,
        "sizeBytes": event.size_bytes,
        "sentBytes": event.sent_bytes,
        **event.more,
    }
