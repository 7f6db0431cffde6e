"""`chalice local` beside `python -m local --aws-only`, with nothing but the project and the line that is printed."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from local.__main__ import welcome
from local.api_environment import CHALICE_APP
from local.platform import LocalPlatform, Ports
from tests.end_to_end.actors import Person, StandIn, wait_until
from tests.end_to_end.malformed_http import MALFORMED, send_raw
from tests.end_to_end.refusals import TOKEN_ROUTES, USER_ROUTES, assert_error, forged

LOG_NAME = "chalice.log"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    with LocalPlatform(data_dir=None, ports=Ports.free(), aws_only=True) as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project") / "chalice_app"


@pytest.fixture(scope="module")
def api_url(aws: LocalPlatform, project: Path) -> Iterator[str]:
    """The CLI in a link to the project's folder, called as the stand-in's own start says."""
    project.symlink_to(CHALICE_APP)
    log = project.parent / LOG_NAME
    with chalice_local(project, log, printed_variables(aws), "--no-autoreload") as url:
        yield url


def printed_variables(aws: LocalPlatform) -> dict[str, str]:
    """Return the variables that `python -m local --aws-only` puts before `chalice local` on these ports."""
    (line,) = (line for line in welcome(aws, aws_only=True).splitlines() if line.endswith("chalice local"))
    words = shlex.split(line.partition("&&")[2])
    assert words.pop() == ["../.venv/bin/chalice", "local"][-1]
    assert words.pop() == "../.venv/bin/chalice"
    return dict(word.split("=", 1) for word in words)


@contextmanager
def chalice_local(project: Path, log: Path, variables: dict[str, str], *arguments: str) -> Generator[str]:
    """The address, once it answers."""
    port = Ports.free().site
    url = f"http://127.0.0.1:{port}"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("chalice")), "local", "--port", str(port), *arguments],
            cwd=project,
            env={
                "PATH": os.environ["PATH"],
                "AWS_ACCESS_KEY_ID": "a-developer",
                "AWS_REGION": "us-west-2",
                **variables,
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def answers() -> bool | None:
            try:
                return requests.get(f"{url}/health", timeout=5).ok or None
            except requests.ConnectionError:
                assert process.poll() is None, log.read_text()
                return None

        try:
            wait_until(answers)
            yield url
        finally:
            # The one that watches the files has a child that serves.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_an_upload_works_through_the_chalice_cli(aws: LocalPlatform, api_url: str, small_video: bytes) -> None:
    developer = _developer(aws, api_url)
    started = developer.upload(small_video)
    assert developer.wait_for(started["videoId"], "ready", "rejected")["state"] == "ready"


@pytest.mark.parametrize("kind", ["unsigned", "signed by somebody else", "changed"])
def test_a_bad_token_gets_401_there_too(aws: LocalPlatform, api_url: str, kind: str) -> None:
    token = forged(aws, aws.sign_in.issue_tokens("developer@example.com").access_token, kind)
    for method, path in USER_ROUTES + TOKEN_ROUTES:
        answer = requests.request(method, f"{api_url}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert_error(answer, 401, "unauthorized")


def test_no_token_and_an_unknown_address_are_answered_in_the_one_shape(api_url: str) -> None:
    assert_error(requests.get(f"{api_url}/videos", timeout=30), 401, "unauthorized")
    assert_error(requests.get(f"{api_url}/nothing", timeout=30), 404, "route_not_found")
    assert_error(requests.put(f"{api_url}/videos", timeout=30), 405, "method_not_allowed")


def test_a_malformed_request_is_answered_there_too(api_url: str, project: Path) -> None:
    for kind, (sent, status, code) in MALFORMED.items():
        answer = send_raw(api_url, sent.replace(b" /api/", b" /"))
        assert (kind, answer.status, answer.error["code"]) == (kind, status, code)
        assert answer.headers["access-control-allow-origin"]
    assert requests.request("BREW", f"{api_url}/videos", timeout=30).status_code == 405
    assert "Traceback" not in (project.parent / LOG_NAME).read_text()


def test_a_denied_look_at_the_uploaded_video_is_answered_in_words(
    aws: LocalPlatform, api_url: str, project: Path, small_video: bytes
) -> None:
    """The video bucket of a deployed stage shows an unaccepted video to the platform's own roles alone."""
    aws_controls = StandIn(aws.stand_in_url)
    developer = _developer(aws, api_url)
    started = developer.start(len(small_video))
    parts = developer.send_parts(started, small_video)
    # Often, since the processing of the stand-in's stage looks at the video, too.
    aws_controls.fail("HeadObject", status=403, code="AccessDenied", times=1_000, keyContains=started["videoId"])
    assert_error(developer.complete(started, parts), 503, "storage_forbidden")
    assert _denials(project)[-1] == ("HeadObject", "s3:GetObject")
    aws_controls.heal()
    assert developer.complete(started, parts).status_code == 200


