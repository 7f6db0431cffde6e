"""Unfinished uploads that this computer did not begin, and may go on with if they are of the same file."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Collection, Iterator

from video_upload.api import VideoApi
from video_upload.schemas import OpenUpload
from video_upload.video_file import VideoFile


class UploadsElsewhere:
    """The user's unfinished uploads, listed once for all files of a run. Each is offered to one file at a time."""

    def __init__(self, api: VideoApi) -> None:
        self._api = api
        self._lock = threading.Lock()
        self._listed: tuple[OpenUpload, ...] | None = None
        self._offered: set[str] = set()

    def candidates(self, file: VideoFile, begun_here: Callable[[], Collection[str]]) -> Iterator[OpenUpload]:
        """Yield uploads of the file's name and size. Advancing the iterator releases the previous one for other files.

        begun_here: looks up the ids of videos whose uploads have a journal on this computer; called only where there is
            an upload to compare with. Raises what the API raises.
        """
        with self._lock:
            if self._listed is None:
                self._listed = self._api.list_open_uploads()
        alike = [upload for upload in self._listed if _may_be_of(upload, file)]
        of_others = frozenset(begun_here()) if alike else frozenset[str]()
        for upload in alike:
            if upload.video_id in of_others:
                continue
            with self._lock:
                if upload.video_id in self._offered:
                    continue
                self._offered.add(upload.video_id)
            yield upload
            with self._lock:
                self._offered.discard(upload.video_id)


def _may_be_of(upload: OpenUpload, file: VideoFile) -> bool:
    # A Mac gives out letters with their accents apart.
    names = (unicodedata.normalize("NFC", name) for name in (upload.file_name, file.name))
    return upload.size_bytes == file.size_bytes and len(set(names)) == 1
