"""All commands of `video-upload`: those about single videos, and the others put together with them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import UNSET

from video_upload.admin_commands import admin_app
from video_upload.api import MOST_PER_PAGE
from video_upload.command_output import (
    EPILOG,
    AsJson,
    Description,
    Profile,
    Query,
    Sort,
    SortBy,
    Tag,
    Title,
    Urls,
    VideoId,
    api_of,
    errors_console,
    exit_codes,
    print_json,
    print_result,
    video_in_json,
)
from video_upload.confirmation import Yes, confirm
from video_upload.deletion import VideoIds, named, print_deletion, print_deletions
from video_upload.engine import UploadEngine
from video_upload.errors import UploadNotFoundError
from video_upload.link_commands import link_app
from video_upload.playback_commands import download, open_video
from video_upload.presentation import plain, print_open_uploads, print_usage, print_video, print_videos
from video_upload.private_files import default_home
from video_upload.root_command import new_app
from video_upload.schemas import VideoChanges
from video_upload.sign_in_commands import account, login, logout, profiles_app
from video_upload.sync_command import sync
from video_upload.upload_command import upload
from video_upload.video_types import CONTENT_TYPES

app = new_app()

app.command()(login)
app.command()(logout)
app.command()(account)
app.add_typer(profiles_app, name="profiles")
app.add_typer(admin_app, name="admin")
app.add_typer(link_app, name="link")
app.command(epilog=EPILOG)(upload)
app.command(epilog=EPILOG)(sync)
app.command()(download)
app.command(name="open")(open_video)


@app.command(name="list")
def list_videos(  # noqa: PLR0917 - typer calls it by name
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of videos to list.")] = 24,
    query: Query = "",
    sort: SortBy = Sort.NEWEST,
    urls: Urls = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """List your videos."""
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        videos = list(islice(api.videos(page_limit=min(MOST_PER_PAGE, limit), query=query, sort=sort.value), limit))
        print_result(
            {"videos": [video_in_json(video, urls=urls) for video in videos]},
            lambda console: print_videos(console, videos),
            as_json=as_json,
        )


@app.command()
def show(video_id: VideoId, urls: Urls = False, as_json: AsJson = False, profile: Profile = None) -> None:
    """Show the details of one video."""
    with exit_codes(as_json=as_json):
        video = api_of(profile, errors_console(quiet=as_json)).get_video(video_id)
        print_result(
            video_in_json(video, urls=urls), lambda console: print_video(console, video, urls=urls), as_json=as_json
        )


@app.command()
def edit(  # noqa: PLR0917 - typer calls it by name
    video_id: VideoId,
    title: Title = None,
    description: Description = None,
    tag: Tag = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="Remove all tags.")] = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Change a video's title, description or tags. An empty text removes it; tags replace the old ones."""
    with exit_codes(as_json=as_json):
        if (title, description, tag) == (None, None, None) and not no_tags:
            raise typer.BadParameter(message="say what to change: --title, --description, --tag or --no-tags")
        if tag and no_tags:
            raise typer.BadParameter(message="--tag and --no-tags cannot be combined")
        changes = VideoChanges(
            title=UNSET if title is None else title or None,
            description=UNSET if description is None else description or None,
            tags=tuple(tag or ()) if tag or no_tags else UNSET,
        )
        video = api_of(profile, errors_console(quiet=as_json)).edit_video(video_id, changes)
        print_result(video_in_json(video, urls=False), lambda console: print_video(console, video), as_json=as_json)


@app.command()
def delete(video_ids: VideoIds, yes: Yes = False, as_json: AsJson = False, profile: Profile = None) -> None:
    """Delete videos permanently."""
    confirm(f"Delete {named(video_ids)} permanently?", yes=yes)
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        if len(video_ids) == 1:
            print_deletion(api.delete_video(video_ids[0]), video_ids[0], as_json=as_json)
        else:
            print_deletions(api.delete_videos(video_ids), as_json=as_json)


@app.command()
def uploads(as_json: AsJson = False, profile: Profile = None) -> None:
    """List your unfinished uploads, from all your devices."""
    with exit_codes(as_json=as_json):
        unfinished = api_of(profile, errors_console(quiet=as_json)).list_open_uploads()
        # Without their tokens: output ends up in logs.
        print_result(
            {"uploads": [_without(upload, "uploadToken") for upload in unfinished]},
            lambda console: print_open_uploads(console, unfinished),
            as_json=as_json,
        )


@app.command()
def usage(as_json: AsJson = False, profile: Profile = None) -> None:
    """Show how much you have stored, and your limits."""
    with exit_codes(as_json=as_json):
        used = api_of(profile, errors_console(quiet=as_json)).usage()
        print_result(used, lambda console: print_usage(console, used), as_json=as_json)


@app.command()
def abort(
    which: Annotated[
        str | None, typer.Argument(metavar="[FILE|VIDEO_ID]", help="Needed if there is more than one.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Cancel an unfinished upload and delete its parts."""
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        engine = UploadEngine(api, default_home())
        if which is None:
            unfinished = api.list_open_uploads()
            if len(unfinished) > 1:
                print_open_uploads(errors_console(), unfinished)
                raise typer.BadParameter(message="several uploads are unfinished: say which")
            if not unfinished:
                raise UploadNotFoundError(name="any file")
            which = unfinished[0].video_id
        confirm(f"Cancel the upload of {which} and delete the parts that were sent?", yes=yes)
        video_id = _abort(engine, which)
        if as_json:
            print_json({"status": "aborted", "videoId": video_id})
        else:
            errors_console().print(f"Aborted {plain(video_id)}.", highlight=False)


def _abort(engine: UploadEngine, file_or_video_id: str) -> str:
    path = Path(file_or_video_id)
    if path.suffix.lower() in CONTENT_TYPES:  # the file itself may be gone by now
        return engine.abort(path)
    engine.abort_video(file_or_video_id)
    return file_or_video_id


def _without(body: msgspec.Struct, name: str) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(body)
    return {key: value for key, value in fields.items() if key != name}
