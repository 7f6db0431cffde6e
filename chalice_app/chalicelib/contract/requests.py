"""Request bodies. An unknown field is refused, so that a misspelled one is never ignored."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Self

from msgspec import UNSET, Meta, Struct, UnsetType, field, to_builtins

from chalicelib.contract.checking import checked
from chalicelib.contract.fields import (
    MAX_DELETIONS,
    MAX_EVENTS,
    MAX_PART_NUMBERS,
    Checksum,
    Client,
    ClientState,
    ContentType,
    CorrelationId,
    Description,
    ETag,
    FailureCode,
    Failures,
    FileKey,
    FileName,
    LinkBytes,
    LinkNote,
    LinkSeconds,
    LinkTitle,
    LinkVideos,
    Moment,
    NewSizeBytes,
    OnBehalfOf,
    Owner,
    PartCount,
    PartNumber,
    Reference,
    System,
    Tags,
    Title,
    UploaderName,
    UploadId,
    VideoId,
    WholeNumber,
)
from chalicelib.core import progress, upload_requests
from chalicelib.core.json_values import JsonObject
from chalicelib.core.labels import Labels
from chalicelib.core.part_plan import MAX_PARTS
from chalicelib.core.texts import composed, tidied
from chalicelib.core.upload_links import NewLink, UploadLink
from chalicelib.core.upload_requests import MAX_URLS_PER_PAGE, Origin
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_types import EVERY_CONTAINER, Container

NAMELESS = "?"
"""Shown in place of a name without a visible character."""


class RequestBody(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """Base of every request body."""

    @classmethod
    def read(cls, body: JsonObject) -> Self:
        """Raises InvalidRequestError, which names every problem."""
        return checked(body, cls)


class NewUpload(RequestBody, frozen=True, kw_only=True):
    """A video to upload: the body of POST /multipart/init and POST /upload.

    `reference` and `onBehalfOf` are for machine clients only.
    """

    file_name: FileName
    content_type: ContentType
    size_bytes: NewSizeBytes
    title: Title | None = None
    description: Description | None = None
    tags: Tags = []
    reference: Reference | None = None
    on_behalf_of: OnBehalfOf | None = None

    @classmethod
    def parse(
        cls, body: JsonObject, max_bytes: int, containers: frozenset[Container] = EVERY_CONTAINER
    ) -> upload_requests.StartUpload:
        """Raises InvalidRequestError, EmptyFileError, FileTooLargeError, UnsupportedVideoTypeError."""
        new = cls.read(body)
        return upload_requests.StartUpload.accepted(
            composed(new.file_name),
            new.content_type.lower(),
            new.size_bytes,
            max_bytes,
            containers=containers,
            labels=Labels.given(title=new.title, description=new.description, tags=new.tags),
            origin=Origin(reference=new.reference, on_behalf_of=new.on_behalf_of),
        )


class NewLinkUpload(RequestBody, frozen=True, kw_only=True):
    """A video to upload by an upload link: the body of POST /link/multipart/init."""

    file_name: FileName
    content_type: ContentType
    size_bytes: NewSizeBytes
    uploader_name: UploaderName

    @classmethod
    def parse(
        cls,
        body: JsonObject,
        max_bytes: int,
        link: UploadLink,
        containers: frozenset[Container] = EVERY_CONTAINER,
    ) -> upload_requests.StartUpload:
        """Raises InvalidRequestError, EmptyFileError, FileTooLargeError, UnsupportedVideoTypeError."""
        new = cls.read(body)
        return upload_requests.StartUpload.accepted(
            composed(new.file_name),
            new.content_type.lower(),
            new.size_bytes,
            max_bytes,
            containers=containers,
            origin=link.origin(tidied(new.uploader_name) or NAMELESS),
        )


class NewUploadLink(RequestBody, frozen=True, kw_only=True):
    """The body of POST /links. `reference` and `onBehalfOf`, for machine clients only, apply to all its uploads."""

    title: LinkTitle
    note: LinkNote | None = None
    valid_seconds: LinkSeconds
    max_videos: LinkVideos
    max_bytes: LinkBytes
    reference: Reference | None = None
    on_behalf_of: OnBehalfOf | None = None

    @classmethod
    def parse(cls, body: JsonObject, longest_seconds: int) -> NewLink:
        """Raises InvalidRequestError, also beyond `longest_seconds`."""
        new = checked(body, cls, most={"validSeconds": longest_seconds} if longest_seconds else {})
        return NewLink(
            title=tidied(new.title) or NAMELESS,
            note=tidied(new.note or "") or None,
            valid=timedelta(seconds=new.valid_seconds),
            max_videos=new.max_videos,
            max_bytes=new.max_bytes,
            reference=new.reference,
            on_behalf_of=new.on_behalf_of,
        )


class VideosToDelete(RequestBody, frozen=True, kw_only=True):
    """The body of POST /videos/delete."""

    video_ids: Annotated[list[VideoId], Meta(min_length=1, max_length=MAX_DELETIONS)]

    @classmethod
    def parse(cls, body: JsonObject) -> list[str]:
        """The ids, each once. Raises InvalidRequestError."""
        return list(dict.fromkeys(cls.read(body).video_ids))


class StageVideoName(RequestBody, frozen=True, kw_only=True):
    """A video of any user."""

    owner: Owner
    video_id: VideoId


class StageVideosToDelete(RequestBody, frozen=True, kw_only=True):
    """The body of POST /admin/videos/delete."""

    videos: Annotated[list[StageVideoName], Meta(min_length=1, max_length=MAX_DELETIONS)]

    @classmethod
    def parse(cls, body: JsonObject) -> list[VideoRef]:
        """The videos, each once. Raises InvalidRequestError."""
        return list(dict.fromkeys(VideoRef(video.owner, video.video_id) for video in cls.read(body).videos))


class VideoChanges(RequestBody, frozen=True, kw_only=True):
    """The body of PATCH /videos/{videoId}. A field that is left out stays as it is; null removes a text."""

    title: Title | UnsetType | None = UNSET
    description: Description | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET

    @classmethod
    def parse(cls, body: JsonObject) -> Callable[[Labels], Labels]:
        """The change to make to a video's labels. Raises InvalidRequestError."""
        changes = cls.read(body)
        return lambda labels: Labels.given(
            title=labels.title if changes.title is UNSET else changes.title,
            description=labels.description if changes.description is UNSET else changes.description,
            tags=labels.tags if changes.tags is UNSET else changes.tags,
        )


