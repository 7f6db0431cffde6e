"""The inspecting process: `python -m chalicelib.core.media.inspector`, started by `inspector_process` alone.

It gives up its rights before it sees the first byte of a file: no new file descriptor (hence no file, no socket), no
new process, bounded memory and time. It gets the file over standard input, in ranges, on request.
"""

import json
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, NoReturn

from chalicelib.core.media.errors import (
    EncryptedMediaError,
    MediaError,
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
    UnsupportedCodecError,
)
from chalicelib.core.media.facts import InspectionLimits, MediaFacts
from chalicelib.core.media.frames import (
    EXPECTED_RANGE,
    HEADER,
    MAX_READ_BYTES,
    MAX_WRITE_BYTES,
    READ_REQUEST,
    THUMBNAILS,
    WRITE_POSITION,
    Frame,
    pack,
    unpack_header,
)
from chalicelib.core.video_types import Container

UNAVAILABLE_STATUS = 3


class ReadRefusedError(Exception):
    """The parent sends no more bytes; it knows why."""


class Parent:
    """The two pipes to the process that started us."""

    def __init__(self) -> None:
        # Nothing but frames may reach the parent, whatever a library prints.
        self._output = os.dup(1)
        os.dup2(2, 1)

    def say(self, frame: Frame, payload: bytes = b"") -> None:
        data = memoryview(pack(frame, payload))
        while data:
            data = data[os.write(self._output, data) :]

    def tell(self, facts: MediaFacts, poster_jpeg: bytes) -> None:
        self.say(Frame.POSTER, poster_jpeg)
        self.say(Frame.FACTS, json.dumps(asdict(facts)).encode())

    def listen(self) -> tuple[Frame, bytes]:
        frame, size_bytes = unpack_header(self._exactly(HEADER.size))
        return frame, self._exactly(size_bytes)

    def _exactly(self, size_bytes: int) -> bytes:
        data = bytearray()
        while len(data) < size_bytes:
            piece = os.read(0, size_bytes - len(data))
            if not piece:
                os._exit(0)  # the parent is gone and nobody waits for an answer
            data += piece
        return bytes(data)


class ParentFile:
    """The file under inspection, from which libavformat reads; the parent sends its bytes."""

    # libavformat grows its buffers for a name that looks like an address.
    name = "media"

    def __init__(self, parent: Parent, size_bytes: int) -> None:
        self._parent = parent
        self.size_bytes = size_bytes
        self._position = 0
        self.refused = False

    def read(self, size: int) -> bytes:
        size = min(size, MAX_READ_BYTES, self.size_bytes - self._position)
        if size <= 0:
            return b""
        if self.refused:
            raise ReadRefusedError
        self._parent.say(Frame.READ, READ_REQUEST.pack(self._position, size))
        frame, data = self._parent.listen()
        if frame is not Frame.DATA:
            self.refused = True
            raise ReadRefusedError
        self._position += len(data)
        return data

    def expect(self, start: int, end: int) -> None:
        end = min(end, self.size_bytes)
        if start < end:
            self._parent.say(Frame.EXPECT, EXPECTED_RANGE.pack(start, end))

    def prefetch(self, ranges: list[tuple[int, int]]) -> None:
        payload = b"".join(EXPECTED_RANGE.pack(start, min(end, self.size_bytes)) for start, end in ranges)
        self._parent.say(Frame.PREFETCH, payload)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position


class ParentOutput:
    """The copy of the file; the parent stores its bytes."""

    # libavformat grows its buffers for a name that looks like an address.
    name = "media"

    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._position = 0
        self._end = 0

    def write(self, data: bytes) -> int:
        for start in range(0, len(data), MAX_WRITE_BYTES):
            piece = bytes(data[start : start + MAX_WRITE_BYTES])
            self._parent.say(Frame.WRITE, WRITE_POSITION.pack(self._position) + piece)
            self._position += len(piece)
        self._end = max(self._end, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._end}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position


