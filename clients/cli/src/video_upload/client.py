"""The library's entry point: a client that uploads, lists and deletes videos for a signed-in user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from msgspec import UNSET, UnsetType

from video_upload.api import Credentials, VideoApi
from video_upload.backoff import Interruption
from video_upload.credentials import StoredCredentials
from video_upload.engine import DEFAULT_PARALLEL, NO_LABELS, NO_NAMES, UploadEngine
from video_upload.events import Report, ignore_event
from video_upload.link_api import LinkApi
from video_upload.private_files import default_home
from video_upload.rate_limit import RateLimit
from video_upload.schemas import (
    Labels,
    ListedVideo,
    MachineNames,
    NewUploadLink,
    OpenUpload,
    StageUsage,
    StageVideo,
    StageVideoDeletion,
    UploadLink,
    Usage,
    Video,
    VideoChanges,
    VideoDeletion,
)
from video_upload.sign_in import sign_in_machine
from video_upload.site import accepted_containers, fetch_site_config, normal_site_url
from video_upload.spooled_file import spooled_file
from video_upload.video_file import VideoFile


class Client:
    """One site, as one signed-in person or program sees it.

    Every method raises subclasses of `video_upload.errors.VideoUploadError` and nothing else on purpose: ApiError with
    the API's `code`, `details` and `request_id`, ApiUnreachableError once all tries are used up, NotSignedInError.

    For one thread; `stop` may be called from any. Memory is one buffer of 256 KiB for each part in flight, for
    files of any size.

    profile: the sign-in of `video-upload login` to use; None for the current one.
    home: folder of the sign-ins and of the journals of unfinished uploads; None for the user's own, or
        VIDEO_UPLOAD_HOME. Clients that share it resume each other's uploads.
    """

    def __init__(self, *, profile: str | None = None, home: Path | None = None) -> None:
        """Raises NotSignedInError, KeyringUnavailableError and ProfileNameError."""
        self._home = home or default_home()
        credentials = StoredCredentials(self._home, profile)
        signed_in = credentials.load()
        self._connect(signed_in.site_url, signed_in.api_url, credentials)

    @classmethod
    def for_program(
        cls, site_url: str, *, client_id: str, client_secret: str, home: Path | None = None, profile: str = "program"
    ) -> Client:
        """Signed in by client credentials, which are kept in a private file below `home` to renew the tokens.

        Raises SiteError if the address is not a Video Upload site, SignInError if it refuses the program.
        """
        folder = home or default_home()
        signed_in = sign_in_machine(site_url, client_id, client_secret, keep_secret=True)
        StoredCredentials(folder, profile).store(signed_in)
        return cls(profile=profile, home=folder)

    @classmethod
    def with_credentials(cls, site_url: str, credentials: Credentials, *, home: Path | None = None) -> Client:
        """With access tokens from elsewhere, such as a server that acts for its users. Raises SiteError."""
        client = cls.__new__(cls)
        client._home = home or default_home()
        client._connect(site_url, fetch_site_config(normal_site_url(site_url)).api_url, credentials)
        return client

    @classmethod
    def for_link(cls, address: str, *, uploader_name: str, home: Path | None = None) -> Client:
        """With an upload link in place of an account: `upload` sends into the library of the link's maker.

        It waits for no verdict. Raises SiteError if the address is no upload link.
        """
        client = cls.__new__(cls)
        client._home = home or default_home()
        client._site_url = address.partition("#")[0]
        client._interruption = Interruption()
        client._api = LinkApi.at(address, uploader_name, pause=client._interruption.pause)
        return client

    def _connect(self, site_url: str, api_url: str, credentials: Credentials) -> None:
        self._site_url = site_url
        self._interruption = Interruption()
        self._api = VideoApi(api_url, credentials, pause=self._interruption.pause)

    def upload(
        self,
        source: Path | str | BinaryIO,
        *,
        name: str | None = None,
        labels: Labels = NO_LABELS,
        names: MachineNames = NO_NAMES,
        parallel: int = DEFAULT_PARALLEL,
        rate_limit: RateLimit | float | None = None,
        wait: bool = True,
        report: Report = ignore_event,
    ) -> Video:
        """Upload a file, or resume its upload that was interrupted in this or any other process.

        source: a path, or a file object open for reading bytes. The latter is copied into a file below `home` first, to
            its end, and cannot be resumed: an upload that fails is given up.
        name: of a file object's video, with its extension; a path has its own.
        labels: title, description and tags of a new video; one that is resumed has those that it began with.
        names: a program's own reference and the person that it uploads for; ForbiddenError for people.
        parallel: parts sent at once.
        rate_limit: bytes per second of all parts together, at least 16,000; a RateLimit may be shared with others.
        wait: until the video is `ready` or `rejected`, half an hour at most; else until S3 has it whole, with state
            `completing` or `processing`.
        report: told each event of `video_upload.events`, from several threads.

        Raises FileRefusedError before anything is sent, also for a file that the site does not accept (any more: an
        upload that began before goes on); TypeError for a file object without a name or a path with one;
        UploadRunningError if another process is at it;
        FileChangedError, PartFailedError, UploadLostError; UploadCancelledError after `stop`; ValueError for a rate
        that is too low.
        """
        limit = RateLimit(rate_limit) if isinstance(rate_limit, int | float) else rate_limit
        self._interruption.clear()
        engine = self._engine(parallel=parallel, rate_limit=limit, report=report, labels=labels, names=names)
        wait = wait and not isinstance(self._api, LinkApi)
        if isinstance(source, Path | str):
            if name is None:
                return engine.upload(VideoFile.for_site(Path(source), self._accepted, engine.goes_on), wait=wait)
            problem = "a path has its own name"
            raise TypeError(problem)
        if name is None:
            problem = "a file object needs a name"
            raise TypeError(problem)
        with spooled_file(source, name, self._home, self._accepted) as path:
            return engine.upload_once(VideoFile.at(path, self._accepted), wait=wait)

    @cached_property
    def _accepted(self) -> frozenset[str]:
        return accepted_containers(self._site_url)

    def stop(self) -> None:
        """Stop the running `upload`; stored parts are kept, and the next `upload` of the file resumes."""
        self._interruption.request()

    def videos(self, *, query: str = "", sort: str = "newest") -> Iterator[Video]:
        """All of the library, or what a query finds, fetched page by page as they are asked for.

        query: words that are all in a video's title, file name or tags, in any case and without regard to accents.
        sort: `newest`, `oldest`, `name`, `nameDescending`, `largest` or `smallest`.
        """
        return self._api.videos(query=query, sort=sort)

    def video(self, video_id: str) -> Video:
        """Return a video. Raises NotFoundError if it does not exist or belongs to another user."""
        return self._api.get_video(video_id)

    def edit(
        self,
        video_id: str,
        *,
        title: str | UnsetType | None = UNSET,
        description: str | UnsetType | None = UNSET,
        tags: Iterable[str] | UnsetType = UNSET,
    ) -> Video:
        """Change a video's labels. None takes a text away, no tags take all away. Raises NotFoundError."""
        new_tags = UNSET if tags is UNSET else tuple(tags)
        return self._api.edit_video(video_id, VideoChanges(title=title, description=description, tags=new_tags))

    def delete(self, video_id: str) -> None:
        """Delete a video permanently; an unfinished upload is aborted. Raises NotFoundError."""
        self._api.delete_video(video_id)

    def open_uploads(self) -> tuple[OpenUpload, ...]:
        """Unfinished uploads of this user, from all devices. Their tokens are secrets."""
        return self._api.list_open_uploads()

    def usage(self) -> Usage:
        """Return the storage in use, reservations and limits."""
        return self._api.usage()

    def make_link(
        self,
        title: str,
        *,
        valid_seconds: int,
        max_videos: int,
        max_bytes: int,
        note: str | None = None,
        names: MachineNames = NO_NAMES,
    ) -> UploadLink:
        """Make an upload link. Its `link_token` is a secret; `video_upload.link_address` makes the address of it.

        Raises LimitReachedError, and ForbiddenError on a site without links.
        """
        return self._api.make_link(
            NewUploadLink(
                title=title,
                note=note,
                valid_seconds=valid_seconds,
                max_videos=max_videos,
                max_bytes=max_bytes,
                reference=names.reference,
                on_behalf_of=names.on_behalf_of,
            )
        )

    def links(self) -> tuple[UploadLink, ...]:
        """Upload links of this user, newest first."""
        return self._api.list_links()

    def revoke_link(self, link_id: str) -> None:
        """Revoke an upload link at once. Raises NotFoundError."""
        self._api.revoke_link(link_id)

    def delete_many(self, video_ids: Iterable[str]) -> tuple[VideoDeletion, ...]:
        """Permanently delete several videos, each independently. Returns one outcome per id, in the order given."""
        return self._api.delete_videos(video_ids)

    def stage_videos(self, *, owner: str = "", query: str = "", sort: str = "newest") -> Iterator[ListedVideo]:
        """All users' videos, for administrators. Raises ForbiddenError.

        owner: only this user's. query, sort: as in `videos`.
        """
        return self._api.stage_videos(owner=owner, query=query, sort=sort)

    def delete_many_stage_videos(self, videos: Iterable[tuple[str, str]]) -> tuple[StageVideoDeletion, ...]:
        """Delete videos as `delete_many` does, for administrators; videos: (owner, video id). Raises ForbiddenError."""
        return self._api.delete_stage_videos(videos)

    def stage_video(self, owner: str, video_id: str) -> StageVideo:
        """Any user's video with fresh URLs, for administrators. Raises ForbiddenError, NotFoundError."""
        return self._api.get_stage_video(owner, video_id)

    def delete_stage_video(self, owner: str, video_id: str) -> None:
        """Delete any user's video permanently, for administrators. Raises ForbiddenError, NotFoundError."""
        self._api.delete_stage_video(owner, video_id)

    def stage_usage(self) -> StageUsage:
        """Return all users' storage and the stage's limit, for administrators. Raises ForbiddenError."""
        return self._api.stage_usage()

    def abort(self, video_id: str) -> None:
        """Give up an unfinished upload. Raises UploadNotFoundError, ConflictError if it was completed first."""
        self._engine().abort_video(video_id)

    def _engine(
        self,
        *,
        parallel: int = DEFAULT_PARALLEL,
        rate_limit: RateLimit | None = None,
        report: Report = ignore_event,
        labels: Labels = NO_LABELS,
        names: MachineNames = NO_NAMES,
    ) -> UploadEngine:
        return UploadEngine(
            self._api,
            self._home,
            parallel=parallel,
            rate_limit=rate_limit,
            report=report,
            interruption=self._interruption,
            labels=labels,
            names=names,
        )
