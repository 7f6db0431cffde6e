"""Copy of a video into an MP4 that browsers play, by a process that can open nothing: it gets the file in ranges and
returns the copy in pieces."""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

from chalicelib.core.json_values import JsonObject
from chalicelib.core.media.errors import InspectorUnavailableError, ShortRangeError, UnreadableMediaError
from chalicelib.core.media.facts import MIB, InspectionLimits
from chalicelib.core.media.frames import MAX_READ_BYTES, READ_REQUEST, WRITE_POSITION, Frame
from chalicelib.core.media.inspection import problem_in
from chalicelib.core.media.inspector_process import InspectorProcess, ProcessEndedError
from chalicelib.core.media.ranged_file import ReadBudget, ReadRange
from chalicelib.core.video_types import Container

_BLOCK_BYTES = 4 * MIB
_KEPT_BLOCKS = 4
"""A file whose streams are not interleaved is read at as many positions in turns."""
_MAX_INDEX_BYTES = 64 * MIB
"""Largest index, that of some eight hours."""
_LEAST_INDEX_BYTES = 64 << 10
_BYTES_A_PACKET = 66
"""Half more than an index needs at most: some files have more pictures than they state."""
_SOURCE_BYTES_A_GROWN_BYTE = 4
"""A copy is little larger than its source: a start code of three bytes becomes a length of four. A file that names the
same bytes again and again, or compresses them, would grow without limit."""
_ATTEMPTS = 2
PART_BYTES = 16 * MIB

COPY_LIMITS = InspectionLimits(max_wall_seconds=170, max_cpu_seconds=120)
"""It must end before the function does, together with the inspections of the file and of the copy: `renditions`
requires a `processingTimeoutSeconds` of 300."""


class Sink:
    """Destination of a copy: its first part, which is sent last, and those after it."""

    def __init__(self, send: Callable[[int, bytes], None], most_rest_bytes: int) -> None:
        """send: stores a numbered part; numbers begin at 1, and only the last one may be smaller than 5 MiB.
        most_rest_bytes: limit after the first part.
        """
        self._send = send
        self._most_rest_bytes = most_rest_bytes

    def begin(self, first_part_bytes: int) -> None:
        """Start over. first_part_bytes: the beginning of the copy, which may be overwritten."""
        self._first = bytearray()
        self._first_part_bytes = first_part_bytes
        self._rest = bytearray()
        self._rest_at = first_part_bytes
        self._number = 2

    def write(self, position: int, data: bytes) -> None:
        """Write bytes. Raises UnreadableMediaError if they belong neither to the first part nor to the end, and if the
        copy grows far beyond its source.
        """
        if position < self._first_part_bytes:
            head = data[: self._first_part_bytes - position]
            self._first.extend(bytes(max(position + len(head) - len(self._first), 0)))
            self._first[position : position + len(head)] = head
            position, data = position + len(head), data[len(head) :]
        if not data:
            return
        if position != self._rest_at + len(self._rest):
            raise UnreadableMediaError(problem="its copy was written out of order")
        if position + len(data) - self._first_part_bytes > self._most_rest_bytes:
            raise UnreadableMediaError(problem="its copy is far larger than the original")
        self._rest += data
        while len(self._rest) >= PART_BYTES:
            self._flush(PART_BYTES)

    def finish(self) -> int:
        """Send the rest, the first part last. Returns the size of the copy. Raises UnreadableMediaError if nothing was
        written, or if the first part has a gap at its end.
        """
        if not self._first:
            raise UnreadableMediaError(problem="none of its streams can be copied")
        if (self._rest or self._number > 2) and len(self._first) < self._first_part_bytes:
            raise UnreadableMediaError(problem="its copy has a gap")
        if self._rest:
            self._flush(len(self._rest))
        self._send(1, bytes(self._first))
        return self._rest_at if self._number > 2 else len(self._first)

    def _flush(self, size_bytes: int) -> None:
        self._send(self._number, bytes(self._rest[:size_bytes]))
        del self._rest[:size_bytes]
        self._rest_at += size_bytes
        self._number += 1


@dataclass(frozen=True, kw_only=True)
class Source:
    """File to copy. packets: about as many as it holds."""

    read_range: ReadRange
    size_bytes: int
    container: Container
    packets: int


