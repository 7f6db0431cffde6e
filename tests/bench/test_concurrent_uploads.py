"""The load measurement in small: it passes on a sound platform, and sees a lost, a doubled and a changed video."""

import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from bench.arrivals import Announcements, Findings, SentVideo, examine
from bench.concurrent_uploads import STOPPED_BY_SIGNAL, UPLOADS
from bench.upload_client import SharedContent, Step
from bench.upload_run import Run
from local.platform import LocalPlatform, Ports
from local.stand_in import names
from local.stand_in.provision import session
from tests.media.sample_videos import write_sample_video

SERVERS = ("site", "stand-in")
FEW_OPEN_FILES = 256
REPOSITORY = Path(__file__).resolve().parent.parent.parent


FIGURES = {"init": 6, "sign parts": 6, "part": 18, "complete": 6, "list videos": "[0-9]+", "list uploads": "[0-9]+"}
COMMAND = (sys.executable, "-m", "bench.concurrent_uploads")


@pytest.mark.slow
def test_twelve_uploads_of_three_parts_by_users_who_signed_in_all_arrive_under_a_flood(tmp_path: Path) -> None:
    process = subprocess.run(
        [*COMMAND, "--uploads", "12", "--users", "20", "--sign-ins", "5", "--folder", str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert "12 of 12. Every video arrived" in process.stdout
    for shown in (
        "users who signed in +│ +20",
        "of these through the pages +│ +5",
        "parts of each video +│ +3",
        "open at the same time, with all their parts +│ +12",
        r"flood on 40 connections, answered 429 +│ +[1-9][0-9,]*",
        *(f"{step} +│ {traffic} +│ {FIGURES[step]} " for step in FIGURES for traffic in ("wave", "flooded")),
    ):
        assert re.search(shown, process.stdout), f"{shown} in {process.stdout}"
    visits = re.search("visits of the users who upload nothing +│ +([0-9,]+)", process.stdout)
    assert visits, process.stdout
    assert int(visits[1].replace(",", "")) >= 7
    assert not list(tmp_path.iterdir()), "videos remain"


@pytest.mark.slow
def test_a_run_that_is_stopped_leaves_nothing_and_says_so_in_its_exit_status(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "--uploads", "12", "--users", "2000", "--sign-ins", "2000", "--folder", str(tmp_path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        while not process.stdout.readline().startswith("Signing 2,000 users in"):
            assert process.poll() is None
        children = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == STOPPED_BY_SIGNAL
    assert children
    assert not [child for child in children if child.is_running()]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--uploads", "12", "--users", "13"], "more --users"),
        (["--size-bytes", str(2**50)], "MiB free"),
        (["--uploads", "0"], "must be 1 or more"),
    ],
)
def test_a_run_that_cannot_be_is_refused_at_the_start(arguments: list[str], reason: str) -> None:
    process = subprocess.run([*COMMAND, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert reason in process.stderr


@pytest.fixture(scope="module")
def platform() -> Iterator[LocalPlatform]:
    """Started from a shell that allows few open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_OPEN_FILES, hard))
    starting = LocalPlatform(data_dir=None, ports=Ports.free(), api_variables={"MAX_OPEN_UPLOADS_PER_USER": "1"})
    try:
        starting.__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    yield starting
    starting.close()


@pytest.mark.slow
def test_lost_doubled_changed_and_refused_videos_are_noticed(platform: LocalPlatform, tmp_path: Path) -> None:
    tokens = [platform.sign_in.issue_tokens(f"{number}@example.com").access_token for number in range(3)]
    content = write_sample_video(tmp_path / "shared.mp4", duration_seconds=0.5).read_bytes()
    run = run_of(platform, content, tokens)
    announcements = Announcements(platform.stand_in_url)
    try:
        for number in range(3):
            run.upload(number)
        assert not run.failures
        wait_until_announced(announcements, run.sent)

        def found(sent: list[SentVideo]) -> Findings:
            return examine(sent, api_url=run.api_url, stand_in_url=platform.stand_in_url, announcements=announcements)

        whole = found(run.sent)
        assert (whole.identical, whole.versions, whole.states["ready"]) == (3, 3, 3)
        assert not whole.lost + whole.doubled + whole.differing + whole.unlisted

        lost, changed, _ = run.sent
        s3 = session().client("s3", endpoint_url=platform.stand_in_url)
        stored = s3.list_object_versions(Bucket=names.VIDEO_BUCKET, Prefix=lost.file_key).get("Versions", [])
        s3.delete_object(Bucket=names.VIDEO_BUCKET, Key=lost.file_key, VersionId=stored[0].get("VersionId", ""))
        # Beside the prefix that raises events: the event worker would remove it.
        for _ in range(2):
            s3.put_object(Bucket=names.VIDEO_BUCKET, Key="nobody-sent-this", Body=b"x")
        harmed = found([replace(changed, sha256="0" * 64) if video == changed else video for video in run.sent])
        assert (harmed.lost, harmed.differing, harmed.doubled) == (1, 2, 2)
    finally:
        announcements.close()


@pytest.mark.slow
def test_a_refused_upload_is_a_failure_with_its_reason(platform: LocalPlatform) -> None:
    run = run_of(platform, b"x", ["forged"])
    run.upload(0)
    assert dict(run.failures) == {"init: 401 unauthorized": 1}
    assert run.reached[Step.INIT] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "code", "retries", "failures"),
    [
        (503, "SlowDown", {(Step.PART, "503 SlowDown"): 2}, {}),
        (500, "InternalError", {}, {"part: 500 InternalError": 1}),
    ],
)
def test_a_client_tries_again_only_where_it_is_asked_to(
    platform: LocalPlatform, status: int, code: str, retries: dict[tuple[Step, str], int], failures: dict[str, int]
) -> None:
    faults_url = f"{platform.stand_in_url}/_stand-in/faults"
    token = platform.sign_in.issue_tokens(f"{code}@example.com").access_token
    run = run_of(platform, b"x", [token])
    fault = {"operation": "UploadPart", "status": status, "code": code, "times": 2}
    requests.post(faults_url, json=fault, timeout=10).raise_for_status()
    try:
        run.upload(0)
    finally:
        requests.delete(faults_url, timeout=10).raise_for_status()
    assert (dict(run.figures.retries), dict(run.failures)) == (retries, failures)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads another process's limits on Linux only")
def test_a_shell_that_allows_few_open_files_does_not_limit_the_platform(platform: LocalPlatform) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = [psutil.Process(platform.child(name).pid).rlimit(psutil.RLIMIT_NOFILE)[0] for name in SERVERS]
    assert min(limits) >= min(2 * UPLOADS, hard)


def run_of(platform: LocalPlatform, content: bytes, tokens: Sequence[str]) -> Run:
    """Uploads whose clients wait for nobody."""
    run = Run(f"{platform.site_url}/api", SharedContent(content), len(tokens), tokens)
    run.call_all()
    return run


def wait_until_announced(announcements: Announcements, sent: list[SentVideo]) -> None:
    deadline = time.monotonic() + 60
    while {video.video_id for video in sent} - announcements.states.keys():
        assert time.monotonic() < deadline, "not processed within a minute"
        time.sleep(0.1)
