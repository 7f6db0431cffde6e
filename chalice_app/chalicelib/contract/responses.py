"""Responses, and the message to subscribers.

A field that is left out is `UnsetType`; one that has no value yet is null.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.contract.fields import (
    Checksum,
    ContentType,
    Count,
    Cursor,
    Description,
    ETag,
    EventId,
    FileKey,
    IdleSeconds,
    LinkBytes,
    LinkId,
    LinkNote,
    LinkTitle,
    LinkToken,
    LinkVideos,
    OnBehalfOf,
    Owner,
    PartCount,
    PartNumber,
    PartSizeBytes,
    Reference,
    SizeBytes,
    Tags,
    Time,
    Title,
    UploaderName,
    UploadId,
    UploadToken,
    Url,
    VideoId,
    VideoState,
)

EventType = Literal[
    "video.ready",
    "video.rejected",
    "video.failed",
    "video.deleted",
    "video.expiring",
    "video.rendition_ready",
    "video.rendition_failed",
]
EventState = Literal["ready", "rejected", "failed", "deleted", "expiring", "rendition_ready", "rendition_failed"]
Cause = Literal["expired", "given_up", "owner", "administrator", "operator", "retention"]
RejectionCode = Literal[
    "size_mismatch",
    "not_a_video",
    "container_mismatch",
    "container_not_accepted",
    "no_video_stream",
    "encrypted_media",
    "unsupported_codec",
    "unreadable_media",
    "media_limits_exceeded",
    "malware",
    "not_scanned",
]


class ResponseBody(Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of every response body."""


class PresignedPart(ResponseBody, frozen=True, kw_only=True):
    """The destination of one part. `headers` must be sent with it, and no other `x-amz-*` header."""

    part_number: PartNumber
    url: Url
    size_bytes: SizeBytes
    headers: dict[str, str]


class StartedUpload(ResponseBody, frozen=True, kw_only=True):
    """A multipart upload that may begin. `presignedUrls` is the first page: all parts up to 500."""

    video_id: VideoId
    upload_id: UploadId
    file_key: FileKey
    part_size_bytes: PartSizeBytes
    part_count: PartCount
    presigned_urls: list[PresignedPart]
    urls_expire_at: Time
    upload_token: UploadToken
    expires_at: Annotated[Time, Meta(description="The end of the upload and of its token.")]
    checksum_algorithm: Literal["CRC64NVME"]


class SignedParts(ResponseBody, frozen=True, kw_only=True):
    """URLs of further parts."""

    presigned_urls: list[PresignedPart]
    urls_expire_at: Time


class StoredPart(ResponseBody, frozen=True, kw_only=True):
    """One part as S3 holds it. `checksumCRC64NVME` is present when S3 computed it."""

    part_number: PartNumber
    size_bytes: SizeBytes
    etag: ETag
    checksum_crc64nvme: Checksum | UnsetType = field(default=UNSET, name="checksumCRC64NVME")


class StoredUpload(ResponseBody, frozen=True, kw_only=True):
    """An unfinished upload and the parts that S3 holds of it."""

    video_id: VideoId
    upload_id: UploadId
    file_key: FileKey
    state: VideoState
    file_name: str
    content_type: ContentType
    size_bytes: SizeBytes
    part_size_bytes: PartSizeBytes
    part_count: PartCount
    parts: list[StoredPart]


class Completion(ResponseBody, frozen=True, kw_only=True):
    """A completed upload, or one whose parts S3 is still joining: repeat the call."""

    status: Literal["completed", "completing"]
    video_id: VideoId
    file_key: FileKey
    size_bytes: SizeBytes


class AbortedUpload(ResponseBody, frozen=True, kw_only=True):
    """An aborted upload."""

    status: Literal["aborted"]
    video_id: VideoId


class OpenUpload(ResponseBody, frozen=True, kw_only=True):
    """An unfinished upload of the caller.

    `uploadToken` is absent for a caller without the write scope. `receivedBytes` is what S3 holds of the upload,
    `idleSeconds` the time since S3 received its newest part, or since it began; both are null for all but the newest
    uploads.
    """

    video_id: VideoId
    upload_id: UploadId
    file_key: FileKey
    file_name: str
    content_type: ContentType
    size_bytes: SizeBytes
    part_size_bytes: PartSizeBytes
    part_count: PartCount
    received_bytes: SizeBytes | None
    idle_seconds: IdleSeconds | None
    upload_token: UploadToken | UnsetType = UNSET
    started_at: Time
    expires_at: Time
    correlation_id: str | None
    link_id: LinkId | None
    uploader_name: UploaderName | None
    reference: Reference | None
    on_behalf_of: OnBehalfOf | None


class OpenUploads(ResponseBody, frozen=True, kw_only=True):
    """The caller's unfinished uploads, newest first."""

    uploads: list[OpenUpload]


class OfferedUpload(ResponseBody, frozen=True, kw_only=True):
    """A form for S3: send all `fields` as multipart/form-data, then `file`."""

    video_id: VideoId
    file_key: FileKey
    url: Url
    fields: dict[str, str]
    expires_at: Time


