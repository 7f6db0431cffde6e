"""Names of a video and of its objects in the buckets."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

_LAST_MILLISECOND = 2**48 - 1
VIDEO_ID = re.compile(r"[0-9a-f]{28}")
OWNER = re.compile(r"[A-Za-z0-9_-]{1,128}")


def new_video_id(now: datetime) -> str:
    """Make an id: 28 hex digits that sort newest first. S3 lists in ascending order only, so the time is inverted."""
    inverted_ms = _LAST_MILLISECOND - int(now.timestamp() * 1000)
    return f"{inverted_ms:012x}{secrets.token_hex(8)}"


def begun_at(video_id: str) -> datetime:
    """Return when the id was made, in UTC."""
    return datetime.fromtimestamp((_LAST_MILLISECOND - int(video_id[:12], 16)) / 1000, UTC)


def is_video_id(text: str) -> bool:
    return VIDEO_ID.fullmatch(text) is not None


def is_owner(text: str) -> bool:
    """A Cognito `sub` or a machine's client id; nothing that could leave its folder."""
    return OWNER.fullmatch(text) is not None


@dataclass(frozen=True)
class VideoRef:
    """Reference to one owner's video. The owner comes first in every key so that S3 can split by owner."""

    owner: str
    video_id: str

    @property
    def file_key(self) -> str:
        return f"videos/{self.owner}/{self.video_id}"

    @property
    def rendition_key(self) -> str:
        return f"renditions/{self.owner}/{self.video_id}.mp4"

    @property
    def poster_key(self) -> str:
        return f"posters/{self.owner}/{self.video_id}.jpg"

    @property
    def thumbnails_key(self) -> str:
        return f"posters/{self.owner}/{self.video_id}.thumbnails.jpg"

    @property
    def picture_keys(self) -> tuple[str, str]:
        """Keys of all pictures that processing makes of the video."""
        return self.poster_key, self.thumbnails_key

    @property
    def record_key(self) -> str:
        return f"records/{self.owner}/{self.video_id}.json"

    @classmethod
    def from_file_key(cls, file_key: str) -> Self | None:
        """None for a key that the platform did not make."""
        match file_key.split("/"):
            case ["videos", owner, video_id] if is_owner(owner) and is_video_id(video_id):
                return cls(owner, video_id)
            case _:
                return None
