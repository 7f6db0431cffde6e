"""Uploads that another device has begun: gone on with if they are of the same file, and left alone if not."""

from __future__ import annotations

import json
import signal
import unicodedata
from pathlib import Path

import pytest

from tests.cli.conftest import MP4_BEGINNING, Cli, MakeVideo, sha256_of, sign_somebody_in, wait_for_parts
from tests.cli.fake_platform import FakePlatform

KIB = 1024
PART = 64 * KIB
PARTS = 8
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture
def elsewhere(platform: FakePlatform, tmp_path: Path) -> Cli:
    """The same person's command on another computer."""
    home = tmp_path / "other computer" / "home"
    sign_somebody_in(platform, home)
    return Cli(home)


@pytest.fixture
def video(make_video: MakeVideo) -> Path:
    return make_video(PARTS * PART)


def begin(platform: FakePlatform, cli: Cli, path: Path, parts: int = 3) -> None:
    """Begin an upload and stop it once so many parts are there."""
    platform.storage.seconds_per_part = 0.1
    process = cli.start("upload", path, "--parallel", "1")
    wait_for_parts(platform, parts)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    platform.storage.settle()
    platform.storage.seconds_per_part = 0


def copy_of(video: Path, name: str = "holiday.mp4", folder: str = "other computer") -> Path:
    path = video.parent / folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(video.read_bytes())
    return path


def test_an_upload_begun_on_another_device_goes_on(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path
) -> None:
    begin(platform, elsewhere, video)
    done = cli.run("upload", copy_of(video), "--json")
    assert done.returncode == 0, done.stderr
    assert platform.video_sha256(platform.only_upload().video_id) == sha256_of(video)
    assert set(platform.storage.stores.values()) == {1}
    # The other device learns of it, and sends nothing.
    sent = sum(platform.storage.puts.values())
    again = elsewhere.run("upload", video, "--json")
    assert json.loads(again.stdout)["video"]["videoId"] == platform.only_upload().video_id
    assert sum(platform.storage.puts.values()) == sent


def test_a_name_in_the_other_unicode_form_is_the_same_file(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, make_video: MakeVideo
) -> None:
    composed = make_video(PARTS * PART, unicodedata.normalize("NFC", "Grüße.mp4"))
    begin(platform, elsewhere, composed)
    assert cli.run("upload", copy_of(composed, unicodedata.normalize("NFD", "Grüße.mp4"))).returncode == 0
    assert len(platform.uploads) == 1


@pytest.mark.parametrize("changed_at", [0, 2 * PART])
def test_another_file_of_the_same_name_and_size_is_a_video_of_its_own(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path, changed_at: int
) -> None:
    begin(platform, elsewhere, video)
    other = copy_of(video)
    content = bytearray(other.read_bytes())
    content[changed_at] ^= 1
    other.write_bytes(content)
    done = cli.run("upload", other, "--json")
    assert done.returncode == 0, done.stderr
    assert platform.video_sha256(json.loads(done.stdout)["video"]["videoId"]) == sha256_of(other)
    resumed = elsewhere.run("upload", video, "--json")
    assert platform.video_sha256(json.loads(resumed.stdout)["video"]["videoId"]) == sha256_of(video)
    assert len(platform.uploads) == 2


def test_an_upload_that_cannot_be_compared_is_not_resumed(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path
) -> None:
    platform.storage.shows_checksums = False
    begin(platform, elsewhere, video)
    assert cli.run("upload", copy_of(video)).returncode == 0
    assert len(platform.uploads) == 2


def test_one_of_two_equal_files_resumes_and_the_other_becomes_another_video(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path
) -> None:
    begin(platform, elsewhere, video)
    done = cli.run("upload", copy_of(video, folder="monday"), copy_of(video, folder="tuesday"), "--json")
    assert done.returncode == 0, done.stderr
    ids = {json.loads(line)["video"]["videoId"] for line in done.stdout.splitlines()}
    assert ids == set(platform.uploads)
    assert len(ids) == 2


def test_a_copy_that_changes_does_not_give_up_the_upload_of_the_other_device(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path
) -> None:
    begin(platform, elsewhere, video, parts=1)
    copy = copy_of(video)
    begin(platform, cli, copy, parts=6)
    copy.write_bytes(MP4_BEGINNING + copy.read_bytes()[: len(MP4_BEGINNING) - 1 : -1])
    done = cli.run("upload", copy, "--json")
    assert platform.video_sha256(json.loads(done.stdout)["video"]["videoId"]) == sha256_of(copy)
    resumed = elsewhere.run("upload", video, "--json")
    assert platform.video_sha256(json.loads(resumed.stdout)["video"]["videoId"]) == sha256_of(video)
    assert len(platform.uploads) == 2, "the other device's upload goes on"


def test_a_copy_does_not_take_this_computers_own_upload(platform: FakePlatform, cli: Cli, video: Path) -> None:
    begin(platform, cli, video)
    assert cli.run("upload", copy_of(video)).returncode == 0
    assert len(platform.uploads) == 2


def test_the_standard_input_takes_no_upload_that_it_would_give_up(
    platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path
) -> None:
    begin(platform, elsewhere, video)
    with video.open("rb") as stream, cli.start("upload", "-", "--name", video.name, stdin=stream) as ran:
        ran.communicate(timeout=60)
    assert ran.returncode == 0
    assert len(platform.uploads) == 2


def test_a_dry_run_says_which_upload_would_go_on(platform: FakePlatform, cli: Cli, elsewhere: Cli, video: Path) -> None:
    begin(platform, elsewhere, video)
    platform.calls.clear()
    path = copy_of(video)
    upload = platform.only_upload()
    stored_bytes = len(platform.storage.uploads[upload.upload_id]) * PART
    plan = {"videoId": upload.video_id, "storedBytes": stored_bytes, "begunElsewhere": True}
    assert json.loads(cli.run("upload", path, "--dry-run", "--json").stdout)["resumes"] == plan
    said = cli.run("upload", path, "--dry-run")
    assert said.stdout.splitlines() == [str(path)]
    assert f"resumes the upload {upload.video_id} begun on another device" in said.stderr
    here = elsewhere.run("upload", video, "--dry-run", "--json")
    assert json.loads(here.stdout)["resumes"].items() >= {"videoId": upload.video_id, "begunElsewhere": False}.items()
    moved = video.rename(video.with_name("moved.mp4"))
    assert json.loads(elsewhere.run("upload", moved, "--dry-run", "--json").stdout)["resumes"]
    assert {call.partition(" ")[0] for call in platform.calls} == {"GET"}
    assert not list(cli.home.glob("uploads/*.jsonl"))