def lock_up(limits: InspectionLimits) -> None:
    """Drop all rights that reading a file from a pipe does not need, irrevocably."""
    cpu_seconds = limits.max_cpu_seconds
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    if sys.platform == "linux":  # macOS refuses the first and counts the user's other processes in the second
        resource.setrlimit(resource.RLIMIT_AS, (limits.max_memory_bytes, limits.max_memory_bytes))
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def describe(error: MediaError) -> dict[str, object]:
    """The error as JSON, which `inspection` turns back into the same error."""
    match error:
        case NoVideoStreamError():
            return {"error": "no_video_stream", "streamTypes": list(error.stream_types)}
        case EncryptedMediaError():
            return {"error": "encrypted"}
        case UnsupportedCodecError():
            return {"error": "codec", "codec": error.codec}
        case MediaLimitsError():
            return {"error": "limits", "limit": error.limit, "allowed": error.allowed, "found": error.found}
        case UnreadableMediaError():
            return {"error": "unreadable", "problem": error.problem}
        case _:
            return {"error": "unreadable", "problem": error.message}


Task = Callable[[Parent, dict[str, Any], ParentFile, InspectionLimits], None]
"""A task that answers a job; raises MediaError and whatever the libraries raise."""


def serve(load: Callable[[], Task]) -> NoReturn:
    """Give up all rights, answer one job, and end. load: imports everything that the task needs."""
    parent = Parent()
    try:
        # Modules that the libraries load lazily must be loaded while files can still be opened.
        task = load()
    except ImportError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(UNAVAILABLE_STATUS)
    _, payload = parent.listen()
    job = json.loads(payload)
    limits = InspectionLimits(**job["limits"])
    file = ParentFile(parent, job["sizeBytes"])
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - pathlib would be one more import
        os.dup2(nowhere.fileno(), 2)
        os.dup2(nowhere.fileno(), 1)
    lock_up(limits)
    parent.say(Frame.READY)
    _answer(task, parent, job, file, limits)
    # libav's destructors have nothing to save, and may crash on a damaged heap.
    os._exit(0)


def _answer(task: Task, parent: Parent, job: dict[str, Any], file: ParentFile, limits: InspectionLimits) -> None:
    try:
        task(parent, job, file, limits)
    except MediaError as error:
        parent.say(Frame.PROBLEM, json.dumps(describe(error)).encode())
    except ReadRefusedError:
        parent.say(Frame.PROBLEM, b'{"error": "refused"}')
    except MemoryError:
        parent.say(
            Frame.PROBLEM,
            json.dumps({"error": "limits", "limit": "max_memory_bytes", "allowed": limits.max_memory_bytes}).encode(),
        )
    except Exception as error:  # PyAV raises many kinds of errors for odd files
        parent.say(Frame.PROBLEM, json.dumps({"error": "unexpected", "problem": repr(error)[:200]}).encode())


def _inspect(parent: Parent, job: dict[str, Any], file: ParentFile, limits: InspectionLimits) -> None:
    from chalicelib.core.media import stream_facts  # noqa: PLC0415

    sprite = stream_facts.inspect(file, Container(job["container"]), limits, parent.tell, thumbnails=job["thumbnails"])
    if sprite:
        shape = THUMBNAILS.pack(sprite.count, sprite.tile_width, sprite.tile_height)
        parent.say(Frame.THUMBNAILS, shape + sprite.jpeg)
    else:
        parent.say(Frame.PROBLEM, b'{"error": "no_thumbnails"}')


def _copy(parent: Parent, job: dict[str, Any], file: ParentFile, limits: InspectionLimits) -> None:
    from chalicelib.core.media import copier  # noqa: PLC0415

    needed_bytes: int | None = None
    try:
        copier.copy_streams(file, Container(job["container"]), ParentOutput(parent), limits, job["indexBytes"])
    except copier.RoomTooSmallError as error:
        needed_bytes = error.needed_bytes
    parent.say(Frame.COPIED, json.dumps({"neededBytes": needed_bytes}).encode())


def _inspect_or_copy(parent: Parent, job: dict[str, Any], file: ParentFile, limits: InspectionLimits) -> None:
    """Copy if the job has room for an index."""
    if "indexBytes" in job:
        _copy(parent, job, file, limits)
    else:
        _inspect(parent, job, file, limits)


def _load() -> Task:
    from chalicelib.core.media import copier, stream_facts  # noqa: F401, PLC0415

    return _inspect_or_copy


def main() -> NoReturn:
    """Inspect a file, or copy its streams."""
    serve(_load)


if __name__ == "__main__":
    main()
