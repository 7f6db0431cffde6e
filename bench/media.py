"""Inspection of stored videos against ffprobe and ffmpeg, on the same URLs of a throttled loopback server.

Each round inspects a file for facts and poster, has ffprobe tell its streams and ffmpeg make a poster at a tenth of its
duration, then inspects it with thumbnails, as processing does by default. Prints medians, requests and bytes. Needs
`ffmpeg` and `ffprobe` on the PATH and, for the files that they make first, 7 GB in build/bench-media. Before the first
round the template of our inspecting processes starts, as it does once in a function's environment; its time is printed
separately.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import urllib3

from bench import document
from bench.rounds import Results, table
from bench.throttled_files import BYTES_PER_SECOND, WAIT_SECONDS
from chalicelib.core.media.inspection import inspect_media

FOLDER = document.REPOSITORY / "build" / "bench-media"
SECTION = "bench.media"
OURS, THEIRS, DRAWN = "ours", "ffprobe and ffmpeg", "ours with thumbnails"
MEGABYTE = 1_000_000

_SOURCE = "-f lavfi -i testsrc2=size=1280x720:rate=25,noise=alls=20:allf=t -f lavfi -i sine=sample_rate=48000 -t 10"
_H264 = "-c:v libx264 -preset veryfast -b:v 2M -maxrate 2M -bufsize 2M -g 50 -pix_fmt yuv420p -c:a aac -b:a 96k -ac 2"
_SEEDS = {
    "mp4": f"{_SOURCE} {_H264}",
    "mkv": f"{_SOURCE} {_H264}",
    "webm": f"{_SOURCE} -c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M -g 50 -c:a libopus -b:a 96k -ac 2",
    "avi": f"{_SOURCE} -c:v mpeg4 -b:v 2M -g 50 -c:a libmp3lame -b:a 96k -ac 2",
}
"""Ten seconds of each kind; the files repeat them until they are long enough."""


@dataclass(frozen=True)
class Row:
    """A file of the table. target, target_requests: what the ratio and the requests should not exceed."""

    title: str
    kind: str
    size_bytes: int
    options: str
    target: float
    target_requests: int | None

    @property
    def is_walked_by_ffmpeg(self) -> bool:
        """Check whether ffmpeg takes minutes: it is then measured once."""
        return self.options == _FRAGMENTS and self.size_bytes == _LARGE

    @property
    def path(self) -> Path:
        return FOLDER / f"{re.sub('[^a-z0-9]+', '-', self.title.lower())}.{self.kind}"


_SMALL, _LARGE = 77 * MEGABYTE, 2_000 * MEGABYTE
_FRAGMENTS = "-movflags frag_keyframe+empty_moov+default_base_moof+skip_trailer"
ROWS = (
    Row("mp4 77 MB, moov first", "mp4", _SMALL, "-movflags faststart", 0.3, 3),
    Row("mp4 77 MB, moov last", "mp4", _SMALL, "", 0.3, 3),
    Row("mp4 2 GB, moov first", "mp4", _LARGE, "-movflags faststart", 0.3, 3),
    Row("mp4 2 GB, moov last", "mp4", _LARGE, "", 0.3, 3),
    Row("mkv 77 MB", "mkv", _SMALL, "", 0.4, 4),
    Row("webm 77 MB", "webm", _SMALL, "", 0.4, 4),
    Row("avi 77 MB", "avi", _SMALL, "", 0.4, 4),
    Row("fragmented mp4 77 MB", "mp4", _SMALL, _FRAGMENTS, 0.4, 8),
    Row("fragmented mp4 2 GB", "mp4", _LARGE, _FRAGMENTS, 0.03, 8),
)


@dataclass(frozen=True)
class InspectionCost:
    seconds: float
    requests: int
    sent_bytes: int


def make(row: Row) -> None:
    """Write the file, unless an earlier run did."""
    if row.path.exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    seed = FOLDER / f"seed.{row.kind}"
    if not seed.exists():
        _ffmpeg(*_SEEDS[row.kind].split(), "-y", str(seed))
    repeats = round(row.size_bytes / seed.stat().st_size) - 1
    unfinished = FOLDER / f"unfinished.{row.kind}"
    _ffmpeg("-stream_loop", str(repeats), "-i", str(seed), "-c", "copy", *row.options.split(), "-y", str(unfinished))
    unfinished.rename(row.path)


def _ffmpeg(*arguments: str) -> bytes:
    return _run("ffmpeg", "-v", "error", "-nostdin", *arguments)


def _run(program: str, *arguments: str) -> bytes:
    command = [shutil.which(program) or program, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


@contextmanager
def serving() -> Iterator[str]:
    """Serve the files from a process of its own; yield the address."""
    command = [sys.executable, "-m", "bench.throttled_files", str(FOLDER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.stdin.close()


class Bench:
    """Both contenders, and the counts of the server."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._pool = urllib3.PoolManager(maxsize=4)

    def measure(self, act: Callable[[str], object], row: Row) -> InspectionCost:
        self._counts()
        began = time.perf_counter()
        act(f"{self._address}/{row.path.name}")
        seconds = time.perf_counter() - began
        counts = self._counts()
        return InspectionCost(seconds, counts["requests"], counts["bytes"])

    def inspect(self, url: str, size_bytes: int, *, thumbnails: bool = False) -> object:
        def read_range(start: int, end_exclusive: int, /) -> bytes:
            headers = {"Range": f"bytes={start}-{end_exclusive - 1}"}
            return self._pool.request("GET", url, headers=headers).data

        return inspect_media(read_range, size_bytes, thumbnails=thumbnails)

    @staticmethod
    def probe(url: str) -> None:
        told = json.loads(_run("ffprobe", "-v", "error", "-show_format", "-show_streams", "-of", "json", url))
        moment = float(told["format"].get("duration", 0)) / 10
        scaled = ("-frames:v", "1", "-vf", "scale=640:-2", "-q:v", "4", "-f", "mjpeg", "pipe:1")
        assert _ffmpeg("-ss", f"{moment:.3f}", "-i", url, *scaled)

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = self._pool.request("GET", f"{self._address}/counts").json()
        return counts


