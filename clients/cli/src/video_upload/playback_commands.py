"""The commands that bring a video back: download, open."""

from __future__ import annotations

import os
import time
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO

import requests
import typer

from video_upload.api import TIMEOUT_SECONDS
from video_upload.backoff import Backoff
from video_upload.command_output import AsJson, Profile, VideoId, api_of, errors_console, exit_codes, print_json
from video_upload.connection_problem import problem_in_words
from video_upload.errors import DownloadError, path_text
from video_upload.presentation import plain
from video_upload.private_files import writing_to
from video_upload.schemas import Video
from video_upload.session import Session

BLOCK_BYTES = 64 * 1024  # what a connection that ends has sent of a block is lost
RENEWALS = 3
"""New URLs in a row that the store may refuse before a download ends."""


Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="File or folder; by default a file with the video's name.",
        show_default=False,
    ),
]
Look = Callable[[], Video]
"""Shows the video as it is now, with new URLs."""


def download(video_id: VideoId, output: Output = None, as_json: AsJson = False, profile: Profile = None) -> None:
    """Download a video. An existing file is never replaced; run it again to resume."""
    with exit_codes(as_json=as_json):
        api = api_of(profile, errors_console(quiet=as_json))
        save_video(lambda: api.get_video(video_id), output, as_json=as_json)


def save_video(look: Look, output: Path | None, *, as_json: bool) -> None:
    """Save a video, and print where. Raises DownloadError."""
    video = look()
    target = _target(video, output)
    _save(look, video, target)
    if as_json:
        print_json({"videoId": video.video_id, "file": path_text(target)})
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


def _download_url(video: Video) -> str:
    # A stage of before renditions names one URL for both.
    return video.download_url or _playback_url(video)


def _target(video: Video, output: Path | None) -> Path:
    # Only the last part of the name counts: no video may be written elsewhere than into the folder that was meant.
    name = video.file_name.replace("\\", "/").rpartition("/")[2]
    target = output or Path(name)
    if target.is_dir():
        target /= name
    if target.exists():
        raise DownloadError(video.video_id, f"{path_text(target)} already exists")
    return target


def _save(look: Look, video: Video, target: Path) -> None:
    """Write a `.part` file beside the target, which gets its name once it is whole."""
    partial = target.with_name(f"{target.name}.{video.video_id}.part")
    with writing_to(target.parent), partial.open("ab") as file:
        if file.tell() < video.size_bytes:
            _fetch(look, video, file)
        file.flush()
        os.fsync(file.fileno())
        arrived_bytes = file.tell()
    if arrived_bytes != video.size_bytes:
        raise DownloadError(video.video_id, f"{arrived_bytes} of {video.size_bytes} bytes arrived; run it again")
    with writing_to(target.parent):
        partial.rename(target)


def _fetch(look: Look, video: Video, file: BinaryIO) -> None:
    """Append what is missing. Where a response ends early, go on with a new URL, for the old one may have expired."""
    backoff = Backoff()
    failures = refusals = 0
    source = _Source(_download_url(video))
    while True:
        before_bytes = file.tell()
        problem = source.append_to(file, video)
        if problem is None:
            return
        if file.tell() > before_bytes:
            failures = refusals = 0
        if problem.is_refusal:
            refusals += 1
            if refusals > RENEWALS:
                raise DownloadError(video.video_id, f"{problem.reason} to {RENEWALS} new URLs")
        else:
            failures += 1
            if failures >= backoff.tries:
                raise DownloadError(video.video_id, f"{problem.reason}; run it again to resume")
            time.sleep(backoff.wait_seconds(failures))
        source.url = _download_url(look())


@dataclass(frozen=True, kw_only=True)
class _Problem:
    """End of a response before the end of the video. is_refusal: of the URL's signature."""

    reason: str
    is_refusal: bool = False


class _Source:
    """The store's side of one download: the URL of the moment, and the version that the first response had."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._etag: str | None = None
        self._session = Session()

    def append_to(self, file: BinaryIO, video: Video) -> _Problem | None:
        """Append from the file's end on. Raises DownloadError where another try does not help."""
        headers = {"Range": f"bytes={file.tell()}-", "Accept-Encoding": "identity"}
        if self._etag:
            headers["If-Match"] = self._etag
        try:
            with self._session.get(self.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
                status = response.status_code
                if status in {200, 206}:
                    self._etag = self._etag or response.headers.get("ETag")
                    if status == 200:
                        file.truncate(0)  # all of it, whatever was asked for
                    for block in response.iter_content(BLOCK_BYTES):
                        file.write(block)
                    return None
                reason = f"the store responded {status}"
                if status == 403 or status >= 500 or status in {408, 429}:
                    return _Problem(reason=reason, is_refusal=status == 403)
                if status == 412:
                    reason = "it changed meanwhile; delete the .part file and run it again"
                raise DownloadError(video.video_id, reason)
        except requests.RequestException as error:
            return _Problem(reason=problem_in_words(error))
