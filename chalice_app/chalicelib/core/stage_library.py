"""The videos of all users, as the stage's administrators see them: list, search, view and delete.

Each read and deletion is an audit record: one log line with the administrator, the action, the owner and the video. The
line is written before the response, and before anything is deleted.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chalicelib.core.index.queries import Query
from chalicelib.core.library import DeletionOutcome, Library, SeenVideo
from chalicelib.core.log_context import about_upload
from chalicelib.core.stage_usage import ShownUsage, StageUsage
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import Deleter, VideoRecord

log = logging.getLogger(__name__)

AUDIT_MESSAGE = "administrator acted"
"""Message of each audit record, by which `components/observability/audit_queries.py` finds it."""


class Action(StrEnum):
    """Actions of administrators, as the audit records name them."""

    LIST_VIDEOS = "list videos"
    SHOW_VIDEO = "show video"
    DELETE_VIDEO = "delete video"
    SHOW_USAGE = "show usage"


@dataclass(frozen=True, kw_only=True)
class StageLibrary:
    library: Library
    usage: StageUsage

    def page(
        self, administrator: str, *, owner: str, query: Query, limit: int, cursor: str
    ) -> tuple[list[VideoRecord], str | None]:
        """A page of an owner's videos, or of all videos if `owner` is empty, and the next page's cursor.

        Raises InvalidRequestError, IndexMissingError.
        """
        found, next_cursor = self.library.found(owner or None, limit, cursor, query)
        about_upload(owner=owner)
        listed = " ".join(f"{record.owner}/{record.video_id}" for record in found)
        _audit(administrator, Action.LIST_VIDEOS, videos=listed, searches=bool(query.words))
        return found, next_cursor

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

    def delete_each(self, administrator: str, refs: Sequence[VideoRef]) -> list[DeletionOutcome]:
        """Delete as `Library.delete_each` does. All deletions are on record before the first begins."""
        for ref in refs:
            about_upload(owner=ref.owner, video_id=ref.video_id)
            _audit(administrator, Action.DELETE_VIDEO)
        return self.library.delete_each(refs, Deleter.ADMINISTRATOR)

    def show_usage(self, administrator: str) -> ShownUsage:
        about_upload()
        _audit(administrator, Action.SHOW_USAGE)
        return self.usage.shown()


def _audit(administrator: str, action: Action, **more: object) -> None:
    log.info(AUDIT_MESSAGE, extra={"administrator": administrator, "action": action.value, **more})
