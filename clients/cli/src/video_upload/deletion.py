"""Deletion of videos by their ids: the arguments and the output that `delete` and `admin delete` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from video_upload.command_output import errors_console, is_video_id_given, print_json
from video_upload.exit_codes import ExitCode
from video_upload.presentation import clock_time, plain
from video_upload.schemas import DeletedVideo, VideoDeletion

VideoIds = Annotated[list[str], typer.Argument(metavar="VIDEO_ID...", callback=is_video_id_given)]

_WORDS = {"deleted": "Deleted", "not_found": "There is no video", "failed": "Not deleted, try again:"}


def named(video_ids: Sequence[str]) -> str:
    """One id, or how many."""
    return video_ids[0] if len(video_ids) == 1 else f"{len(video_ids)} videos"


def print_deletion(deleted: DeletedVideo, name: str, *, as_json: bool) -> None:
    """Tell that one video is deleted."""
    if as_json:
        print_json(deleted)
        return
    errors_console().print(f"Deleted {plain(name)}.", highlight=False)
    if deleted.links_expire_at:
        until = clock_time(deleted.links_expire_at)
        errors_console().print(f"Links shared earlier may still play until {until}.", highlight=False)


def print_deletions(outcomes: Sequence[VideoDeletion], *, as_json: bool) -> None:
    """Tell each outcome, and end with the exit code of the worst."""
    if as_json:
        print_json({"videos": outcomes})
    console = errors_console(quiet=as_json)
    for outcome in outcomes:
        console.print(f"{_WORDS[outcome.status]} {plain(outcome.video_id)}.", highlight=False)
    statuses = {outcome.status for outcome in outcomes}
    if "deleted" in statuses:
        console.print("Links shared earlier may still play for a while.", highlight=False)
    if "failed" in statuses:
        raise typer.Exit(ExitCode.TRY_LATER)
    if "not_found" in statuses:
        raise typer.Exit(ExitCode.FAILED)
