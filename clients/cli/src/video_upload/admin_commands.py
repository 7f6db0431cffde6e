"""The administrators' commands: list, show, download and delete the videos of all users, and show the stage's usage."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from video_upload.api import MOST_PER_PAGE
from video_upload.command_output import (
    AsJson,
    Profile,
    Query,
    Sort,
    SortBy,
    Urls,
    VideoId,
    api_of,
    errors_console,
    exit_codes,
    print_result,
    video_in_json,
)
from video_upload.confirmation import Yes, confirm
from video_upload.deletion import VideoIds, named, print_deletion, print_deletions
from video_upload.playback_commands import Output, save_video
from video_upload.presentation import print_stage_usage, print_stage_videos, print_video

admin_app = typer.Typer(
    help="The videos of all users, for administrators. Each call is recorded in the operators' audit.",
    no_args_is_help=True,
)

Owner = Annotated[str, typer.Argument(metavar="OWNER", help="The owner's id, as `admin list` shows it.")]


@admin_app.command(name="list")
def list_stage_videos(  # noqa: PLR0917 - typer calls it by names
    owner: Annotated[str, typer.Option("--owner", metavar="OWNER", help="Only this user's videos.")] = "",
    query: Query = "",
    sort: SortBy = Sort.NEWEST,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Number of videos to list.")] = 24,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """List and search the videos of all users."""
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        found = api.stage_videos(owner=owner, query=query, sort=sort.value, page_limit=min(MOST_PER_PAGE, limit))
        videos = list(islice(found, limit))
        print_result({"videos": videos}, lambda console: print_stage_videos(console, videos), as_json=as_json)


@admin_app.command()
def show(owner: Owner, video_id: VideoId, urls: Urls = False, as_json: AsJson = False, profile: Profile = None) -> None:
    """Show the details of any user's video."""
    with exit_codes(as_json=as_json):
        video = api_of(profile, errors_console(quiet=as_json)).get_stage_video(owner, video_id)
        print_result(
            video_in_json(video, urls=urls), lambda console: print_video(console, video, urls=urls), as_json=as_json
        )


@admin_app.command()
def download(
    owner: Owner, video_id: VideoId, output: Output = None, as_json: AsJson = False, profile: Profile = None
) -> None:
    """Download any user's video. An existing file is never replaced; run it again to resume."""
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        save_video(lambda: api.get_stage_video(owner, video_id), output, as_json=as_json)


@admin_app.command()
def delete(
    owner: Owner, video_ids: VideoIds, yes: Yes = False, as_json: AsJson = False, profile: Profile = None
) -> None:
    """Delete any user's videos permanently."""
    confirm(f"Delete {named(video_ids)} of {owner} permanently?", yes=yes)
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        if len(video_ids) == 1:
            deleted = api.delete_stage_video(owner, video_ids[0])
            print_deletion(deleted, f"{video_ids[0]} of {owner}", as_json=as_json)
        else:
            print_deletions(api.delete_stage_videos((owner, video_id) for video_id in video_ids), as_json=as_json)


@admin_app.command()
def usage(as_json: AsJson = False, profile: Profile = None) -> None:
    """Show how much all users have stored, and the stage's limit."""
    with exit_codes(as_json=as_json):
        used = api_of(profile, errors_console(quiet=as_json)).stage_usage()
        print_result(used, lambda console: print_stage_usage(console, used), as_json=as_json)