class VideoTrack(ResponseBody, frozen=True, kw_only=True):
    """The first video stream: its size as displayed, after the clockwise rotation; `profile` as in `High 10`."""

    codec: str
    profile: str | None = None
    width: int
    height: int
    rotation_degrees: Literal[0, 90, 180, 270]
    frame_rate: float | None


class AudioTrack(ResponseBody, frozen=True, kw_only=True):
    """The first audio stream."""

    codec: str
    channels: int
    sample_rate_hz: int


class Obstacle(ResponseBody, frozen=True, kw_only=True):
    """The part of a file that some browsers do not play, and its common name."""

    part: Literal["video", "container", "audio"]
    name: str


class Playability(ResponseBody, frozen=True, kw_only=True):
    """The browsers that play the file as it is; `some` also if it depends on the machine. `all` has no obstacle."""

    browsers: Literal["all", "some", "none"]
    obstacle: Obstacle | None


class Thumbnails(ResponseBody, frozen=True, kw_only=True):
    """Small pictures at equal distances, in one JPEG at `thumbnailsUrl`, row by row, each `tileWidth` by `tileHeight`
    pixels, upright. The picture for a second of the video has the number `second / secondsPerTile`, rounded down; its
    column is the number modulo `columns`.
    """

    count: int
    columns: int
    tile_width: int
    tile_height: int
    seconds_per_tile: float


class Media(ResponseBody, frozen=True, kw_only=True):
    """The facts that processing found in the file. A field is null if the file does not state it.

    `profile` and `playability` are also null for a video that version 0.1 processed; `thumbnails` is null if there are
    none: with the setting off, for a video with one keyframe, or if drawing them would cost too much.
    """

    container: str
    duration_seconds: float | None
    bit_rate_bits_per_second: int | None
    video: VideoTrack
    audio: AudioTrack | None
    playability: Playability | None = None
    thumbnails: Thumbnails | None = None


class Rejection(ResponseBody, frozen=True, kw_only=True):
    """Processing's reason for rejecting the file."""

    code: RejectionCode
    message: str


class Rendition(ResponseBody, frozen=True, kw_only=True):
    """The copy of a video that every browser plays. `sizeBytes` is null until it is `ready`.

    `reason` is null unless it `failed`: `not_convertible` if the file cannot be converted, `unanswered` if no attempt
    finished.
    """

    state: Literal["pending", "ready", "failed"]
    size_bytes: SizeBytes | None
    reason: Literal["not_convertible", "unanswered"] | None


class Video(ResponseBody, frozen=True, kw_only=True):
    """One video of the caller's library. Its URLs are null unless it is `ready`.

    `playbackUrl` plays the rendition once that is `ready`, and until then the file itself; `downloadUrl` is always the
    file as it was uploaded. `rendition` is null if the stage makes none, and for a video that needs none or cannot have
    one. `checksumCRC64NVME` is of the whole file, null if its client did not send it. `waitsFor`: the one thing still
    missing while it is `processing`, null if there is more than one. `expiresAt`: the earliest time at which retention
    deletes it, null if retention is off; `expiresSoon`: whether that was announced.
    """

    video_id: VideoId
    file_name: str
    title: Title | None
    description: Description | None
    tags: Tags
    content_type: ContentType
    size_bytes: SizeBytes
    checksum_crc64nvme: Checksum | None = field(name="checksumCRC64NVME")
    state: VideoState
    waits_for: Literal["malwareScan"] | None
    created_at: Time
    updated_at: Time
    completed_at: Time | None
    media: Media | None
    rejection: Rejection | None
    rendition: Rendition | None
    poster_url: Url | None
    playback_url: Url | None
    download_url: Url | None
    thumbnails_url: Url | None
    urls_expire_at: Time | None
    expires_at: Time | None
    expires_soon: bool
    link_id: LinkId | None
    uploader_name: UploaderName | None
    reference: Reference | None
    on_behalf_of: OnBehalfOf | None


class VideoPage(ResponseBody, frozen=True, kw_only=True):
    """A page of the library. Only a `nextCursor` of null ends the list."""

    videos: list[Video]
    next_cursor: Cursor | None


class DeletedVideo(ResponseBody, frozen=True, kw_only=True):
    """A deleted video. URLs that were issued before can play until `linksExpireAt`."""

    status: Literal["deleted"]
    video_id: VideoId
    links_expire_at: Time


class VideoDeletion(ResponseBody, frozen=True, kw_only=True):
    """The outcome for one of several videos. One that `failed` stays as it is; the call may be repeated."""

    video_id: VideoId
    status: Literal["deleted", "not_found", "failed"]


class DeletedVideos(ResponseBody, frozen=True, kw_only=True):
    """Outcomes by video, in the order of the request, each id once."""

    videos: list[VideoDeletion]
    links_expire_at: Time


class Usage(ResponseBody, frozen=True, kw_only=True):
    """The caller's use of each limit; null means no limit.

    `storedBytes` and `storedVideos` count what is stored, rejected videos included; `reservedBytes` and
    `reservedVideos` the open uploads that hold a reservation. A new upload needs room in addition to both.
    """

    stored_bytes: SizeBytes
    stored_videos: Count
    reserved_bytes: SizeBytes
    reserved_videos: Count
    max_stored_bytes: SizeBytes | None
    max_stored_videos: Count | None
    max_reserved_bytes: SizeBytes
    max_open_uploads: Count