def test_an_upload_token_that_kms_may_not_verify_is_answered_in_words(
    aws: LocalPlatform, api_url: str, project: Path
) -> None:
    started = _developer(aws, api_url).start(10)
    StandIn(aws.stand_in_url).fail("VerifyMac", status=400, code="AccessDeniedException")
    header = {"Authorization": f"Bearer {started['uploadToken']}"}
    assert_error(requests.get(f"{api_url}/multipart/parts", headers=header, timeout=30), 503, "storage_forbidden")
    assert _denials(project)[-1] == ("VerifyMac", "kms:VerifyMac")


def test_a_changed_source_file_is_served(tmp_path: Path) -> None:
    project = tmp_path / "chalice_app"
    shutil.copytree(CHALICE_APP, project, ignore=shutil.ignore_patterns("__pycache__"))
    with chalice_local(project, tmp_path / LOG_NAME, {}) as url:
        health = project / "chalicelib" / "routes" / "health.py"
        changed = health.read_text().replace('status="ok"', 'status="changed"')
        assert changed != health.read_text()
        health.write_text(changed)

        def is_served() -> bool | None:
            try:
                return requests.get(f"{url}/health", timeout=5).json()["status"] == "changed" or None
            except requests.ConnectionError:
                return None

        assert wait_until(is_served)


def test_what_does_not_answer_is_named_at_the_start_and_in_the_answer(aws: LocalPlatform, tmp_path: Path) -> None:
    token = aws.sign_in.issue_tokens("developer@example.com").access_token
    nobody = f"http://127.0.0.1:{Ports.free().site}"
    nothing = {"AWS_ENDPOINT_URL": nobody, "TOKEN_ISSUER": nobody}
    for given, missing in ((nothing, "stand-in"), ({**nothing, "AWS_ENDPOINT_URL": aws.stand_in_url}, "sign-in")):
        log = tmp_path / f"{missing}.log"
        with chalice_local(CHALICE_APP, log, given, "--no-autoreload") as url:
            said = log.read_text()
            assert f"{missing} " in said
            assert "start it: .venv/bin/python -m local --aws-only" in said
            answer = requests.get(f"{url}/videos", headers={"Authorization": f"Bearer {token}"}, timeout=30)
            assert missing in assert_error(answer, 503, "not_reachable")["message"]
            assert answer.headers["Retry-After"]
        assert "Traceback" not in log.read_text()


def _developer(aws: LocalPlatform, api_url: str) -> Person:
    tokens = aws.sign_in.issue_tokens("developer@example.com", client_id="desktop")
    return Person(aws, "developer@example.com", tokens.access_token, api_url)


def _denials(project: Path) -> list[tuple[str, str]]:
    """Operation and missing permission of each; the log holds no traceback."""
    log = (project.parent / LOG_NAME).read_text()
    assert "Traceback" not in log
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    return [(line["operation"], line["missing"]) for line in lines if "missing" in line]
