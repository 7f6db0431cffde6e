"""The verifier of a run: asks the store and the API, and believes no client."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from chalicelib.core.janitor import Janitor
from chalicelib.core.records import OpenMarker, Records
from chalicelib.core.video_record import GONE_STATES, State, VideoRecord
from chalicelib.environment import Environment
from chalicelib.wiring import Services
from local.api_environment import aws_credentials
from local.platform import LocalPlatform
from local.stand_in import names
from tests.fakes import FakeMeter

PROMISES = ("lost", "doubled", "stuck", "ghost", "orphaned", "never told")
FINAL = {State.READY, State.REJECTED, State.ABORTED, State.EXPIRED, State.DELETED}
SETTLING_SECONDS = 40.0
EVENT_LOST = timedelta(minutes=3)
EVERYTHING_EXPIRED = timedelta(days=8)


@dataclass(frozen=True)
class Broken:
    """A promise that was not kept. promise: one of PROMISES."""

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


class _OwnRecords(Records):
    """The records as the janitor finds them, those of one owner alone: other runs go on meanwhile."""

    def __init__(self, records: Records, owner: str) -> None:
        super().__init__(records._bucket)
        self._owner = owner

    def markers(self, owner: str | None = None) -> Iterator[OpenMarker]:
        return super().markers(owner or self._owner)


@dataclass(frozen=True)
class Remains:
    """All that the platform holds of one owner."""

    records: tuple[VideoRecord, ...]
    videos: tuple[str, ...]
    """Keys of objects that are there, not those hidden by a delete."""
    posters: tuple[str, ...]
    markers: tuple[str, ...]
    uploads: tuple[str, ...]
    """Keys of multipart uploads that S3 keeps parts for. One without a part costs nothing, and the bucket's lifecycle
    rule drops it."""


class Verifier:
    """Looks past the API at the buckets, and sends the janitor with a clock of its own."""

    def __init__(self, platform: LocalPlatform) -> None:
        environment = platform.api_environment()
        with aws_credentials(environment):
            self._services = Services(Environment.read(environment))
            self._s3: Any = self._services._s3
            make: Any = boto3.client
            self._sqs = make("sqs", endpoint_url=platform.stand_in_url, region_name=names.REGION)
            # Made with the credentials while they are there.
            self._queue = names.queue_url(platform.stand_in_url, names.COMPLETIONS_QUEUE)
        self._messages: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        read: Mapping[str, Any] = self._s3.get_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET)
        self._notifications: Any = {name: value for name, value in read.items() if name != "ResponseMetadata"}

    def remains(self, owner: str) -> Remains:
        records = [record for record in self._services.records.read_each(self._refs(owner)) if record]
        multipart = self._s3.list_multipart_uploads(Bucket=names.VIDEO_BUCKET, Prefix=f"videos/{owner}/")
        return Remains(
            records=tuple(records),
            videos=self._keys(names.VIDEO_BUCKET, f"videos/{owner}/"),
            posters=self._keys(names.METADATA_BUCKET, f"posters/{owner}/"),
            markers=self._keys(names.METADATA_BUCKET, f"open/{owner}/"),
            uploads=tuple(upload["Key"] for upload in multipart.get("Uploads", []) if self._has_parts(upload)),
        )

    def let_time_pass(self, owner: str) -> None:
        """Do what the janitor does for this owner in the next days."""
        self._settle(owner)
        for later in (timedelta(hours=2), EVERYTHING_EXPIRED):
            if not self._keys(names.METADATA_BUCKET, f"open/{owner}/"):
                return
            self._sweep(owner, later)
            self._settle(owner)

    def sha256(self, file_key: str) -> str | None:
        """Return the digest of the object that is there now; None without one."""
        try:
            body = self._s3.get_object(Bucket=names.VIDEO_BUCKET, Key=file_key)["Body"]
        except self._s3.exceptions.NoSuchKey:
            return None
        digest = hashlib.sha256()
        for block in body.iter_chunks(2**20):
            digest.update(block)
        return digest.hexdigest()

    def find_lost_events(self, owner: str) -> None:
        """Do what the janitor does for this owner in some minutes."""
        self._sweep(owner, EVENT_LOST)

    def messages(self, owner: str) -> list[dict[str, Any]]:
        """Messages about this owner's videos that subscribers have received."""
        with self._lock:
            while received := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
                self._messages += [json.loads(json.loads(each["Body"])["Message"]) for each in received]
            return [message for message in self._messages if message["owner"] == owner]

    def repeat_events(self, owner: str, times: int) -> None:
        """Deliver S3's event of each of the owner's videos that many times more."""
        for key in self._keys(names.VIDEO_BUCKET, f"videos/{owner}/") * times:
            stored = self._services.janitor.videos.head(key)
            if stored:
                self._services.janitor.processing.trigger(key, stored.version_id, stored.size_bytes)

    def lose_events(self) -> None:
        """Switch S3's notifications of new objects off."""
        self._s3.put_bucket_notification_configuration(Bucket=names.VIDEO_BUCKET, NotificationConfiguration={})

    def find_events(self) -> None:
        """End lose_events."""
        self._s3.put_bucket_notification_configuration(
            Bucket=names.VIDEO_BUCKET, NotificationConfiguration=self._notifications
        )

    def _settle(self, owner: str) -> None:
        """Wait for the processing; where its event was lost the janitor asks again."""
        deadline = time.monotonic() + SETTLING_SECONDS
        later = timedelta()
        while any(record.state is State.PROCESSING for record in self.remains(owner).records):
            if time.monotonic() > deadline:
                return
            time.sleep(0.2)
            if deadline - time.monotonic() < SETTLING_SECONDS - 4:
                # Each time later: the janitor waits longer after each of its tries.
                later += EVENT_LOST
                self._sweep(owner, later)

    def _sweep(self, owner: str, later: timedelta) -> None:
        services = self._services

        def now() -> datetime:
            return datetime.now(UTC) + later

        janitor: Janitor = replace(
            services.janitor,
            records=_OwnRecords(services.records, owner),
            completions=replace(services.completions, now=now),
            meter=FakeMeter(),
            now=now,
        )
        janitor.sweep()

    def _has_parts(self, upload: dict[str, Any]) -> bool:
        named = {"Bucket": names.VIDEO_BUCKET, "Key": upload["Key"], "UploadId": upload["UploadId"]}
        try:
            return bool(self._s3.list_parts(**named).get("Parts"))
        except self._s3.exceptions.NoSuchUpload:
            return False

    def _refs(self, owner: str) -> list[Any]:
        return list(self._services.records.refs_newest_first(owner))

    def _keys(self, bucket: str, prefix: str) -> tuple[str, ...]:
        listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        return tuple(entry["Key"] for entry in listed.get("Contents", []))


