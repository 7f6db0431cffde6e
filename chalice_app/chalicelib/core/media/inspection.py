"""Inspection of a file: its container, its media facts and its poster.

The file is read here, within a budget, and inspected by a process that can do no harm.
"""

import json
import logging
import re
import signal
import time
from dataclasses import asdict, replace
from typing import NoReturn, cast

from chalicelib.core.media.containers import HEAD_BYTES, require_container
from chalicelib.core.media.errors import (
    EncryptedMediaError,
    InspectorCrashedError,
    InspectorUnavailableError,
    MediaBudgetError,
    MediaError,
    MediaLimitsError,
    NoVideoStreamError,
    UnreadableMediaError,
    UnsupportedCodecError,
)
from chalicelib.core.media.facts import (
    THUMBNAIL_LIMITS,
    AudioStream,
    Inspection,
    InspectionLimits,
    MediaFacts,
    Thumbnails,
    VideoStream,
)
from chalicelib.core.media.frames import EXPECTED_RANGE, MAX_READ_BYTES, READ_REQUEST, THUMBNAILS, Frame
from chalicelib.core.media.inspector_process import InspectorProcess, ProcessEndedError
from chalicelib.core.media.ranged_file import RangedFile, ReadBudget, ReadRange
from chalicelib.core.video_types import Container

log = logging.getLogger(__name__)

_CODEC_NAME = re.compile(r"[a-z0-9_-]{1,32}")
_PROFILE_NAME = re.compile(r"[A-Za-z0-9 .:_+()-]{1,32}")
_UNPRINTABLE = re.compile(r"[^ -~]")
_MAX_PROBLEM_CHARACTERS = 200


def inspect_media(
    read_range: ReadRange,
    size_bytes: int,
    container: Container | None = None,
    limits: InspectionLimits | None = None,
    *,
    thumbnails: bool = True,
) -> Inspection:
    """Inspect a file of `size_bytes`. container: None to detect it from the first bytes. thumbnails: False for none.

    Raises a MediaError if the file is to blame (MediaBudgetError(resource="seconds") perhaps also if the storage is
    slow); InspectorUnavailableError, ShortRangeError and whatever `read_range` raises if it is not.
    """
    limits = limits or InspectionLimits()
    budget = ReadBudget(limits, deadline=time.monotonic() + limits.max_wall_seconds)
    file = RangedFile(read_range, size_bytes, budget)
    with InspectorProcess(budget) as process:
        file.prefetch()  # while the process starts
        container = container or require_container(file.read(HEAD_BYTES))
        job = {
            "container": container.value,
            "sizeBytes": size_bytes,
            "limits": asdict(limits),
            "thumbnails": thumbnails,
        }
        try:
            process.say(Frame.JOB, json.dumps(job).encode())
            frame, _ = process.listen()
        except ProcessEndedError as ended:
            raise InspectorUnavailableError(ended.exit_status, ended.stderr) from ended
        if frame is not Frame.READY:
            raise _nonsense(frame.name)
        try:
            inspection = _serve(process, file, container, limits)
        except ProcessEndedError as ended:
            raise _death(ended, limits) from ended
        return with_thumbnails(inspection, process, file) if thumbnails else inspection


def _serve(process: InspectorProcess, file: RangedFile, container: Container, limits: InspectionLimits) -> Inspection:
    """Lend the file to the process until it has an answer."""
    poster_jpeg = b""
    used_up: MediaBudgetError | None = None
    while True:
        frame, payload = process.listen()
        match frame:
            case Frame.READ:
                try:
                    data = _read(file, payload)
                except MediaBudgetError as error:
                    # The process may know enough by now, and answer without the rest.
                    used_up = error
                    process.say(Frame.REFUSED)
                else:
                    process.say(Frame.DATA, data)
            case Frame.EXPECT:
                _expect(file, payload)
            case Frame.POSTER:
                poster_jpeg = payload
            case Frame.FACTS:
                return Inspection(_facts(payload, container, limits), _require_jpeg(poster_jpeg))
            case Frame.PROBLEM:
                _raise_problem(payload, used_up)
            case _:
                raise _nonsense(frame.name)


def with_thumbnails(inspection: Inspection, process: InspectorProcess, file: RangedFile) -> Inspection:
    """Lend the file for thumbnails, on a budget of their own; whatever happens, the other results stand."""
    file.budget = ReadBudget(THUMBNAIL_LIMITS, deadline=time.monotonic() + THUMBNAIL_LIMITS.max_wall_seconds)
    process.hold_to(file.budget)
    try:
        while True:
            frame, payload = process.listen()
            match frame:
                case Frame.READ:
                    process.say(Frame.DATA, _read(file, payload))
                case Frame.EXPECT:
                    _expect(file, payload)
                case Frame.PREFETCH:
                    _prefetch(file, payload)
                case Frame.THUMBNAILS:
                    return replace(inspection, thumbnails=_thumbnails(payload, inspection.facts))
                case _:
                    return inspection
    except Exception as error:  # also errors of a compromised process, and of the storage
        log.info("thumbnails left out", extra={"error": repr(error)[:_MAX_PROBLEM_CHARACTERS]})
        return inspection


def _prefetch(file: RangedFile, payload: bytes) -> None:
    if len(payload) % EXPECTED_RANGE.size:
        raise _nonsense(what="ranges of another length")
    ranges = cast("list[tuple[int, int]]", list(EXPECTED_RANGE.iter_unpack(payload)))
    if not all(start < end <= file.size_bytes for start, end in ranges):
        raise _nonsense(what="a range beyond the end")
    file.prefetch_all(ranges)


