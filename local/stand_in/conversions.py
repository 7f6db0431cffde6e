"""MediaConvert's jobs and API. The local converter carries jobs out; the process keeps them in memory only.

MediaConvert API reference, "Jobs" and "Search", including a job's start and end in `timing` and the length of its
result in `outputGroupDetails`.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from local.stand_in.errors import WrongControlError
from local.stand_in.names import ACCOUNT_ID, CONVERSION_REQUESTS, REGION
from local.stand_in.responses import Response

JOBS = "/2017-08-29/jobs"
SEARCH = "/2017-08-29/search"
TOKEN_SECONDS = 60
"""MediaConvert API reference, "Preventing duplicate jobs"."""

UNFINISHED = frozenset({"SUBMITTED", "PROGRESSING"})
_ENDS = frozenset({"COMPLETE", "ERROR", "CANCELED"})


@dataclass
class ConversionJobs:
    """tell: passes an event to the queue of bucket events."""

    tell: Callable[[dict[str, Any]], None]
    _jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> Response:
        """Respond to a request that has passed validation against the model."""
        match method, path:
            case "POST", _ if path == JOBS:
                return _json({"job": self._create(body)}, HTTPStatus.CREATED)
            case "GET", _ if path == SEARCH:
                return _json({"jobs": self._found(query)})
            case "GET" | "DELETE", _ if path.startswith(f"{JOBS}/"):
                return self._one(method, path.removeprefix(f"{JOBS}/"))
            case _:
                return _error(HTTPStatus.BAD_REQUEST, "BadRequestException", "Not served here.")

    def unfinished(self) -> list[dict[str, Any]]:
        """Waiting and running jobs, oldest first."""
        with self._lock:
            return [dict(job) for job in self._jobs.values() if job["status"] in UNFINISHED]

    def move(self, told: object) -> str:
        """Record the converter's report on a job, and return the job's status. Finished jobs do not change."""
        told = told if isinstance(told, dict) else {}
        job_id, status = told.get("id"), told.get("status")
        if status not in UNFINISHED | _ENDS:
            raise WrongControlError('a job takes {"id": <text>, "status": <one of its statuses>}')
        with self._lock:
            job = self._jobs.get(str(job_id))
            if job is None:
                return "UNKNOWN"
            if status == "COMPLETE" and job["status"] in UNFINISHED and isinstance(told.get("durationInMs"), int):
                job["outputGroupDetails"] = [{"outputDetails": [{"durationInMs": told["durationInMs"]}]}]
            self._change(job, str(status))
            return job["status"]

    def clear(self) -> None:
        """Delete all jobs."""
        with self._lock:
            self._jobs.clear()

    def _create(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        token, now = asked.get("clientRequestToken"), time.time()
        with self._lock:
            for job in self._jobs.values():
                if token and job["clientRequestToken"] == token and job["createdAt"] > now - TOKEN_SECONDS:
                    return job
            job_id = f"{int(now * 1000)}-{uuid4().hex[:6]}"
            job = {
                **asked,
                "clientRequestToken": token,
                "id": job_id,
                "arn": f"arn:aws:mediaconvert:{REGION}:{ACCOUNT_ID}:jobs/{job_id}",
                "createdAt": now,
                "timing": {"submitTime": now},
                "status": "SUBMITTED",
            }
            job.pop("tags", None)
            self._jobs[job_id] = job
        self.tell({"source": CONVERSION_REQUESTS})
        return job

    def _found(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        with self._lock:
            newest_first = list(reversed(self._jobs.values()))
        found = [job for job in newest_first if query.get("inputFile", "") in _input_of(job)]
        return found[: int(query.get("maxResults", "20"))]

    def _one(self, method: str, job_id: str) -> Response:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                return _error(HTTPStatus.NOT_FOUND, "NotFoundException", f"Job {job_id} does not exist.")
            if method == "GET":
                return _json({"job": job})
            if job["status"] not in UNFINISHED:
                return _error(HTTPStatus.CONFLICT, "ConflictException", f"Job {job_id} has ended.")
            self._change(job, "CANCELED")
            return _json({}, HTTPStatus.ACCEPTED)

    def _change(self, job: dict[str, Any], status: str) -> None:
        if job["status"] not in UNFINISHED or job["status"] == status:
            return
        job["status"] = status
        moment = "finishTime" if status in _ENDS else "startTime"
        job["timing"] = {**job["timing"], moment: time.time()}
        if status in _ENDS:
            self.tell(_ended(job))


def _input_of(job: Mapping[str, Any]) -> str:
    return job["settings"]["inputs"][0]["fileInput"]


def _ended(job: Mapping[str, Any]) -> dict[str, Any]:
    """MediaConvert's event (MediaConvert User Guide, "List of MediaConvert EventBridge events")."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "MediaConvert Job State Change",
        "source": "aws.mediaconvert",
        "account": ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [job["arn"]],
        "detail": {
            "timestamp": int(time.time() * 1000),
            "accountId": ACCOUNT_ID,
            "queue": job.get("queue"),
            "jobId": job["id"],
            "status": job["status"],
            "userMetadata": job.get("userMetadata", {}),
        },
    }


def _json(document: object, status: int = HTTPStatus.OK) -> Response:
    return Response(status=status, headers={"Content-Type": "application/json"}, body=json.dumps(document).encode())


def _error(status: int, code: str, message: str) -> Response:
    answer = _json({"message": message}, status)
    answer.headers["x-amzn-ErrorType"] = code
    return answer