def residue(remains: Remains) -> Iterator[Broken]:
    """Yield what nobody will ever finish, find or pay for willingly. remains: after the janitor's time."""
    known = {record.ref.file_key for record in remains.records if record.state in {State.READY, State.REJECTED}}
    shown = {key for record in remains.records if record.state is State.READY for key in record.ref.picture_keys}
    for record in remains.records:
        if record.state not in FINAL:
            yield Broken("stuck", f"{record.video_id} is {record.state}")
    for key in remains.markers:
        yield Broken("ghost", f"{key} holds a place")
    for key in remains.uploads:
        yield Broken("orphaned", f"S3 keeps parts of {key}")
    for key in set(remains.videos) - known:
        yield Broken("orphaned", f"{key} has no record")
    for key in set(remains.posters) - shown:
        yield Broken("orphaned", f"{key} has no video")


def doubled(remains: Remains, *, may_start_over: bool) -> Iterator[Broken]:
    """One file that became several videos. may_start_over: what was begun with an earlier content may have been given
    up."""
    counted = [record for record in remains.records if not (may_start_over and record.state in GONE_STATES)]
    if len(counted) > 1:
        states = ", ".join(f"{record.video_id} {record.state}" for record in remains.records)
        yield Broken("doubled", f"one file became {len(counted)} videos: {states}")


def lost(video_id: str, stored: str | None, sent: str) -> Iterator[Broken]:
    """A video that the client was told of, and whose bytes are not the file's. stored, sent: SHA-256."""
    if stored != sent:
        yield Broken("lost", f"{video_id} is {'not there' if stored is None else 'different'}")
