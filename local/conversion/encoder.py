"""The encoding process: `python -m local.conversion.encoder`, started by `converter` alone.

It is locked up as the inspecting process is: it opens nothing, the file comes to it by ranges, and the result leaves it
in pieces.
"""

import json
import os
import sys
from typing import Any, NoReturn

from chalicelib.core.media.errors import MediaError
from chalicelib.core.media.facts import InspectionLimits
from chalicelib.core.media.frames import Frame
from chalicelib.core.media.inspector import UNAVAILABLE_STATUS, Parent, ParentFile, ParentOutput, describe, lock_up
from chalicelib.core.video_types import Container


def main() -> NoReturn:
    """Answer one job and end."""
    parent = Parent()
    try:
        # What the libraries load lazily must be loaded while files can still be opened.
        from local.conversion import encoding  # noqa: F401
    except ImportError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        sys.stderr.flush()
        os._exit(UNAVAILABLE_STATUS)
    _, payload = parent.listen()
    job: dict[str, Any] = json.loads(payload)
    limits = InspectionLimits(**job["limits"])
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - as in the inspecting process
        os.dup2(nowhere.fileno(), 2)
        os.dup2(nowhere.fileno(), 1)
    lock_up(limits)
    parent.say(Frame.READY)
    _encode(parent, job, limits)
    # libav's destructors have nothing to save.
    os._exit(0)


def _encode(parent: Parent, job: dict[str, Any], limits: InspectionLimits) -> None:
    from chalicelib.core.media.copier import RoomTooSmallError
    from local.conversion import encoding

    needed_bytes: int | None = None
    file, output = ParentFile(parent, job["sizeBytes"]), ParentOutput(parent)
    wanted = encoding.Wanted(
        width=job["width"], height=job["height"], has_sound=job["hasSound"], index_bytes=job["indexBytes"]
    )
    try:
        encoding.encode(file, Container(job["container"]), output, limits, wanted)
    except RoomTooSmallError as error:
        needed_bytes = error.needed_bytes
    except MediaError as error:
        parent.say(Frame.PROBLEM, json.dumps(describe(error)).encode())
        return
    except Exception as error:  # PyAV meets odd files with whatever Python raises
        parent.say(Frame.PROBLEM, json.dumps({"error": "unexpected", "problem": repr(error)[:200]}).encode())
        return
    parent.say(Frame.COPIED, json.dumps({"neededBytes": needed_bytes}).encode())


if __name__ == "__main__":
    main()
