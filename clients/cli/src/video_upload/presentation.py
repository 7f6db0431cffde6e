"""Terminal output: lines, tables and facts. Outside text is stripped of control characters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Column, Table

from video_upload.errors import path_text
from video_upload.file_selection import SkippedFile
from video_upload.schemas import ListedVideo, Media, OpenUpload, Rendition, StageUsage, Usage, Video

_JOINERS = "\u200c\u200d"
"""Not printable by themselves; Persian, Hindi and many emoji are written with them."""


def printable(text: str) -> str:
    """Safe to print: no escape sequences of the terminal."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in _JOINERS else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def plain(text: str) -> str:
    """Safe to print by rich: no escape sequences of the terminal, no markup."""
    return escape(printable(text))


def print_line(console: Console, text: str) -> None:
    """Print text without markup. Rich, which wraps and colours, costs a hundred times as much as a line in a pipe."""
    if console.is_terminal:
        console.print(plain(text), highlight=False)
    elif not console.quiet:
        print(printable(text), file=console.file, flush=True)


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


def playability_in_words(media: Media | None) -> str:
    if media is None or media.playability is None:
        return ""
    obstacle = media.playability.obstacle
    return media.playability.browsers + (f" ({obstacle.name})" if obstacle else "")


def rendition_in_words(rendition: Rendition | None) -> str:
    """The state of the copy that every browser plays."""
    if rendition is None:
        return ""
    if rendition.state == "pending":
        return "preparing a version that all browsers can play"
    if rendition.state == "failed":
        return "no version that all browsers can play could be made"
    return f"MP4 that all browsers play, {decimal(rendition.size_bytes or 0)}"


def print_video(console: Console, video: Video, *, urls: bool = False) -> None:
    facts = {
        "id": video.video_id,
        "title": video.title or "",
        "file": video.file_name,
        "tags": ", ".join(video.tags),
        "about": video.description or "",
        "size": decimal(video.size_bytes),
        "state": f"{video.state} (malware scan)" if video.waits_for == "malwareScan" else video.state,
        "media": media_in_words(video.media),
        "browsers": playability_in_words(video.media),
        "rendition": rendition_in_words(video.rendition),
        "rejected": video.rejection.message if video.rejection else "",
        "created": video.created_at,
        "sent by": video.uploader_name or "",
        "reference": video.reference or "",
        "for": video.on_behalf_of or "",
        "expires": _expiry(video),
        "poster": (urls and video.poster_url) or "",
        "pictures": (urls and video.thumbnails_url) or "",
        "playback": (urls and video.playback_url) or "",
        "download": (urls and video.download_url) or "",
    }
    if not console.is_terminal:  # as in `print_line`
        lines = [f"{name:>9}  {printable(value)}\n" for name, value in facts.items() if value]
        print(*lines, sep="", end="", file=console.file, flush=True)
        return
    lines = [f"[dim]{name:>9}[/]  {plain(value)}" for name, value in facts.items() if value]
    console.print("\n".join(lines), soft_wrap=True, highlight=False)


def _expiry(video: Video) -> str:
    if not video.expires_at:
        return ""
    return f"{video.expires_at} (download it before then to keep it)" if video.expires_soon else video.expires_at


def _id_column(ids: Iterable[str]) -> Column:
    """A column that never truncates: ids are meant to be copied."""
    return Column("id", no_wrap=True, min_width=max((len(one) for one in ids), default=2))


def _day_column(title: str) -> Column:
    """A day fits beside an id on 80 columns, where a time would be cut short."""
    return Column(title, no_wrap=True, min_width=len("2026-01-31"))


def _day(time: str) -> str:
    return time.partition("T")[0]


def clock_time(time: str) -> str:
    """An API time as hours and minutes of this machine's time zone."""
    return datetime.fromisoformat(time).astimezone().strftime("%H:%M")


ROOMY_COLUMNS = 110


