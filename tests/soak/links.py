"""Upload links of the soak: made for little, borne by anybody, revoked at any time."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta

from chalicelib.core.part_plan import MIN_PART_BYTES
from chalicelib.core.upload_links import NewLink, UploadLink
from chalicelib.core.upload_token import LinkToken
from chalicelib.core.video_record import OPEN_STATES, VideoRecord
from tests.in_memory_platform import InMemoryPlatform

MOST_VIDEOS = (1, 1, 2, 3)
MOST_BYTES = (4_096, 2 * 4_096, MIN_PART_BYTES + 4_106)
VALID_DAYS = (1, 9, 30)
MOST_LINKS = 3


class Links:
    """made: those that their makers know of."""

    def __init__(self, platform: InMemoryPlatform, rng: random.Random) -> None:
        self._platform = platform
        self._rng = rng
        self.made: list[UploadLink] = []

    def make(self, owner: str) -> None:
        if len(self.made) == MOST_LINKS:
            return
        new = NewLink(
            title="Match day",
            note=None,
            valid=timedelta(days=self._rng.choice(VALID_DAYS)),
            max_videos=self._rng.choice(MOST_VIDEOS),
            max_bytes=self._rng.choice(MOST_BYTES),
        )
        self.made.append(self._platform.links.make(owner, new))

    def one(self) -> UploadLink | None:
        return self._rng.choice(self.made) if self.made else None

    def opened(self, link: UploadLink) -> UploadLink:
        """The link as its bearer finds it. Raises as `UploadLinks.open`."""
        return self._platform.links.open(LinkToken("k1", link.owner, link.link_id))

    def revoke(self) -> None:
        if link := self.one():
            self._platform.links.revoke(link.owner, link.link_id)

    def overdrawn(self, records: Iterable[VideoRecord]) -> Iterator[str]:
        """Name the links whose uploads take more than their links were made for."""
        taking = [record for record in records if takes_a_use(record)]
        for link in self.made:
            sizes = [record.size_bytes for record in taking if record.link_id == link.link_id]
            if len(sizes) > link.max_videos or sum(sizes) > link.max_bytes:
                yield (
                    f"a link for {link.max_videos} videos of {link.max_bytes} bytes "
                    f"has {len(sizes)} of {sum(sizes)} bytes"
                )


def takes_a_use(record: VideoRecord) -> bool:
    """Check whether an upload counts against its link: it is open and has its place, or it was completed."""
    is_open = record.state in OPEN_STATES and record.reservation_released_at is None
    return record.link_id is not None and (is_open or record.completed_at is not None)


def miscounted(platform: InMemoryPlatform, records: Iterable[VideoRecord]) -> Iterator[str]:
    """Compare what all links count with what their uploads take, once everything has come to rest."""
    taking = {(record.link_id or "", record.ref): record.size_bytes for record in records if takes_a_use(record)}
    owners = {key.split("/")[1] for key in platform.metadata.objects if key.startswith("link-uses/")}
    counted = {(use.link_id, use.ref): use.size_bytes for owner in owners for use in platform.records.uses(owner)}
    for _, ref in counted.keys() - taking.keys():
        yield f"a link counts {ref.video_id}, which was given up"
    for _, ref in taking.keys() - counted.keys():
        yield f"a link does not count {ref.video_id}"
    if any(size_bytes != counted.get(use, size_bytes) for use, size_bytes in taking.items()):
        yield "a link counts another size"
