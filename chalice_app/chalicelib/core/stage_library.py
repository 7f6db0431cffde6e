"""The videos of all users, as the stage's administrators see them: list, search, view and delete.

Each look and deletion is an audit record: one log line with the administrator, the action, the owner and the video.
The line is written before the answer, and before anything is deleted.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from chalicelib.core.index.lines import LISTED_STATES
from chalicelib.core.library import MOST_READ_RECORDS, Library, SeenVideo
from chalicelib.core.log_context import about_upload
from chalicelib.core.records import Records
from chalicelib.core.stage_usage import ShownUsage, StageUsage
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import Deleter, VideoRecord

log = logging.getLogger(__name__)

AUDIT_MESSAGE = "administrator acted"
"""Message of each audit record; `components/observability/audit_queries.py` asks for it."""


class Action(StrEnum):
    """Actions of administrators, as the audit records name them."""

    LIST_VIDEOS = "list videos"
    SHOW_VIDEO = "show video"
    DELETE_VIDEO = "delete video"
    SHOW_USAGE = "show usage"


@dataclass(frozen=True, kw_only=True)
class StageLibrary:
    records: Records
    library: Library
    usage: StageUsage
    most_read_records: int = MOST_READ_RECORDS

    def page(
        self, administrator: str, *, owner: str, name: str, limit: int, after: VideoRef | None
    ) -> tuple[list[VideoRecord], VideoRef | None]:
        """Videos by owner, newest first, and the one after which the next page goes on, None at the end.

        owner: all owners where empty. name: a part of the title or file name, in any case; all where empty.
        What the search does not find is read to be skipped: a page ends at `most_read_records`, with fewer videos than
        `limit` or none.
        """
        refs = list(islice(self._refs(owner, after), self.most_read_records + 1))
        wanted = name.casefold()
        found: list[VideoRecord] = []
        last = None
        for ref, record in zip(refs, self.records.read_each(refs[: self.most_read_records]), strict=False):
            last = ref
            if record and _is_listed(record, wanted):
                found.append(record)
            if len(found) == limit:
                break
        about_upload(owner=owner)
        listed = " ".join(f"{record.owner}/{record.video_id}" for record in found)
        _audit(administrator, Action.LIST_VIDEOS, videos=listed, searchesNames=bool(name))
        return found, last if last and last != refs[-1] else None

    def show(self, administrator: str, ref: VideoRef) -> SeenVideo:
        """The video with URLs that open it alone. Raises VideoNotFoundError."""
        about_upload(owner=ref.owner, video_id=ref.video_id)
        _audit(administrator, Action.SHOW_VIDEO)
        return self.library.show_alone(ref)

    def delete(self, administrator: str, ref: VideoRef) -> datetime:
        """Return when the last viewing URL ends. Safe to repeat. Raises VideoNotFoundError."""
        about_upload(owner=ref.owner, video_id=ref.video_id)
        _audit(administrator, Action.DELETE_VIDEO)
        return self.library.delete(ref, Deleter.ADMINISTRATOR)

    def show_usage(self, administrator: str) -> ShownUsage:
        about_upload()
        _audit(administrator, Action.SHOW_USAGE)
        return self.usage.shown()

    def _refs(self, owner: str, after: VideoRef | None) -> Iterator[VideoRef]:
        if owner:
            return self.records.refs_newest_first(owner, after.video_id if after else "")
        return self.records.refs_of_stage(after)


def _is_listed(record: VideoRecord, wanted: str) -> bool:
    """wanted: a part of its title or file name, casefolded."""
    named = (record.title or "", record.file_name)
    return record.state in LISTED_STATES and any(wanted in name.casefold() for name in named)


def _audit(administrator: str, action: Action, **more: object) -> None:
    log.info(AUDIT_MESSAGE, extra={"administrator": administrator, "action": action.value, **more})
