"""The encoding process: `python -m local.conversion.encoder`, started by `converter` alone.

It is sandboxed like the inspecting process: it opens nothing, reads the file in ranges from its parent, and sends the
result back in pieces.
"""

import json
from typing import Any, NoReturn

from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.frames import Frame
from chalicelib.core.media.inspector import Parent, ParentFile, ParentOutput, Task, serve
from chalicelib.core.video_types import Container


def main() -> NoReturn:
    """Re-encode a file's streams."""
    serve(_load)


def _load() -> Task:
    from local.conversion import encoding  # noqa: F401

    return _encode


def _encode(parent: Parent, job: dict[str, Any], file: ParentFile, limits: InspectionLimits) -> None:
    from chalicelib.core.media.copier import RoomTooSmallError
    from local.conversion import encoding

    needed_bytes: int | None = None
    wanted = encoding.Wanted(
        width=job["width"], height=job["height"], has_sound=job["hasSound"], index_bytes=job["indexBytes"]
    )
    try:
        encoding.encode(file, Container(job["container"]), ParentOutput(parent), limits, wanted)
    except RoomTooSmallError as error:
        needed_bytes = error.needed_bytes
    parent.say(Frame.COPIED, json.dumps({"neededBytes": needed_bytes}).encode())


if __name__ == "__main__":
    main()