class ListedVideo(ResponseBody, frozen=True, kw_only=True):
    """One video in an administrator's list, without its URLs."""

    owner: Owner
    video_id: VideoId
    file_name: str
    title: Title | None
    content_type: ContentType
    size_bytes: SizeBytes
    state: VideoState
    created_at: Time
    updated_at: Time
    rejection: Rejection | None
    link_id: LinkId | None
    uploader_name: UploaderName | None
    reference: Reference | None
    on_behalf_of: OnBehalfOf | None


class StageVideoPage(ResponseBody, frozen=True, kw_only=True):
    """A page of all users' videos. Only a `nextCursor` of null ends the list."""

    videos: list[ListedVideo]
    next_cursor: Cursor | None


class StageVideo(Video, frozen=True, kw_only=True):
    """One video of any user, as an administrator sees it. Its URLs open only this video."""

    owner: Owner


class DeletedStageVideo(DeletedVideo, frozen=True, kw_only=True):
    """A user's video that an administrator deleted."""

    owner: Owner


class StageVideoDeletion(VideoDeletion, frozen=True, kw_only=True):
    """The outcome for one of several videos of any users."""

    owner: Owner


class DeletedStageVideos(ResponseBody, frozen=True, kw_only=True):
    """Outcomes by video, in the order of the request, each video once."""

    videos: list[StageVideoDeletion]
    links_expire_at: Time


class StageUsage(ResponseBody, frozen=True, kw_only=True):
    """All users' use of the stage's limit; null means no limit.

    `storedBytes` and `storedVideos` are as of `countedAt`, null before the first count; `reservedBytes` and
    `reservedVideos` count the uploads that are open now. A video that was completed since the count is in neither.
    """

    stored_bytes: SizeBytes | None
    stored_videos: Count | None
    counted_at: Time | None
    reserved_bytes: SizeBytes
    reserved_videos: Count
    max_stored_bytes: SizeBytes | None


class UploadLink(ResponseBody, frozen=True, kw_only=True):
    """An upload link of the caller.

    `linkToken` is absent for a caller without the write scope, and for a link that is not `open`. `usedVideos` and
    `usedBytes` count the uploads that were begun by the link and neither aborted nor expired.
    """

    link_id: LinkId
    title: LinkTitle
    note: LinkNote | None
    state: Literal["open", "expired", "revoked"]
    max_videos: LinkVideos
    max_bytes: LinkBytes
    used_videos: Count
    used_bytes: SizeBytes
    created_at: Time
    expires_at: Time
    revoked_at: Time | None
    reference: Reference | None
    on_behalf_of: OnBehalfOf | None
    link_token: LinkToken | UnsetType = UNSET


class UploadLinks(ResponseBody, frozen=True, kw_only=True):
    """The caller's upload links, newest first."""

    links: list[UploadLink]


class RevokedLink(ResponseBody, frozen=True, kw_only=True):
    """A revoked upload link."""

    status: Literal["revoked"]
    link_id: LinkId


class OpenedLink(ResponseBody, frozen=True, kw_only=True):
    """An upload link as the person who opens it sees it: what it is for, and what may still be sent by it."""

    title: LinkTitle
    note: LinkNote | None
    expires_at: Time
    videos_left: Count
    bytes_left: SizeBytes


class AcceptedProgress(ResponseBody, frozen=True, kw_only=True):
    """The number of accepted events."""

    accepted: int


class Health(ResponseBody, frozen=True, kw_only=True):
    """Liveness and version."""

    status: Literal["ok"]
    version: str
    stage: str


class VideoMessage(ResponseBody, frozen=True, kw_only=True):
    """The message to subscribers about one event of one video. It may come more than once, with the same `id`.

    `occurredAt` is when the event happened. `state` is the `type` without its prefix, as in version 0.1. `cause` says
    why an upload failed (`expired`: not finished in time; `given_up`: processing did not succeed) or who deleted the
    video; it is null otherwise. `rendition` is the copy of a ready video that every browser plays, null if it gets
    none. `media` is present for a video that is ready or was ready when it was deleted, `rejection` for a rejected one.
    `expiresAt`: the earliest time at which a video that is `expiring` is deleted, null otherwise. `linkId` and
    `uploaderName` name the upload link by which it came and its sender; `reference` and `onBehalfOf` are a machine
    client's own names.
    """

    version: Literal[1]
    id: EventId
    type: EventType
    occurred_at: Time
    video_id: VideoId
    owner: str
    file_key: FileKey
    version_id: str | None
    file_name: str
    content_type: ContentType
    size_bytes: SizeBytes
    state: EventState
    cause: Cause | None
    completed_at: Time | None
    media: Media | None
    rejection: Rejection | None
    rendition: Rendition | None
    expires_at: Time | None
    link_id: LinkId | None
    uploader_name: UploaderName | None
    reference: Reference | None
    on_behalf_of: OnBehalfOf | None
