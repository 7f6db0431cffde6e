"""Completion of an upload, exactly once, even if requests are repeated and responses late or lost.

The record decides: the call that moves it from `uploading` to `completing` may complete at S3. Every path ends in
`_settle`, which checks what S3 really holds.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from chalicelib.core.errors import (
    ChecksumMismatchError,
    CompletionRefusedError,
    PartsIncompleteError,
    SizeMismatchError,
    StorageUnavailableError,
    UploadExpiredError,
    UploadNotFoundError,
)
from chalicelib.core.log_context import carried
from chalicelib.core.multipart_upload import not_uploading
from chalicelib.core.ports import (
    Clock,
    Meter,
    ObjectExistsError,
    OutcomeUnknownError,
    StorageBusyError,
    UploadGoneError,
    VideoBucket,
)
from chalicelib.core.records import Records
from chalicelib.core.upload_links import UploadLinks
from chalicelib.core.upload_metrics import record_completed_upload
from chalicelib.core.upload_requests import CompleteUpload
from chalicelib.core.upload_token import UploadToken
from chalicelib.core.video_record import STORED_STATES, State, VideoRecord

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 25.0
"""API Gateway gives up after 29 s (API Gateway quotas, "Maximum integration timeout"); the response must come
earlier."""

RETRY_AFTER_SECONDS = 5

LEASE = timedelta(seconds=90)
"""Time for which a completion counts as under way; after it, the next request may ask S3 again."""

MAX_NAMED_MISSING_PARTS = 100
_UNFINISHED = frozenset({State.UPLOADING, State.COMPLETING})


class Outcome(Enum):
    COMPLETED = auto()
    COMPLETING = auto()


class Completion(NamedTuple):
    record: VideoRecord
    outcome: Outcome


class _LeaseOutcome(Enum):
    MINE = auto()
    HELD_BY_ANOTHER = auto()
    ALREADY_DONE = auto()


@dataclass(frozen=True, kw_only=True)
class Completions:
    """patience_seconds: how long to wait for S3 before answering that the completion is under way."""

    records: Records
    links: UploadLinks
    videos: VideoBucket
    meter: Meter
    now: Clock
    patience_seconds: float = PATIENCE_SECONDS

    def complete(self, token: UploadToken, request: CompleteUpload) -> Completion:
        """Raises UploadNotFoundError, StateError's leaves, LinkRevokedError, CompletionRefusedError's leaves (the
        upload stays open), StorageUnavailableError (nothing was done)."""
        if request.upload_id not in {None, token.upload_id} or request.file_key not in {None, token.file_key}:
            raise UploadNotFoundError
        outcome, record = self._take_lease(token, request)
        match outcome:
            case _LeaseOutcome.ALREADY_DONE:
                return Completion(record, Outcome.COMPLETED)
            case _LeaseOutcome.HELD_BY_ANOTHER:
                return self._settle(record) or Completion(record, Outcome.COMPLETING)
            case _LeaseOutcome.MINE:
                parts = sorted(request.etags_by_part.items())
                return self._complete_at_s3(record, token.upload_id, parts)

    def finish_abandoned(self, record: VideoRecord) -> Completion:
        """Continue a completion whose function died. The parts come from S3's list, since the request is gone."""
        settled = self._settle(record)
        if settled or record.upload_id is None:
            return settled or Completion(record, Outcome.COMPLETING)
        try:
            parts = self.videos.list_parts(record.ref.file_key, record.upload_id)
        except UploadGoneError:
            # Completed or dropped between the two reads.
            return self._settle(record) or Completion(self._expire(record), Outcome.COMPLETING)
        if len(parts) < record.plan.part_count:
            log.info("parts are missing")
            self._reopen(record)
            return Completion(record, Outcome.COMPLETING)
        etags = [(part.part_number, part.etag) for part in parts]
        return self._complete_at_s3(record, record.upload_id, etags)

    def _take_lease(self, token: UploadToken, request: CompleteUpload) -> tuple[_LeaseOutcome, VideoRecord]:
        outcome = _LeaseOutcome.ALREADY_DONE

        def decide(record: VideoRecord) -> VideoRecord | None:
            nonlocal outcome
            if record.upload_id != token.upload_id:
                raise UploadNotFoundError
            outcome = _lease_on(record, self.now() - LEASE)
            if outcome is not _LeaseOutcome.MINE:
                return None
            self.links.require_not_revoked(record)
            _require_every_part(record, request)
            started = {"completion_started_at": self.now(), "checksum_crc64nvme": request.checksum_crc64nvme}
            if record.state is State.COMPLETING:
                return record.noted(updated_at=self.now(), **started)
            return record.moved_to(State.COMPLETING, self.now(), **started)

        change = self.records.change(token.ref, decide, is_passing=True)
        if change is None:
            raise UploadNotFoundError
        return outcome, change.record

    def _complete_at_s3(self, record: VideoRecord, upload_id: str, parts: Sequence[tuple[int, str]]) -> Completion:
        try:
            self._within_patience(
                lambda: self.videos.complete_multipart_upload(
                    record.ref.file_key, upload_id, parts, record.size_bytes, record.checksum_crc64nvme
                )
            )
        except (FutureTimeoutError, OutcomeUnknownError):
            log.info("completion takes longer")
            return Completion(record, Outcome.COMPLETING)
        except StorageBusyError as error:
            self._reopen(record)
            raise StorageUnavailableError(retry_after_seconds=RETRY_AFTER_SECONDS) from error
        except CompletionRefusedError as error:
            self._reopen(record)
            log.info("completion refused", extra={"code": error.code})
            self.meter.record(completions_refused_count=1)
            raise
        except (UploadGoneError, ObjectExistsError):
            # An earlier completion, whose response was lost: the object shows it.
            settled = self._settle(record)
            if settled:
                return settled
            self._expire(record)
            raise UploadExpiredError from None
        return self._settle(record) or Completion(record, Outcome.COMPLETING)

    def _within_patience(self, ask_s3: Callable[[], None]) -> None:
        worker = ThreadPoolExecutor()
        try:
            worker.submit(carried(ask_s3)).result(timeout=self.patience_seconds)
        finally:
            worker.shutdown(wait=False)

    def _settle(self, record: VideoRecord) -> Completion | None:
        """Return the completion that the stored object proves; None while there is no object."""
        stored = self.videos.head(record.ref.file_key)
        if stored is None:
            return None
        if stored.size_bytes != record.size_bytes:
            raise SizeMismatchError(size_bytes=record.size_bytes)
        if record.checksum_crc64nvme and stored.checksum_crc64nvme not in {None, record.checksum_crc64nvme}:
            raise ChecksumMismatchError
        change = self.records.change(
            record,
            lambda current: (
                current.moved_to(State.PROCESSING, self.now(), completed_at=self.now())
                if current.state in _UNFINISHED
                else None
            ),
        )
        if change is None:
            raise UploadNotFoundError
        current = change.record
        if current.state not in STORED_STATES:
            raise not_uploading(current)
        if change.mine:
            record_completed_upload(current, self.meter, self.now())
        # Also if the processing was quicker.
        log.info("upload completed", extra={"sizeBytes": current.size_bytes})
        return Completion(current, Outcome.COMPLETED)

    def _reopen(self, record: VideoRecord) -> None:
        self.records.change(
            record,
            lambda current: (
                current.moved_to(State.UPLOADING, self.now(), completion_started_at=None)
                if current.state is State.COMPLETING
                else None
            ),
        )

    def _expire(self, record: VideoRecord) -> VideoRecord:
        change = self.records.change(
            record,
            lambda current: current.moved_to(State.EXPIRED, self.now()) if current.state in _UNFINISHED else None,
        )
        if change and change.mine:
            self.meter.record(uploads_failed_count=1)
            log.info("upload expired")
        expired = change.record if change else record
        # The janitor notifies subscribers: a watch stays until then.
        self.records.close(expired, self.now())
        return expired


def _lease_on(record: VideoRecord, lease_ended: datetime) -> _LeaseOutcome:
    if record.state in STORED_STATES:
        return _LeaseOutcome.ALREADY_DONE
    if record.state is State.UPLOADING:
        return _LeaseOutcome.MINE
    if record.state is State.COMPLETING:
        started = record.completion_started_at
        return _LeaseOutcome.MINE if started is None or started < lease_ended else _LeaseOutcome.HELD_BY_ANOTHER
    raise not_uploading(record)


def _require_every_part(record: VideoRecord, request: CompleteUpload) -> None:
    """Raises PartsIncompleteError; SizeMismatchError if more parts are named than the file has."""
    part_count = record.plan.part_count
    # Without a reservation nothing may be stored. Listing or signing parts reserves again, or says why not.
    etags_by_part = {} if record.reservation_released_at else request.etags_by_part
    if max(request.etags_by_part) > part_count:
        raise SizeMismatchError(size_bytes=record.size_bytes)
    missing = [number for number in range(1, part_count + 1) if number not in etags_by_part]
    if missing:
        raise PartsIncompleteError(missing_count=len(missing), missing_part_numbers=missing[:MAX_NAMED_MISSING_PARTS])
