"""Every route, every identity, every target, and chains of two calls: `make matrix` (ARGS="--help" for more).

Starts a platform of its own on free ports. Exit code 1 if a cell is wrong.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from local.platform import LocalPlatform, Ports
from tests.matrix.matrix import Played, play
from tests.media.sample_videos import write_sample_video


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.matrix", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, metavar="N", help="play each Nth cell (default: all)")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    with TemporaryDirectory() as folder, _platform() as platform:
        video = write_sample_video(Path(folder) / "small.mp4", duration_seconds=1.0).read_bytes()
        to_copy = write_sample_video(Path(folder) / "small.mov", "mov", duration_seconds=2.0).read_bytes()
        played = play(platform, video, to_copy, every=options.every)
    _print(played, time.monotonic() - started)
    return 1 if played.wrong else 0


def _platform() -> LocalPlatform:
    return LocalPlatform(data_dir=None, ports=Ports.free(), api_variables={"RENDITIONS": "true"})


def _print(played: Played, seconds: float) -> None:
    for line in played.wrong:
        print(line)
    kinds = ", ".join(f"{count} {kind}" for kind, count in played.cells.most_common())
    verdicts = ", ".join(f"{count} x {status}" for status, count in sorted(played.verdicts.items()))
    print(f"{played.cells.total()} cells with {played.identities} identities in {seconds:.0f} s: {kinds}")
    print(f"answers: {verdicts}")
    print(f"wrong: {len(played.wrong)}")


if __name__ == "__main__":
    sys.exit(main())
