"""Announcements of videos' events: each reaches the notification topic at least once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.ports import Clock, Notifier
from chalicelib.core.records import Records
from chalicelib.core.video_events import VideoEvent, owed_event, owed_rendition_event, owed_warning
from chalicelib.core.video_record import VideoRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Announcements:
    """Sender of the messages that records owe.

    The record is marked only after the message was sent, so that another call sends it if the function dies. A record
    that owes a message keeps its marker, by which the janitor finds it.
    """

    records: Records
    notifier: Notifier
    now: Clock

    def send_owed(self, record: VideoRecord) -> VideoRecord:
        """Send the message and return the record with its mark. Safe to repeat. Raises what SNS raises."""
        return self._send(record, owed_event, lambda current, now: current.noted(notified_at=now))

    def send_warning(self, record: VideoRecord) -> VideoRecord:
        """Send the warning before retention deletes the video, as `send_owed` does."""
        return self._send(record, owed_warning, lambda current, now: current.noted(warning_sent_at=now))

    def send_rendition(self, record: VideoRecord) -> VideoRecord:
        """Send the message about the end of the video's rendition, as `send_owed` does."""
        return self._send(record, owed_rendition_event, _with_rendition_notified)

    def try_to_send_owed(self, record: VideoRecord) -> VideoRecord:
        """Call `send_owed` for a caller that has more to do: a message that fails stays owed, and the janitor sends
        it."""
        try:
            return self.send_owed(record)
        except Exception:
            log.exception("subscribers not notified yet")
            return record

    def _send(
        self,
        record: VideoRecord,
        owed_by: Callable[[VideoRecord], VideoEvent | None],
        note: Callable[[VideoRecord, datetime], VideoRecord],
    ) -> VideoRecord:
        """note: the record with the message in it."""
        event = owed_by(record)
        if event is None:
            return record
        self.notifier.announce(event)
        log.info("subscribers notified", extra={"eventType": event.type.value, "eventId": event.id})

        def decide(current: VideoRecord) -> VideoRecord | None:
            owed = owed_by(current)
            return note(current, self.now()) if owed and owed.id == event.id else None

        change = self.records.change(record, decide)
        return change.record if change else note(record, self.now())


def _with_rendition_notified(record: VideoRecord, now: datetime) -> VideoRecord:
    return record.noted(rendition=record.rendition.told(now)) if record.rendition else record
