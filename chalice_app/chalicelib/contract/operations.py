"""Operations of the API: each route with its body, responses, errors and links to further operations."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import msgspec

from chalicelib.contract import requests, responses
from chalicelib.contract.fields import (
    DEFAULT_PAGE_VIDEOS,
    MAX_BODY_BYTES,
    MAX_CURSOR_CHARS,
    MAX_DELETIONS_BYTES,
    MAX_LABELS_BYTES,
    MAX_PAGE_VIDEOS,
    MAX_PROGRESS_BYTES,
    MAX_QUERY_CHARS,
)
from chalicelib.core import errors
from chalicelib.core.index.queries import Sort
from chalicelib.core.video_id import OWNER

Body = type[msgspec.Struct]
Error = type[errors.PlatformError]


class Bearer(Enum):
    """The content of the Authorization header."""

    READ = "an access token with the scope video-upload/read or video-upload/write"
    WRITE = "an access token with the scope video-upload/write"
    ADMINISTRATOR_READ = f"{READ}, of a member of the administrators' group"
    ADMINISTRATOR_WRITE = f"{WRITE}, of a member of the administrators' group"
    UPLOAD_TOKEN = "the upload token of the upload"  # noqa: S105 - not a secret
    LINK_TOKEN = "the token of an upload link"  # noqa: S105 - not a secret
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route.

    max_body_bytes: 0 for a route without a body. may_omit_body: whether an empty body is as good as `{}`.
    parameters: of the path and the query, as OpenAPI writes them.
    links: next operation → what it takes from the response, as OpenAPI's runtime expressions.
    """

    name: str
    method: str
    path: str
    summary: str
    bearer: Bearer
    responses: Mapping[int, Body]
    errors: tuple[Error, ...]
    body: Body | None = None
    may_omit_body: bool = False
    max_body_bytes: int = 0
    parameters: tuple[dict[str, Any], ...] = ()
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])


_SIGNED_IN = (errors.UnauthorizedError, errors.ForbiddenError)
_STORAGE = (errors.StorageUnavailableError, errors.StorageForbiddenError)
_BODY = (errors.InvalidJsonError, errors.InvalidRequestError, errors.RequestTooLargeError)
_CAPS = (
    errors.TooManyOpenUploadsError,
    errors.ReservedBytesExceededError,
    errors.TooManyStoredVideosError,
    errors.StoredBytesExceededError,
    errors.StageFullError,
)
_LINK_FULL = (errors.LinkUsedUpError, errors.LinkMakerFullError)
_LINK_CLOSED = (errors.LinkNotFoundError, errors.LinkExpiredError, errors.LinkRevokedError)
_NEW_FILE = (errors.EmptyFileError, errors.FileTooLargeError, errors.UnsupportedVideoTypeError)
_PAST_UPLOADING = (
    errors.UploadNotFoundError,
    errors.UploadAbortedError,
    errors.UploadExpiredError,
    errors.UploadCompletingError,
    errors.UploadCompletedError,
    errors.LinkRevokedError,
)
_PARTS_REFUSED = (
    errors.PartsIncompleteError,
    errors.PartMismatchError,
    errors.PartTooSmallError,
    errors.ChecksumMismatchError,
    errors.SizeMismatchError,
)
_VIDEO_ID: dict[str, Any] = {
    "name": "videoId",
    "in": "path",
    "required": True,
    "schema": {"$ref": "#/components/schemas/VideoId"},
}
_OWNER: dict[str, Any] = {
    "name": "owner",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{OWNER.pattern}$"},
}
_LINK_ID: dict[str, Any] = {
    "name": "linkId",
    "in": "path",
    "required": True,
    "schema": {"$ref": "#/components/schemas/LinkId"},
}
_LIMIT: dict[str, Any] = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_VIDEOS, "default": DEFAULT_PAGE_VIDEOS},
}
_SEARCH: tuple[dict[str, Any], ...] = (
    {
        "name": "cursor",
        "in": "query",
        "description": "`nextCursor` of the page before; empty for the first page.",
        "schema": {"type": "string", "pattern": f"^[A-Za-z0-9_-]{{0,{MAX_CURSOR_CHARS}}}$"},
    },
    {
        "name": "query",
        "in": "query",
        "description": "Words that a video must all have in its title, file name, tags, reference or `onBehalfOf`, "
        "regardless of case and accents.",
        "schema": {"type": "string", "maxLength": MAX_QUERY_CHARS},
    },
    {
        "name": "sort",
        "in": "query",
        "schema": {"type": "string", "enum": [sort.value for sort in Sort], "default": Sort.NEWEST.value},
    },
)
_SHOW: Mapping[str, Mapping[str, str]] = {
    "showVideo": {"videoId": "$response.body#/videoId"},
    "editVideo": {"videoId": "$response.body#/videoId"},
    "deleteVideo": {"videoId": "$response.body#/videoId"},
}
_UPLOAD = {"uploadId": "$response.body#/uploadId", "fileKey": "$response.body#/fileKey"}

