"""The command in shells, pipes and scripts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, MakeVideo, sha256_of
from tests.cli.fake_platform import FakePlatform
from tests.cli.pseudo_terminal import on_a_terminal

KIB = 1024
LONG_NAME = "Sommerfest der freiwilligen Feuerwehr mit Umzug und Kapelle 2026.mp4"


@pytest.mark.usefixtures("signed_in")
def test_a_list_fits_the_terminal_and_cuts_nothing(platform: FakePlatform, home: Path) -> None:
    for video in platform.add_finished_videos("ready", "processing", "rejected"):
        video.body["fileName"] = LONG_NAME
    lines = on_a_terminal(Cli(home), "list", columns=80)
    assert max(len(line) for line in lines) <= 80
    shown = "".join("".join(lines).split())
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert all(any(video_id in line for line in lines) for video_id in platform.uploads)


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("command", ["list", "uploads"])
def test_a_list_in_a_pipe_has_one_whole_line_a_video(platform: FakePlatform, cli: Cli, command: str) -> None:
    for video in platform.add_finished_videos(*["uploading" if command == "uploads" else "ready"] * 2):
        video.body["fileName"] = LONG_NAME
    environment = {name: text for name, text in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    listed = subprocess.run(
        [sys.executable, "-m", "video_upload", command],
        env=environment | {"VIDEO_UPLOAD_HOME": str(cli.home), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert [LONG_NAME in line for line in listed.stdout.splitlines()] == [False, True, True]


@pytest.mark.usefixtures("signed_in", "platform")
def test_usage_shows_what_is_used_of_each_limit(cli: Cli) -> None:
    shown = cli.run("usage").stdout
    assert [line.split() for line in shown.splitlines()[1:3]] == [
        ["space", "3.5", "GB", "10.0", "GB"],
        ["videos", "3", "none"],
    ]
    assert json.loads(cli.run("usage", "--json").stdout)["maxStoredBytes"] == 10_000_000_000


@pytest.mark.usefixtures("signed_in")
def test_signed_urls_are_printed_only_where_they_are_asked_for(cli: Cli, make_video: MakeVideo) -> None:
    path = make_video(64 * KIB)
    uploaded = cli.run("upload", path, "--json").stdout
    video_id = json.loads(uploaded)["video"]["videoId"]
    runs = [["show", video_id], ["show", video_id, "--json"], ["list", "--json"]]
    silent = [uploaded, cli.run("upload", path).stdout, *(cli.run(*run).stdout for run in runs)]
    assert not any("Signature" in output for output in silent)
    assert all("X-Amz-Signature=secret" in cli.run(*run, "--urls").stdout for run in runs)


@pytest.mark.parametrize("separator", ["\n", "\0"], ids=["lines", "NUL"])
@pytest.mark.usefixtures("signed_in")
def test_sources_come_from_a_file_as_find_writes_them(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, tmp_path: Path, separator: str
) -> None:
    names = ("one film.mp4", "two.mov")
    listed = tmp_path / "list"
    listed.write_text("".join(f"{make_video(64 * KIB, name)}{separator}" for name in names))
    assert cli.run("upload", "--files-from", listed).returncode == 0
    assert {upload.body["fileName"] for upload in platform.uploads.values()} == set(names)
    missing = cli.run("upload", "--files-from", tmp_path / "missing")
    assert (missing.returncode, len(missing.stderr.splitlines())) == (1, 1)
    assert cli.run("upload").returncode == 2


@pytest.mark.usefixtures("signed_in")
def test_a_dry_run_lists_what_would_be_sent_and_sends_nothing(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, tmp_path: Path
) -> None:
    path = make_video(64 * KIB)
    assert cli.run("upload", tmp_path, "--dry-run").stdout.splitlines() == [str(path)]
    listed = json.loads(cli.run("upload", path, "--dry-run", "--json").stdout)
    assert listed == {"file": str(path), "sizeBytes": 64 * KIB, "resumes": None}
    assert set(platform.calls) == {"GET /uploads"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_commands(cli: Cli, shell: str) -> None:
    cli.environment.update(
        {"_VIDEO_UPLOAD_COMPLETE": f"complete_{shell}", "COMP_WORDS": "video-upload up", "COMP_CWORD": "1"}
        | {"_TYPER_COMPLETE_ARGS": "video-upload up", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    )
    output, _ = cli.start().communicate(timeout=60)
    assert "upload" in output
    assert "logout" not in output


def test_help_has_a_short_form(cli: Cli) -> None:
    assert cli.run("upload", "-h").stdout == cli.run("upload", "--help").stdout


@pytest.mark.usefixtures("signed_in")
def test_sync_uploads_what_the_library_does_not_have(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, tmp_path: Path
) -> None:
    for folder in ("camera", "camera/monday", "camera/tuesday"):
        (tmp_path / folder).mkdir()
    make_video(64 * KIB, "camera/monday/clip.mp4", seed=1)
    first = cli.run("sync", tmp_path / "camera", "--json")
    assert (first.returncode, len(platform.uploads)) == (0, 1), first.stderr
    make_video(64 * KIB, "camera/tuesday/clip.mp4", seed=2)  # another one of the same name and size
    assert "1 new, 1 uploaded before." in cli.run("sync", tmp_path / "camera", "--dry-run").stderr
    assert cli.run("sync", tmp_path / "camera").returncode == 0
    assert len(platform.uploads) == 2
    assert "0 new, 2 uploaded before." in cli.run("sync", tmp_path / "camera").stderr
    assert len(platform.uploads) == 2


@pytest.mark.usefixtures("signed_in")
def test_sync_leaves_deleted_what_was_deleted_in_the_library(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, tmp_path: Path
) -> None:
    (tmp_path / "camera").mkdir()
    sent_by_sync = make_video(64 * KIB, "camera/one.mp4", seed=1)
    sent_before = make_video(65 * KIB, "camera/two.mp4", seed=2)
    assert cli.run("upload", sent_before).returncode == 0
    assert cli.run("sync", tmp_path / "camera").returncode == 0
    for video_id in list(platform.uploads):
        assert cli.run("delete", video_id, "--yes").returncode == 0
    (tmp_path / "camera" / "moved").mkdir()
    sent_by_sync.rename(tmp_path / "camera" / "moved" / "one.mp4")
    again = cli.run("sync", tmp_path / "camera")
    assert (again.returncode, len(platform.uploads)) == (0, 2)
    assert "0 new, 0 uploaded before. 2 deleted from the library since." in again.stderr
    asked_for = cli.run("sync", tmp_path / "camera", "--again")
    assert (asked_for.returncode, len(platform.uploads)) == (0, 4), asked_for.stderr
    assert "0 new, 2 uploaded before." in cli.run("sync", tmp_path / "camera").stderr


@pytest.mark.usefixtures("signed_in")
def test_the_standard_input_is_uploaded_under_a_name_and_leaves_no_copy(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    path = make_video(500 * KIB)
    with (
        path.open("rb") as stream,
        cli.start("upload", "-", "--name", "from a pipe.mp4", "--json", stdin=stream) as ran,
    ):
        shown, errors = ran.communicate(timeout=60)
    assert ran.returncode == 0, errors
    answer = json.loads(shown)
    assert (answer["file"], answer["video"]["fileName"]) == ("from a pipe.mp4", "from a pipe.mp4")
    assert platform.video_sha256(answer["video"]["videoId"]) == sha256_of(path)
    assert list(cli.home.glob("stream-*")) == []


@pytest.mark.usefixtures("signed_in")
def test_an_upload_from_the_standard_input_that_fails_is_given_up(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.api_faults["/multipart/complete"] = [(403, "forbidden", {})]
    path = make_video(500 * KIB)
    with path.open("rb") as stream, cli.start("upload", "-", "--name", "pipe.mp4", "--json", stdin=stream) as ran:
        _, errors = ran.communicate(timeout=60)
    assert ran.returncode == 1
    assert json.loads(errors)["error"]["file"] == "pipe.mp4"
    assert [video.state for video in platform.uploads.values()] == ["aborted"]
    assert list(cli.home.glob("stream-*")) == []
    assert list(cli.home.glob("uploads/*.jsonl")) == []


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    "arguments",
    [
        ("-",),
        ("a.mp4", "--name", "b.mp4"),
        ("-", "c.mp4", "--name", "b.mp4"),
        ("-", "--name", "b.mp4", "--dry-run"),
        ("-", "--name", "b.txt"),
        ("-", "--name", "folder/b.mp4"),
    ],
)
def test_a_name_goes_with_the_standard_input_alone_and_is_a_videos(cli: Cli, arguments: tuple[str, ...]) -> None:
    ran = cli.run("upload", *arguments)
    assert ran.returncode in {2, 4}
    assert ran.stdout == ""
