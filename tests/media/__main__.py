"""Inspect and copy thousands of damaged videos of every container: each ends in facts or a typed error.

A poster must be a JPEG of the size that the facts say. Exits with 1 on anything else, and where a process is left.
"""

import argparse
import io
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import psutil

from chalicelib.core.media.copying import Source, copy_media
from chalicelib.core.media.errors import InspectorCrashedError, MediaError
from chalicelib.core.media.facts import Inspection
from chalicelib.core.media.inspection import inspect_media
from chalicelib.core.media.poster import POSTER_EDGE_PX
from tests.media.containers import SAMPLES
from tests.media.hostile_videos import mutant
from tests.media.sample_videos import write_sample_video

PACKETS = 200


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="mutants of all containers together (3000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--copy-every", type=int, default=3, help="copy each third (3)")
    wanted = parser.parse_args(arguments)
    numbers = random.Random(wanted.seed)
    began, outcomes, problems = time.monotonic(), Counter[str](), list[str]()
    with TemporaryDirectory() as folder:
        originals = [
            write_sample_video(Path(folder) / name, name, width=64, height=36).read_bytes() for name in SAMPLES
        ]
    containers = [inspect_media(_reading(data), len(data)).facts.container for data in originals]
    for number in range(wanted.count):
        data = mutant(originals[number % len(originals)], numbers)
        container = containers[number % len(originals)]
        try:
            inspection = inspect_media(_reading(data), len(data), container)
            outcomes[f"facts{' and thumbnails' if inspection.thumbnails else ''}"] += 1
            problems += [f"{number}: {problem}" for problem in _problems_of_poster(inspection)]
        except MediaError as error:
            outcomes[_kind(error)] += 1
        except Exception as error:
            problems.append(f"{number}: {error!r}")
        if number % wanted.copy_every:
            continue
        source = Source(read_range=_reading(data), size_bytes=len(data), container=container, packets=PACKETS)
        try:
            copy_media(source, lambda part_number, body: None)
            outcomes["copied"] += 1
        except MediaError as error:
            outcomes[f"not copied: {_kind(error)}"] += 1
        except Exception as error:
            problems.append(f"{number}, copying: {error!r}")
    templates = psutil.Process().children()
    problems += [f"process {left.pid} is left" for template in templates for left in template.children()]
    print(f"{wanted.count} mutants of {len(originals)} containers in {time.monotonic() - began:.0f} s")
    for outcome, count in outcomes.most_common():
        print(f"{count:6} {outcome}")
    print(*problems, sep="\n")
    return 1 if problems else 0


def _reading(data: bytes) -> Callable[[int, int], bytes]:
    return lambda start, end: data[start:end]


def _kind(error: MediaError) -> str:
    if isinstance(error, InspectorCrashedError):
        return f"{type(error).__name__}, status {error.exit_status}: {error.evidence.strip()[-80:]}"
    return type(error).__name__


def _problems_of_poster(inspection: Inspection) -> list[str]:
    with av.open(io.BytesIO(inspection.poster_jpeg), "r", format="mjpeg") as jpeg:
        (picture,) = jpeg.decode(video=0)
    video = inspection.facts.video
    scale = min(1, POSTER_EDGE_PX / max(video.width, video.height))
    width, height = video.width * scale, video.height * scale
    if abs(picture.width - width) > 2 or abs(picture.height - height) > 2:
        return [f"a poster of {picture.width}x{picture.height} for {video.width}x{video.height}"]
    return []


if __name__ == "__main__":
    sys.exit(main())
