"""Multipart uploads: start one, sign its parts, list its stored parts, abort it."""

import logging
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import NamedTuple

from chalicelib.core.caps import Room
from chalicelib.core.download_name import content_disposition
from chalicelib.core.errors import (
    CapError,
    LinkMakerFullError,
    LinkRevokedError,
    UploadAbortedError,
    UploadCompletedError,
    UploadCompletingError,
    UploadExpiredError,
    UploadNotFoundError,
)
from chalicelib.core.idempotency_keys import IdempotencyKeys
from chalicelib.core.log_context import about_upload, carried
from chalicelib.core.part_plan import PartPlan, plan_parts
from chalicelib.core.part_urls import PartUrls, SignedPart
from chalicelib.core.ports import Clock, Meter, StoredPart, UploadGoneError, VideoBucket
from chalicelib.core.records import Records
from chalicelib.core.upload_links import UploadLink, UploadLinks
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE, StartUpload
from chalicelib.core.upload_token import UploadToken, UploadTokens
from chalicelib.core.video_id import VideoRef, new_video_id
from chalicelib.core.video_record import State, VideoRecord

log = logging.getLogger(__name__)

_PARALLEL_CALLS = 8

MAX_COUNTED_UPLOADS = 50
"""The newest uploads of a listing whose parts are counted: each costs up to ten pages from S3, and API Gateway gives up
after 29 s (API Gateway quotas, "Maximum integration timeout")."""


class StartedUpload(NamedTuple):
    """signed_parts: the first page, all parts up to MAX_URLS_PER_PAGE."""

    record: VideoRecord
    upload_id: str
    token: str
    signed_parts: list[SignedPart]
    urls_expire_at: datetime


class OpenUpload(NamedTuple):
    """token: None for a caller who may only read. received: None if S3 was not asked."""

    record: VideoRecord
    upload_id: str
    token: str | None
    received: "Received | None"


class Received(NamedTuple):
    """The part of an upload that S3 holds. idle_seconds: since its newest part, or since it began."""

    size_bytes: int
    idle_seconds: int