def copy_media(source: Source, send: Callable[[int, bytes], None], limits: InspectionLimits = COPY_LIMITS) -> int:
    """Copy the streams into an MP4, part by part; a part may be sent again. Returns the size of the copy.

    Raises a MediaError if the file cannot be copied, or not in time; InspectorUnavailableError, ShortRangeError and
    what `read_range` and `send` raise if the file is not to blame.
    """
    most_rest_bytes = source.size_bytes + source.size_bytes // _SOURCE_BYTES_A_GROWN_BYTE
    return write_media(source, Sink(send, most_rest_bytes), limits)


def write_media(
    source: Source, sink: Sink, limits: InspectionLimits, *, module: str | None = None, job: JsonObject | None = None
) -> int:
    """Copy as `copy_media` does. module: the module whose process writes the file. job: its further instructions."""
    index_bytes = min(_LEAST_INDEX_BYTES + source.packets * _BYTES_A_PACKET, _MAX_INDEX_BYTES)
    deadline = time.monotonic() + limits.max_wall_seconds
    for _ in range(_ATTEMPTS):
        sink.begin(index_bytes + 5 * MIB)
        budget = ReadBudget(limits, deadline)
        told = {
            "container": source.container.value,
            "sizeBytes": source.size_bytes,
            "limits": asdict(limits),
            "indexBytes": index_bytes,
            **(job or {}),
        }
        needed_bytes = _write(source, sink, budget, module, told)
        if needed_bytes is None:
            return sink.finish()
        if needed_bytes > _MAX_INDEX_BYTES:
            break
        index_bytes = needed_bytes
    raise UnreadableMediaError(problem="its index is too large")


def _write(source: Source, sink: Sink, budget: ReadBudget, module: str | None, job: dict[str, Any]) -> int | None:
    """Return None once the copy is written, otherwise the room that its index needs."""
    blocks = _Blocks(source)
    with InspectorProcess(budget, module) as process:
        try:
            process.say(Frame.JOB, json.dumps(job).encode())
            frame, _ = process.listen()
        except ProcessEndedError as ended:
            raise InspectorUnavailableError(ended.exit_status, ended.stderr) from ended
        try:
            while True:
                frame, payload = process.listen()
                match frame:
                    case Frame.READ:
                        process.say(Frame.DATA, blocks.read(payload))
                    case Frame.WRITE:
                        if len(payload) < WRITE_POSITION.size:
                            raise UnreadableMediaError(problem="the copying process failed")
                        (position,) = cast("tuple[int]", WRITE_POSITION.unpack_from(payload))
                        sink.write(position, payload[WRITE_POSITION.size :])
                    case Frame.COPIED:
                        return _needed_bytes(payload, job["indexBytes"])
                    case Frame.PROBLEM:
                        raise problem_in(payload)
                    case _:
                        raise UnreadableMediaError(problem="the copying process failed")
        except ProcessEndedError as ended:
            raise UnreadableMediaError(problem="the copying process failed") from ended


def _needed_bytes(payload: bytes, index_bytes: int) -> int | None:
    """Return None, or a room larger than the last; a compromised process may say anything."""
    try:
        needed_bytes: object = json.loads(payload)["neededBytes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableMediaError(problem="the copying process failed") from error
    if needed_bytes is None or (isinstance(needed_bytes, int) and needed_bytes > index_bytes):
        return needed_bytes
    raise UnreadableMediaError(problem="the copying process failed")


class _Blocks:
    """A cache of a file's blocks that were read last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def read(self, request: bytes) -> bytes:
        if len(request) != READ_REQUEST.size:
            raise UnreadableMediaError(problem="the copying process failed")
        position, size_bytes = cast("tuple[int, int]", READ_REQUEST.unpack(request))
        end = position + size_bytes
        if end > self._source.size_bytes or not 0 < size_bytes <= MAX_READ_BYTES:
            raise UnreadableMediaError(problem="the copying process failed")
        first, last = position // _BLOCK_BYTES, (end - 1) // _BLOCK_BYTES
        data = b"".join(self._block(number) for number in range(first, last + 1))
        return data[position - first * _BLOCK_BYTES : end - first * _BLOCK_BYTES]

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        start = number * _BLOCK_BYTES
        end = min(start + _BLOCK_BYTES, self._source.size_bytes)
        block = self._source.read_range(start, end)
        if len(block) != end - start:
            raise ShortRangeError(start, end, len(block))
        self._blocks[number] = block
        if len(self._blocks) > _KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block
