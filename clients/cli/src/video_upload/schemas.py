"""The API's bodies as types: names in snake_case here, as docs/openapi.json spells them on the wire.

Times are ISO 8601 strings in UTC, checksums are S3's base64 form. Unknown fields are ignored, so that an older client
keeps working when the API grows; a missing or mistyped field is refused.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = [
    "AudioTrack",
    "Labels",
    "ListedVideo",
    "MachineNames",
    "Media",
    "Obstacle",
    "OpenUpload",
    "Playability",
    "Rejection",
    "StageUsage",
    "StageVideo",
    "UploadLink",
    "Usage",
    "Video",
    "VideoState",
    "VideoTrack",
]

VideoState = Literal["uploading", "completing", "processing", "ready", "rejected", "aborted", "expired", "deleted"]


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of every body: immutable, camelCase on the wire."""


class Labels(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Labels to give a video. What is left at None is not sent."""

    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None


class MachineNames(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Names that a program gives its uploads and links; a person may not."""

    reference: str | None = None
    on_behalf_of: str | None = None


class NewUpload(Labels, frozen=True, kw_only=True, omit_defaults=True):
    """Request body of POST /multipart/init and POST /upload."""

    file_name: str
    content_type: str
    size_bytes: int
    reference: str | None = None
    on_behalf_of: str | None = None


class NewLinkUpload(Body, frozen=True, kw_only=True):
    """Request body of POST /link/multipart/init."""

    file_name: str
    content_type: str
    size_bytes: int
    uploader_name: str


class NewUploadLink(MachineNames, frozen=True, kw_only=True, omit_defaults=True):
    """Request body of POST /links."""

    title: str
    note: str | None = None
    valid_seconds: int
    max_videos: int
    max_bytes: int


class UploadLink(Body, frozen=True, kw_only=True):
    """An upload link and what is used of it. link_token: a secret; None where the link is not open."""

    link_id: str
    title: str
    note: str | None = None
    state: str
    max_videos: int
    max_bytes: int
    used_videos: int
    used_bytes: int
    created_at: str
    expires_at: str
    revoked_at: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None
    link_token: str | None = None


class UploadLinks(Body, frozen=True, kw_only=True):
    """Response of GET /links."""

    links: tuple[UploadLink, ...]


class RevokedLink(Body, frozen=True, kw_only=True):
    """Response of DELETE /links/{linkId}."""

    status: str
    link_id: str


class VideoChanges(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Request body of PATCH /videos/{videoId}. None takes a text away; what is left at UNSET stays as it is."""

    title: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class PresignedPart(Body, frozen=True, kw_only=True):
    """Presigned URL of one part; send it with `headers` and no other x-amz-* header."""

    part_number: int
    url: str
    size_bytes: int
    headers: dict[str, str] = {}


class StartedUpload(Body, frozen=True, kw_only=True):
    """Response of POST /multipart/init."""

    video_id: str
    upload_id: str
    file_key: str
    part_size_bytes: int
    part_count: int
    presigned_urls: tuple[PresignedPart, ...]
    urls_expire_at: str
    upload_token: str
    expires_at: str
    checksum_algorithm: str


class PartToSign(Body, frozen=True, kw_only=True, omit_defaults=True):
    """A checksum given here is signed into the URL and verified by S3."""

    part_number: int
    checksum_crc64nvme: str | None = msgspec.field(default=None, name="checksumCRC64NVME")


class SignedParts(Body, frozen=True, kw_only=True):
    """Response of POST /multipart/parts."""

    presigned_urls: tuple[PresignedPart, ...]
    urls_expire_at: str


class StoredPart(Body, frozen=True, kw_only=True):
    """One part as S3 holds it; the checksum is there when S3 computed one."""

    part_number: int
    size_bytes: int
    etag: str
    checksum_crc64nvme: str | None = msgspec.field(default=None, name="checksumCRC64NVME")


class StoredUpload(Body, frozen=True, kw_only=True):
    """Response of GET /multipart/parts: what S3 already holds."""

    video_id: str
    upload_id: str
    file_key: str
    state: VideoState
    file_name: str
    content_type: str
    size_bytes: int
    part_size_bytes: int
    part_count: int
    parts: tuple[StoredPart, ...]


class CompletedPart(Body, frozen=True, kw_only=True):
    """One line of the list that POST /multipart/complete takes."""

    part_number: int
    etag: str


class CompleteUpload(Body, frozen=True, kw_only=True, omit_defaults=True):
    """Request body of POST /multipart/complete."""

    parts: tuple[CompletedPart, ...]
    checksum_crc64nvme: str | None = msgspec.field(default=None, name="checksumCRC64NVME")


class Completion(Body, frozen=True, kw_only=True):
    """Response of POST /multipart/complete."""

    status: Literal["completed", "completing"]
    video_id: str
    file_key: str
    size_bytes: int


class StatusResponse(Body, frozen=True, kw_only=True):
    """Response of POST /multipart/abort."""

    status: str
    video_id: str


class DeletedVideo(StatusResponse, frozen=True, kw_only=True):
    """Response of DELETE /videos/{videoId}. links_expire_at: when the last link given out before ends."""

    links_expire_at: str | None = None


class VideosToDelete(Body, frozen=True, kw_only=True):
    """Request body of POST /videos/delete."""

    video_ids: tuple[str, ...]


class VideoDeletion(Body, frozen=True, kw_only=True):
    """Outcome for one of several videos. status: `deleted`, `not_found` or `failed`."""

    video_id: str
    status: str


class DeletedVideos(Body, frozen=True, kw_only=True):
    """Response of POST /videos/delete. links_expire_at: when the last link given out before ends."""

    videos: tuple[VideoDeletion, ...]
    links_expire_at: str


class OpenUpload(Body, frozen=True, kw_only=True):
    """An unfinished upload, with a fresh token. idle_seconds: since S3 received its newest part, or since it began."""

    video_id: str
    upload_id: str
    file_key: str
    file_name: str
    content_type: str
    size_bytes: int
    part_size_bytes: int
    part_count: int
    upload_token: str
    received_bytes: int | None = None
    idle_seconds: int | None = None
    started_at: str
    expires_at: str
    link_id: str | None = None
    uploader_name: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None


class OpenUploads(Body, frozen=True, kw_only=True):
    """Response of GET /uploads."""

    uploads: tuple[OpenUpload, ...]


class VideoTrack(Body, frozen=True, kw_only=True):
    """Width and height are as displayed, after the rotation. profile: the codec's, as in "High 10"."""

    codec: str
    profile: str | None = None
    width: int
    height: int
    rotation_degrees: int | None = None
    frame_rate: float | None = None


class AudioTrack(Body, frozen=True, kw_only=True):
    """First sound track."""

    codec: str
    channels: int | None = None
    sample_rate_hz: int | None = None


class Obstacle(Body, frozen=True, kw_only=True):
    """The part of a file that browsers do not play ("video", "container", "audio"), and its name."""

    part: str
    name: str


class Playability(Body, frozen=True, kw_only=True):
    """The browsers that play the file as it is: "all", "some" or "none"."""

    browsers: str
    obstacle: Obstacle | None = None


class Thumbnails(Body, frozen=True, kw_only=True):
    """Small pictures at equal distances, row by row in the JPEG at a video's `thumbnails_url`."""

    count: int
    columns: int
    tile_width: int
    tile_height: int
    seconds_per_tile: float


class Media(Body, frozen=True, kw_only=True):
    """Facts that processing found in the file. playability: None for a video that version 0.1 processed. thumbnails:
    None where there are none."""

    container: str
    duration_seconds: float | None = None
    bit_rate_bits_per_second: float | None = None
    video: VideoTrack | None = None
    audio: AudioTrack | None = None
    playability: Playability | None = None
    thumbnails: Thumbnails | None = None


class Rendition(Body, frozen=True, kw_only=True):
    """The copy of a video that every browser plays: "pending", "ready" or "failed".

    reason: "not_convertible" or "unanswered", of one that failed.
    """

    state: str
    size_bytes: int | None = None
    reason: str | None = None


class Rejection(Body, frozen=True, kw_only=True):
    """Processing's reason for refusing the file."""

    code: str
    message: str


class Video(Body, frozen=True, kw_only=True):
    """One video of the library; URLs are None unless it is ready. The checksum is of the whole file, where known.

    waits_for: "malwareScan" while it is processing and only the malware scan is missing. expires_at: when the platform
    deletes it at the earliest, None if it does not; expires_soon: whether that was announced. link_id, uploader_name:
    of the upload link by which it came. reference, on_behalf_of: names that a program gave it. rendition: None where
    it has no copy for browsers. playback_url: of that copy once it is ready, else as download_url: of the file itself.
    """

    video_id: str
    file_name: str
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    content_type: str
    size_bytes: int
    checksum_crc64nvme: str | None = msgspec.field(default=None, name="checksumCRC64NVME")
    state: VideoState
    waits_for: str | None = None
    created_at: str
    updated_at: str
    completed_at: str | None = None
    media: Media | None = None
    rejection: Rejection | None = None
    rendition: Rendition | None = None
    poster_url: str | None = None
    playback_url: str | None = None
    download_url: str | None = None
    thumbnails_url: str | None = None
    urls_expire_at: str | None = None
    expires_at: str | None = None
    expires_soon: bool = False
    link_id: str | None = None
    uploader_name: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None

    @property
    def name(self) -> str:
        """The title, or the file's name where it has none."""
        return self.title or self.file_name


class Usage(Body, frozen=True, kw_only=True):
    """Storage in use, reservations of unfinished uploads, and the limits; a limit of None is none."""

    stored_bytes: int
    stored_videos: int
    reserved_bytes: int
    reserved_videos: int
    max_stored_bytes: int | None = None
    max_stored_videos: int | None = None
    max_reserved_bytes: int
    max_open_uploads: int


class VideoPage(Body, frozen=True, kw_only=True):
    """Response of GET /videos."""

    videos: tuple[Video, ...]
    next_cursor: str | None = None


class ListedVideo(Body, frozen=True, kw_only=True):
    """One video in an administrator's list, without its URLs."""

    owner: str
    video_id: str
    file_name: str
    title: str | None = None
    content_type: str
    size_bytes: int
    state: VideoState
    created_at: str
    updated_at: str
    rejection: Rejection | None = None
    link_id: str | None = None
    uploader_name: str | None = None
    reference: str | None = None
    on_behalf_of: str | None = None

    @property
    def name(self) -> str:
        """The title, or the file's name where it has none."""
        return self.title or self.file_name


class StageVideoPage(Body, frozen=True, kw_only=True):
    """Response of GET /admin/videos."""

    videos: tuple[ListedVideo, ...]
    next_cursor: str | None = None


class StageVideo(Video, frozen=True, kw_only=True):
    """One video of any user, as an administrator sees it."""

    owner: str


class DeletedStageVideo(DeletedVideo, frozen=True, kw_only=True):
    """Response of DELETE /admin/videos/{owner}/{videoId}."""

    owner: str


class StageVideoName(Body, frozen=True, kw_only=True):
    """A video of any user."""

    owner: str
    video_id: str


class StageVideosToDelete(Body, frozen=True, kw_only=True):
    """Request body of POST /admin/videos/delete."""

    videos: tuple[StageVideoName, ...]


class StageVideoDeletion(VideoDeletion, frozen=True, kw_only=True):
    """Outcome for one of several videos of any users."""

    owner: str


class DeletedStageVideos(Body, frozen=True, kw_only=True):
    """Response of POST /admin/videos/delete."""

    videos: tuple[StageVideoDeletion, ...]
    links_expire_at: str


class StageUsage(Body, frozen=True, kw_only=True):
    """Storage of all users by the last count, None before the first, open uploads of now, and the stage's limit."""

    stored_bytes: int | None = None
    stored_videos: int | None = None
    counted_at: str | None = None
    reserved_bytes: int
    reserved_videos: int
    max_stored_bytes: int | None = None


class ProgressBatch(Body, frozen=True, kw_only=True):
    """Request body of POST /progress. events: as docs/openapi.json describes them, and no more than it allows."""

    client: str
    system: str
    events: tuple[dict[str, Any], ...]


class Health(Body, frozen=True, kw_only=True):
    """Response of GET /health."""

    status: str
    version: str
    stage: str


class ProgressResponse(Body, frozen=True, kw_only=True):
    """Response of POST /progress."""

    accepted: int


class ErrorDetail(Body, frozen=True, kw_only=True):
    code: str
    message: str
    details: dict[str, Any] = {}
    request_id: str | None = None


class ErrorResponse(Body, frozen=True, kw_only=True):
    """Every refusal has this shape."""

    error: ErrorDetail


class SiteConfig(Body, frozen=True, kw_only=True):
    """The site's /config.json.

    api_url: may be relative to the site. tell_progress: its operators would like to hear how uploads go.
    account_client_id: None where the site has no account view. accepted_containers: of its videos; None for all.
    """

    stage: str
    api_url: str
    authority: str
    desktop_client_id: str
    scopes: tuple[str, ...]
    logout_url: str | None = None
    tell_progress: bool = False
    account_client_id: str | None = None
    accepted_containers: tuple[str, ...] | None = None