def _thumbnails(payload: bytes, facts: MediaFacts) -> Thumbnails | None:
    count, width, height = cast("tuple[int, int, int]", THUMBNAILS.unpack_from(payload))
    jpeg = _require_jpeg(payload[THUMBNAILS.size :])
    if not facts.duration_seconds:
        return None
    return Thumbnails(
        sprite_jpeg=jpeg,
        count=_integer(count, 1, Thumbnails.MAX_COUNT),
        tile_width=_integer(width, 1, Thumbnails.TILE_EDGE_PX),
        tile_height=_integer(height, 1, Thumbnails.TILE_EDGE_PX),
        seconds_per_tile=round(facts.duration_seconds / count, 3),
    )


def _read(file: RangedFile, payload: bytes) -> bytes:
    if len(payload) != READ_REQUEST.size:
        raise _nonsense(what="a read request of another length")
    position, size_bytes = cast("tuple[int, int]", READ_REQUEST.unpack(payload))
    if position + size_bytes > file.size_bytes or not 0 < size_bytes <= MAX_READ_BYTES:
        raise _nonsense(what=f"a read of {size_bytes} bytes at {position}")
    file.seek(position)
    return file.read_some(size_bytes)


def _expect(file: RangedFile, payload: bytes) -> None:
    if len(payload) != EXPECTED_RANGE.size:
        raise _nonsense(what="an expected range of another length")
    start, end = cast("tuple[int, int]", EXPECTED_RANGE.unpack(payload))
    if not start < end <= file.size_bytes:
        raise _nonsense(what=f"an expected range from {start} to {end}")
    file.expect(start, end)


def _death(ended: ProcessEndedError, limits: InspectionLimits) -> UnreadableMediaError | MediaLimitsError:
    # The kernel sends the first at the soft limit, the second at the hard one.
    if ended.exit_status == -signal.SIGXCPU:
        return MediaLimitsError(limit="max_cpu_seconds", allowed=limits.max_cpu_seconds)
    return InspectorCrashedError(exit_status=ended.exit_status, evidence=_text(ended.stderr))


def _nonsense(what: str) -> InspectorCrashedError:
    return InspectorCrashedError(evidence=what)


def _raise_problem(payload: bytes, used_up: MediaBudgetError | None) -> NoReturn:
    raise used_up or problem_in(payload)


def problem_in(payload: bytes) -> MediaError:
    """Return the error that a PROBLEM describes; for an invalid one, InspectorCrashedError."""
    found: MediaError
    match _object(payload):
        case {"error": "no_video_stream", "streamTypes": list(types)}:
            found = NoVideoStreamError(tuple(_text(kind) for kind in cast("list[object]", types)))
        case {"error": "encrypted"}:
            found = EncryptedMediaError()
        case {"error": "codec", "codec": codec}:
            found = UnsupportedCodecError(_text(codec))
        case {"error": "limits", "limit": limit, "allowed": int() | float() as allowed, **rest}:
            value = rest.get("found")
            found = MediaLimitsError(
                limit=_text(limit), allowed=allowed, found=value if isinstance(value, int | float) else None
            )
        case {"error": "unreadable", "problem": text}:
            found = UnreadableMediaError(_text(text))
        case {"error": "unexpected", "problem": text}:
            found = _nonsense(what=_text(text))
        case _:
            found = _nonsense(what="an unknown problem")
    return found


def _facts(payload: bytes, container: Container, limits: InspectionLimits) -> MediaFacts:
    """Return the facts after a plausibility check: they come from a process that a file may have compromised."""
    facts = _object(payload)
    try:
        video = cast("dict[str, object]", facts["video"])
        audio = cast("dict[str, object] | None", facts["audio"])
        return MediaFacts(
            container=container,
            duration_seconds=_optional_number(facts["duration_seconds"], limits.max_duration_seconds),
            bit_rate_bits_per_second=_optional_integer(facts["bit_rate_bits_per_second"]),
            video=VideoStream(
                codec=_codec(video["codec"]),
                profile=_profile(video["profile"]),
                width=_integer(video["width"], 1, limits.max_dimension_px),
                height=_integer(video["height"], 1, limits.max_dimension_px),
                rotation_degrees=_integer(video["rotation_degrees"], 0, 270),
                frame_rate=_optional_number(video["frame_rate"], 1_000),
            ),
            audio=None
            if audio is None
            else AudioStream(
                codec=_codec(audio["codec"]),
                channels=_integer(audio["channels"], 0, 1_024),
                sample_rate_hz=_integer(audio["sample_rate_hz"], 0, 10_000_000),
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _nonsense(what="implausible facts") from error


def _object(payload: bytes) -> dict[str, object]:
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise _nonsense(what="no JSON") from error
    if not isinstance(value, dict):
        raise _nonsense(what="no JSON object")
    return cast("dict[str, object]", value)


def _text(value: object) -> str:
    return _UNPRINTABLE.sub("?", str(value))[:_MAX_PROBLEM_CHARACTERS]


def _codec(value: object) -> str:
    if not isinstance(value, str) or not _CODEC_NAME.fullmatch(value):
        raise ValueError(value)
    return value


def _profile(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _PROFILE_NAME.fullmatch(value):
        raise ValueError(value)
    return value


def _integer(value: object, smallest: int, largest: int) -> int:
    if not isinstance(value, int) or not smallest <= value <= largest:
        raise ValueError(value)
    return value


def _optional_integer(value: object) -> int | None:
    return None if value is None else _integer(value, 0, 1 << 62)


def _optional_number(value: object, largest: float) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 <= value <= largest:
        raise ValueError(value)
    return float(value)


def _require_jpeg(data: bytes) -> bytes:
    if not (data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")):
        raise _nonsense(what="no JPEG")
    return data