def print_videos(console: Console, videos: Iterable[Video]) -> None:
    """On 80 columns the media are left to `show`; file names are folded, never cut. Days of deletion are shown once the
    platform has announced one."""
    videos = tuple(videos)
    has_room = console.width >= ROOMY_COLUMNS
    expire = any(video.expires_soon for video in videos)
    columns = [_id_column(video.video_id for video in videos), _day_column("created"), "size", "state"]
    if expire:
        columns.append(_day_column("deleted on"))
    table = Table(*columns, *(["media"] if has_room else []), Column("name", overflow="fold"), box=None)
    for video in videos:
        words = [video.video_id, _day(video.created_at), decimal(video.size_bytes), video.state]
        if expire:
            words.append(_day(video.expires_at or "") if video.expires_soon else "")
        media = [media_in_words(video.media)] if has_room else []
        table.add_row(*(plain(word) for word in (*words, *media, video.name)))
    console.print(table)


def print_stage_videos(console: Console, videos: Iterable[ListedVideo]) -> None:
    videos = tuple(videos)
    owners = Column("owner", no_wrap=True, min_width=max((len(video.owner) for video in videos), default=5))
    columns = [owners, _id_column(video.video_id for video in videos), _day_column("created"), "size", "state"]
    table = Table(*columns, Column("name", overflow="fold"), box=None)
    for video in videos:
        words = [video.owner, video.video_id, _day(video.created_at), decimal(video.size_bytes), video.state]
        table.add_row(*(plain(word) for word in (*words, video.name)))
    console.print(table)


def print_stage_usage(console: Console, used: StageUsage) -> None:
    table = Table("", Column("used", justify="right"), Column("limit", justify="right"), box=None)
    stored = "not counted yet" if used.stored_bytes is None else decimal(used.stored_bytes)
    table.add_row("space", stored, decimal(used.max_stored_bytes) if used.max_stored_bytes else "none")
    table.add_row("videos", "" if used.stored_videos is None else str(used.stored_videos), "")
    table.add_row("space of unfinished uploads", decimal(used.reserved_bytes), "")
    table.add_row("unfinished uploads", str(used.reserved_videos), "")
    console.print(table)
    if used.counted_at:
        console.print(f"[dim]counted at {clock_time(used.counted_at)}[/]", highlight=False)


def print_open_uploads(console: Console, uploads: Iterable[OpenUpload]) -> None:
    uploads = tuple(uploads)
    table = Table(
        _id_column(upload.video_id for upload in uploads),
        Column("file", overflow="fold"),
        "size",
        _day_column("started"),
        _day_column("ends"),
        box=None,
    )
    for upload in uploads:
        table.add_row(
            plain(upload.video_id),
            plain(upload.file_name),
            decimal(upload.size_bytes),
            plain(_day(upload.started_at)),
            plain(_day(upload.expires_at)),
        )
    console.print(table)


def print_usage(console: Console, used: Usage) -> None:
    table = Table("", Column("used", justify="right"), Column("limit", justify="right"), box=None)
    stored_bytes = used.stored_bytes + used.reserved_bytes
    table.add_row("space", decimal(stored_bytes), decimal(used.max_stored_bytes) if used.max_stored_bytes else "none")
    table.add_row("videos", str(used.stored_videos + used.reserved_videos), str(used.max_stored_videos or "none"))
    table.add_row("space of unfinished uploads", decimal(used.reserved_bytes), decimal(used.max_reserved_bytes))
    table.add_row("unfinished uploads", str(used.reserved_videos), str(used.max_open_uploads))
    console.print(table)


SHOWN_SKIPPED = 20


def print_skipped(console: Console, skipped: Sequence[SkippedFile]) -> None:
    for one in skipped[:SHOWN_SKIPPED]:
        console.print(
            f"[dim]skipped[/]  {plain(f'{path_text(one.path)}: {one.reason}')}", soft_wrap=True, highlight=False
        )
    if len(skipped) > SHOWN_SKIPPED:
        console.print(f"[dim]skipped[/]  and {len(skipped) - SHOWN_SKIPPED} more", highlight=False)


def print_profiles(console: Console, profiles: Iterable[Mapping[str, str | bool]]) -> None:
    table = Table("", "profile", "site", "stage", "signed in", "tokens", box=None)
    for one in profiles:
        words = (plain(str(one[name])) for name in ("name", "siteUrl", "stage", "kind", "tokens"))
        table.add_row("*" if one["current"] else "", *words)
    console.print(table)