@dataclass(frozen=True, kw_only=True)
class MultipartUploads:
    records: Records
    videos: VideoBucket
    urls: PartUrls
    tokens: UploadTokens
    idempotency_keys: IdempotencyKeys
    meter: Meter
    now: Clock
    room: Room
    links: UploadLinks
    preferred_part_bytes: int
    upload_ttl: timedelta

    def start(
        self, owner: str, request: StartUpload, correlation_id: str | None = None, link: UploadLink | None = None
    ) -> StartedUpload:
        """correlation_id: with one, a repeated call opens the same upload again. link: the upload link of the caller.

        Raises CapError's leaves; FileTooLargeError above what S3 holds; UploadStartingError while the same call runs.
        """
        plan = plan_parts(request.size_bytes, self.preferred_part_bytes)
        now = self.now()
        ref = VideoRef(owner, new_video_id(now))
        begun = self._begun_before(ref, request, correlation_id, link)
        if begun and begun.upload_id:
            return self._opened_again(begun, begun.upload_id)
        _log_about_new(ref, correlation_id, request.origin.link_id)
        try:
            self._reserve(ref, request.size_bytes, link)
            started = self._opened(ref, request, plan, now, correlation_id)
        except Exception:
            if correlation_id:
                self.idempotency_keys.release(owner, request, correlation_id)
            raise
        # Last, because it counts until the upload expires.
        self.records.create(started.record)
        self.meter.record(
            uploads_started_count=1,
            upload_size_bytes=request.size_bytes,
            parts_signed_count=len(started.signed_parts),
        )
        log.info("upload started", extra={"sizeBytes": request.size_bytes, "partCount": plan.part_count})
        return started

    def _begun_before(
        self, ref: VideoRef, request: StartUpload, correlation_id: str | None, link: UploadLink | None
    ) -> VideoRecord | None:
        """Return the open upload that this call repeats, which is counted already. None: this call begins an upload.

        Raises CapError's leaves from S3's lists, before the idempotency key is written; UploadStartingError.
        """
        try:
            self._require_room(ref, request.size_bytes, link)
        except CapError:
            begun = self.idempotency_keys.find(ref.owner, request, correlation_id) if correlation_id else None
            if begun is None:
                _log_about_new(ref, correlation_id, request.origin.link_id)
                raise
            return begun
        return self.idempotency_keys.take(ref, request, correlation_id) if correlation_id else None

    def _require_room(self, ref: VideoRef, size_bytes: int, link: UploadLink | None) -> None:
        if link is None:
            self.room.require(ref, size_bytes)
            return
        with _without_figures(size_bytes):
            self.room.require(ref, size_bytes)
        self.links.require(link, size_bytes)

    def _reserve(self, ref: VideoRef, size_bytes: int, link: UploadLink | None) -> None:
        if link is None:
            self.room.reserve(ref, size_bytes)
            return
        with _without_figures(size_bytes):
            self.room.reserve(ref, size_bytes)
        try:
            self.links.use(link, ref, size_bytes)
        except CapError:
            self.records.release(ref, size_bytes)
            raise

    def _opened(
        self, ref: VideoRef, request: StartUpload, plan: PartPlan, now: datetime, correlation_id: str | None
    ) -> StartedUpload:
        try:
            upload_id = self.videos.create_multipart_upload(
                ref.file_key, request.content_type, content_disposition(request.file_name)
            )
            record = VideoRecord.begun(
                ref,
                request,
                part_size_bytes=plan.part_size_bytes,
                upload_id=upload_id,
                now=now,
                ttl=self.upload_ttl,
                correlation_id=correlation_id,
            )
            return self._with_first_page(record, upload_id)
        except Exception:
            # Nobody will ever send a part of it: the bucket's lifecycle rule deletes it.
            if request.origin.link_id:
                self.records.release_use(ref, request.size_bytes, request.origin.link_id)
            self.records.release(ref, request.size_bytes)
            raise

    def _opened_again(self, record: VideoRecord, upload_id: str) -> StartedUpload:
        record = self._reserved(record)
        started = self._with_first_page(record, upload_id)
        self.meter.record(parts_signed_count=len(started.signed_parts))
        log.info("upload reopened")
        return started

    def _with_first_page(self, record: VideoRecord, upload_id: str) -> StartedUpload:
        first_page = dict.fromkeys(range(1, min(record.plan.part_count, MAX_URLS_PER_PAGE) + 1))
        signed_parts, urls_expire_at = self.urls.for_parts(record, upload_id, first_page)
        token = self.tokens.issue(record, upload_id, record.expires_at)
        return StartedUpload(record, upload_id, token, signed_parts, urls_expire_at)

    def find(self, token: UploadToken) -> VideoRecord:
        """The record behind a token, whatever its state. Raises UploadNotFoundError, LinkRevokedError."""
        record = self.records.find(token.ref)
        if record is None or record.upload_id != token.upload_id or record.state is State.DELETED:
            raise UploadNotFoundError
        self.links.require_not_revoked(record)
        return record

    def find_open(self, token: UploadToken) -> VideoRecord:
        """Raises UploadNotFoundError and StateError's leaves: a token outlives its upload."""
        record = self.find(token)
        if record.state is not State.UPLOADING:
            raise not_uploading(record)
        return record

    def sign_parts(
        self, token: UploadToken, record: VideoRecord, checksums_by_part: Mapping[int, str | None]
    ) -> tuple[list[SignedPart], datetime]:
        """Sign parts. Raises CapError's leaves for an upload whose reservation was released and cannot be taken
        again."""
        record = self._reserved(record)
        signed = self.urls.for_parts(record, token.upload_id, checksums_by_part)
        self.meter.record(parts_signed_count=len(checksums_by_part))
        log.info("parts signed", extra={"partCount": len(checksums_by_part)})
        return signed

    def stored_parts(self, token: UploadToken) -> tuple[VideoRecord, list[StoredPart]]:
        """The parts that S3 holds of an upload that may still be resumed. Raises as `sign_parts` does."""
        record = self.find(token)
        if record.state not in {State.UPLOADING, State.COMPLETING}:
            raise not_uploading(record)
        record = self._reserved(record)
        try:
            return record, self.videos.list_parts(record.ref.file_key, token.upload_id)
        except UploadGoneError:
            # Completed between the two reads, or deleted by the bucket's lifecycle rule.
            raise not_uploading(self.find(token)) from None

    def abort(self, token: UploadToken) -> VideoRecord:
        """Abort an upload. The record decides a race with complete; the parts are deleted afterwards. Safe to
        repeat."""

        def decide(record: VideoRecord) -> VideoRecord | None:
            if record.upload_id != token.upload_id or record.state is State.DELETED:
                raise UploadNotFoundError
            if record.state is State.ABORTED:
                return None
            if record.state is not State.UPLOADING:
                raise not_uploading(record)
            return record.moved_to(State.ABORTED, self.now())

        change = self.records.change(token.ref, decide)
        if change is None:
            raise UploadNotFoundError
        record = change.record
        if change.mine:
            self.meter.record(uploads_aborted_count=1)
        self.videos.abort_multipart_upload(record.ref.file_key, token.upload_id)
        self.records.close(record, self.now())
        log.info("upload aborted")
        return record

    def _reserved(self, record: VideoRecord) -> VideoRecord:
        """Take the reservation again that the janitor released because no part had arrived.

        Raises CapError's leaves, StateError's leaves.
        """
        if record.reservation_released_at is None:
            return record
        try:
            self._reserve_again(record)
        except CapError:
            current = self.records.find(record.ref)
            if current is None or current.reservation_released_at:
                raise
            # Another call for this upload was first: the counted reservation is this upload's own.
            self.records.hold(record)

        def decide(current: VideoRecord) -> VideoRecord | None:
            if current.state is not State.UPLOADING or current.reservation_released_at is None:
                return None
            return current.noted(reservation_released_at=None, updated_at=self.now())

        change = self.records.change(record, decide)
        if change is None:
            raise UploadNotFoundError
        if change.record.state not in {State.UPLOADING, State.COMPLETING}:
            self.records.close(change.record, self.now())
            raise not_uploading(change.record)
        log.info("upload reserved again")
        return change.record

    def _reserve_again(self, record: VideoRecord) -> None:
        """Raises CapError's leaves, LinkRevokedError."""
        with _without_figures(record.size_bytes) if record.link_id else nullcontext():
            self.room.require(record.ref, record.size_bytes)
            self.room.reserve(record.ref, record.size_bytes)
        try:
            self.links.use_again(record)
        except (CapError, LinkRevokedError):
            self.records.release(record.ref, record.size_bytes)
            raise

    def open_uploads(self, owner: str, *, with_tokens: bool) -> list[OpenUpload]:
        """The user's unfinished multipart uploads, newest first, without those that S3 has dropped.

        with_tokens: whether the caller may write; a right to read never yields one to write.
        """
        unfinished = [
            (record, record.upload_id)
            for record in self.records.open_of(owner)
            if record.state is State.UPLOADING and record.upload_id and record.expires_at > self.now()
        ]
        asked = unfinished[:MAX_COUNTED_UPLOADS]
        with ThreadPoolExecutor(_PARALLEL_CALLS) as workers:
            answers = workers.map(carried(self._received), asked)
            issue = carried(self.tokens.issue)
            tokens = workers.map(
                lambda pair: issue(pair[0], pair[1], pair[0].expires_at), unfinished if with_tokens else ()
            )
            received = {upload_id: answer for (_, upload_id), answer in zip(asked, answers, strict=True)}
            return [
                OpenUpload(record, upload_id, token, received.get(upload_id))
                for (record, upload_id), token in zip_longest(unfinished, tokens)
                # One that S3 has dropped cannot be resumed.
                if upload_id not in received or received[upload_id]
            ]

    def _received(self, unfinished: tuple[VideoRecord, str]) -> Received | None:
        """Return what S3 holds of an upload; None if S3 no longer has it."""
        record, upload_id = unfinished
        try:
            parts = self.videos.list_parts(record.ref.file_key, upload_id)
        except UploadGoneError:
            return None
        active_at = max([record.created_at, *(part.last_modified for part in parts)])
        # S3's clock and this one may differ.
        idle_seconds = max(0, int((self.now() - active_at).total_seconds()))
        return Received(sum(part.size_bytes for part in parts), idle_seconds)