OPERATIONS = (
    Operation(
        name="startUpload",
        method="post",
        path="/multipart/init",
        summary="Start a multipart upload",
        bearer=Bearer.WRITE,
        body=requests.NewUpload,
        max_body_bytes=MAX_BODY_BYTES,
        responses={201: responses.StartedUpload},
        errors=(*_SIGNED_IN, *_BODY, *_NEW_FILE, *_CAPS, errors.UploadStartingError, *_STORAGE),
        links={
            "signParts": {},
            "listParts": {},
            "completeUpload": {f"body.{name}": value for name, value in _UPLOAD.items()},
            "abortUpload": {f"body.{name}": value for name, value in _UPLOAD.items()},
            **_SHOW,
        },
    ),
    Operation(
        name="signParts",
        method="post",
        path="/multipart/parts",
        summary="Sign URLs of further parts, or renew expired ones",
        bearer=Bearer.UPLOAD_TOKEN,
        body=requests.PartsToSign,
        max_body_bytes=MAX_BODY_BYTES,
        responses={200: responses.SignedParts},
        errors=(*_SIGNED_IN, *_BODY, *_PAST_UPLOADING, *_CAPS, *_LINK_FULL, *_STORAGE),
    ),
    Operation(
        name="listParts",
        method="get",
        path="/multipart/parts",
        summary="List the parts that S3 holds",
        bearer=Bearer.UPLOAD_TOKEN,
        responses={200: responses.StoredUpload},
        errors=(*_SIGNED_IN, *_PAST_UPLOADING, *_CAPS, *_LINK_FULL, *_STORAGE),
    ),
    Operation(
        name="completeUpload",
        method="post",
        path="/multipart/complete",
        summary="Complete a multipart upload",
        bearer=Bearer.UPLOAD_TOKEN,
        body=requests.PartsToComplete,
        max_body_bytes=MAX_BODY_BYTES,
        responses={200: responses.Completion, 202: responses.Completion},
        errors=(*_SIGNED_IN, *_BODY, *_PARTS_REFUSED, *_PAST_UPLOADING, *_STORAGE),
        links=_SHOW,
    ),
    Operation(
        name="abortUpload",
        method="post",
        path="/multipart/abort",
        summary="Abort a multipart upload",
        bearer=Bearer.UPLOAD_TOKEN,
        body=requests.UploadToAbort,
        may_omit_body=True,
        max_body_bytes=MAX_BODY_BYTES,
        responses={200: responses.AbortedUpload},
        errors=(*_SIGNED_IN, *_BODY, *_PAST_UPLOADING, *_STORAGE),
        links=_SHOW,
    ),
    Operation(
        name="listUploads",
        method="get",
        path="/uploads",
        summary="List the caller's unfinished uploads",
        bearer=Bearer.READ,
        responses={200: responses.OpenUploads},
        errors=(*_SIGNED_IN, *_STORAGE),
        links={"showVideo": {"videoId": "$response.body#/uploads/0/videoId"}},
    ),
    Operation(
        name="offerUpload",
        method="post",
        path="/upload",
        summary="Get a form for an upload in one request",
        bearer=Bearer.WRITE,
        body=requests.NewUpload,
        max_body_bytes=MAX_BODY_BYTES,
        responses={201: responses.OfferedUpload},
        errors=(*_SIGNED_IN, *_BODY, *_NEW_FILE, *_CAPS, *_STORAGE),
        links=_SHOW,
    ),
    Operation(
        name="listVideos",
        method="get",
        path="/videos",
        summary="List the caller's videos",
        bearer=Bearer.READ,
        parameters=(
            _LIMIT,
            *_SEARCH,
        ),
        responses={200: responses.VideoPage},
        errors=(*_SIGNED_IN, errors.InvalidRequestError, errors.IndexMissingError, *_STORAGE),
        links={
            "listVideos": {"cursor": "$response.body#/nextCursor"},
            "showVideo": {"videoId": "$response.body#/videos/0/videoId"},
        },
    ),
    Operation(
        name="showVideo",
        method="get",
        path="/videos/{videoId}",
        summary="Show a video with its URLs",
        bearer=Bearer.READ,
        parameters=(_VIDEO_ID,),
        responses={200: responses.Video},
        errors=(*_SIGNED_IN, errors.VideoNotFoundError, *_STORAGE),
    ),
    Operation(
        name="editVideo",
        method="patch",
        path="/videos/{videoId}",
        summary="Change a video's title, description or tags",
        bearer=Bearer.WRITE,
        parameters=(_VIDEO_ID,),
        body=requests.VideoChanges,
        max_body_bytes=MAX_LABELS_BYTES,
        responses={200: responses.Video},
        errors=(*_SIGNED_IN, *_BODY, errors.VideoNotFoundError, *_STORAGE),
    ),
    Operation(
        name="deleteVideo",
        method="delete",
        path="/videos/{videoId}",
        summary="Delete a video, or abort its upload",
        bearer=Bearer.WRITE,
        parameters=(_VIDEO_ID,),
        responses={200: responses.DeletedVideo},
        errors=(*_SIGNED_IN, errors.VideoNotFoundError, *_STORAGE),
        links=_SHOW,
    ),
    Operation(
        name="deleteVideos",
        method="post",
        path="/videos/delete",
        summary="Delete several videos",
        bearer=Bearer.WRITE,
        body=requests.VideosToDelete,
        max_body_bytes=MAX_DELETIONS_BYTES,
        responses={200: responses.DeletedVideos},
        errors=(*_SIGNED_IN, *_BODY, *_STORAGE),
    ),
    Operation(
        name="showUsage",
        method="get",
        path="/usage",
        summary="Show what the caller has stored, and the limits",
        bearer=Bearer.READ,
        responses={200: responses.Usage},
        errors=(*_SIGNED_IN, *_STORAGE),
    ),
    Operation(
        name="listStageVideos",
        method="get",
        path="/admin/videos",
        summary="List and search the videos of all users",
        bearer=Bearer.ADMINISTRATOR_READ,
        parameters=(
            _LIMIT,
            {
                "name": "owner",
                "in": "query",
                "description": "Only this user's videos; empty for all users'.",
                "schema": {"type": "string", "pattern": f"^({OWNER.pattern})?$"},
            },
            *_SEARCH,
        ),
        responses={200: responses.StageVideoPage},
        errors=(*_SIGNED_IN, errors.InvalidRequestError, errors.IndexMissingError, *_STORAGE),
        links={
            "listStageVideos": {"cursor": "$response.body#/nextCursor"},
            "showStageVideo": {
                "owner": "$response.body#/videos/0/owner",
                "videoId": "$response.body#/videos/0/videoId",
            },
        },
    ),
    Operation(
        name="showStageVideo",
        method="get",
        path="/admin/videos/{owner}/{videoId}",
        summary="Show any user's video with its URLs",
        bearer=Bearer.ADMINISTRATOR_READ,
        parameters=(_OWNER, _VIDEO_ID),
        responses={200: responses.StageVideo},
        errors=(*_SIGNED_IN, errors.VideoNotFoundError, *_STORAGE),
    ),
    Operation(
        name="deleteStageVideo",
        method="delete",
        path="/admin/videos/{owner}/{videoId}",
        summary="Delete any user's video, or abort its upload",
        bearer=Bearer.ADMINISTRATOR_WRITE,
        parameters=(_OWNER, _VIDEO_ID),
        responses={200: responses.DeletedStageVideo},
        errors=(*_SIGNED_IN, errors.VideoNotFoundError, *_STORAGE),
    ),
    Operation(
        name="deleteStageVideos",
        method="post",
        path="/admin/videos/delete",
        summary="Delete several videos of any users",
        bearer=Bearer.ADMINISTRATOR_WRITE,
        body=requests.StageVideosToDelete,
        max_body_bytes=MAX_DELETIONS_BYTES,
        responses={200: responses.DeletedStageVideos},
        errors=(*_SIGNED_IN, *_BODY, *_STORAGE),
    ),
    Operation(
        name="showStageUsage",
        method="get",
        path="/admin/usage",
        summary="Show what all users have stored, and the stage's limit",
        bearer=Bearer.ADMINISTRATOR_READ,
        responses={200: responses.StageUsage},
        errors=(*_SIGNED_IN, *_STORAGE),
    ),
    Operation(
        name="makeLink",
        method="post",
        path="/links",
        summary="Make an upload link",
        bearer=Bearer.WRITE,
        body=requests.NewUploadLink,
        max_body_bytes=MAX_LABELS_BYTES,
        responses={201: responses.UploadLink},
        errors=(*_SIGNED_IN, *_BODY, errors.TooManyLinksError, *_STORAGE),
        links={"revokeLink": {"linkId": "$response.body#/linkId"}},
    ),
    Operation(
        name="listLinks",
        method="get",
        path="/links",
        summary="List the caller's upload links",
        bearer=Bearer.READ,
        responses={200: responses.UploadLinks},
        errors=(*_SIGNED_IN, *_STORAGE),
        links={"revokeLink": {"linkId": "$response.body#/links/0/linkId"}},
    ),
    Operation(
        name="revokeLink",
        method="delete",
        path="/links/{linkId}",
        summary="Revoke an upload link",
        bearer=Bearer.WRITE,
        parameters=(_LINK_ID,),
        responses={200: responses.RevokedLink},
        errors=(*_SIGNED_IN, errors.LinkNotFoundError, *_STORAGE),
    ),
    Operation(
        name="showLink",
        method="get",
        path="/link",
        summary="Show what an upload link is for",
        bearer=Bearer.LINK_TOKEN,
        responses={200: responses.OpenedLink},
        errors=(*_SIGNED_IN, *_LINK_CLOSED, *_STORAGE),
    ),
    Operation(
        name="startLinkUpload",
        method="post",
        path="/link/multipart/init",
        summary="Start a multipart upload by an upload link",
        bearer=Bearer.LINK_TOKEN,
        body=requests.NewLinkUpload,
        max_body_bytes=MAX_BODY_BYTES,
        responses={201: responses.StartedUpload},
        errors=(
            *_SIGNED_IN,
            *_BODY,
            *_NEW_FILE,
            *_LINK_CLOSED,
            *_LINK_FULL,
            errors.UploadStartingError,
            *_STORAGE,
        ),
        links={
            "signParts": {},
            "listParts": {},
            "completeUpload": {f"body.{name}": value for name, value in _UPLOAD.items()},
            "abortUpload": {f"body.{name}": value for name, value in _UPLOAD.items()},
        },
    ),
    Operation(
        name="tellProgress",
        method="post",
        path="/progress",
        summary="Report upload progress to the operators",
        bearer=Bearer.WRITE,
        body=requests.ProgressBatch,
        max_body_bytes=MAX_PROGRESS_BYTES,
        responses={200: responses.AcceptedProgress},
        errors=(*_SIGNED_IN, *_BODY),
    ),
    Operation(
        name="reportHealth",
        method="get",
        path="/health",
        summary="Report liveness and version",
        bearer=Bearer.NOTHING,
        responses={200: responses.Health},
        errors=(),
    ),
)
