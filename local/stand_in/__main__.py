"""`python -m local.stand_in`: serve the stand-in for AWS until a signal stops it."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from local.stand_in.errors import StandInError
from local.stand_in.names import DEFAULT_SITE_ORIGINS
from local.stand_in.open_files import allow_open_files
from local.stand_in.server import StandIn

STOP_SECONDS = 0.9

_EPILOG = """\
Prints `ready http://127.0.0.1:PORT` when everything is provisioned, and serves until SIGTERM or Ctrl-C.
Only this machine can reach it. Credentials: access key `local`, secret `local-stand-in`, region eu-central-1.
What survives: with --data everything, also kill -9 (not a power cut); with --in-memory nothing.

controls for tests (JSON):
  POST   /_stand-in/faults    {"operation": "UploadPart", "status": 503, "code": "SlowDown", "times": 2}
                              or "delaySeconds": 40, or "loseResponse": true; "keyContains" narrows it down
  DELETE /_stand-in/faults    removes all faults
  GET    /_stand-in/requests  counters by operation and the last requests; DELETE empties them
  POST   /_stand-in/clock     {"offsetSeconds": 900} shifts S3's clock
  POST   /_stand-in/reset     restores the initial state
"""

MAX_OPEN_FILES = 8192


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal comes; the exit status."""
    options = _parse(arguments)
    # An Event's lock is not reentrant: a signal that comes while `wait` holds it would stop this thread for ever.
    stop: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.put(None))
    _allow_many_connections()
    try:
        stand_in = StandIn(port=options.port, data_dir=options.data, site_origins=options.site_origin)
    except (StandInError, OSError) as error:
        print(f"stand-in: {error}", file=sys.stderr)
        return 1
    print(f"ready {stand_in.url}", flush=True)
    if options.stop_with_parent:
        threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
    stop.get()
    # An answer that is still on its way must not keep the process; what was answered is in the journal already.
    threading.Timer(STOP_SECONDS, os._exit, (0,)).start()
    stand_in.close()
    sys.stdout.flush()
    os._exit(0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.stand_in",
        description="The services of AWS that the video upload platform uses, on one machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=8001, help="port on 127.0.0.1; 0 picks a free one (default: 8001)")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--data", type=Path, metavar="DIR", help="store all data in DIR, and continue from it")
    where.add_argument(
        "--in-memory", action="store_true", help="store nothing: bodies are in a temporary folder until the end"
    )
    parser.add_argument(
        "--site-origin",
        action="append",
        metavar="URL",
        help=f"an origin whose pages may upload; may be repeated (default: {' and '.join(DEFAULT_SITE_ORIGINS)})",
    )
    parser.add_argument(
        "--stop-with-parent", action="store_true", help="stop when standard input ends, so that no orphan remains"
    )
    options = parser.parse_args(arguments)
    options.site_origin = tuple(options.site_origin or DEFAULT_SITE_ORIGINS)
    return options


def _allow_many_connections() -> None:
    allow_open_files(MAX_OPEN_FILES)


def _stop_at_end_of_input(stop: SimpleQueue[None]) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.put(None)


if __name__ == "__main__":
    sys.exit(main())
