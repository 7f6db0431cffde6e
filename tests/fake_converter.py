"""A converter in memory, which forgets tokens as MediaConvert does."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.core.conversions import Conversion, Job, JobState
from chalicelib.core.video_id import VideoRef
from tests.fakes import FakeClock, FakeVideos

REMEMBERED = timedelta(minutes=1)
"""MediaConvert API reference, "Preventing duplicate jobs"."""


@dataclass
class FakeConverter:
    """jobs: by id. begun: token of each job, and when it was begun. raises: by the next call, after the job is begun.
    refuses: by every call, before. running_since, result_seconds: of every job.
    """

    clock: FakeClock
    videos: FakeVideos
    jobs: dict[str, JobState] = field(default_factory=dict[str, JobState])
    begun: dict[str, tuple[str, datetime]] = field(default_factory=dict[str, tuple[str, datetime]])
    asked: list[Conversion] = field(default_factory=list[Conversion])
    cancelled: list[str] = field(default_factory=list[str])
    raises: type[BaseException] | None = None
    refuses: type[Exception] | None = None
    running_since: datetime | None = None
    result_seconds: float | None = None

    def begin(self, conversion: Conversion) -> str:
        self.asked.append(conversion)
        if self.refuses:
            raise self.refuses
        now = self.clock()
        is_same = [told == conversion.token and at > now - REMEMBERED for told, at in self.begun.values()]
        job_id = next((one for one, same in zip(self.begun, is_same, strict=True) if same), None)
        if job_id is None:
            job_id = f"job-{len(self.begun) + 1}"
            self.begun[job_id] = conversion.token, now
            self.jobs[job_id] = JobState.RUNNING
        if self.raises:
            raised, self.raises = self.raises, None
            raise raised
        return job_id

    def find(self, ref: VideoRef, token: str) -> str | None:
        assert token.startswith(ref.video_id)
        return next((one for one in self.jobs if self.begun[one][0] == token), None)

    def look(self, job_id: str) -> Job:
        return Job(
            state=self.jobs.get(job_id, JobState.UNKNOWN),
            running_since=self.running_since,
            result_seconds=self.result_seconds,
        )

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.jobs[job_id] = JobState.FAILED

    def write(self, body: bytes) -> None:
        """Write a result as the service does: it is not one of the platform's calls."""
        self.videos.put_object(self.asked[-1].ref.rendition_key, body)

    def finish(self, body: bytes) -> None:
        self.write(body)
        self.jobs[list(self.jobs)[-1]] = JobState.COMPLETE
