"""The real command against the real platform."""

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from local.platform import LocalPlatform
from tests.cli.logging_proxy import logging_proxy
from tests.end_to_end.actors import Desktop, Person, StandIn, wait_until
from tests.end_to_end.log_search import PrintedLines
from tests.media.containers import SAMPLES, ContainerName
from tests.media.sample_videos import write_sample_video
from tests.sign_in.authenticator import set_up_app
from tests.sign_in.browser_walk import walk_through_login
from video_upload.credentials import CLIENT_SECRET_VARIABLE

PADDED = ("mp4", "mov", "mkv", "webm", "avi", "3gp")
"""Samples that can be of more than one part."""


@pytest.mark.parametrize("name", {made.right.container: name for name, made in SAMPLES.items()}.values())
def test_a_video_of_every_container_arrives_as_it_was_sent(
    desktop: Desktop, stand_in: StandIn, person: Person, tmp_path: Path, name: ContainerName
) -> None:
    padded_bytes = 7 * 2**20 if name in PADDED else None
    file = write_sample_video(tmp_path / f"holiday.{name}", name, pad_to_bytes=padded_bytes)
    result = desktop.upload(file)
    video = person.video(result["videoId"])
    assert video["state"] == "ready"
    assert video["contentType"] == SAMPLES[name].content_type
    assert video["media"]["container"] == SAMPLES[name].right.container
    assert video["media"]["audio"]
    stored = stand_in.stored(f"videos/{person.owner}/{result['videoId']}")
    assert hashlib.sha256(stored).digest() == hashlib.sha256(file.read_bytes()).digest()


def test_signing_in_through_the_browser_lets_the_command_upload_and_tell_how_it_goes(
    platform: LocalPlatform, printed: PrintedLines, tmp_path: Path, video_12_mib: Path
) -> None:
    platform.sign_in.create_user("walker@example.com", "a long walk to S3")
    app = set_up_app(platform.sign_in, "walker@example.com")
    desktop = Desktop(tmp_path / "home")
    login = desktop.start("login", platform.site_url, "--no-browser")
    # Setting the app up has used its present code.
    walk_through_login(login, "walker@example.com", "a long walk to S3", code=app.code(1))
    login.communicate(timeout=20)
    assert login.returncode == 0
    arrived_before = arrived_by_the_clients_account(printed)
    result = desktop.upload(video_12_mib)
    assert result["state"] == "ready"

    def told() -> list[dict[str, Any]] | None:
        lines = printed.told_about(result["videoId"])
        return lines if lines and lines[-1].get("state") == "ready" else None

    lines = wait_until(told)
    assert [line["state"] for line in lines if "state" in line] == ["processing", "ready"]
    assert {line["client"].partition("/")[0] for line in lines} == {"desktop"}
    ids = {line.get("correlationId") for line in printed.about(result["videoId"]) if "uploadId" in line}
    assert {line["correlationId"] for line in lines} == ids, "one id leads from the client to the processing"
    wait_until(lambda: True if arrived_by_the_clients_account(printed) == arrived_before + 1 else None)


def arrived_by_the_clients_account(printed: PrintedLines) -> float:
    """Return the total of the metric that counts uploads by the clients' own reports."""
    return sum(sum(line["ClientUploadsArrived"]) for line in printed.documents() if "ClientUploadsArrived" in line)


def test_a_program_signs_in_with_its_own_secret_and_uploads(
    platform: LocalPlatform, tmp_path: Path, small_video: bytes
) -> None:
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "night.mp4").write_bytes(small_video)
    program = Desktop(tmp_path / "home", {CLIENT_SECRET_VARIABLE: platform.sign_in.machine_client.secret or ""})
    login = program.start("login", platform.site_url, "--client-id", "machine", "--profile", "nightly")
    _, errors = login.communicate(timeout=20)
    assert login.returncode == 0, errors
    upload = program.start("upload", str(tmp_path / "camera"), "--limit-rate", "20MB", "--json")
    output, errors = upload.communicate(timeout=60)
    assert upload.returncode == 0, errors
    uploaded, summary = (json.loads(line) for line in output.splitlines())
    assert uploaded["video"]["state"] == "ready"
    assert summary["summary"]["uploaded"] == 1


def test_a_killed_client_resumes_without_sending_a_part_twice(
    desktop: Desktop, stand_in: StandIn, person: Person, tmp_path: Path
) -> None:
    file = write_sample_video(tmp_path / "long.mp4", pad_to_bytes=60 * 2**20)
    stand_in.fail("UploadPart", delaySeconds=0.3, times=12)
    process = desktop.start("upload", str(file), "--parallel", "2")
    (started,) = wait_until(lambda: person.call("GET", "/uploads").json()["uploads"] or None)

    def some_parts_arrived() -> bool | None:
        arrived = stand_in.requests_of("UploadPart", started["fileKey"])
        return True if len(arrived) >= 3 else None

    wait_until(some_parts_arrived)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stand_in.heal()
    # What was on its way when the client died still arrives.
    time.sleep(0.7)
    before = {entry["partNumber"] for entry in arrived_parts(stand_in, started["fileKey"])}
    assert 0 < len(before) < started["partCount"]

    result = desktop.upload(file)
    assert (result["videoId"], result["state"]) == (started["videoId"], "ready")
    sent = [entry["partNumber"] for entry in arrived_parts(stand_in, started["fileKey"])]
    assert sorted(sent) == list(range(1, started["partCount"] + 1))
    stored = stand_in.stored(started["fileKey"])
    assert hashlib.sha256(stored).digest() == hashlib.sha256(file.read_bytes()).digest()


