"""The commands that bring a video back: download, open."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import Annotated, BinaryIO

import requests
import typer

from video_upload.api import TIMEOUT_SECONDS
from video_upload.command_output import AsJson, Profile, VideoId, api_of, errors_console, exit_codes, print_json
from video_upload.connection_problem import problem_in_words
from video_upload.errors import DownloadError, path_text
from video_upload.network import ca_bundle
from video_upload.presentation import plain
from video_upload.private_files import writing_to
from video_upload.schemas import Video

BLOCK_BYTES = 1024 * 1024


def download(
    video_id: VideoId,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="File or folder; else the video's own name.", show_default=False
        ),
    ] = None,
    as_json: AsJson = False,
    profile: Profile = None,
) -> None:
    """Download a video. An existing file is never replaced; run it again to resume."""
    with exit_codes(as_json=as_json):
        video = api_of(profile, errors_console(quiet=as_json)).get_video(video_id)
        target = _target(video, output)
        _save(video, _playback_url(video), target)
        if as_json:
            print_json({"videoId": video_id, "file": path_text(target)})
        else:
            errors_console().print(f"Saved as {plain(path_text(target))}.", highlight=False, soft_wrap=True)


def open_video(video_id: VideoId, profile: Profile = None) -> None:
    """Play a video in the browser."""
    with exit_codes():
        url = _playback_url(api_of(profile, errors_console()).get_video(video_id))
        if not webbrowser.open(url):
            raise DownloadError(video_id, "no browser can be started; `show --urls` prints the address")


def _playback_url(video: Video) -> str:
    if video.playback_url is None:
        raise DownloadError(video.video_id, f"it is {video.state}, not ready")
    return video.playback_url


def _target(video: Video, output: Path | None) -> Path:
    # Only the last part of the name counts: no video may be written elsewhere than into the folder that was meant.
    name = video.file_name.replace("\\", "/").rpartition("/")[2]
    target = output or Path(name)
    if target.is_dir():
        target /= name
    if target.exists():
        raise DownloadError(video.video_id, f"{path_text(target)} exists already")
    return target


def _save(video: Video, url: str, target: Path) -> None:
    """Write a `.part` file beside the target, which gets its name once it is whole."""
    partial = target.with_name(f"{target.name}.{video.video_id}.part")
    with writing_to(target.parent), partial.open("ab") as file:
        if file.tell() < video.size_bytes:
            _append(video, url, file)
        file.flush()
        os.fsync(file.fileno())
        arrived_bytes = file.tell()
    if arrived_bytes != video.size_bytes:
        raise DownloadError(video.video_id, f"{arrived_bytes} of {video.size_bytes} bytes arrived; run it again")
    with writing_to(target.parent):
        partial.rename(target)


def _append(video: Video, url: str, file: BinaryIO) -> None:
    headers = {"Range": f"bytes={file.tell()}-", "Accept-Encoding": "identity"}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS, verify=ca_bundle()) as response:
            if response.status_code == 200:
                file.truncate(0)  # all of it, whatever was asked for
            elif response.status_code != 206:
                raise DownloadError(video.video_id, f"the store responded {response.status_code}")
            for block in response.iter_content(BLOCK_BYTES):
                file.write(block)
    except requests.RequestException as error:
        raise DownloadError(video.video_id, f"{problem_in_words(error)}; run it again to resume") from error
