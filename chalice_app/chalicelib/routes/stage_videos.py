"""The administrators' view: list, search, view and delete all users' videos, and the stage's usage."""

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.fields import MAX_DELETIONS_BYTES
from chalicelib.contract.requests import StageVideosToDelete
from chalicelib.contract.responses import DeletedStageVideo, StageVideoPage
from chalicelib.core.errors import VideoNotFoundError
from chalicelib.core.video_id import VideoRef, is_owner, is_video_id
from chalicelib.core.video_record import api_time
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import deleting_administrator_of, viewing_administrator_of
from chalicelib.routes.page_limits import page_of
from chalicelib.routes.strict_json import strict_json
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

stage_videos = ApiBlueprint(__name__, "video_upload")


@stage_videos.route("/admin/videos", methods=["GET"], authorizer=may_read)
def list_stage_videos() -> Response:
    administrator = viewing_administrator_of(stage_videos.current_request)
    owner = (stage_videos.current_request.query_params or {}).get("owner", "")
    problem = {"field": "owner", "problem": "must be an owner of a video"}
    limit, cursor, query = page_of(stage_videos.current_request, *([problem] if owner and not is_owner(owner) else []))
    found, next_cursor = services().stage_library.page(
        administrator, owner=owner, query=query, limit=limit, cursor=cursor
    )
    return respond(StageVideoPage(videos=[views.listed_video(record) for record in found], next_cursor=next_cursor))


@stage_videos.route("/admin/videos/{owner}/{videoId}", methods=["GET"], authorizer=may_read)
def show_stage_video(owner: str, videoId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    administrator = viewing_administrator_of(stage_videos.current_request)
    return respond(views.stage_video(services().stage_library.show(administrator, _ref(owner, videoId))))


@stage_videos.route("/admin/videos/{owner}/{videoId}", methods=["DELETE"], authorizer=may_write)
def delete_stage_video(owner: str, videoId: str) -> Response:  # noqa: N803 - Chalice passes the path's own name
    administrator = deleting_administrator_of(stage_videos.current_request)
    links_expire_at = api_time(services().stage_library.delete(administrator, _ref(owner, videoId)))
    return respond(DeletedStageVideo(status="deleted", owner=owner, video_id=videoId, links_expire_at=links_expire_at))


@stage_videos.route("/admin/videos/delete", methods=["POST"], authorizer=may_write)
def delete_stage_videos() -> Response:
    administrator = deleting_administrator_of(stage_videos.current_request)
    wanted = StageVideosToDelete.parse(strict_json(stage_videos.current_request, MAX_DELETIONS_BYTES))
    outcomes = services().stage_library.delete_each(administrator, wanted)
    return respond(views.deleted_stage_videos(wanted, outcomes, services().library.last_urls_expire_at))


@stage_videos.route("/admin/usage", methods=["GET"], authorizer=may_read)
def show_stage_usage() -> Response:
    administrator = viewing_administrator_of(stage_videos.current_request)
    return respond(views.stage_usage(services().stage_library.show_usage(administrator)))


def _ref(owner: str, video_id: str) -> VideoRef:
    """Return the video's reference; a malformed name is an unknown video and never becomes part of a key."""
    if not is_owner(owner) or not is_video_id(video_id):
        raise VideoNotFoundError
    return VideoRef(owner, video_id)
