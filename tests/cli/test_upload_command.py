"""Uploading what was named, found below folders or matched by patterns, and going on by the same command."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, MakeVideo, sha256_of, wait_for_parts
from tests.cli.fake_platform import FakePlatform
from video_upload.file_selection import select_videos
from video_upload.rate_limit import RateLimit, parse_rate
from video_upload.site import accepted_containers
from video_upload.video_types import EVERY_CONTAINER

KIB = 1024
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture
def folder(tmp_path: Path, make_video: MakeVideo) -> Path:
    """Three videos in two depths, and what else lies in such folders."""
    folder = tmp_path / "camera"
    (folder / "day 2" / ".trash").mkdir(parents=True)
    for name in ("b.mp4", "a.mov", "day 2/c.MKV"):
        make_video(200 * KIB, f"camera/{name}", seed=ord(name[0]))
    for name in ("day 2/notes.txt", "day 2/empty.mp4"):
        (folder / name).touch()
    for name in ("._b.mp4", "day 2/.trash/old.mp4"):
        make_video(KIB, f"camera/{name}")
    (folder / "round").symlink_to(folder, target_is_directory=True)
    return folder


def test_a_folder_is_searched_in_depth_and_other_files_are_reported(
    platform: FakePlatform, cli: Cli, folder: Path
) -> None:
    done = cli.run("upload", folder, folder / "b.mp4", "--json")
    assert done.returncode == 0, done.stderr
    *videos, last = (json.loads(line) for line in done.stdout.splitlines())
    files = [Path(line["file"]) for line in videos]
    assert sorted(file.name for file in files) == ["a.mov", "b.mp4", "c.MKV"]
    for file, line in zip(files, videos, strict=True):
        assert platform.video_sha256(line["video"]["videoId"]) == sha256_of(file)
    assert last["summary"]["uploaded"] == 3
    skipped = {Path(one["file"]).name: one["reason"] for one in last["summary"]["skipped"]}
    assert set(skipped) == {"notes.txt", "empty.mp4"}
    assert skipped["empty.mp4"] == "the file is empty"


def test_a_file_that_the_site_does_not_accept_is_refused_by_name_and_content_before_anything_is_sent(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.sign_in.accepted_containers = ("mp4", "3gpp")
    taken, by_name, by_content = (make_video(KIB, name) for name in ("film.mp4", "film.mov", "ogg.mp4"))
    by_content.write_bytes(b"OggS" + bytes(KIB))

    refused = cli.run("upload", taken, by_name, by_content)

    assert refused.returncode == 4
    assert len(platform.uploads) == 1
    told = " ".join(refused.stderr.split())
    assert f"{by_name}: not accepted here. Accepted types: .mp4, .m4v, .3gp, .3gpp, .3g2." in told
    assert f"{by_content}: The content of the file is Ogg. Accepted here: MP4, 3GP or 3G2." in told
    stream = cli.run("upload", "-", "--name", "film.mov", typed="a film")
    assert (stream.returncode, len(platform.uploads)) == (4, 1)
    by_link = cli.run("upload", by_name, "--link", f"{platform.url}/#link=x", "--uploader", "Ada")
    assert (by_link.returncode, len(platform.uploads)) == (4, 1)


def test_a_command_goes_on_with_an_upload_that_began_before_the_site_accepted_less(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    film, new = make_video(900 * KIB, "film.mov"), make_video(KIB, "new.mov")
    platform.storage.part_faults = {2: ["bad_request"] * 3}
    assert cli.run("upload", film).returncode != 0
    platform.sign_in.accepted_containers = ("mp4",)

    done = cli.run("upload", film, new)

    assert (done.returncode, len(platform.uploads)) == (4, 1), done.stderr
    (upload,) = platform.uploads.values()
    assert platform.video_sha256(upload.video_id) == sha256_of(film)
    assert "new.mov: not accepted here" in " ".join(done.stderr.split())


def test_in_a_folder_a_video_that_the_site_does_not_accept_is_skipped_as_any_other_file(
    platform: FakePlatform, cli: Cli, folder: Path
) -> None:
    platform.sign_in.accepted_containers = ("mp4",)
    done = cli.run("sync", folder, "--json")
    assert done.returncode == 0, done.stderr
    assert [upload.body["fileName"] for upload in platform.uploads.values()] == ["b.mp4"]


def test_the_platform_decides_if_the_site_does_not_say_what_it_accepts(platform: FakePlatform) -> None:
    assert accepted_containers(platform.url) == accepted_containers("http://127.0.0.1:9") == EVERY_CONTAINER


def test_a_pattern_finds_what_the_shell_did_not_expand(folder: Path) -> None:
    found = select_videos([f"{folder}/**/*.m*", f"{folder}/day*"])
    assert [path.name for path in found.videos] == ["a.mov", "b.mp4", "c.MKV"]
    assert found.size_bytes == 3 * 200 * KIB


@pytest.mark.parametrize("source", ["nothing/*.mp4", "empty", "missing.mp4", "empty/[ab].mp4"])
def test_the_command_ends_with_code_4_if_there_is_no_video(cli: Cli, tmp_path: Path, source: str) -> None:
    (tmp_path / "empty").mkdir()
    refused = cli.run("upload", tmp_path / source)
    assert (refused.returncode, refused.stdout) == (4, "")


def test_a_batch_stopped_in_the_middle_goes_on_by_the_same_command_and_sends_no_file_twice(
    platform: FakePlatform, cli: Cli, folder: Path
) -> None:
    platform.storage.seconds_per_part = 0.15
    process = cli.start("upload", folder, "--parallel", "1", "--files", "1")
    wait_for_parts(platform, 6)  # of four parts each
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130, errors
    platform.storage.settle()
    platform.storage.seconds_per_part = 0

    resumed = cli.run("upload", folder, "--json")

    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout.splitlines()[-1])["summary"]["doneBefore"] == 1
    assert len(platform.uploads) == 3
    assert sum(platform.storage.stores.values()) == 12
    again = cli.run("upload", folder, "--json")  # the batch was finished: this is a new one
    assert json.loads(again.stdout.splitlines()[-1])["summary"]["uploaded"] == 3
    assert len(platform.uploads) == 6


def test_one_file_that_fails_keeps_no_other_back_and_is_all_that_the_next_run_sends(
    platform: FakePlatform, cli: Cli, folder: Path
) -> None:
    platform.api_faults["/multipart/init"] = [(403, "forbidden", {})]
    first = cli.run("upload", folder, "--json", "--files", "1")
    assert first.returncode == 1
    assert json.loads(first.stderr)["error"]["file"].endswith("a.mov")
    second = cli.run("upload", folder, "--json")
    assert second.returncode == 0
    assert [Path(json.loads(line).get("file", "-")).name for line in second.stdout.splitlines()] == ["a.mov", "-"]


def test_a_limited_upload_takes_its_time_however_many_workers_it_has(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    path = make_video(600 * KIB)
    began = time.monotonic()
    assert cli.run("upload", path, "--parallel", "8", "--limit-rate", "400k").returncode == 0
    assert 1.3 < time.monotonic() - began < 10
    assert platform.storage.most_at_once > 1


def test_the_limit_holds_for_all_workers_together() -> None:
    now = 0.0
    limit = RateLimit(1_000_000, clock=lambda: now)
    assert limit.slice_bytes == 100_000
    waits = [limit.wait_seconds(limit.slice_bytes) for _ in range(5)]
    assert waits == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    now = 10.0  # what was not used meanwhile is not made up for
    assert [limit.wait_seconds(limit.slice_bytes) for _ in range(2)] == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize(
    ("text", "bytes_per_second"),
    [("5MB", 5e6), ("500k", 5e5), ("1.5MiB", 1.5 * 2**20), ("2g/s", 2e9), ("100000", 1e5), ("64 KiB/s", 65536)],
)
def test_rates_are_read_as_people_write_them(text: str, bytes_per_second: float) -> None:
    assert parse_rate(text) == bytes_per_second


@pytest.mark.parametrize("text", ["fast", "-1M", "5TB", "5i", "", "1k"])
def test_a_rate_that_makes_no_sense_is_wrong_use(cli: Cli, make_video: MakeVideo, text: str) -> None:
    assert cli.run("upload", make_video(KIB), "--limit-rate", text).returncode == 2


def test_killed_while_the_video_is_being_checked_it_goes_on_watching_and_sends_nothing_again(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.processing_polls = 1_000_000
    path = make_video(200 * KIB)
    process = cli.start("upload", path)
    give_up_at = time.monotonic() + 20
    while not any(call.startswith("GET /videos/") for call in platform.calls):
        assert time.monotonic() < give_up_at
        time.sleep(0.01)
    process.kill()
    process.communicate()
    platform.processing_polls = 0
    resumed = cli.run("upload", path, "--json")
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["video"]["videoId"] == platform.only_upload().video_id
    assert set(platform.storage.puts.values()) == {1}
