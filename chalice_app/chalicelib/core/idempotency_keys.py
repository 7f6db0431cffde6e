"""Idempotency keys of init: a client that loses the answer repeats the request under its id for the upload.

An idempotency record (`starts/{owner}/{hash of id and file}`) names the video that was begun under its key. A lifecycle
rule removes the record once no client repeats the request any more.
"""

import hashlib
import json
from datetime import timedelta

from chalicelib.core.errors import UploadStartingError
from chalicelib.core.ports import Clock, MetadataBucket, StorageBusyError
from chalicelib.core.records import Records
from chalicelib.core.upload_requests import StartUpload
from chalicelib.core.video_id import VideoRef, begun_at
from chalicelib.core.video_record import State, VideoRecord

STARTING_TIME = timedelta(seconds=30)
"""Time after which an init has ended or was killed: API Gateway waits 29 s, the function's timeout is the same."""

_RETRY_AFTER_SECONDS = 2
_MAX_RACES = 3


class IdempotencyKeys:
    """The keys of inits. Two inits of one upload never share a video, so neither can remove the other's."""

    def __init__(self, bucket: MetadataBucket, records: Records, now: Clock) -> None:
        self._bucket = bucket
        self._records = records
        self._now = now

    def take(self, ref: VideoRef, request: StartUpload, correlation_id: str) -> VideoRecord | None:
        """Take the key for `ref`. None: this call begins the upload. A record: it was begun before and is still open.

        Raises UploadStartingError while another call begins it, StorageBusyError after many lost races.
        """
        key, entry = _key(ref.owner, request, correlation_id), json.dumps({"videoId": ref.video_id}).encode()
        for _ in range(_MAX_RACES):
            if self._bucket.put_if_new(key, entry):
                return None
            earlier = self._bucket.get(key)
            if earlier is None:
                continue
            if earlier.body == entry:
                # Our own write, which the SDK repeated.
                return None
            if record := self._still_open(ref.owner, earlier.body):
                return record
            if self._bucket.put_if_unchanged(key, entry, earlier.etag):
                return None
        raise StorageBusyError

    def find(self, owner: str, request: StartUpload, correlation_id: str) -> VideoRecord | None:
        """Return the upload that was begun before and is still open. Writes nothing.

        Raises UploadStartingError while another call begins it.
        """
        earlier = self._bucket.get(_key(owner, request, correlation_id))
        return self._still_open(owner, earlier.body) if earlier else None

    def _still_open(self, owner: str, entry: bytes) -> VideoRecord | None:
        begun = VideoRef(owner, json.loads(entry)["videoId"])
        record = self._records.find(begun)
        if record and record.state is State.UPLOADING and record.expires_at > self._now():
            return record
        if record is None and begun_at(begun.video_id) > self._now() - STARTING_TIME:
            raise UploadStartingError(retry_after_seconds=_RETRY_AFTER_SECONDS)
        return None

    def release(self, owner: str, request: StartUpload, correlation_id: str) -> None:
        """Free the key if nothing was begun, so that a repeated request need not wait."""
        self._bucket.delete(_key(owner, request, correlation_id))


def _key(owner: str, request: StartUpload, correlation_id: str) -> str:
    """Return a key that includes the file: several files under one id are several uploads."""
    named = json.dumps([correlation_id, request.file_name, request.content_type, request.size_bytes, *_bearer(request)])
    return f"starts/{owner}/{hashlib.sha256(named.encode()).hexdigest()}"


def _bearer(request: StartUpload) -> list[str]:
    """Return a key of the link's own: an id from its sender finds neither the maker's uploads nor another link's."""
    return [request.origin.link_id] if request.origin.link_id else []
