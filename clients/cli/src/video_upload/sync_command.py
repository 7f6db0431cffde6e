"""The command that uploads what the library does not have yet."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from video_upload.api import VideoApi
from video_upload.command_output import AsJson, Profile, api_of, errors_console, exit_codes, print_error
from video_upload.credentials import StoredCredentials
from video_upload.decoding import decode
from video_upload.engine import DEFAULT_PARALLEL, UploadEngine
from video_upload.exit_codes import exit_code_of
from video_upload.file_selection import select_videos
from video_upload.private_files import default_home
from video_upload.sync_memory import SyncMemory
from video_upload.upload_command import Files, LimitRate, Parallel, TellProgress, accepted_at, upload_sources
from video_upload.upload_run import DEFAULT_FILES
from video_upload.video_file import VideoFile

ARRIVED = frozenset({"completing", "processing", "ready", "rejected"})


@dataclass(kw_only=True)
class _Library:
    """Videos that are there, by id, and how many of each name and size are still without a file."""

    by_id: dict[str, tuple[str, int]]
    unmatched: dict[tuple[str, int], list[str]]

    @classmethod
    def of(cls, api: VideoApi) -> _Library:
        by_id = {
            video.video_id: (video.file_name, video.size_bytes) for video in api.videos() if video.state in ARRIVED
        }
        unmatched: dict[tuple[str, int], list[str]] = {}
        for video_id, key in by_id.items():
            unmatched.setdefault(key, []).append(video_id)
        return cls(by_id=by_id, unmatched=unmatched)

    def take(self, video_id: str) -> bool:
        """Give the video to a file that is known to be it. Return False if it is not there."""
        key = self.by_id.get(video_id)
        if key is not None and video_id in self.unmatched[key]:
            self.unmatched[key].remove(video_id)
        return key is not None

    def take_any(self, file: VideoFile) -> str | None:
        """Give one of the file's name and size to it: two files of one name and size are two videos."""
        alike = self.unmatched.get((file.name, file.size_bytes))
        return alike.pop() if alike else None


def sync(  # noqa: PLR0917 - typer calls it by name
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders with videos.", exists=True, file_okay=False)
    ],
    again: Annotated[
        bool, typer.Option("--again", help="Upload again what was deleted from the library since.")
    ] = False,
    files: Files = DEFAULT_FILES,
    parallel: Parallel = DEFAULT_PARALLEL,
    limit_rate: LimitRate = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the files that would be uploaded.")] = False,
    telemetry: TellProgress = True,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Upload the videos in folders that are missing in the library, compared by name and size.

    What was uploaded before and deleted from the library stays deleted.
    """
    with exit_codes(as_json=as_json):
        accepted = accepted_at(profile)
        api = api_of(profile, errors_console(quiet=as_json))
        selection = select_videos(folders, accepted, UploadEngine(api, default_home()).goes_on)
        memory = SyncMemory(default_home(), api.url, _account(profile))
        new, deleted = _new_and_deleted(selection.videos, _Library.of(api), memory, changes=not dry_run)
        before = len(selection.videos) - len(new) - len(deleted)
        stays = f" {len(deleted)} deleted from the library since{' and uploaded again' if again else ''}."
        errors_console(quiet=as_json).print(
            f"{len(new)} new, {before} uploaded before.{stays if deleted else ''}", highlight=False
        )
        if again:
            new += deleted
        if new:
            # The refused ones are named here, too, so that the command ends with their code.
            upload_sources(
                [*map(str, new), *(str(refused.path) for refused in selection.refused)],
                accepted=accepted,
                files=files,
                parallel=parallel,
                limit_rate=limit_rate,
                telemetry=telemetry,
                dry_run=dry_run,
                as_json=as_json,
                profile=profile,
                remember=memory.add,
            )
            return
    for refused in selection.refused:
        print_error(refused, as_json=as_json, file=refused.path)
    if selection.refused:
        raise typer.Exit(exit_code_of(selection.refused[0]))


def _new_and_deleted(
    videos: Mapping[Path, VideoFile], library: _Library, memory: SyncMemory, *, changes: bool
) -> tuple[list[Path], list[Path]]:
    """Return the files that were never uploaded, and those whose videos are gone; remember all others."""
    deleted: list[Path] = []
    unknown: list[tuple[Path, VideoFile]] = []
    for path, file in videos.items():
        video_id = memory.video_of(file)
        if video_id is None:
            unknown.append((path, file))
        elif not library.take(video_id):
            deleted.append(path)
    new: list[Path] = []
    for path, file in unknown:
        video_id = library.take_any(file)
        if video_id is None:
            new.append(path)
        elif changes:
            memory.add(file, video_id)
    return new, deleted


def _account(profile: str | None) -> str:
    """Return the user whose library it is; the profile's name where the token does not say."""
    credentials = StoredCredentials(default_home(), profile)
    try:
        payload = credentials.load().access_token.split(".")[1]
        claims = decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), _Claims)
    except (IndexError, ValueError):  # of msgspec, too
        return credentials.profile
    return claims.sub


class _Claims(msgspec.Struct):
    sub: str
