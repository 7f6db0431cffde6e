"""Conversions: renditions of videos whose streams browsers do not play, encoded anew by a service outside.

The janitor begins a job, looks how it goes and notes its end; processing, which may read and tag what is not accepted
yet, then settles the rendition. A job that is asked for twice is begun once: its token tells the record's attempt, and
before it is asked for again, the service is searched for it.
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
"""MediaConvert API reference, VideoDescription: least width and height."""

LONGEST_VIDEO = timedelta(hours=12)
"""No longer video is converted: a file of few bytes may claim any length, and each minute is billed."""

LONGEST_JOB = timedelta(days=1)
"""After this a job is given up; one waits behind the others of its queue."""

LEAST_RUN, RUN_FOR_EACH_SECOND = timedelta(hours=1), 4
"""A job that has run longer, for the length of its video, is given up: the video is longer than it claims."""

TOKEN_LIFE = timedelta(seconds=30)
"""MediaConvert API reference, "Preventing duplicate jobs": a token is known for a minute after its job was begun. Half
of it is left for clocks that differ."""

BEGUN_WITHIN = timedelta(minutes=15)
"""After this no janitor is about to begin a job that nobody finds: it lives 15 minutes at most (Lambda quotas)."""

USUAL_FRAME_RATE = 30
"""MediaConvert pricing page: up to so many pictures a second cost least, up to twice as many twice as much."""

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
    """A job as the service tells of it. running_since: None while it waits in its queue. result_seconds: of what it has
    made, where that is known."""

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
    """The service takes no such job, and would not take it later."""


class Converter(Protocol):
    """The service that encodes videos."""

    def begin(self, conversion: Conversion) -> str:
        """The job's id; that of the job that it has, where it got the token less than TOKEN_LIFE ago.

        Raises ConversionRefusedError.
        """
        ...

    def find(self, ref: VideoRef, token: str) -> str | None:
        """The id of the job that was begun with the token, whether it has ended or not."""
        ...

    def look(self, job_id: str) -> Job: ...

    def cancel(self, job_id: str) -> None:
        """A job that has ended, or that nobody knows, is fine."""
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
    """The one who begins jobs and notes their ends. budget: None where no job is begun."""

    records: Records
    converter: Converter
    processing: ProcessingTrigger
    now: Clock
    budget: ConversionBudget | None

    def carry_on(self, record: VideoRecord) -> None:
        """Take the next step of a conversion whose end is not noted yet. Safe to repeat."""
        rendition = record.rendition
        if rendition is None:
            return
        if rendition.job_id is None:
            self._begin(record)
        elif end := self._end_of(record, rendition):
            self._end(record, end)

    def stopped(self, record: VideoRecord) -> bool:
        """Cancel the job of a video that is deleted or rejected. True once nothing more will be written."""
        rendition = record.rendition
        if rendition is None or not rendition.is_pending:
            return True
        # A function may have died between the job and its note, or found the video deleted when it noted the job.
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
        """Note the attempt before the job, and the job after it: who dies in between finds the job, or asks for the
        same."""
        if record.rendition and record.rendition.attempts == 0:
            if not self._has_room(record):
                return
            record = self._note(record, lambda one: one.begun_again(self.now()) if one.attempts == 0 else one)
        rendition = record.rendition
        if rendition is None or not record.awaits_rendition or rendition.job_id or rendition.job_end:
            return
        token, begun_at = _token(record, rendition), _begun_at(record, rendition)
        is_known = begun_at > self.now() - TOKEN_LIFE
        job_id = None if is_known else self.converter.find(record.ref, token)
        if job_id is None and begun_at <= self.now() - LONGEST_JOB:
            log.error("conversion never begun", extra={"attempts": rendition.attempts})
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

    def _has_room(self, record: VideoRecord) -> bool:
        if self.budget is None or not self.budget.spend(record.ref, _seconds(record) * _weight(record)):
            log.warning("conversion waits: as much was converted in a day as the limits allow")
            return False
        return True

    def _end(self, record: VideoRecord, end: JobEnd) -> None:
        """Note the end, and have processing settle the rendition."""
        ended = self._note(record, lambda one: one.job_ended(end))
        self.processing.trigger(ended.ref.file_key, ended.version_id or "", ended.size_bytes)

    def _end_of(self, record: VideoRecord, rendition: Rendition) -> JobEnd | None:
        """None while it runs, or is begun anew."""
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
                if self._has_room(record):
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
    """Length of the video, as it claims."""
    media = cast("dict[str, Any]", record.media)
    return media["durationSeconds"] or 0


def _weight(record: VideoRecord) -> int:
    """Price of a second, in seconds of usual video: more pictures a second cost more."""
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
