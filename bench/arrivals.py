"""The fate of each upload: announced, listed for its owner, and stored once, byte for byte."""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import requests

from local.stand_in import names
from local.stand_in.provision import session

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

TIMEOUT_SECONDS = 60
PARALLEL_READERS = 4
LISTED_VIDEOS = 100


@dataclass(frozen=True)
class SentVideo:
    """An upload whose client got the answer `completed`."""

    video_id: str
    file_key: str
    sha256: str
    access_token: str


class Announcements:
    """A subscriber of the platform's topic: the states that were announced, by video, as they come."""

    def __init__(self, stand_in_url: str) -> None:
        self.states: dict[str, list[str]] = {}
        self._sqs = session().client("sqs", endpoint_url=stand_in_url)
        self._queue_url = names.queue_url(stand_in_url, names.COMPLETIONS_QUEUE)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            answer = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", [])
            for message in messages:
                announced = json.loads(json.loads(message.get("Body", ""))["Message"])
                self.states.setdefault(announced["videoId"], []).append(announced["state"])
            if messages:
                entries: Any = [
                    {"Id": str(number), "ReceiptHandle": message.get("ReceiptHandle")}
                    for number, message in enumerate(messages)
                ]
                self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)


@dataclass
class Findings:
    """The platform's contents once all processing has ended.

    differing: not readable, or read back with another SHA-256. lost: completed, but not in the bucket. doubled: extra
    versions, and keys that no client sent. unlisted: missing in their owners' libraries. open_uploads: unfinished
    uploads at S3. open_markers: users' upload slots that were not released. failed_events: events that the worker gave
    up.
    """

    states: Counter[str] = field(default_factory=Counter)
    identical: int = 0
    differing: int = 0
    lost: int = 0
    doubled: int = 0
    unlisted: int = 0
    versions: int = 0
    open_uploads: int = 0
    open_markers: int = 0
    failed_events: int = 0
    announced: int = 0
    announced_again: int = 0


def examine(videos: Sequence[SentVideo], *, api_url: str, stand_in_url: str, announcements: Announcements) -> Findings:
    """Ask the API as each owner and the buckets as an operator."""
    findings = Findings()
    _examine_libraries(videos, api_url, findings)
    _examine_buckets(videos, stand_in_url, findings)
    states = {video.video_id: announcements.states.get(video.video_id, []) for video in videos}
    findings.announced = sum(1 for announced in states.values() if announced)
    findings.announced_again = sum(max(len(announced) - 1, 0) for announced in states.values())
    return findings


def count_open_uploads(stand_in_url: str) -> int:
    """The uploads that S3 has open, of all users."""
    s3: S3Client = session().client("s3", endpoint_url=stand_in_url)
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=names.VIDEO_BUCKET)
    return sum(len(page.get("Uploads", [])) for page in pages)


def _examine_libraries(videos: Sequence[SentVideo], api_url: str, findings: Findings) -> None:
    shown: dict[str, dict[str, Any]] = {}
    for access_token in {video.access_token for video in videos}:
        shown |= {view["videoId"]: view for view in _library(api_url, access_token)}
    found = [(video, shown[video.video_id]) for video in videos if video.video_id in shown]
    findings.unlisted = len(videos) - len(found)
    findings.states = Counter(view["state"] for _, view in found)
    ready = [(video, view) for video, view in found if view["playbackUrl"]]
    with ThreadPoolExecutor(PARALLEL_READERS) as readers:
        identical = list(readers.map(lambda pair: _sha256_of(pair[1]["playbackUrl"]) == pair[0].sha256, ready))
    findings.identical = identical.count(True)
    findings.differing = identical.count(False)


def _library(api_url: str, access_token: str) -> Iterator[dict[str, Any]]:
    from_cursor: dict[str, str] = {}
    while True:
        answer = requests.get(
            f"{api_url}/videos",
            params={"limit": str(LISTED_VIDEOS), **from_cursor},
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=TIMEOUT_SECONDS,
        )
        answer.raise_for_status()
        page = answer.json()
        yield from page["videos"]
        if page["nextCursor"] is None:
            return
        from_cursor = {"cursor": page["nextCursor"]}


def _sha256_of(url: str) -> str:
    """Empty when the video cannot be read."""
    digest = hashlib.sha256()
    with requests.get(url, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if not answer.ok:
            return ""
        for block in answer.iter_content(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _examine_buckets(videos: Sequence[SentVideo], stand_in_url: str, findings: Findings) -> None:
    aws = session()
    s3: S3Client = aws.client("s3", endpoint_url=stand_in_url)
    versions = Counter(
        version.get("Key", "")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=names.VIDEO_BUCKET)
        for version in page.get("Versions", [])
    )
    sent = {video.file_key for video in videos}
    findings.versions = versions.total()
    findings.lost = sum(1 for key in sent if not versions[key])
    findings.doubled = sum(count - (key in sent) for key, count in versions.items())
    findings.open_uploads = count_open_uploads(stand_in_url)
    findings.open_markers = sum(
        len(page.get("Contents", []))
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=names.METADATA_BUCKET, Prefix="open/")
    )
    sqs = aws.client("sqs", endpoint_url=stand_in_url)
    failed = sqs.get_queue_attributes(
        QueueUrl=names.queue_url(stand_in_url, names.FAILED_EVENTS_QUEUE),
        AttributeNames=["ApproximateNumberOfMessages"],
    )
    findings.failed_events = int(failed.get("Attributes", {}).get("ApproximateNumberOfMessages", 0))
