"""Open videos: those with markers, which the janitor checks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chalicelib.core.records import OpenMarker
from chalicelib.core.video_id import VideoRef


@dataclass(frozen=True)
class OpenVideo:
    """The markers of one video."""

    ref: VideoRef
    markers: tuple[OpenMarker, ...]

    @property
    def is_reserved(self) -> bool:
        return self.reserved_at is not None

    @property
    def reserved_at(self) -> datetime | None:
        return max((marker.last_modified for marker in self.markers if marker.is_reservation), default=None)

    @property
    def size_bytes(self) -> int:
        return max(marker.size_bytes for marker in self.markers)

    @property
    def last_modified(self) -> datetime:
        return max(marker.last_modified for marker in self.markers)


def by_video(markers: Iterable[OpenMarker]) -> list[OpenVideo]:
    found: dict[VideoRef, list[OpenMarker]] = {}
    for marker in markers:
        found.setdefault(marker.ref, []).append(marker)
    return [OpenVideo(ref, tuple(of_video)) for ref, of_video in found.items()]