def arrived_parts(stand_in: StandIn, file_key: str) -> list[dict[str, int]]:
    return [entry for entry in stand_in.requests_of("UploadPart", file_key) if entry["status"] == 200]


def test_a_flaky_s3_costs_retries_and_nothing_else(desktop: Desktop, stand_in: StandIn, video_12_mib: Path) -> None:
    stand_in.fail("UploadPart", status=503, code="SlowDown", times=2)
    stand_in.fail("UploadPart", loseResponse=True, times=1)
    stand_in.fail("CompleteMultipartUpload", loseResponse=True, times=1)
    result = desktop.upload(video_12_mib)
    assert result["state"] == "ready"


def test_a_part_that_is_refused_for_want_of_its_checksum_is_sent_with_it(
    desktop: Desktop, stand_in: StandIn, video_12_mib: Path
) -> None:
    stand_in.fail("UploadPart", status=400, code="InvalidRequest", times=1)
    assert desktop.upload(video_12_mib)["state"] == "ready"


def test_a_video_is_downloaded_as_it_was_sent_and_a_download_that_broke_off_goes_on(
    desktop: Desktop, video_12_mib: Path, tmp_path: Path
) -> None:
    video_id = desktop.upload(video_12_mib)["videoId"]
    content = video_12_mib.read_bytes()
    (tmp_path / f"three parts.mp4.{video_id}.part").write_bytes(content[:1_000_000])
    saved = desktop.run("download", video_id, "--output", str(tmp_path))
    assert Path(saved["file"]) == tmp_path / "three parts.mp4"
    assert hashlib.sha256(Path(saved["file"]).read_bytes()).digest() == hashlib.sha256(content).digest()
    assert list(tmp_path.glob("*.part")) == []
    again = desktop.start("download", video_id, "--output", str(tmp_path))
    _, errors = again.communicate(timeout=60)
    assert (again.returncode, "already exists" in errors) == (1, True)


def test_every_part_goes_through_the_proxy_that_the_calls_go_through(
    desktop: Desktop, stand_in: StandIn, person: Person, video_12_mib: Path
) -> None:
    with logging_proxy() as proxy:
        behind = Desktop(desktop.home, {"HTTP_PROXY": f"http://127.0.0.1:{proxy.port}"})
        uploaded = behind.upload(video_12_mib)
    assert uploaded["state"] == "ready"
    assert proxy.count("PUT") == 3
    stored = stand_in.stored(f"videos/{person.owner}/{uploaded['videoId']}")
    assert hashlib.sha256(stored).digest() == hashlib.sha256(video_12_mib.read_bytes()).digest()


def test_noise_that_begins_as_a_video_does_ends_with_its_reason(desktop: Desktop, tmp_path: Path) -> None:
    file = tmp_path / "notes.mp4"
    file.write_bytes(b"\0\0\0\x18ftypisom" + random.Random(1).randbytes(1000))
    process = desktop.start("upload", str(file))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "cannot be read" in output + errors


def test_a_text_renamed_to_a_video_is_refused_before_it_is_sent(
    desktop: Desktop, person: Person, tmp_path: Path
) -> None:
    file = tmp_path / "notes.mp4"
    file.write_text("Dear reader")
    process = desktop.start("upload", str(file))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "not a video: its content is something else" in output + errors
    assert person.call("GET", "/videos").json()["videos"] == []


def test_the_library_can_be_listed_shown_and_emptied(desktop: Desktop, video_12_mib: Path) -> None:
    uploaded = desktop.upload(video_12_mib)
    listed = desktop.run("list")["videos"]
    assert [video["videoId"] for video in listed] == [uploaded["videoId"]]
    shown = desktop.run("show", uploaded["videoId"])
    assert shown["fileName"] == "three parts.mp4"
    desktop.run("delete", uploaded["videoId"], "--yes")
    assert desktop.run("list")["videos"] == []


def test_memory_of_the_command_does_not_grow_with_the_file(desktop: Desktop, tmp_path: Path) -> None:
    """Peak resident memory of an upload of 4 MiB and of 200 MiB, as the kernel counted it."""
    peaks: list[int] = []
    for size_mib in (4, 200):
        file = write_sample_video(tmp_path / f"{size_mib}.mp4", pad_to_bytes=size_mib * 2**20)
        peaks.append(peak_kib(desktop, file))
    assert peaks[1] - peaks[0] < 40 * 1024


def peak_kib(desktop: Desktop, file: Path) -> int:
    script = (
        "import resource, subprocess, sys; "
        "subprocess.run([sys.executable, '-m', 'video_upload', 'upload', '--no-wait', '--json', sys.argv[1]], "
        "check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    measured = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        env=desktop.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return int(measured.stdout)
