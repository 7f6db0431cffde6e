"""Conversions: renditions of videos whose streams browsers do not play, encoded by an external service.

The janitor begins a job, follows it and records its end; processing, which may read and tag objects that are not
accepted yet, then settles the rendition. A job that is requested twice is begun once: its token names the record's
attempt, and before it is requested again, the service is searched for it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any, Protocol, cast

from chalicelib.core.conversion_budget import ConversionBudget
from chalicelib.core.ports import Clock, ProcessingTrigger
from chalicelib.core.records import Records
from chalicelib.core.rendition import MAX_ATTEMPTS, JobEnd, Rendition
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import VideoRecord

log = logging.getLogger(__name__)

LONGER_SIDE_PX, SHORTER_SIDE_PX = 1920, 1080
LEAST_SIDE_PX = 32
"""MediaConvert API reference, VideoDescription: the smallest width and height."""

LONGEST_VIDEO = timedelta(hours=12)
"""Length of the longest video that is converted: a small file may claim any length, and each minute is billed."""

LONGEST_JOB = timedelta(days=1)
"""Time after which a job is given up; a job may wait for others in its queue."""

LEAST_RUN, RUN_FOR_EACH_SECOND = timedelta(hours=1), 4
"""Limits on a job's run, in all and per second of video: beyond them the video is longer than it claims."""

TOKEN_LIFE = timedelta(seconds=30)
"""MediaConvert API reference, "Preventing duplicate jobs": a token is known for a minute after its job was begun. Half
of it is an allowance for differing clocks."""

BEGUN_WITHIN = timedelta(minutes=15)
"""Time after which no janitor can still be about to begin a job: it runs for 15 minutes at most (Lambda quotas)."""

USUAL_FRAME_RATE = 30
"""MediaConvert pricing page: up to this frame rate a minute costs least; up to twice this rate, twice as much."""

_DEEP_PROFILES = frozenset({"Main 10", "Rext", "High 10", "High 4:2:2", "Profile 2", "Profile 3"})
"""Profiles of HEVC, H.264 and VP9, as libavcodec names them, in which pictures may have a high dynamic range."""


