"""The command that uploads what the library does not have yet."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from video_upload.api import VideoApi
from video_upload.command_output import AsJson, Profile, api_of, errors_console, exit_codes, print_error
from video_upload.exit_codes import exit_code_of
from video_upload.file_selection import select_videos
from video_upload.upload_command import TellProgress, upload
from video_upload.video_file import VideoFile

ARRIVED = frozenset({"completing", "processing", "ready", "rejected"})


def sync(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders with videos.", exists=True, file_okay=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the files that would be uploaded.")] = False,
    telemetry: TellProgress = True,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Upload the videos below folders that the library does not have, by name and size."""
    with exit_codes(as_json=as_json):
        selection = select_videos(folders)
        arrived = _arrived(api_of(profile, errors_console(quiet=as_json)))
        new = [path for path in selection.videos if not _is_there(VideoFile.at(path), arrived)]
        errors_console(quiet=as_json).print(
            f"{len(new)} new, {len(selection.videos) - len(new)} uploaded before.", highlight=False
        )
    if new:
        # The refused ones are named here, too, so that the command ends with their code.
        sources = [*map(str, new), *(str(refused.path) for refused in selection.refused)]
        upload(sources, telemetry=telemetry, dry_run=dry_run, as_json=as_json, profile=profile)
        return
    for refused in selection.refused:
        print_error(refused, as_json=as_json, file=refused.path)
    if selection.refused:
        raise typer.Exit(exit_code_of(selection.refused[0]))


def _arrived(api: VideoApi) -> Counter[tuple[str, int]]:
    """Names and sizes of the library, each as often as it is there: two files of one name and size are two videos."""
    return Counter((video.file_name, video.size_bytes) for video in api.videos() if video.state in ARRIVED)


def _is_there(file: VideoFile, arrived: Counter[tuple[str, int]]) -> bool:
    key = (file.name, file.size_bytes)
    if not arrived[key]:
        return False
    arrived[key] -= 1
    return True