class PartToSign(RequestBody, frozen=True, kw_only=True):
    """A part that needs a URL. A checksum is signed into the URL and verified by S3."""

    part_number: PartNumber
    checksum_crc64nvme: Checksum | None = field(default=None, name="checksumCRC64NVME")


class PartsToSign(RequestBody, frozen=True, kw_only=True):
    """The body of POST /multipart/parts."""

    parts: Annotated[list[PartToSign], Meta(min_length=1, max_length=MAX_URLS_PER_PAGE)]

    @classmethod
    def parse(cls, body: JsonObject, part_count: int) -> dict[int, str | None]:
        """Part number → checksum to sign in, or None. Raises InvalidRequestError, also beyond `part_count`."""
        request = checked(body, cls, most={"partNumber": part_count})
        return {part.part_number: part.checksum_crc64nvme for part in request.parts}


class CompletedPart(RequestBody, frozen=True, kw_only=True):
    """A part that S3 holds, with the ETag of S3's answer."""

    part_number: PartNumber
    etag: ETag


class PartsToComplete(RequestBody, frozen=True, kw_only=True):
    """The body of POST /multipart/complete. `checksumCRC64NVME` is of the whole file."""

    parts: Annotated[
        list[CompletedPart],
        Meta(min_length=1, max_length=MAX_PARTS, description="Each part once.", extra={"once": "partNumber"}),
    ]
    checksum_crc64nvme: Checksum | None = field(default=None, name="checksumCRC64NVME")
    upload_id: UploadId | None = None
    file_key: FileKey | None = None

    def __post_init__(self) -> None:
        if len({part.part_number for part in self.parts}) != len(self.parts):
            raise ValueError  # msgspec makes a refusal of it, and the walk finds the words

    @classmethod
    def parse(cls, body: JsonObject) -> upload_requests.CompleteUpload:
        """Raises InvalidRequestError."""
        request = cls.read(body)
        etags = {part.part_number: part.etag for part in request.parts}
        return upload_requests.CompleteUpload(etags, request.checksum_crc64nvme, request.upload_id, request.file_key)


class UploadToAbort(RequestBody, frozen=True, kw_only=True):
    """The body of POST /multipart/abort, which may be left out."""

    upload_id: UploadId | None = None
    file_key: FileKey | None = None


class ProgressEvent(RequestBody, frozen=True, kw_only=True, tag_field="event"):
    """Base of every event: how far an upload is."""

    at: Moment
    video_id: VideoId
    correlation_id: CorrelationId | None = None
    size_bytes: WholeNumber
    sent_bytes: WholeNumber

    def told(self) -> progress.ProgressEvent:
        said = to_builtins(self)
        name, _, _ = (said.pop(each, None) for each in ("event", "videoId", "correlationId"))
        return progress.ProgressEvent(name, self.video_id, self.correlation_id, said)


class UploadBegan(ProgressEvent, frozen=True, kw_only=True, tag="uploadBegan"):
    """An upload began or was resumed."""

    part_count: PartCount


class UploadProgress(ProgressEvent, frozen=True, kw_only=True, tag="uploadProgress"):
    """An upload made progress."""


class UploadState(ProgressEvent, frozen=True, kw_only=True, tag="uploadState"):
    """An upload entered a state. `code`: why it failed."""

    state: ClientState
    code: FailureCode | None = None


class PartRetried(ProgressEvent, frozen=True, kw_only=True, tag="partRetried"):
    """A part is sent again after this number of failures."""

    part_number: PartNumber
    failures: Failures


class PartsDiffered(ProgressEvent, frozen=True, kw_only=True, tag="partsDiffered"):
    """The parts at S3 differed from the file."""

    part_numbers: Annotated[list[PartNumber], Meta(min_length=1, max_length=MAX_PART_NUMBERS)]


class ProgressBatch(RequestBody, frozen=True, kw_only=True):
    """The body of POST /progress: events of any of the caller's uploads."""

    client: Client
    system: System | None = None
    events: Annotated[
        list[UploadBegan | UploadProgress | UploadState | PartRetried | PartsDiffered],
        Meta(min_length=1, max_length=MAX_EVENTS),
    ]

    @classmethod
    def parse(cls, body: JsonObject) -> progress.ReportedProgress:
        """Raises InvalidRequestError."""
        batch = cls.read(body)
        return progress.ReportedProgress(batch.client, batch.system, [event.told() for event in batch.events])
