"""What the terminal shows: progress, tables and facts. Everything from outside is stripped of control characters."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

from video_upload.answers import Media, OpenUpload, Video
from video_upload.events import (
    BytesSent,
    Completing,
    PartRetried,
    PartsDiffered,
    ProcessingWatched,
    StartedOver,
    UploadBegan,
    UploadEvent,
)


def plain(text: str) -> str:
    """Safe to print: no escape sequences of the terminal, no markup."""
    return escape("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))


class UploadDisplay:
    """A progress bar for one file; give `show` to the engine."""

    def __init__(self, console: Console, title: str) -> None:
        self._title = plain(title)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._last_note = ""

    def __enter__(self) -> UploadDisplay:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, event: UploadEvent) -> None:
        match event:
            case UploadBegan(size_bytes=size_bytes, stored_bytes=stored_bytes):
                if self._task is not None:
                    self._progress.remove_task(self._task)
                self._task = self._progress.add_task(self._title, total=size_bytes, completed=stored_bytes)
                if stored_bytes:
                    self._note(f"Resuming: {decimal(stored_bytes)} of {decimal(size_bytes)} are there already.")
            case BytesSent(count=count) if self._task is not None:
                self._progress.advance(self._task, count)
            case PartRetried(part_number=number, reason=reason, wait_seconds=wait_seconds):
                self._note(f"Part {number}: {reason}. Trying again in {wait_seconds:.1f} s.")
            case PartsDiffered(part_numbers=numbers):
                self._note(f"{len(numbers)} part(s) arrived damaged and are sent again.")
            case Completing():
                self._note("S3 is putting the parts together.")
            case StartedOver(reason=reason):
                self._note(f"Starting over: {reason}.")
            case ProcessingWatched(state="processing" | "completing"):
                self._note("Uploaded. The video is being checked.")
            case _:
                return

    def _note(self, text: str) -> None:
        if text != self._last_note:
            self._last_note = text
            self._progress.console.print(plain(text))


def media_in_words(media: Media | None) -> str:
    if media is None:
        return ""
    words = [media.container]
    if media.duration_seconds is not None:
        words.append(f"{media.duration_seconds:.1f} s")
    if media.video:
        words.append(f"{media.video.width}x{media.video.height} {media.video.codec}")
    if media.audio:
        words.append(media.audio.codec)
    return ", ".join(words)


def print_video(console: Console, video: Video) -> None:
    facts = {
        "id": video.video_id,
        "file": video.file_name,
        "size": decimal(video.size_bytes),
        "state": video.state,
        "media": media_in_words(video.media),
        "rejected": video.rejection.message if video.rejection else "",
        "created": video.created_at,
        "poster": video.poster_url or "",
        "playback": video.playback_url or "",
    }
    for name, value in facts.items():
        if value:
            console.print(f"[dim]{name:>9}[/]  {plain(value)}", soft_wrap=True, highlight=False)


def _id_column(ids: Iterable[str]) -> Column:
    """Ids are there to be copied: never cut short."""
    return Column("id", no_wrap=True, min_width=max((len(one) for one in ids), default=2))


def print_videos(console: Console, videos: Iterable[Video]) -> None:
    videos = tuple(videos)
    table = Table(_id_column(video.video_id for video in videos), "file", "size", "state", "media", "created", box=None)
    for video in videos:
        table.add_row(
            plain(video.video_id),
            plain(video.file_name),
            decimal(video.size_bytes),
            video.state,
            plain(media_in_words(video.media)),
            plain(video.created_at),
        )
    console.print(table)


def print_open_uploads(console: Console, uploads: Iterable[OpenUpload]) -> None:
    uploads = tuple(uploads)
    table = Table(_id_column(upload.video_id for upload in uploads), "file", "size", "started", "ends", box=None)
    for upload in uploads:
        table.add_row(
            plain(upload.video_id),
            plain(upload.file_name),
            decimal(upload.size_bytes),
            plain(upload.started_at),
            plain(upload.expires_at),
        )
    console.print(table)
