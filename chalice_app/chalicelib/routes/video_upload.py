"""Video upload: small videos in one request, the library with its limits, and how clients' uploads go."""

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.fields import MAX_DELETIONS_BYTES, MAX_LABELS_BYTES, MAX_PROGRESS_BYTES
from chalicelib.contract.requests import NewUpload, ProgressBatch, VideoChanges, VideosToDelete
from chalicelib.contract.responses import AcceptedProgress, DeletedVideo, VideoPage
from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.video_id import VideoRef, is_video_id
from chalicelib.core.video_record import api_time
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import reader_of, require_machine, writer_of
from chalicelib.routes.page_limits import page_of
from chalicelib.routes.strict_json import strict_json
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

video_upload = ApiBlueprint(__name__, "video_upload")


@video_upload.route("/upload", methods=["POST"], authorizer=may_write)
def offer_upload() -> Response:
    owner = writer_of(video_upload.current_request)
    environment = services().environment
    max_bytes = min(environment.max_simple_upload_bytes, environment.max_video_bytes)
    request = NewUpload.parse(strict_json(video_upload.current_request), max_bytes, environment.containers)
    require_machine(video_upload.current_request, *request.origin)
    offered = services().simple_uploads.start(owner, request, video_upload.correlation_id)
    return respond(views.offered_upload(offered), status=201)


@video_upload.route("/videos", methods=["GET"], authorizer=may_read)
def list_videos() -> Response:
    owner = reader_of(video_upload.current_request)
    limit, cursor, query = page_of(video_upload.current_request)
    videos, next_cursor = services().library.page(owner, limit, cursor, query)
    return respond(VideoPage(videos=[views.video(seen) for seen in videos], next_cursor=next_cursor))


@video_upload.route("/videos/{videoId}", methods=["GET"], authorizer=may_read)
def show_video(videoId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    owner = reader_of(video_upload.current_request)
    return respond(views.video(services().library.show(_ref(owner, videoId))))


@video_upload.route("/videos/{videoId}", methods=["PATCH"], authorizer=may_write)
def edit_video(videoId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    owner = writer_of(video_upload.current_request)
    change = VideoChanges.parse(strict_json(video_upload.current_request, MAX_LABELS_BYTES))
    return respond(views.video(services().library.edit(_ref(owner, videoId), change)))


@video_upload.route("/videos/{videoId}", methods=["DELETE"], authorizer=may_write)
def delete_video(videoId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    owner = writer_of(video_upload.current_request)
    links_expire_at = services().library.delete(_ref(owner, videoId))
    return respond(DeletedVideo(status="deleted", video_id=videoId, links_expire_at=api_time(links_expire_at)))


@video_upload.route("/videos/delete", methods=["POST"], authorizer=may_write)
def delete_videos() -> Response:
    owner = writer_of(video_upload.current_request)
    wanted = VideosToDelete.parse(strict_json(video_upload.current_request, MAX_DELETIONS_BYTES))
    outcomes = services().library.delete_each([VideoRef(owner, video_id) for video_id in wanted])
    return respond(views.deleted_videos(wanted, outcomes, services().library.last_urls_expire_at))


@video_upload.route("/usage", methods=["GET"], authorizer=may_read)
def show_usage() -> Response:
    owner = reader_of(video_upload.current_request)
    room = services().room
    return respond(views.usage(room.usage(owner), room.caps))


@video_upload.route("/progress", methods=["POST"], authorizer=may_write)
def tell_progress() -> Response:
    owner = writer_of(video_upload.current_request)
    told = ProgressBatch.parse(strict_json(video_upload.current_request, MAX_PROGRESS_BYTES))
    services().progress_log.write(owner, told)
    return respond(AcceptedProgress(accepted=len(told.events)))


def _ref(owner: str, video_id: str) -> VideoRef:
    """Return the video's reference; a malformed id is an unknown video and never becomes part of a key."""
    if not is_video_id(video_id):
        raise VideoNotFoundError
    return VideoRef(owner, video_id)
