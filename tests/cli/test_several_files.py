"""Several files of one command at once: one limit of connections, results as they come, one stop for all."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, MakeVideo, sha256_of, wait_for_parts
from tests.cli.fake_platform import FakePlatform
from tests.cli.pseudo_terminal import on_a_terminal

KIB = 1024
PART = 64 * KIB
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture
def videos(make_video: MakeVideo) -> list[Path]:
    """Three files of four parts each."""
    return [make_video(4 * PART, name, seed=number) for number, name in enumerate(("a.mp4", "b.mov", "c.mkv"))]


def names_in(output: str) -> list[str]:
    return [Path(json.loads(line)["file"]).name for line in output.splitlines()]


def test_parts_of_all_files_share_one_limit_of_connections(
    platform: FakePlatform, cli: Cli, videos: list[Path]
) -> None:
    platform.storage.seconds_per_part = 0.05
    done = cli.run("upload", *videos, "--files", "3", "--parallel", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert (platform.storage.most_at_once, platform.storage.most_connections) == (2, 2)
    assert sorted(names_in(done.stdout)) == ["a.mp4", "b.mov", "c.mkv"]
    for line in map(json.loads, done.stdout.splitlines()):
        assert platform.video_sha256(line["video"]["videoId"]) == sha256_of(Path(line["file"]))


def test_a_small_file_does_not_wait_for_the_parts_of_a_large_one(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.storage.seconds_per_part = 0.05
    large, small = make_video(40 * PART, "large.mp4", seed=1), make_video(2 * PART, "small.mp4", seed=2)
    done = cli.run("upload", large, small, "--json", "--no-wait")
    assert names_in(done.stdout) == ["small.mp4", "large.mp4"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_all_files_and_the_next_run_sends_no_part_twice(
    platform: FakePlatform, cli: Cli, videos: list[Path], stop: signal.Signals
) -> None:
    platform.storage.seconds_per_part = 0.15
    process = cli.start("upload", *videos, "--files", "3", "--parallel", "3")
    wait_for_parts(platform, 3)
    platform.storage.seconds_per_part = 3  # however late this machine delivers the signal
    process.send_signal(stop)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130, errors
    assert errors.count("Stopped.") == 1
    assert "Traceback" not in errors
    platform.storage.settle()
    stored = sum(platform.storage.stores.values())
    assert stored < 12
    platform.storage.seconds_per_part = 0

    resumed = cli.run("upload", *videos, "--json")

    assert resumed.returncode == 0, resumed.stderr
    assert len(platform.uploads) == 3
    assert sum(platform.storage.stores.values()) == 12


def test_a_sign_in_that_ends_stops_all_files(platform: FakePlatform, cli: Cli, videos: list[Path]) -> None:
    platform.sign_in.access_tokens.clear()
    platform.sign_in.refresh_tokens.clear()
    refused = cli.run("upload", *videos, "--files", "3")
    assert refused.returncode == 3
    assert refused.stderr.count("Error:") == 1


def test_files_wait_if_the_platform_takes_fewer_at_once(platform: FakePlatform, cli: Cli, videos: list[Path]) -> None:
    platform.most_open = 1
    platform.storage.seconds_per_part = 0.02
    done = cli.run("upload", *videos, "--files", "3", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(platform.uploads) == 3


def test_each_file_says_so_if_the_platform_takes_none(platform: FakePlatform, cli: Cli, videos: list[Path]) -> None:
    platform.most_open = 0
    refused = cli.run("upload", *videos, "--files", "2", "--json")
    assert refused.returncode == 5
    errors = [json.loads(line)["error"] for line in refused.stderr.splitlines()]
    assert {Path(error["file"]).name for error in errors} == {"a.mp4", "b.mov", "c.mkv"}


def test_a_terminal_shows_a_bar_for_each_file_and_one_for_all(
    platform: FakePlatform, cli: Cli, videos: list[Path]
) -> None:
    platform.storage.seconds_per_part = 0.2
    arguments = ("upload", *map(str, videos), "--files", "2")
    shown = "\n".join(on_a_terminal(cli, *arguments, columns=120, term="xterm", notes=True))
    bar = r"(\w\.\w{3}) .{0,20}\N{BOX DRAWINGS HEAVY HORIZONTAL}"
    frames = [sorted(re.findall(bar, frame)) for frame in shown.split("Total (")]
    assert ["a.mp4", "b.mov"] in frames
    assert max(map(len, frames)) == 2
    assert "3 of 3)" in shown


def test_in_a_pipe_each_file_has_plain_lines_under_its_name(
    platform: FakePlatform, cli: Cli, videos: list[Path]
) -> None:
    platform.storage.part_faults[2] = ["slow_down"]
    with cli.start("upload", *videos) as process:
        shown, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert {"a.mp4: Uploading 262.1 kB.", "b.mov: Uploading 262.1 kB."} <= set(errors.splitlines())
    assert "Part 2: S3 answered 503 SlowDown." in errors
    assert "\x1b" not in shown + errors