def report(rows: Sequence[tuple[Row, Results[InspectionCost]]]) -> str:
    """Medians of the rounds, in Markdown."""
    head = ["File", "ours, ms", "ffprobe + ffmpeg, ms", "ratio", "target", "GETs", "theirs", "target", "MB", "theirs"]
    head += ["thumbnails, ms more", "GETs more", "MB more"]
    lines: list[list[str]] = []
    for row, taken in rows:
        milliseconds = [taken.median(name, lambda each: each.seconds * 1000) for name in (OURS, THEIRS)]
        requests = [taken.median(name, lambda each: each.requests) for name in (OURS, THEIRS)]
        megabytes = [taken.median(name, lambda each: each.sent_bytes / MEGABYTE) for name in (OURS, THEIRS)]
        ratio = taken.ratio(OURS, THEIRS, lambda each: each.seconds)
        lines.append(
            [
                row.title,
                *(f"{each:.0f}" for each in milliseconds),
                *(f"{ratio:.2f}", f"≤ {row.target}"),
                *(f"{each:g}" for each in requests),
                f"≤ {row.target_requests}",
                *(f"{each:.1f}" for each in megabytes),
                *_more(taken),
            ]
        )
    return table(head, lines)


def _more(taken: Results[InspectionCost]) -> tuple[str, str, str]:
    """Cost of thumbnails beside facts and poster: milliseconds, requests and megabytes, as text."""

    def more(figure: Callable[[InspectionCost], float]) -> float:
        return taken.median(DRAWN, figure) - taken.median(OURS, figure)

    milliseconds, requests = more(lambda each: each.seconds * 1000), more(lambda each: each.requests)
    return f"{milliseconds:.0f}", f"{requests:g}", f"{more(lambda each: each.sent_bytes / MEGABYTE):.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds, whose medians are printed (5)")
    parser.add_argument("--small", action="store_true", help="leave out the files of 2 GB")
    parser.add_argument("--write", action="store_true", help="write the table into docs/performance.md")
    wanted = parser.parse_args(arguments)
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        parser.error("ffmpeg and ffprobe are not on the PATH")
    rows = [row for row in ROWS if row.size_bytes == _SMALL or not wanted.small]
    for row in rows:
        make(row)
    with serving() as address:
        bench = Bench(address)
        first: InspectionCost | None = None
        found: list[tuple[Row, Results[InspectionCost]]] = []
        for row in rows:
            act = partial(bench.inspect, size_bytes=row.path.stat().st_size)
            first = first or bench.measure(act, row)
            rounds = 1 if row.is_walked_by_ffmpeg else wanted.rounds
            acts = (act, bench.probe, partial(act, thumbnails=True))
            ours, theirs, drawn = zip(
                *([bench.measure(each, row) for each in acts] for _ in range(rounds)), strict=True
            )
            found.append((row, Results({OURS: ours, THEIRS: theirs, DRAWN: drawn})))
    assert first is not None
    line = f"{WAIT_SECONDS * 1000:.0f} ms a GET, {BYTES_PER_SECOND / MEGABYTE:.0f} MB/s"
    start = f"The first inspection of all, with the start of the template: {first.seconds * 1000:.0f} ms."
    versions = {"ffmpeg": _run("ffmpeg", "-version").decode().split()[2]}
    text = f"{document.about(wanted.rounds, versions)} {line}. {start}\n\n{report(found)}"
    print(text)
    if wanted.write:
        document.write(SECTION, text)


if __name__ == "__main__":
    main()
