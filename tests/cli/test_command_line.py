"""The command as people and scripts run it, against a platform on loopback."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from typer.testing import CliRunner

from chalicelib.core.malware_scan import MALWARE
from tests.cli.conftest import MP4_BEGINNING, Cli, MakeVideo, sha256_of, sign_somebody_in, wait_for_parts
from tests.cli.fake_platform import FakePlatform
from video_upload import command_line, confirmation
from video_upload.all_commands import app
from video_upload.backoff import Backoff
from video_upload.credentials import StoredCredentials
from video_upload.version import VERSION

MIB = 1024 * 1024


@pytest.mark.usefixtures("signed_in")
def test_a_killed_upload_resumes_without_sending_a_stored_part_twice(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.part_size_bytes = 5 * MIB
    platform.storage.seconds_per_part = 0.1
    path = make_video(41 * MIB)
    process = cli.start("upload", path, "--parallel", "2")
    wait_for_parts(platform, 3)
    process.kill()
    process.communicate()
    platform.storage.settle()
    before = dict(platform.storage.stores)
    assert 3 <= len(before) < 9
    platform.storage.puts.clear()

    resumed = cli.run("upload", path, "--json")

    assert resumed.returncode == 0, resumed.stderr
    assert set(platform.storage.puts) == set(range(1, 10)) - set(before)
    video_id = json.loads(resumed.stdout)["video"]["videoId"]
    assert platform.video_sha256(video_id) == sha256_of(path)
    assert len(platform.uploads) == 1


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_control_c_stops_cleanly_and_says_how_to_go_on(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, stop: signal.Signals
) -> None:
    platform.storage.seconds_per_part = 0.1
    path = make_video(2 * MIB)
    process = cli.start("upload", path)
    wait_for_parts(platform, 4)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "uploads of files resume" in errors
    assert "Traceback" not in errors
    platform.storage.settle()
    platform.storage.seconds_per_part = 0
    assert cli.run("upload", path).returncode == 0
    assert set(platform.storage.stores.values()) == {1}


@pytest.mark.usefixtures("signed_in")
def test_memory_does_not_grow_with_the_file(platform: FakePlatform, cli: Cli, tmp_path: Path) -> None:
    platform.part_size_bytes = 16 * MIB
    path = tmp_path / "long.mkv"
    with path.open("wb") as file:
        file.write(MP4_BEGINNING)
        file.truncate(192 * MIB)
    with cli.start("upload", path, "--parallel", "8", "--json") as process:
        watched = psutil.Process(process.pid)
        most_bytes = 0
        while process.poll() is None:
            try:
                most_bytes = max(most_bytes, watched.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.02)
        process.communicate()
    assert process.returncode == 0
    assert 20 * MIB < most_bytes < 128 * MIB  # eight parts in memory would be 128 MiB by themselves


@pytest.mark.usefixtures("signed_in")
def test_the_library_can_be_listed_shown_and_deleted(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    done = cli.run("upload", make_video(MIB, "one.mp4"), make_video(MIB, "two [red].mov"), "--json", "--files", "1")
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert second["video"]["state"] == "ready"

    listed = json.loads(cli.run("list", "--json").stdout)
    assert {video["videoId"] for video in listed["videos"]} == set(platform.uploads)
    table = cli.run("list").stdout
    assert all(video_id in table for video_id in platform.uploads)
    assert "two [red].mov" in table
    assert "640x360 h264" in table

    video_id = first["video"]["videoId"]
    shown = cli.run("show", video_id).stdout
    assert "one.mp4" in shown
    assert "browsers  some (HEVC (H.265))" in shown
    deleted = cli.run("delete", video_id, "--yes")
    assert deleted.returncode == 0
    assert re.search(r"Links shared earlier may still play until \d\d:\d\d\.", deleted.stderr)
    gone = cli.run("show", video_id, "--json")
    assert gone.returncode == 1
    assert json.loads(gone.stderr)["error"] == {
        "code": "video_not_found",
        "message": "It is video_not_found.",
        "details": {},
        "requestId": "request-1",
    }


@pytest.mark.usefixtures("signed_in")
def test_a_script_deletes_only_with_yes_and_a_person_is_asked(
    platform: FakePlatform, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    (video,) = platform.add_finished_videos("ready")
    video_id = video.video_id
    refused = cli.run("delete", video_id)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    monkeypatch.setattr(confirmation, "is_terminal", lambda: True)
    assert cli.run("delete", video_id, typed="n\n").returncode == 1
    assert video.state == "ready"
    assert cli.run("delete", video_id, typed="y\n").returncode == 0
    assert video.state == "deleted"


@pytest.mark.usefixtures("signed_in")
def test_the_list_goes_on_over_pages_without_a_video(platform: FakePlatform, cli: Cli) -> None:
    platform.page_records = 10
    videos = platform.add_finished_videos(*["deleted"] * 25, "ready", *["deleted"] * 25, "ready", "ready")
    newest, older, _ = (video.video_id for video in videos if video.state == "ready")
    listed = json.loads(cli.run("list", "--limit", "2", "--json").stdout)
    assert [video["videoId"] for video in listed["videos"]] == [newest, older]
    assert platform.calls == ["GET /videos"] * 6


@pytest.mark.usefixtures("signed_in")
def test_unfinished_uploads_are_listed_without_their_tokens_and_can_be_aborted(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.storage.part_faults[1] = ["slow_down", "slow_down"]
    platform.api_faults["/multipart/complete"] = [(409, "upload_strange", {})]
    path = make_video(MIB)
    assert cli.run("upload", path).returncode == 1
    unfinished = cli.run("uploads", "--json").stdout
    assert json.loads(unfinished)["uploads"][0]["videoId"] in platform.uploads
    assert platform.only_upload().token not in unfinished
    refused = cli.run("abort")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert platform.only_upload().state == "uploading"
    assert cli.run("abort", "--yes").returncode == 0
    assert platform.only_upload().state == "aborted"
    assert cli.run("abort", "--yes").returncode == 1
    assert cli.run("abort", path, "--yes").returncode == 1


@pytest.mark.usefixtures("signed_in")
def test_a_rejected_video_ends_with_its_reason_and_code_4(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.rejection = {"code": "not_a_video", "message": "These bytes are no video."}
    done = cli.run("upload", make_video(MIB))
    assert done.returncode == 4
    assert "These bytes are no video." in done.stdout


@pytest.mark.usefixtures("signed_in")
def test_a_video_that_waits_for_its_malware_scan_says_so_and_one_with_malware_why(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    platform.waits_for, platform.processing_polls = "malwareScan", 1
    platform.rejection = {"code": "malware", "message": MALWARE.message}
    done = cli.run("upload", make_video(MIB))
    assert done.returncode == 4
    assert "being checked for malware" in done.stdout + done.stderr
    assert MALWARE.message in done.stdout


@pytest.mark.usefixtures("signed_in")
def test_a_video_tells_of_the_copy_that_browsers_play(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    assert cli.run("upload", make_video(MIB)).returncode == 0
    shown = cli.run("show", platform.only_upload().video_id).stdout
    assert "rendition" not in shown
    for rendition, words in (
        ({"state": "pending", "sizeBytes": None, "reason": None}, "preparing a version that all browsers can play"),
        ({"state": "ready", "sizeBytes": 1_500_000, "reason": None}, "MP4 that all browsers play, 1.5 MB"),
        ({"state": "failed", "sizeBytes": None, "reason": "not_convertible"}, "could be made"),
    ):
        platform.rendition = rendition
        assert words in cli.run("show", platform.only_upload().video_id).stdout


@pytest.mark.usefixtures("signed_in")
def test_a_video_whose_deletion_was_announced_says_when(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    assert cli.run("upload", make_video(MIB)).returncode == 0
    assert "deleted on" not in cli.run("list").stdout
    platform.expires_at = "2026-12-04T08:00:00Z"
    listed = cli.run("list").stdout
    assert "deleted on" in listed
    assert "2026-12-04" in listed
    shown = cli.run("show", platform.only_upload().video_id).stdout
    assert "2026-12-04T08:00:00Z (download it before then to keep it)" in shown
    (video,) = json.loads(cli.run("list", "--json").stdout)["videos"]
    assert (video["expiresAt"], video["expiresSoon"]) == ("2026-12-04T08:00:00Z", True)


def test_every_kind_of_failure_has_its_exit_code(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    video = make_video(MIB)
    assert cli.run("list").returncode == 3
    sign_somebody_in(platform, cli.home)
    assert cli.run("frobnicate").returncode == 2
    assert cli.run("upload", make_video(1, "notes.txt")).returncode == 4
    assert platform.calls == []
    assert cli.run("upload", video, make_video(1, "notes.txt")).returncode == 4
    assert platform.only_upload().state == "ready", "one file that is refused keeps no other back"
    for status, code, expected in [
        (413, "file_too_large", 4),
        (415, "unsupported_video_type", 4),
        (429, "too_many_open_uploads", 5),
        (429, "stored_bytes_exceeded", 5),
        (403, "forbidden", 1),
    ]:
        platform.api_faults["/multipart/init"] = [(status, code, {})]
        failed = cli.run("upload", video, "--json")
        assert (failed.returncode, json.loads(failed.stderr)["error"]["code"]) == (expected, code)


@pytest.mark.usefixtures("signed_in")
def test_control_c_under_json_is_told_as_json(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    platform.storage.seconds_per_part = 0.1
    process = cli.start("upload", make_video(2 * MIB), "--json")
    wait_for_parts(platform, 4)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "resume" in json.loads(errors)["error"]["message"]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(130)], ids=["in typer", "by typer"])
def test_control_c_outside_of_a_command_is_told_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], end: BaseException
) -> None:
    def app(**_: object) -> None:
        raise end

    monkeypatch.setattr(command_line, "app_for", lambda _: app)
    monkeypatch.setattr(sys, "argv", ["video-upload", "upload", "film.mp4", "--json"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 130
    assert "resume" in json.loads(capsys.readouterr().err)["error"]["message"]


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("writes", range(4))
def test_a_full_disk_is_told_in_one_line_and_the_next_run_resumes(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """writes: how many succeed before."""
    path = make_video(MIB // 4)
    left = [writes]
    whole = os.fsync

    def fsync(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(descriptor)

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fsync)
        failed = cli.run("upload", path, "--json")
    assert failed.returncode == 1
    assert "No space left on device" in json.loads(failed.stderr)["error"]["message"]
    assert cli.run("upload", path).returncode == 0
    asked_as = {
        one for call, one in zip(platform.calls, platform.correlation_ids, strict=True) if call.endswith("init")
    }
    assert len(asked_as) == 1, "under one id it is one upload"


def test_version_and_help_say_what_they_are_asked(cli: Cli) -> None:
    assert cli.run("--version").stdout.strip() == f"video-upload {VERSION}"
    helped = cli.run("upload", "--help")
    assert helped.returncode == 0
    assert "130 interrupted" in " ".join(helped.stdout.split())


def test_a_platform_that_is_away_is_told_of_at_once_and_in_words(
    signed_in: StoredCredentials, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video_upload.api.Backoff", lambda: Backoff(base_seconds=0))
    signed_in.store(msgspec.structs.replace(signed_in.load(), api_url="http://127.0.0.1:9/api"))
    listed = cli.run("list")
    assert listed.returncode == 5
    note, error = listed.stderr.splitlines()
    assert note.startswith("No answer from ")
    assert "(Connection refused). Retrying" in note
    assert error.endswith("after 8 tries: Connection refused")
    assert json.loads(cli.run("list", "--json").stderr)["error"]["code"] == "ApiUnreachableError"


@pytest.mark.parametrize("command", ["show", "delete"])
@pytest.mark.usefixtures("signed_in")
def test_no_video_is_meant_by_an_empty_id(cli: Cli, command: str) -> None:
    refused = cli.run(command, "")
    assert refused.returncode == 2
    assert "it is empty" in refused.stderr


@pytest.mark.usefixtures("signed_in")
def test_labels_are_given_at_the_upload_and_changed_later(
    platform: FakePlatform, cli: Cli, make_video: MakeVideo
) -> None:
    labels = ("--title", "Sea", "--description", "Two days", "--tag", "holiday", "--tag", "2026")
    done = cli.run("upload", make_video(MIB, "IMG_1.mp4"), *labels, "--json")
    assert done.returncode == 0, done.stderr
    video = json.loads(done.stdout)["video"]
    assert (video["title"], video["description"], video["tags"]) == ("Sea", "Two days", ["holiday", "2026"])
    assert "Sea" in cli.run("list").stdout
    video_id = video["videoId"]
    edited = json.loads(cli.run("edit", video_id, "--title", "", "--tag", "shore", "--json").stdout)
    assert (edited["title"], edited["description"], edited["tags"]) == (None, "Two days", ["shore"])
    assert "IMG_1.mp4" in cli.run("list").stdout
    assert json.loads(cli.run("edit", video_id, "--no-tags", "--json").stdout)["tags"] == []
    assert cli.run("edit", video_id).returncode == 2
    assert cli.run("edit", video_id, "--tag", "a", "--no-tags").returncode == 2


@pytest.mark.usefixtures("signed_in")
def test_one_title_is_not_given_to_several_videos(platform: FakePlatform, cli: Cli, make_video: MakeVideo) -> None:
    several = (make_video(MIB, "one.mp4"), make_video(MIB, "two.mp4"))
    assert cli.run("upload", *several, "--title", "Sea").returncode == 2
    assert platform.uploads == {}
    assert cli.run("upload", *several, "--tag", "sea").returncode == 0
    assert [upload.body["tags"] for upload in platform.uploads.values()] == [["sea"], ["sea"]]


@pytest.mark.usefixtures("signed_in")
def test_the_library_is_searched_and_sorted_by_the_api(platform: FakePlatform, cli: Cli) -> None:
    assert cli.run("list", "--query", "Sea & sun", "--sort", "name", "--json").returncode == 0
    assert cli.run("list", "--json").returncode == 0
    assert platform.queries == [("Sea & sun", "name"), ("", "newest")]
    assert cli.run("list", "--sort", "colour").returncode == 2


def test_an_upload_that_starts_without_the_other_commands_is_the_same_command() -> None:
    asked = ["upload", "--help"]
    alone = CliRunner().invoke(command_line.app_for(asked), asked)
    assert alone.exit_code == 0
    assert alone.output == CliRunner().invoke(app, asked).output


def test_an_upload_loads_no_other_command_and_webhooks_load_no_client() -> None:
    for import_it, needless in [
        ("from video_upload.command_line import app_for; app_for(['upload', 'film.mp4'])", "video_upload.all_commands"),
        ("import video_upload.webhooks", "requests"),
        ("import video_upload.upload_command", "urllib3"),
    ]:
        program = f"import sys; {import_it}; sys.exit({needless!r} in sys.modules)"
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0, needless
