"""Views of the domain's records as the contract's responses."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from chalicelib.contract import responses
from chalicelib.contract.converting import converted
from chalicelib.core.caps import Caps, Usage
from chalicelib.core.completion import Completion, Outcome
from chalicelib.core.multipart_upload import OpenUpload, StartedUpload
from chalicelib.core.part_urls import SignedPart
from chalicelib.core.ports import StoredPart
from chalicelib.core.upload_token import UploadToken
from chalicelib.core.video_events import EventType, VideoEvent
from chalicelib.core.video_id import VideoRef
from chalicelib.core.video_record import Rejection, State, VideoRecord, api_time

if TYPE_CHECKING:  # a function loads them only when it serves them
    from chalicelib.core.library import DeletionOutcome, SeenVideo
    from chalicelib.core.simple_upload import OfferedUpload
    from chalicelib.core.stage_usage import ShownUsage
    from chalicelib.core.upload_links import UsedLink


def started_upload(started: StartedUpload) -> responses.StartedUpload:
    record = started.record
    return responses.StartedUpload(
        video_id=record.video_id,
        upload_id=started.upload_id,
        file_key=record.ref.file_key,
        part_size_bytes=record.part_size_bytes,
        part_count=record.plan.part_count,
        presigned_urls=presigned_parts(started.signed_parts),
        urls_expire_at=api_time(started.urls_expire_at),
        upload_token=started.token,
        expires_at=api_time(record.expires_at),
        checksum_algorithm="CRC64NVME",
    )


def presigned_parts(parts: Iterable[SignedPart]) -> list[responses.PresignedPart]:
    return [
        responses.PresignedPart(
            part_number=part.part_number, url=part.url, size_bytes=part.size_bytes, headers=dict(part.headers)
        )
        for part in parts
    ]


def stored_upload(token: UploadToken, record: VideoRecord, parts: Iterable[StoredPart]) -> responses.StoredUpload:
    return responses.StoredUpload(
        video_id=record.video_id,
        upload_id=token.upload_id,
        file_key=record.ref.file_key,
        state=_visible_state(record),
        file_name=record.file_name,
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        part_size_bytes=record.part_size_bytes,
        part_count=record.plan.part_count,
        parts=[
            responses.StoredPart(
                part_number=part.part_number,
                size_bytes=part.size_bytes,
                etag=part.etag,
                checksum_crc64nvme=part.checksum_crc64nvme or UNSET,
            )
            for part in parts
        ],
    )


def completion(completed: Completion) -> responses.Completion:
    record = completed.record
    return responses.Completion(
        status="completed" if completed.outcome is Outcome.COMPLETED else "completing",
        video_id=record.video_id,
        file_key=record.ref.file_key,
        size_bytes=record.size_bytes,
    )


def open_uploads(uploads: Iterable[OpenUpload]) -> responses.OpenUploads:
    return responses.OpenUploads(uploads=[_open_upload(upload, upload.record) for upload in uploads])


def _open_upload(upload: OpenUpload, record: VideoRecord) -> responses.OpenUpload:
    return responses.OpenUpload(
        video_id=record.video_id,
        upload_id=upload.upload_id,
        file_key=record.ref.file_key,
        file_name=record.file_name,
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        part_size_bytes=record.part_size_bytes,
        part_count=record.plan.part_count,
        received_bytes=upload.received.size_bytes if upload.received else None,
        idle_seconds=upload.received.idle_seconds if upload.received else None,
        upload_token=upload.token or UNSET,
        started_at=api_time(record.created_at),
        expires_at=api_time(record.expires_at),
        correlation_id=record.correlation_id,
        **_origin(record),
    )


def offered_upload(offered: "OfferedUpload") -> responses.OfferedUpload:
    return responses.OfferedUpload(
        video_id=offered.ref.video_id,
        file_key=offered.ref.file_key,
        url=offered.form.url,
        fields=dict(offered.form.fields),
        expires_at=api_time(offered.expires_at),
    )


def stage_video(seen: "SeenVideo") -> responses.StageVideo:
    return responses.StageVideo(owner=seen.record.owner, **msgspec.structs.asdict(video(seen)))


def listed_video(record: VideoRecord) -> responses.ListedVideo:
    return responses.ListedVideo(
        owner=record.owner,
        video_id=record.video_id,
        file_name=record.file_name,
        title=record.title,
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        state=_visible_state(record),
        created_at=api_time(record.created_at),
        updated_at=api_time(record.updated_at),
        rejection=_rejection(record.rejection),
        **_origin(record),
    )


def stage_usage(shown: "ShownUsage") -> responses.StageUsage:
    count = shown.count
    return responses.StageUsage(
        stored_bytes=count.stored_bytes if count else None,
        stored_videos=count.stored_videos if count else None,
        counted_at=api_time(count.counted_at) if count else None,
        reserved_bytes=shown.reserved_bytes,
        reserved_videos=shown.reserved_videos,
        max_stored_bytes=shown.max_bytes or None,
    )


def video(seen: "SeenVideo") -> responses.Video:
    record, urls = seen.record, seen.urls
    return responses.Video(
        video_id=record.video_id,
        file_name=record.file_name,
        title=record.title,
        description=record.description,
        tags=list(record.tags),
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        checksum_crc64nvme=record.checksum_crc64nvme,
        state=_visible_state(record),
        waits_for="malwareScan" if record.awaits_scan_since else None,
        created_at=api_time(record.created_at),
        updated_at=api_time(record.updated_at),
        completed_at=api_time(record.completed_at) if record.completed_at else None,
        media=_media(record),
        rejection=_rejection(record.rejection),
        rendition=_rendition(record),
        poster_url=urls.poster_url if urls else None,
        playback_url=urls.playback_url if urls else None,
        download_url=urls.original_url if urls else None,
        thumbnails_url=urls.thumbnails_url if urls else None,
        urls_expire_at=api_time(seen.urls_expire_at) if urls else None,
        expires_at=api_time(seen.expiry.expires_at) if seen.expiry else None,
        expires_soon=bool(seen.expiry and seen.expiry.is_near),
        **_origin(record),
    )


def deleted_videos(
    video_ids: Iterable[str], outcomes: Iterable["DeletionOutcome"], links_expire_at: datetime
) -> responses.DeletedVideos:
    return responses.DeletedVideos(
        videos=[
            responses.VideoDeletion(video_id=video_id, status=outcome.value)
            for video_id, outcome in zip(video_ids, outcomes, strict=True)
        ],
        links_expire_at=api_time(links_expire_at),
    )


def deleted_stage_videos(
    refs: Iterable[VideoRef], outcomes: Iterable["DeletionOutcome"], links_expire_at: datetime
) -> responses.DeletedStageVideos:
    return responses.DeletedStageVideos(
        videos=[
            responses.StageVideoDeletion(owner=ref.owner, video_id=ref.video_id, status=outcome.value)
            for ref, outcome in zip(refs, outcomes, strict=True)
        ],
        links_expire_at=api_time(links_expire_at),
    )


def usage(used: Usage, caps: Caps) -> responses.Usage:
    return responses.Usage(
        stored_bytes=used.stored_bytes,
        stored_videos=used.stored_videos,
        reserved_bytes=used.reserved_bytes,
        reserved_videos=used.reserved_videos,
        max_stored_bytes=caps.max_stored_bytes or None,
        max_stored_videos=caps.max_stored_videos or None,
        max_reserved_bytes=caps.max_reserved_bytes,
        max_open_uploads=caps.max_open_uploads,
    )


def video_message(event: VideoEvent) -> responses.VideoMessage:
    record = event.record
    return responses.VideoMessage(
        version=1,
        id=event.id,
        type=converted(event.type.value, responses.EventType),
        occurred_at=api_time(event.occurred_at),
        video_id=record.video_id,
        owner=record.owner,
        file_key=record.ref.file_key,
        version_id=record.version_id,
        file_name=record.file_name,
        content_type=record.content_type,
        size_bytes=record.size_bytes,
        state=converted(event.type.value.removeprefix("video."), responses.EventState),
        cause=_cause(event),
        completed_at=api_time(record.completed_at) if record.completed_at else None,
        media=_media(record),
        rejection=_rejection(record.rejection),
        rendition=_rendition(record),
        expires_at=api_time(record.deletes_at) if event.type is EventType.EXPIRING and record.deletes_at else None,
        **_origin(record),
    )


def upload_link(used: "UsedLink", now: datetime, token: str | None) -> responses.UploadLink:
    link = used.link
    return responses.UploadLink(
        link_id=link.link_id,
        title=link.title,
        note=link.note,
        state=link.state(now).value,
        max_videos=link.max_videos,
        max_bytes=link.max_bytes,
        used_videos=used.videos,
        used_bytes=used.size_bytes,
        created_at=api_time(link.created_at),
        expires_at=api_time(link.expires_at),
        revoked_at=api_time(link.revoked_at) if link.revoked_at else None,
        reference=link.reference,
        on_behalf_of=link.on_behalf_of,
        link_token=token or UNSET,
    )


def opened_link(used: "UsedLink") -> responses.OpenedLink:
    link = used.link
    return responses.OpenedLink(
        title=link.title,
        note=link.note,
        expires_at=api_time(link.expires_at),
        videos_left=max(0, link.max_videos - used.videos),
        bytes_left=max(0, link.max_bytes - used.size_bytes),
    )


def _origin(record: VideoRecord) -> dict[str, Any]:
    return {
        "link_id": record.link_id,
        "uploader_name": record.uploader_name,
        "reference": record.reference,
        "on_behalf_of": record.on_behalf_of,
    }


def _cause(event: VideoEvent) -> responses.Cause | None:
    if event.type is EventType.FAILED:
        return "expired" if event.record.state is State.EXPIRED else "given_up"
    return event.record.deleted_by.value if event.record.deleted_by else None


def _visible_state(record: VideoRecord) -> responses.VideoState:
    """Every state but `deleted`, which no caller sees."""
    return converted(record.state.value, responses.VideoState)


def _media(record: VideoRecord) -> responses.Media | None:
    """The facts, once the video is ready: while it waits for the malware scan nothing of it is shown."""
    if record.awaits_scan_since:
        return None
    return converted(record.media, responses.Media | None)


def _rendition(record: VideoRecord) -> responses.Rendition | None:
    rendition = record.rendition
    if rendition is None or record.state is not State.READY:
        return None
    return responses.Rendition(
        state=rendition.state.value,
        size_bytes=rendition.size_bytes,
        reason=rendition.failure.value if rendition.failure else None,
    )


def _rejection(rejection: Rejection | None) -> responses.Rejection | None:
    return (
        responses.Rejection(code=converted(rejection.code, responses.RejectionCode), message=rejection.message)
        if rejection
        else None
    )