class JobState(StrEnum):
    """State of a job. `unknown`: the service has no such job, or has forgotten it."""

    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as the service describes it. running_since: None while it waits in its queue. result_seconds: length of its
    result, if known."""

    state: JobState
    running_since: datetime | None = None
    result_seconds: float | None = None


UNKNOWN_JOB = Job(state=JobState.UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """One job.

    token: the same for each request for this job. width, height: of the upright picture, even numbers. may_be_hdr:
    whether its pictures may have a high dynamic range.
    """

    token: str
    ref: VideoRef
    width: int
    height: int
    has_sound: bool
    may_be_hdr: bool


class ConversionRefusedError(Exception):
    """The service refuses the job, and would refuse it later as well."""


class _NoRoomError(Exception):
    """The limits of a day leave no room for the video yet."""


class Converter(Protocol):
    """A service that encodes videos."""

    def begin(self, conversion: Conversion) -> str:
        """Begin a job and return its id; that of the existing job if the token was sent less than TOKEN_LIFE ago.

        Raises ConversionRefusedError.
        """
        ...

    def find(self, ref: VideoRef, token: str) -> str | None:
        """Return the id of the job that was begun with the token, whether it has ended or not."""
        ...

    def look(self, job_id: str) -> Job: ...

    def cancel(self, job_id: str) -> None:
        """Cancel a job. One that has ended or is unknown is no error."""
        ...


def fitted(width: int, height: int) -> tuple[int, int]:
    """Fit a picture into 1080p, upright or not, without enlarging it; even numbers, as H.264 wants them."""
    longer, shorter = max(width, height), min(width, height)
    scale = min(1.0, LONGER_SIDE_PX / longer, SHORTER_SIDE_PX / shorter)
    return _even(width * scale), _even(height * scale)


def _even(length_px: float) -> int:
    return max(LEAST_SIDE_PX, round(length_px / 2) * 2)


@dataclass(frozen=True, kw_only=True)
class Conversions:
    """The starter and watcher of jobs. budget: None where no job is begun."""

    records: Records
    converter: Converter
    processing: ProcessingTrigger
    now: Clock
    budget: ConversionBudget | None

    def advance(self, record: VideoRecord) -> bool:
        """Take the next step of a conversion whose end is not recorded yet. False if it has to wait. Safe to repeat."""
        rendition = record.rendition
        if rendition is None:
            return True
        try:
            if rendition.job_id is None:
                self._begin(record)
            elif end := self._end_of(record, rendition):
                self._end(record, end)
        except _NoRoomError:
            log.warning("conversion waits for the daily limits")
            return False
        return True

    def stopped(self, record: VideoRecord) -> bool:
        """Cancel the job of a video that is deleted or rejected. True once nothing more will be written."""
        rendition = record.rendition
        if rendition is None or not rendition.is_pending:
            return True
        # A function may have died before it recorded the job, or found the video deleted when it did.
        job_id = rendition.job_id or self.converter.find(record.ref, _token(record, rendition))
        if job_id is None:
            return _begun_at(record, rendition) <= self.now() - BEGUN_WITHIN
        if self.converter.look(job_id).state is not JobState.RUNNING:
            self._settle(record)
            return True
        self.converter.cancel(job_id)
        log.info("conversion cancelled", extra={"jobId": job_id})
        return False

    def _begin(self, record: VideoRecord) -> None:
        """Record the attempt before the job and the job after it: after a crash, it is found or requested again."""
        if record.rendition and record.rendition.attempts == 0:
            self._take_room(record)
            record = self._note(record, lambda one: one.begun_again(self.now()) if one.attempts == 0 else one)
        rendition = record.rendition
        if rendition is None or not record.awaits_rendition or rendition.job_id or rendition.job_end:
            return
        token, begun_at = _token(record, rendition), _begun_at(record, rendition)
        is_known = begun_at > self.now() - TOKEN_LIFE
        job_id = None if is_known else self.converter.find(record.ref, token)
        if job_id is None and begun_at <= self.now() - LONGEST_JOB:
            log.error("conversion never started", extra={"attempts": rendition.attempts})
            self._settle(record)
            self._end(record, JobEnd.LOST)
            return
        try:
            job_id = job_id or self.converter.begin(_conversion(record, token))
        except ConversionRefusedError:
            log.exception("conversion refused")
            self._settle(record)
            self._end(record, JobEnd.FAILED)
            return
        self._note(record, lambda one: one if one.job_id else one.has_job(job_id))
        log.info("conversion begun", extra={"jobId": job_id})

    def _take_room(self, record: VideoRecord) -> None:
        if self.budget is None or not self.budget.spend(record.ref, _seconds(record) * _weight(record)):
            raise _NoRoomError

    def _end(self, record: VideoRecord, end: JobEnd) -> None:
        """Record the end, and have processing settle the rendition."""
        ended = self._note(record, lambda one: one.job_ended(end))
        self.processing.trigger(ended.ref.file_key, ended.version_id or "", ended.size_bytes)

    def _end_of(self, record: VideoRecord, rendition: Rendition) -> JobEnd | None:
        """Return the end of a job; None while it runs or is begun again."""
        job_id = rendition.job_id or ""
        job = self.converter.look(job_id)
        match job.state:
            case JobState.COMPLETE:
                self._settle(record, ((job.result_seconds or 0) - _seconds(record)) * _weight(record))
                return JobEnd.COMPLETE
            case JobState.FAILED:
                log.error("conversion failed", extra={"jobId": job_id})
                self._settle(record)
                return JobEnd.FAILED
            case JobState.UNKNOWN if rendition.attempts < MAX_ATTEMPTS:
                log.warning("conversion lost", extra={"jobId": job_id})
                self._take_room(record)
                self._begin(self._note(record, lambda one: one.begun_again(self.now())))
                return None
            case JobState.RUNNING if not self._runs_too_long(record, rendition, job):
                return None
            case JobState.RUNNING:
                # One that does not complete is not billed (MediaConvert User Guide, "Error codes").
                log.error("conversion given up", extra={"jobId": job_id})
                self.converter.cancel(job_id)
            case _:
                pass
        self._settle(record)
        return JobEnd.LOST

    def _runs_too_long(self, record: VideoRecord, rendition: Rendition, job: Job) -> bool:
        longest_run = LEAST_RUN + RUN_FOR_EACH_SECOND * timedelta(seconds=_seconds(record))
        if job.running_since and job.running_since <= self.now() - longest_run:
            return True
        return _begun_at(record, rendition) <= self.now() - LONGEST_JOB

    def _settle(self, record: VideoRecord, seconds_more: float = 0) -> None:
        if self.budget:
            self.budget.settle(record.ref, seconds_more)

    def _note(self, record: VideoRecord, change: Callable[[Rendition], Rendition]) -> VideoRecord:
        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.rendition is None or not current.awaits_rendition:
                return None
            changed = change(current.rendition)
            return current.noted(rendition=changed) if changed != current.rendition else None

        noted = self.records.change(record, decide)
        return noted.record if noted else record.noted(rendition=None)


def _begun_at(record: VideoRecord, rendition: Rendition) -> datetime:
    return rendition.changed_at or record.updated_at


def _token(record: VideoRecord, rendition: Rendition) -> str:
    return f"{record.video_id}-{rendition.attempts}-{int(_begun_at(record, rendition).timestamp())}"


def _seconds(record: VideoRecord) -> float:
    """Length of the video, as the file states it."""
    media = cast("dict[str, Any]", record.media)
    return media["durationSeconds"] or 0


def _weight(record: VideoRecord) -> int:
    """Price of a second, in seconds of usual video: higher frame rates cost more."""
    media = cast("dict[str, Any]", record.media)
    return max(1, ceil((media["video"]["frameRate"] or 0) / USUAL_FRAME_RATE))


def _conversion(record: VideoRecord, token: str) -> Conversion:
    media = cast("dict[str, Any]", record.media)
    width, height = fitted(media["video"]["width"], media["video"]["height"])
    return Conversion(
        token=token,
        ref=record.ref,
        width=width,
        height=height,
        has_sound=media["audio"] is not None,
        may_be_hdr=media["video"].get("profile") in _DEEP_PROFILES,
    )
