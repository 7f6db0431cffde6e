"""One method per route of docs/api.md that a desktop needs: typed bodies, and refusals as errors.py draws them."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Protocol, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from video_upload.api_refusals import api_error, is_of_another, retry_after_seconds, will_pass
from video_upload.backoff import Backoff
from video_upload.connection_problem import problem_in_words
from video_upload.decoding import decode
from video_upload.errors import (
    ApiUnreachableError,
    UnauthorizedError,
    UnexpectedResponseError,
)
from video_upload.http_calls import LOST_ANSWERS, NO_ADDRESS, Answer, HttpCalls
from video_upload.schemas import (
    CompletedPart,
    CompleteUpload,
    Completion,
    DeletedStageVideo,
    DeletedStageVideos,
    DeletedVideo,
    DeletedVideos,
    Health,
    ListedVideo,
    NewUpload,
    NewUploadLink,
    OpenUpload,
    OpenUploads,
    PartToSign,
    ProgressBatch,
    ProgressResponse,
    RevokedLink,
    SignedParts,
    StageUsage,
    StageVideo,
    StageVideoDeletion,
    StageVideoName,
    StageVideoPage,
    StageVideosToDelete,
    StartedUpload,
    StatusResponse,
    StoredUpload,
    UploadLink,
    UploadLinks,
    Usage,
    Video,
    VideoChanges,
    VideoDeletion,
    VideoPage,
    VideosToDelete,
)
from video_upload.video_file import VideoFile

CORRELATION_HEADER = "X-Correlation-Id"
TIMEOUT_SECONDS = (10.0, 35.0)  # connect, read: the gateway itself gives up after 29 s
COMPLETING_SECONDS = 2.0  # between two looks at a completion, where the API does not say
MOST_DELETIONS = 100
"""Limit of one call, as docs/openapi.json has it."""
MOST_PER_PAGE = 100  # docs/openapi.json, listVideos

Response = TypeVar("Response", bound=msgspec.Struct)
_T = TypeVar("_T")


class Credentials(Protocol):
    """Source of the user's access token."""

    def access_token(self) -> str:
        """A token that is believed to be good. Raises NotSignedInError."""
        ...

    def renewed_access_token(self, refused_token: str) -> str:
        """A token other than the one the API refused. Raises NotSignedInError."""
        ...


