"""Upload links in a platform in memory, and uploads by their bearers."""

from datetime import timedelta

from chalicelib.core.upload_links import NewLink, UploadLink
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.upload_token import LinkToken
from chalicelib.core.video_record import VideoRecord
from tests.in_memory_platform import OWNER, InMemoryPlatform, Transfer

FILM = 8 * 1024


def new_link(**changes: object) -> NewLink:
    asked = {"title": "Match day", "note": None, "valid": timedelta(days=7), "max_videos": 2, "max_bytes": 3 * FILM}
    return NewLink(**(asked | changes))  # pyrefly: ignore[bad-argument-type] - the tests change fields by name


def a_link(platform: InMemoryPlatform, owner: str = OWNER, **changes: object) -> UploadLink:
    return platform.links.make(owner, new_link(**changes))


def bear(platform: InMemoryPlatform, link: UploadLink, size_bytes: int = FILM, *, name: str | None = None) -> Transfer:
    """Start an upload as the bearer of a link does: from its token alone."""
    token = platform.tokens.verify_any(platform.tokens.issue_for_link(link.owner, link.link_id))
    assert isinstance(token, LinkToken)
    opened = platform.links.open(token)
    request = StartUpload("film.mp4", "video/mp4", size_bytes, origin=opened.origin("Ada"))
    started = platform.uploads.start(opened.owner, request, name, opened)
    return Transfer(platform, started, platform.tokens.verify(started.token))


def used(platform: InMemoryPlatform, link: UploadLink) -> tuple[int, int]:
    (found,) = (each for each in platform.links.list_newest(link.owner) if each.link.link_id == link.link_id)
    return found.videos, found.size_bytes


def reserved(platform: InMemoryPlatform) -> int:
    return sum(marker.is_reservation for marker in platform.records.markers(OWNER))


def record_of(platform: InMemoryPlatform, transfer: Transfer) -> VideoRecord:
    record = platform.records.find(transfer.token.ref)
    assert record
    return record
