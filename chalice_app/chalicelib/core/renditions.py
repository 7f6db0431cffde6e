"""Renditions: copies, which every browser plays, of ready videos that some browsers do not play.

Each event may be repeated, late, or lost; so each leads to the same step, which reads the record first. A rendition
counts once the record names its version.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

from chalicelib.core.announcements import Announcements
from chalicelib.core.conversions import LONGEST_VIDEO
from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.copying import Source
from chalicelib.core.media.errors import MediaError, UnreadableMediaError
from chalicelib.core.media.inspection import Inspection
from chalicelib.core.media.playability import playability
from chalicelib.core.ports import Clock, Meter, VideoBucket
from chalicelib.core.records import Records
from chalicelib.core.rendition import MAX_ATTEMPTS, Failure, JobEnd, Rendition
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import State, VideoRecord
from chalicelib.core.video_types import Container, Support

log = logging.getLogger(__name__)

RENDITION_CONTENT_TYPE = "video/mp4"
MAX_COPIED_BYTES = 3 << 30
"""Largest video that is copied in the given time, at some 20 MB a second; a machine with two busy cores did 30 from its
own disk."""
_SOUND_PACKETS_PER_SECOND = 60
"""Rounded up: AAC has 47 at 48 kHz."""
_UNKNOWN_FRAME_RATE = 60.0


class RenditionBucket(Protocol):
    """The objects that the platform writes in addition to the clients' videos."""

    def begin(self, key: str, content_type: str) -> str:
        """The uploadId."""
        ...

    def put_part(self, key: str, upload_id: str, part_number: int, body: bytes) -> str:
        """The part's ETag."""
        ...

    def complete(self, key: str, upload_id: str, parts: Sequence[tuple[int, str]]) -> str:
        """The new version's id."""
        ...

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload; harmless if it was completed and the response lost."""
        ...


Copy = Callable[[Source, Callable[[int, bytes], None]], int]
"""(source, send) → size of the copy; raises MediaError."""
Inspect = Callable[[Callable[[int, int], bytes], int], Inspection]


def wanted_rendition(media: JsonObject | None, size_bytes: int, *, converts: bool) -> Rendition | None:
    """Return the rendition that a video with these facts gets: a copy if all browsers would play that, otherwise, if
    converts is set, a conversion. None if all play the video itself."""
    if media is None:
        return None
    found = cast("dict[str, Any] | None", media.get("playability"))  # facts of version 0.1 have none
    if found is None or found["browsers"] == Support.ALL:
        return None
    video, audio = cast("dict[str, Any]", media["video"]), cast("dict[str, Any] | None", media["audio"])
    in_mp4 = playability(Container.MP4, video["codec"], video.get("profile"), audio["codec"] if audio else None)
    if in_mp4.browsers is Support.ALL:
        return Rendition() if size_bytes <= MAX_COPIED_BYTES else None
    seconds = cast("float | None", media["durationSeconds"])
    is_bounded = seconds is not None and seconds <= LONGEST_VIDEO.total_seconds()
    return Rendition(is_converted=True) if converts and is_bounded else None


@dataclass(frozen=True, kw_only=True)
class Renditions:
    """The maker of renditions. converts: whether an external service encodes videos that cannot be copied."""

    records: Records
    videos: VideoBucket
    bucket: RenditionBucket
    copy: Copy
    inspect: Inspect
    announcements: Announcements
    meter: Meter
    now: Clock
    converts: bool = False

    def advance(self, ref: VideoRef) -> None:
        """Make the rendition of a video that waits for one. Safe to repeat. Raises what S3 and SNS raise."""
        change = self.records.change(ref, self._begun)
        if change is None:
            return
        record = change.record
        if change.mine and record.awaits_rendition and record.rendition and record.rendition.is_converted:
            record = self._take_converted(record, record.rendition)
        elif change.mine and record.awaits_rendition:
            record = self._make(record)
        elif change.mine:
            self._count(record)
        self._finish(record)

    def _begun(self, current: VideoRecord) -> VideoRecord | None:
        rendition = current.rendition
        if rendition is None or not current.awaits_rendition:
            return None
        if rendition.is_converted and not rendition.job_end:
            # Until its job has ended, the janitor handles it.
            return None
        attempts = rendition.takes if rendition.is_converted else rendition.attempts
        if attempts >= MAX_ATTEMPTS:
            log.error("rendition given up", extra={"attempts": attempts})
            return current.noted(rendition=rendition.failed(self.now(), Failure.UNANSWERED))
        if rendition.is_converted:
            return current.noted(rendition=rendition.taken_again(self.now()))
        return current.noted(rendition=rendition.begun_again(self.now()))

    def _make(self, record: VideoRecord) -> VideoRecord:
        try:
            size_bytes, version_id = self._copied(record)
        except MediaError as error:
            log.warning("rendition not made: %s", error)
            return self._settle(record, lambda one: one.failed(self.now(), Failure.NOT_CONVERTIBLE))
        return self._accept(record, size_bytes, version_id)

    def _take_converted(self, record: VideoRecord, rendition: Rendition) -> VideoRecord:
        """Accept the job's result if all browsers play it."""
        if rendition.job_end is JobEnd.LOST:
            return self._settle(record, lambda one: one.failed(self.now(), Failure.UNANSWERED))
        key = record.ref.rendition_key
        newest = self.videos.head(key) if rendition.job_end is JobEnd.COMPLETE else None
        if newest is None:
            return self._settle(record, lambda one: one.failed(self.now(), Failure.NOT_CONVERTIBLE))
        try:
            self._require_played(key, newest.version_id, newest.size_bytes)
        except MediaError as error:
            log.warning("conversion result not accepted: %s", error)
            self.videos.delete_version(key, newest.version_id)
            return self._settle(record, lambda one: one.failed(self.now(), Failure.NOT_CONVERTIBLE))
        return self._accept(record, newest.size_bytes, newest.version_id)

    def _accept(self, record: VideoRecord, size_bytes: int, version_id: str) -> VideoRecord:
        key = record.ref.rendition_key
        # Before the record names it: a URL that is issued then must work at once.
        self.videos.set_verdict(key, version_id, "accepted")
        settled = self._settle(record, lambda one: one.made(self.now(), size_bytes=size_bytes, version_id=version_id))
        if settled.rendition is None or settled.rendition.version_id != version_id:
            # Another call was quicker, or the video is gone.
            self.videos.delete_version(key, version_id)
        return settled

    def _copied(self, record: VideoRecord) -> tuple[int, str]:
        """Copy the video; return size and version of the copy. Raises MediaError if it cannot be copied, or the copy
        not played."""
        key, media = record.ref.rendition_key, record.media or {}
        upload_id = self.bucket.begin(key, RENDITION_CONTENT_TYPE)
        etags: dict[int, str] = {}

        def send(part_number: int, body: bytes) -> None:
            etags[part_number] = self.bucket.put_part(key, upload_id, part_number, body)

        try:
            size_bytes = self.copy(self._source(record, media), send)
            version_id = self.bucket.complete(key, upload_id, sorted(etags.items()))
        except BaseException:
            self.bucket.abort(key, upload_id)
            raise
        try:
            self._require_played(key, version_id, size_bytes)
        except BaseException:
            self.videos.delete_version(key, version_id)
            raise
        return size_bytes, version_id

    def _require_played(self, key: str, version_id: str, size_bytes: int) -> None:
        facts = self.inspect(partial(self.videos.read_range, key, version_id), size_bytes).facts
        if facts.playability.browsers is not Support.ALL:
            raise UnreadableMediaError(problem="some browsers do not play the rendition either")

    def _source(self, record: VideoRecord, media: JsonObject) -> Source:
        video = cast("dict[str, Any]", media["video"])
        seconds = cast("float | None", media["durationSeconds"]) or 0
        packets_per_second = (video["frameRate"] or _UNKNOWN_FRAME_RATE) + _SOUND_PACKETS_PER_SECOND
        return Source(
            read_range=partial(self.videos.read_range, record.ref.file_key, record.version_id or ""),
            size_bytes=record.size_bytes,
            container=Container(cast("str", media["container"])),
            packets=round(seconds * packets_per_second),
        )

    def _settle(self, record: VideoRecord, end: Callable[[Rendition], Rendition]) -> VideoRecord:
        """Record and count the end of a rendition that is still pending."""

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.rendition is None or not current.awaits_rendition:
                return None
            return current.noted(rendition=end(current.rendition))

        change = self.records.change(record, decide)
        if change and change.mine:
            self._count(change.record)
        return change.record if change else record.noted(rendition=None)

    def _count(self, record: VideoRecord) -> None:
        rendition = record.rendition
        if rendition is None or rendition.is_pending:
            return
        log.info("rendition %s", rendition.state)
        if rendition.is_ready:
            waited = self.now() - (record.completed_at or record.updated_at)
            self.meter.record(
                renditions_ready_count=1,
                rendition_milliseconds=waited.total_seconds() * 1000,
            )
        else:
            self.meter.record(renditions_failed_count=1)

    def _finish(self, record: VideoRecord) -> None:
        if record.state is State.READY and record.rendition and not record.rendition.is_pending:
            self.records.close(self.announcements.send_rendition(record), self.now())
