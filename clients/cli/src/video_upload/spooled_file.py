"""Videos that come as a stream: kept in a file while they are uploaded, for the platform asks for the size first."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from video_upload.errors import FileRefusedError, SystemRefusedError
from video_upload.video_file import BUFFER_BYTES
from video_upload.video_types import EVERY_CONTAINER, content_type_of


@contextmanager
def spooled_file(
    source: BinaryIO, name: str, home: Path, accepted: frozenset[str] = EVERY_CONTAINER
) -> Generator[Path]:
    """Write a stream to its end into a private file of this name, which is removed afterwards.

    home: needs room for the video. accepted: containers that the site accepts.

    Raises FileRefusedError before it reads if no video may have that name, and SystemRefusedError if the stream cannot
    be read or the file not be written.
    """
    path = Path(name)
    if path.name != name:
        raise FileRefusedError(path, "a file's name has no folder")
    content_type_of(path, accepted)
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = Path(tempfile.mkdtemp(prefix="stream-", dir=home))
    except OSError as error:
        raise SystemRefusedError(error) from error
    try:
        try:
            with (folder / name).open("wb") as spooled:
                shutil.copyfileobj(source, spooled, BUFFER_BYTES)
        except OSError as error:
            raise SystemRefusedError(error) from error
        yield folder / name
    finally:
        shutil.rmtree(folder, ignore_errors=True)
