"""Selection of a command's videos: files, folders with everything below them, and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from video_upload.errors import FileRefusedError, FileUnreadableError
from video_upload.video_file import VideoFile, is_unicode
from video_upload.video_types import CONTENT_TYPES, EVERY_CONTAINER


@dataclass(frozen=True, kw_only=True)
class SkippedFile:
    """Found in a folder or by a pattern, and not uploaded. reason: in words."""

    path: Path
    reason: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """videos: by their paths as they were found, each file once, a folder's in order. skipped: as long as it is.

    refused: the files that were named themselves, and the videos below a folder, that cannot be uploaded.

    searched: whether any of them was looked for, so that something may have been skipped.
    """

    videos: Mapping[Path, VideoFile]
    refused: tuple[FileRefusedError, ...]
    skipped: tuple[SkippedFile, ...]
    searched: bool
    size_bytes: int


def select_videos(
    sources: Iterable[str | Path],
    accepted: frozenset[str] = EVERY_CONTAINER,
    goes_on: Callable[[VideoFile], bool] = lambda _: False,
) -> Selection:
    """Find the videos. Raises FileRefusedError if there are none, refused ones included.

    sources: files, folders (searched in depth, links to folders not followed) and patterns such as `day?/**/*.mov`.
    accepted: containers that the site accepts. goes_on: as in `VideoFile.for_site`.
    """

    def look_at(path: Path) -> VideoFile:
        return VideoFile.for_site(path, accepted, goes_on)

    found: dict[Path, VideoFile] = {}
    resolved: set[Path] = set()
    refused: list[FileRefusedError] = []
    skipped: list[SkippedFile] = []
    searched = False
    size_bytes = 0
    first: Path | None = None
    for source in sources:
        path = Path(source)
        first = first or path
        if _is_file_itself(path):
            candidates = _look_at([path], look_at, refused)
        else:
            searched = True
            candidates = _look_at(_search(path, refused), look_at, refused, skipped)
        for candidate, video in candidates:
            if video.path not in resolved:
                resolved.add(video.path)
                found[candidate] = video
                size_bytes += video.size_bytes
    if not found and not refused:
        raise FileRefusedError(first or Path(), _nothing(skipped))
    return Selection(
        videos=found,
        refused=tuple(refused),
        skipped=tuple(skipped),
        searched=searched,
        size_bytes=size_bytes,
    )


def _is_file_itself(path: Path) -> bool:
    return not path.is_dir() and (path.exists() or not glob.has_magic(str(path)))


def _search(path: Path, refused: list[FileRefusedError]) -> Iterator[Path]:
    if path.is_dir():
        yield from _below(path, refused)
        return
    for name in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - patterns may be absolute
        match = Path(name)
        if match.is_dir():
            yield from _below(match, refused)
        else:
            yield match


def _below(folder: Path, refused: list[FileRefusedError]) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        refused.append(FileUnreadableError(Path(os.fsdecode(error.filename)), error))

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        # Hidden files are not people's videos: macOS leaves a `._film.mp4` beside each film on foreign disks.
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def _look_at(
    paths: Iterable[Path],
    look_at: Callable[[Path], VideoFile],
    refused: list[FileRefusedError],
    skipped: list[SkippedFile] | None = None,
) -> Iterator[tuple[Path, VideoFile]]:
    """skipped: collects refused files of a folder, unless they are videos that cannot be read or named; None for files
    that the user named."""
    for path in paths:
        try:
            yield path, look_at(path)
        except FileRefusedError as error:
            is_video = path.suffix.lower() in CONTENT_TYPES
            if skipped is None or (is_video and (isinstance(error, FileUnreadableError) or not is_unicode(str(path)))):
                refused.append(error)
            else:
                skipped.append(SkippedFile(path=path, reason=error.problem))


def _nothing(skipped: list[SkippedFile]) -> str:
    return f"no video in there, {len(skipped)} other file(s)" if skipped else "no file in there"
