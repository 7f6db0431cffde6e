"""Uploads files: begins or resumes, sends, completes, and waits for the verdict. Knows nothing of any terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from video_upload.api import VideoApi
from video_upload.backoff import Backoff, Interruption
from video_upload.connections import Connections
from video_upload.errors import (
    ApiError,
    ApiUnreachableError,
    ConflictError,
    FileChangedError,
    NotFoundError,
    UnauthorizedError,
    UploadCancelledError,
    UploadLostError,
    UploadNotFoundError,
    UploadRunningError,
    VideoUploadError,
    path_text,
)
from video_upload.events import ProcessingPolled, Report, StartedOver, Uploaded, UploadFailed, ignore_event
from video_upload.multipart_upload import MultipartUpload
from video_upload.part_transfer import TransferOptions
from video_upload.rate_limit import RateLimit
from video_upload.schemas import Labels, MachineNames, NewUpload, OpenUpload, StartedUpload, StoredPart, Video
from video_upload.upload_journal import (
    FOLDER,
    JournaledUpload,
    SentPart,
    UnfinishedUploads,
    UploadJournal,
    find_journal,
    journaled_video_ids,
)
from video_upload.uploads_elsewhere import UploadsElsewhere
from video_upload.video_file import VideoFile

DEFAULT_PARALLEL = 4
SETTLED = frozenset({"ready", "rejected", "aborted", "expired", "deleted"})
FIRST_POLL_SECONDS = 0.5
LONGEST_POLL_SECONDS = 10.0
LONGEST_PROCESSING_SECONDS = 1800.0

NO_LABELS = Labels()
NO_NAMES = MachineNames()


@dataclass(frozen=True, kw_only=True)
class UploadPlan:
    """Beginning of an upload. resumes: the video whose upload goes on, with `stored_bytes`; None for a new one."""

    resumes: str | None
    stored_bytes: int
    begun_elsewhere: bool


class UploadEngine:
    """Uploads to one site, one file at a time.

    home: folder for the journals of unfinished uploads.
    parallel: parts sent at once.
    connections: for all engines that share them together, which then send fewer; closed by their maker.
    rate_limit: of all parts together; may be shared with other engines.
    report: told what happens, possibly from other threads.
    elsewhere, unfinished: uploads begun on other devices, and those that this one left unfinished, for all engines of a
        run together; None: asked for by each upload.
    labels, names: of the videos whose upload begins here; one that is resumed has those that it began with.
    interruption: request it from any thread to stop; what was uploaded stays and is resumed by the next `upload`.
    """

    def __init__(
        self,
        api: VideoApi,
        home: Path,
        *,
        parallel: int = DEFAULT_PARALLEL,
        connections: Connections | None = None,
        rate_limit: RateLimit | None = None,
        elsewhere: UploadsElsewhere | None = None,
        unfinished: UnfinishedUploads | None = None,
        report: Report = ignore_event,
        interruption: Interruption | None = None,
        backoff: Backoff | None = None,
        labels: Labels = NO_LABELS,
        names: MachineNames = NO_NAMES,
    ) -> None:
        self._api = api
        self._labels = labels
        self._names = names
        self._folder = home / FOLDER
        self._elsewhere = elsewhere
        self._unfinished = unfinished
        self._report = report
        self._interruption = interruption or Interruption()
        self._shares_connections = connections is not None
        self._options = TransferOptions(
            parallel=parallel,
            connections=connections or Connections(parallel),
            rate_limit=rate_limit,
            backoff=backoff or Backoff(),
            interruption=self._interruption,
            report=report,
        )

    def upload(
        self, source: Path | VideoFile, *, wait: bool = True, tell: Callable[[Video], None] = lambda video: None
    ) -> Video:
        """Upload a file, or resume its upload, and return the video's state on the platform.

        source: its path, or the file where it has just been looked at.

        An upload begun elsewhere is resumed, too, if its name and size are the file's, and so are all parts at S3.

        wait: until it is ready or rejected (half an hour at most), else until S3 has it whole.
        tell: called with the result while this computer still knows the upload: a run that is killed before everybody
            has been told leaves its result to the next one.

        Raises FileRefusedError and UploadRunningError before anything is sent; FileChangedError, PartFailedError,
        UploadLostError, UploadCancelledError; ApiError, ApiUnreachableError, UnexpectedResponseError, NotSignedInError.
        """
        return self._upload_and_tell(_looked_at(source), wait=wait, tell=tell, takes_up=True)

    def goes_on(self, file: VideoFile) -> bool:
        """Return whether `upload` would resume an upload of the file, begun here or elsewhere, or one is running.

        Raises as `plan` else.
        """
        try:
            return self.plan(file).resumes is not None
        except UploadRunningError:
            return True

    def plan(self, source: Path | VideoFile) -> UploadPlan:
        """Return what `upload` would begin with. Sends and changes nothing; raises as `upload`."""
        file = _looked_at(source)
        with UploadJournal(self._folder, self._api.url, file.path) as journal:
            found = journal.load_or_moved(file, self._left_unfinished())
            if found and found[0].is_of(file):
                stored_bytes = sum(found[0].layout.length_bytes(number) for number in found[1])
                return UploadPlan(resumes=found[0].video_id, stored_bytes=stored_bytes, begun_elsewhere=False)
            if not found and (taken := self._find_elsewhere(file, journal, self._api)):
                upload, entry, _ = taken
                return UploadPlan(resumes=entry.video_id, stored_bytes=upload.stored_bytes, begun_elsewhere=True)
        return UploadPlan(resumes=None, stored_bytes=0, begun_elsewhere=False)

    def _left_unfinished(self) -> UnfinishedUploads:
        return self._unfinished or UnfinishedUploads(self._folder, self._api.url)

    def _upload_and_tell(self, file: VideoFile, *, wait: bool, tell: Callable[[Video], None], takes_up: bool) -> Video:
        with UploadJournal(self._folder, self._api.url, file.path) as journal:
            journal.take_over_moved(file, self._left_unfinished())
            try:
                video_id = self._upload(file, journal, takes_up=takes_up)
            except VideoUploadError as error:
                self._report_failure(error, journal)
                if isinstance(error, FileChangedError):
                    self._abandon(journal)
                raise
            finally:
                if not self._shares_connections:
                    self._options.connections.close()
            # Kept until here: a run that is stopped while it waits for processing resumes there, and does not send the
            # file again.
            with self._correlated(journal, file) as api:
                video = self._watch(video_id, api) if wait else api.result_of(video_id, file)
            tell(video)
            journal.forget()
        return video

    def upload_once(
        self, source: Path | VideoFile, *, wait: bool = True, tell: Callable[[Video], None] = lambda video: None
    ) -> Video:
        """Upload as `upload` does a file that nobody can resume: what ends it, gives it up at the platform as well."""
        file = _looked_at(source)
        try:
            return self._upload_and_tell(file, wait=wait, tell=tell, takes_up=False)
        except BaseException:
            with suppress(VideoUploadError), UploadJournal(self._folder, self._api.url, file.path) as journal:
                self._abandon(journal)
            raise

    def abort(self, path: Path) -> str:
        """Give up an unfinished upload of this computer; its video id.

        Raises UploadNotFoundError, UploadRunningError, and ConflictError if it was completed first.
        """
        resolved = path.resolve()
        with UploadJournal(self._folder, self._api.url, resolved) as journal:
            entry = journal.entry()
            if entry is None:
                raise UploadNotFoundError(path_text(path))
            self._abort_at_platform(entry.video_id, entry.upload_token)
            journal.forget()
            return entry.video_id

    def abort_video(self, video_id: str) -> None:
        """Give up an unfinished upload, begun on any device. Raises as `abort`."""
        entry = find_journal(self._folder, self._api.url, video_id)
        if entry is not None:
            self.abort(Path(entry.path))
            return
        for upload in self._api.list_open_uploads():
            if upload.video_id == video_id:
                self._api.abort(upload.upload_token)
                return
        raise UploadNotFoundError(video_id)

    @contextmanager
    def _correlated(self, journal: UploadJournal, file: VideoFile) -> Generator[VideoApi]:
        """The API under the upload's correlation id, the same in every run, a new one where none has begun.

        Errors that end it carry the id.
        """
        entry = journal.entry()
        correlation_id = (entry.correlation_id if entry else journal.begun_as(file)) or str(uuid4())
        try:
            yield self._api.for_upload(correlation_id)
        except VideoUploadError as error:
            error.correlation_id = correlation_id
            raise

    def _report_failure(self, error: VideoUploadError, journal: UploadJournal) -> None:
        begun = journal.entry()
        if begun and not isinstance(error, UploadCancelledError):
            code = error.code if isinstance(error, ApiError) else None
            self._report(UploadFailed(video_id=begun.video_id, code=code))

    def _upload(self, file: VideoFile, journal: UploadJournal, *, takes_up: bool) -> str:
        try:
            with self._correlated(journal, file) as api:
                resumed = self._resume(file, journal, api) or (takes_up and self._take_up(file, journal, api))
                return resumed or self._start(file, journal, api)
        except UploadLostError as error:
            journal.forget()
            self._report(StartedOver(reason=error.reason))
        # Another upload, under another id: under the same one the platform might take up the lost one again.
        with self._correlated(journal, file) as api:
            return self._start(file, journal, api)

    def _resume(self, file: VideoFile, journal: UploadJournal, api: VideoApi) -> str | None:
        """The video id once complete; None if there is nothing to resume."""
        found = journal.load()
        if found is None:
            return None
        entry, sent = found
        if not entry.is_of(file):
            self._abandon(journal)
            raise UploadLostError(entry.video_id, "the file has changed since")
        upload = self._multipart_upload(file, entry, journal, sent, api)
        try:
            stored = upload.stored()
        except ConflictError as error:
            if error.code != "upload_completed":
                raise
            # An earlier run completed it, and ended before it could tell.
            self._report(Uploaded())
            return entry.video_id
        if stored.state == "uploading":
            upload.adopt(stored.parts)
        if stored.state == "uploading" or (stored.state == "completing" and upload.is_whole):
            return self._finish(upload, entry)
        return entry.video_id

    def _take_up(self, file: VideoFile, journal: UploadJournal, api: VideoApi) -> str | None:
        """The video id once complete; None if no upload of this file was begun elsewhere."""
        found = self._find_elsewhere(file, journal, api)
        if found is None:
            return None
        upload, entry, stored_parts = found
        upload.adopt(stored_parts)
        return self._finish(upload, entry)

    def _find_elsewhere(
        self, file: VideoFile, journal: UploadJournal, api: VideoApi
    ) -> tuple[MultipartUpload, JournaledUpload, tuple[StoredPart, ...]] | None:
        elsewhere = self._elsewhere or UploadsElsewhere(api)
        for begun in elsewhere.candidates(file, lambda: journaled_video_ids(self._folder, self._api.url)):
            entry = self._entry(file, begun, api)
            upload = self._multipart_upload(file, entry, journal, {}, api)
            try:
                stored = upload.stored()
            except (ConflictError, UploadLostError):  # it was completed or given up meanwhile
                continue
            if stored.state == "uploading" and upload.recognize(stored.parts):
                return upload, entry, stored.parts
        return None

    def _start(self, file: VideoFile, journal: UploadJournal, api: VideoApi) -> str:
        if api.correlation_id:
            journal.begin(api.correlation_id, file)
        labels = self._labels
        wanted = NewUpload(
            file_name=file.name,
            content_type=file.content_type,
            size_bytes=file.size_bytes,
            title=labels.title,
            description=labels.description,
            tags=labels.tags,
            reference=self._names.reference,
            on_behalf_of=self._names.on_behalf_of,
        )
        try:
            started = api.start_upload(wanted)
        except ApiError as refused:
            if refused.status < 500:
                journal.forget()
            raise
        entry = self._entry(file, started, api)
        journal.start(entry)
        return self._finish(self._multipart_upload(file, entry, journal, {}, api), entry, started)

    def _entry(self, file: VideoFile, begun: StartedUpload | OpenUpload, api: VideoApi) -> JournaledUpload:
        return JournaledUpload(
            api_url=self._api.url,
            path=str(file.path),
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
            video_id=begun.video_id,
            upload_token=begun.upload_token,
            part_size_bytes=begun.part_size_bytes,
            part_count=begun.part_count,
            correlation_id=api.correlation_id,
            begun_elsewhere=isinstance(begun, OpenUpload),
        )

    def _finish(self, upload: MultipartUpload, entry: JournaledUpload, started: StartedUpload | None = None) -> str:
        try:
            if started:
                upload.send_missing(started.presigned_urls, started.urls_expire_at)
            else:
                upload.send_missing()
            upload.complete()
        except ConflictError as error:
            # Another device, or a call of ours whose answer was lost, has completed it meanwhile.
            if error.code not in {"upload_completing", "upload_completed"}:
                raise
        self._report(Uploaded())
        return entry.video_id

    def _multipart_upload(
        self, file: VideoFile, entry: JournaledUpload, journal: UploadJournal, sent: dict[int, SentPart], api: VideoApi
    ) -> MultipartUpload:
        return MultipartUpload(
            api=api,
            file=file,
            entry=entry,
            journal=journal,
            sent=sent,
            options=self._options,
        )

    def _abandon(self, journal: UploadJournal) -> None:
        """Delete the parts of an upload that no device needs any longer; the platform expires it anyway."""
        entry = journal.entry()
        if entry is not None:
            if not entry.begun_elsewhere:
                with suppress(ApiError, ApiUnreachableError):
                    self._abort_at_platform(entry.video_id, entry.upload_token)
            journal.forget()

    def _abort_at_platform(self, video_id: str, upload_token: str) -> None:
        """Abort an upload, if it still exists. Raises ConflictError if it was completed first."""
        try:
            self._api.abort(upload_token)
        except NotFoundError:
            return
        except UnauthorizedError:  # the token has expired; the user may still have the upload
            for upload in self._api.list_open_uploads():
                if upload.video_id == video_id:
                    self._api.abort(upload.upload_token)

    def _watch(self, video_id: str, api: VideoApi) -> Video:
        give_up_at = time.monotonic() + LONGEST_PROCESSING_SECONDS
        wait_seconds = FIRST_POLL_SECONDS
        while True:
            video = api.get_video(video_id)
            self._report(ProcessingPolled(state=video.state, waits_for=video.waits_for))
            if video.state in SETTLED or time.monotonic() > give_up_at:
                return video
            self._interruption.pause(wait_seconds)
            wait_seconds = min(wait_seconds * 1.5, LONGEST_POLL_SECONDS)


def _looked_at(source: Path | VideoFile) -> VideoFile:
    return source if isinstance(source, VideoFile) else VideoFile.at(source)
