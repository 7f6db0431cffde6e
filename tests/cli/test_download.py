"""Downloads whose connections and URLs end midway."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, MakeVideo
from tests.cli.fake_platform import FakePlatform

KIB = 1024
pytestmark = pytest.mark.usefixtures("signed_in")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def video(cli: Cli, make_video: MakeVideo) -> Path:
    path = make_video(500 * KIB)
    assert cli.run("upload", path).returncode == 0
    return path


def test_a_download_whose_url_ends_midway_goes_on_with_a_new_one(
    platform: FakePlatform, cli: Cli, video: Path, tmp_path: Path
) -> None:
    platform.downloads.cut_after_bytes = [128 * KIB, 0, 64 * KIB]
    target = tmp_path / "saved.mp4"
    done = cli.run("download", platform.only_upload().video_id, "--output", target)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == video.read_bytes()
    ranges = [asked[:2] for asked in platform.downloads.asked]
    assert ranges == [
        ("bytes=0-", None),
        (f"bytes={128 * KIB}-", '"whole"'),
        (f"bytes={128 * KIB}-", '"whole"'),
        (f"bytes={192 * KIB}-", '"whole"'),
    ]


def test_a_url_that_stays_refused_ends_the_download_after_a_few_new_ones(
    platform: FakePlatform, cli: Cli, video: Path, tmp_path: Path
) -> None:
    platform.downloads.ended_signatures = 10**6
    refused = cli.run("download", platform.only_upload().video_id, "--output", tmp_path / "saved.mp4", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stderr)["error"]["message"].endswith("the store responded 403 to 3 new URLs.")
    assert len(platform.downloads.asked) == 4
    assert video.exists()


def test_no_stored_password_of_netrc_replaces_or_joins_what_the_command_sends(
    platform: FakePlatform, cli: Cli, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    again = cli.run("upload", video)
    assert again.returncode == 0, again.stderr
    video_id = next(iter(platform.uploads))
    assert cli.run("download", video_id, "--output", tmp_path / "saved.mp4").returncode == 0
    assert [asked[2] for asked in platform.downloads.asked] == [None]


def test_a_file_that_exists_is_named_and_left_alone(
    platform: FakePlatform, cli: Cli, video: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "saved.mp4"
    saved.write_text("mine")
    refused = cli.run("download", platform.only_upload().video_id, "--output", saved)
    assert refused.returncode == 1
    assert "cannot be downloaded or played" in refused.stderr
    assert "saved.mp4 already exists" in refused.stderr
    assert saved.read_text() == "mine"