class VideoApi:
    """The API of one site.

    Lost connections, 5xx, and 429 `too_many_requests` are tried again with back-off (Retry-After is honoured), so a
    call may be made twice: each is idempotent, init under the upload's correlation id.
    Every method raises ApiError, ApiUnreachableError and UnexpectedResponseError; those for users also
    NotSignedInError.

    pause: waits for a number of seconds; may raise to end the wait.
    on_silence: called with the reason, before the first wait of a call that got no response.
    """

    def __init__(
        self,
        api_url: str,
        credentials: Credentials,
        *,
        pause: Callable[[float], None] = time.sleep,
        backoff: Backoff | None = None,
        on_silence: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._api_url = api_url.rstrip("/")
        self._credentials = credentials
        self._pause = pause
        self._on_silence = on_silence
        self._backoff = backoff or Backoff()
        self._server_ahead_seconds = 0.0
        self._correlation_id: str | None = None
        self._calls = HttpCalls()

    @property
    def url(self) -> str:
        return self._api_url

    def for_upload(self, correlation_id: str) -> VideoApi:
        """The same API and connections, for the calls of one upload: its operators' logs name them by this id.

        correlation_id: 8 to 64 letters, digits and dashes.
        """
        api = copy.copy(self)
        api._correlation_id = correlation_id
        return api

    @property
    def correlation_id(self) -> str | None:
        return self._correlation_id

    # uploads in parts

    def start_upload(self, new: NewUpload) -> StartedUpload:
        return self._as_user("POST", "/multipart/init", StartedUpload, body=new)

    def sign_parts(self, upload_token: str, parts: Iterable[PartToSign]) -> SignedParts:
        """At most 500 parts."""
        return self._send("POST", "/multipart/parts", upload_token, {"parts": tuple(parts)}, SignedParts)[0]

    def list_parts(self, upload_token: str) -> StoredUpload:
        return self._send("GET", "/multipart/parts", upload_token, None, StoredUpload)[0]

    def complete(
        self, upload_token: str, parts: Iterable[CompletedPart], checksum_crc64nvme: str | None
    ) -> tuple[Completion, float]:
        """The answer, and the seconds to wait before asking again while its status is `completing`."""
        body = CompleteUpload(parts=tuple(parts), checksum_crc64nvme=checksum_crc64nvme)
        completion, response = self._send("POST", "/multipart/complete", upload_token, body, Completion)
        asked_seconds = retry_after_seconds(response)
        return completion, COMPLETING_SECONDS if asked_seconds is None else asked_seconds

    def abort(self, upload_token: str) -> StatusResponse:
        return self._send("POST", "/multipart/abort", upload_token, None, StatusResponse)[0]

    def list_open_uploads(self) -> tuple[OpenUpload, ...]:
        return self._as_user("GET", "/uploads", OpenUploads).uploads

    # the library

    def list_videos(self, *, limit: int = 24, cursor: str | None = None, query: str = "", sort: str = "") -> VideoPage:
        """One page; limit 1 to 100. It may hold fewer, even none: only a `next_cursor` of None is the end.

        query: words in title, file name or tags. sort: as docs/openapi.json names the orders; newest first if empty.
        """
        asked = {"limit": str(limit), "cursor": cursor, "query": query, "sort": sort}
        parameters = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items() if value)
        return self._as_user("GET", f"/videos?{parameters}", VideoPage)

    def videos(self, *, page_limit: int = MOST_PER_PAGE, query: str = "", sort: str = "") -> Iterator[Video]:
        """All that the query finds, fetched page by page as they are asked for. Arguments as in `list_videos`."""
        cursor = None
        while True:
            page = self.list_videos(limit=page_limit, cursor=cursor, query=query, sort=sort)
            yield from page.videos
            cursor = page.next_cursor
            if cursor is None:
                return

    def usage(self) -> Usage:
        return self._as_user("GET", "/usage", Usage)

    def get_video(self, video_id: str) -> Video:
        return self._as_user("GET", f"/videos/{quote(video_id, safe='')}", Video)

    def edit_video(self, video_id: str, changes: VideoChanges) -> Video:
        return self._as_user("PATCH", f"/videos/{quote(video_id, safe='')}", Video, body=changes)

    def delete_video(self, video_id: str) -> DeletedVideo:
        return self._as_user("DELETE", f"/videos/{quote(video_id, safe='')}", DeletedVideo)

    def delete_videos(self, video_ids: Iterable[str]) -> tuple[VideoDeletion, ...]:
        """Outcomes in the order given, each id once; asked for in calls of MOST_DELETIONS."""
        outcomes: list[VideoDeletion] = []
        for chunk in _chunks(dict.fromkeys(video_ids)):
            body = VideosToDelete(video_ids=chunk)
            outcomes += self._as_user("POST", "/videos/delete", DeletedVideos, body=body).videos
        return tuple(outcomes)

    def result_of(self, video_id: str, file: VideoFile) -> Video:
        """The video of an upload that S3 has whole. file: what was uploaded, for who may not look."""
        return self.get_video(video_id)

    # upload links

    def make_link(self, new: NewUploadLink) -> UploadLink:
        return self._as_user("POST", "/links", UploadLink, body=new)

    def list_links(self) -> tuple[UploadLink, ...]:
        return self._as_user("GET", "/links", UploadLinks).links

    def revoke_link(self, link_id: str) -> RevokedLink:
        return self._as_user("DELETE", f"/links/{quote(link_id, safe='')}", RevokedLink)

    # all users' videos, for administrators

    def list_stage_videos(
        self, *, owner: str = "", query: str = "", sort: str = "", limit: int = 24, cursor: str | None = None
    ) -> StageVideoPage:
        """A page as of `list_videos`, of all users or of `owner`."""
        asked = {"limit": str(limit), "owner": owner, "cursor": cursor, "query": query, "sort": sort}
        given = urlencode({name: value for name, value in asked.items() if value})
        return self._as_user("GET", f"/admin/videos?{given}", StageVideoPage)

    def stage_videos(
        self, *, owner: str = "", query: str = "", sort: str = "", page_limit: int = MOST_PER_PAGE
    ) -> Iterator[ListedVideo]:
        """All that a search finds, fetched page by page as they are asked for."""
        cursor = None
        while True:
            page = self.list_stage_videos(owner=owner, query=query, sort=sort, limit=page_limit, cursor=cursor)
            yield from page.videos
            cursor = page.next_cursor
            if cursor is None:
                return

    def get_stage_video(self, owner: str, video_id: str) -> StageVideo:
        return self._as_user("GET", _stage_path(owner, video_id), StageVideo)

    def delete_stage_video(self, owner: str, video_id: str) -> DeletedStageVideo:
        return self._as_user("DELETE", _stage_path(owner, video_id), DeletedStageVideo)

    def delete_stage_videos(self, videos: Iterable[tuple[str, str]]) -> tuple[StageVideoDeletion, ...]:
        """Delete videos as `delete_videos` does; videos: (owner, video id)."""
        outcomes: list[StageVideoDeletion] = []
        for chunk in _chunks(dict.fromkeys(videos)):
            names = tuple(StageVideoName(owner=owner, video_id=video_id) for owner, video_id in chunk)
            body = StageVideosToDelete(videos=names)
            outcomes += self._as_user("POST", "/admin/videos/delete", DeletedStageVideos, body=body).videos
        return tuple(outcomes)

    def stage_usage(self) -> StageUsage:
        return self._as_user("GET", "/admin/usage", StageUsage)

    def tell_progress(self, batch: ProgressBatch) -> None:
        self._as_user("POST", "/progress", ProgressResponse, body=batch)

    def health(self) -> Health:
        return self._send("GET", "/health", None, None, Health)[0]

    def seconds_until(self, iso_time: str) -> float:
        """By the server's clock as its last answer showed it: the desktop's own may be hours off."""
        return datetime.fromisoformat(iso_time).timestamp() - (time.time() + self._server_ahead_seconds)

    # transport

    def _as_user(
        self, method: str, path: str, answer: type[Response], *, body: msgspec.Struct | None = None
    ) -> Response:
        token = self._credentials.access_token()
        try:
            return self._send(method, path, token, body, answer)[0]
        except UnauthorizedError:
            renewed = self._credentials.renewed_access_token(token)
            return self._send(method, path, renewed, body, answer)[0]

    def _send(
        self, method: str, path: str, token: str | None, body: object, answer: type[Response]
    ) -> tuple[Response, Answer]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if self._correlation_id:
            headers[CORRELATION_HEADER] = self._correlation_id
        data = None
        if method in {"POST", "PATCH"}:
            data = msgspec.json.encode({} if body is None else body)
            headers["Content-Type"] = "application/json"
        response = self._send_until_answered(method, self._api_url + path, headers, data)
        if not 200 <= response.status < 300:
            raise api_error(response)
        try:
            return decode(response.content, answer), response
        except msgspec.DecodeError as error:  # a ValidationError is one
            raise UnexpectedResponseError(response.url, response.status, f"but {error}") from error

    def _send_until_answered(self, method: str, url: str, headers: Mapping[str, str], data: bytes | None) -> Answer:
        failures = 0
        while True:
            try:
                response = self._calls.send(method, url, timeout_seconds=TIMEOUT_SECONDS, headers=headers, body=data)
            except NO_ADDRESS as error:
                raise ApiUnreachableError(url, failures + 1, problem_in_words(error)) from error
            except LOST_ANSWERS as error:
                failures += 1
                if failures >= self._backoff.tries:
                    raise ApiUnreachableError(url, failures, problem_in_words(error)) from error
                if failures == 1:
                    self._on_silence(problem_in_words(error))
                self._pause(self._backoff.wait_seconds(failures))
                continue
            self._note_server_time(response)
            if not will_pass(response) and not is_of_another(response):
                return response
            failures += 1
            if failures >= self._backoff.tries:
                return response
            self._pause(max(retry_after_seconds(response) or 0.0, self._backoff.wait_seconds(failures)))

    def _note_server_time(self, response: Answer) -> None:
        date = response.headers.get("date")
        if date:
            try:
                self._server_ahead_seconds = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                return


def _stage_path(owner: str, video_id: str) -> str:
    return f"/admin/videos/{quote(owner, safe='')}/{quote(video_id, safe='')}"


def _chunks(wanted: Iterable[_T]) -> Iterator[tuple[_T, ...]]:
    remaining = iter(wanted)
    while chunk := tuple(islice(remaining, MOST_DELETIONS)):
        yield chunk