@contextmanager
def _without_figures(size_bytes: int) -> Generator[None]:
    """Refuse the sender by a link, without the figures of the link's maker."""
    try:
        yield
    except CapError as error:
        log.info("the link's maker has reached a limit", extra={"code": error.code})
        raise LinkMakerFullError(size_bytes=size_bytes) from error


def _log_about_new(ref: VideoRef, correlation_id: str | None, link_id: str | None) -> None:
    """Clear the ids of the logs: an earlier upload under the same id is not the one that is refused or begun now."""
    about_upload(owner=ref.owner, video_id=ref.video_id, correlation_id=correlation_id, link_id=link_id)


def not_uploading(
    record: VideoRecord,
) -> UploadAbortedError | UploadExpiredError | UploadCompletingError | UploadCompletedError | UploadNotFoundError:
    """Return the error that says why the upload no longer accepts calls."""
    match record.state:
        case State.ABORTED:
            return UploadAbortedError()
        case State.EXPIRED:
            return UploadExpiredError()
        case State.COMPLETING:
            return UploadCompletingError()
        case State.DELETED:
            return UploadNotFoundError()
        case State.UPLOADING:
            # The record still shows an upload that S3 has dropped.
            return UploadExpiredError()
        case State.PROCESSING | State.READY | State.REJECTED:
            return UploadCompletedError(state=record.state)
