"""The administrators' view: list, search, view and delete all users' videos, and the stage's usage."""

from collections.abc import Mapping

from chalice.app import Response

from chalicelib.contract import views
from chalicelib.contract.fields import MAX_FILE_NAME_CHARS
from chalicelib.contract.responses import DeletedStageVideo, StageVideoPage
from chalicelib.core.errors import InvalidRequestError, VideoNotFoundError
from chalicelib.core.video_id import VideoRef, is_owner, is_video_id
from chalicelib.core.video_record import api_time
from chalicelib.routes.api_blueprint import ApiBlueprint, respond
from chalicelib.routes.callers import deleting_administrator_of, viewing_administrator_of
from chalicelib.routes.page_limits import limit_in
from chalicelib.routes.users import may_read, may_write
from chalicelib.wiring import services

stage_videos = ApiBlueprint(__name__, "video_upload")


@stage_videos.route("/admin/videos", methods=["GET"], authorizer=may_read)
def list_stage_videos() -> Response:
    administrator = viewing_administrator_of(stage_videos.current_request)
    owner, name, limit, after = _search_of(stage_videos.current_request.query_params or {})
    found, last = services().stage_library.page(administrator, owner=owner, name=name, limit=limit, after=after)
    next_cursor = f"{last.owner}/{last.video_id}" if last else None
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


@stage_videos.route("/admin/usage", methods=["GET"], authorizer=may_read)
def show_stage_usage() -> Response:
    administrator = viewing_administrator_of(stage_videos.current_request)
    return respond(views.stage_usage(services().stage_library.show_usage(administrator)))


def _ref(owner: str, video_id: str) -> VideoRef:
    """Return the video's reference; a malformed name is an unknown video and never becomes part of a key."""
    if not is_owner(owner) or not is_video_id(video_id):
        raise VideoNotFoundError
    return VideoRef(owner, video_id)


def _search_of(query: Mapping[str, str]) -> tuple[str, str, int, VideoRef | None]:
    owner, name, cursor = (query.get(field, "") for field in ("owner", "name", "cursor"))
    limit, problems = limit_in(query)
    after = VideoRef(*cursor.split("/")) if cursor.count("/") == 1 else None
    is_cursor = after and is_owner(after.owner) and is_video_id(after.video_id) and owner in {"", after.owner}
    if owner and not is_owner(owner):
        problems.append({"field": "owner", "problem": "must be an owner of a video"})
    if len(name) > MAX_FILE_NAME_CHARS:
        problems.append({"field": "name", "problem": f"must have at most {MAX_FILE_NAME_CHARS} characters"})
    if cursor and not is_cursor:
        problems.append({"field": "cursor", "problem": "must be a nextCursor of an earlier answer"})
    if problems:
        raise InvalidRequestError(problems=problems)
    return owner, name, limit, after
