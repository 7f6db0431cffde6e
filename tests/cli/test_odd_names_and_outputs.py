"""Names, outputs and disks that are not as one would wish: one line of error, and the rest goes on."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, MakeVideo
from tests.cli.fake_platform import FakePlatform

KIB = 1024
NOT_UTF8 = b"caf\xe9.mp4"


def errors_of(process: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Return the errors that `--json` told; anything else on stderr is a fault."""
    return [json.loads(line)["error"] for line in process.stderr.splitlines()]


def finish(cli: Cli, *arguments: str | Path, stdout: Any = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    process = cli.start(*arguments, stdout=stdout)
    output, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


@pytest.fixture
def odd_file(tmp_path: Path) -> Path:
    path = tmp_path / os.fsdecode(NOT_UTF8)
    path.write_bytes(b"12345")
    return path


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("is_named", [True, False], ids=["named", "in a folder"])
def test_a_name_that_is_not_utf8_is_one_line_of_error_and_the_others_go_on(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, odd_file: Path, is_named: bool
) -> None:
    good = make_video(64 * KIB)
    sources = [odd_file, good] if is_named else [odd_file.parent]
    done = finish(cli, "upload", *sources, "--json")
    assert done.returncode == 4
    (error,) = errors_of(done)
    assert error["file"].endswith("caf\N{REPLACEMENT CHARACTER}.mp4")
    assert "not UTF-8" in error["message"]
    assert json.loads(done.stdout.splitlines()[0])["video"]["state"] == "ready"
    assert platform.only_upload().body["fileName"] == "holiday.mp4"
    told = finish(cli, "upload", odd_file)
    assert (told.returncode, len(told.stderr.splitlines())) == (4, 1)


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("command", ["show", "delete", "abort"])
def test_an_argument_that_is_not_utf8_is_refused_in_words(cli: Cli, odd_file: Path, command: str) -> None:
    refused = finish(cli, command, odd_file.name, *(["--yes"] if command != "show" else []))
    assert refused.returncode in {1, 2}
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1:strict"}, {"LC_ALL": "C"}],
    ids=["ascii", "latin-1", "C"],
)
@pytest.mark.usefixtures("signed_in")
def test_an_output_that_is_not_utf8_says_what_it_can_and_json_stays_json(
    home: Path, make_video: MakeVideo, environment: dict[str, str]
) -> None:
    cli = Cli(home, environment)
    path = make_video(64 * KIB, "été 夏.mp4")
    uploaded = finish(cli, "upload", path)
    assert (uploaded.returncode, uploaded.stderr.count("Traceback")) == (0, 0)
    assert "ready" in uploaded.stdout
    listed = finish(cli, "list", "--json")
    assert json.loads(listed.stdout)["videos"][0]["fileName"] == path.name
    assert finish(cli, "list").returncode == 0
    missing = finish(cli, "upload", path.with_name("夏.mp4"), "--json")
    assert errors_of(missing)[0]["file"].endswith("夏.mp4")


@pytest.mark.usefixtures("signed_in")
def test_a_full_output_is_one_line_for_each_file_and_keeps_the_results_for_the_next_run(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    files = [make_video(64 * KIB, "one.mp4"), make_video(64 * KIB, "two.mp4")]
    with Path("/dev/full").open("w") as full:
        untold = finish(cli, "upload", *files, "--json", stdout=full)
    assert untold.returncode == 1
    assert [error["code"] for error in errors_of(untold)] == ["OutputError", "OutputError"]
    assert "No space left" in errors_of(untold)[0]["message"]
    told = finish(cli, "upload", *files, "--json")
    assert sorted(json.loads(line)["file"] for line in told.stdout.splitlines()) == [str(file) for file in files]
    assert len(platform.uploads) == 2


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["--help"], ["--version"], ["profiles"]])
def test_every_result_that_a_full_output_does_not_take_is_one_line_of_error(cli: Cli, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        untold = finish(cli, *arguments, stdout=full)
    assert untold.returncode == 1
    (line,) = untold.stderr.splitlines()
    assert "No space left on device" in line


@pytest.mark.usefixtures("signed_in")
def test_an_upload_outlives_a_full_stderr(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    with Path("/dev/full").open("w") as full:
        process = cli.start("upload", make_video(64 * KIB), stderr=full)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert platform.only_upload().video_id in output


@pytest.mark.usefixtures("signed_in")
def test_a_disk_without_room_for_the_journal_fails_each_file_in_one_line(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    """The system lets no file grow beyond some hundred bytes: enough for a beginning, not for a journal."""
    files = [make_video(300 * KIB, "one.mp4"), make_video(300 * KIB, "two.mp4")]
    script = (
        "import resource, sys; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY)); "
        "from video_upload.command_line import main; main()"
    )
    failed = subprocess.run(
        [sys.executable, "-c", script, "upload", *map(str, files), "--json"],
        env=os.environ | {"VIDEO_UPLOAD_HOME": str(cli.home), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 300
    assert failed.returncode == 1
    assert [error["code"] for error in errors_of(failed)] == ["HomeError", "HomeError"]
    assert cli.run("upload", *files).returncode == 0
    assert len(platform.uploads) == 4 or len(platform.uploads) == 2


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("reason", [errno.EACCES, errno.EIO])
def test_a_file_that_cannot_be_read_is_one_line_of_error_and_the_others_go_on(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    bad, good = make_video(64 * KIB, "bad.mp4"), make_video(64 * KIB, "good.mp4")
    whole = Path.open

    def refuse(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "bad.mp4":
            raise OSError(reason, os.strerror(reason))
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    done = cli.run("upload", bad, good, "--json")
    assert done.returncode == 1
    (error,) = errors_of(done)
    assert error["code"] == "FileUnreadableError"
    assert os.strerror(reason) in error["message"]
    (uploaded, _) = [json.loads(line) for line in done.stdout.splitlines()] + [None]
    assert uploaded["file"] == str(good)
    assert sorted(platform.storage.stores.values()) == [1]


@pytest.mark.usefixtures("signed_in")
def test_a_link_keeps_the_name_that_was_given(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    target = make_video(64 * KIB, "MVI_0001.mov")
    link = target.with_name("wedding.mov")
    link.symlink_to(target)
    assert cli.run("upload", link).returncode == 0
    assert platform.only_upload().body["fileName"] == "wedding.mov"
