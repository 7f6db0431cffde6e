"""`chalice local --stage local` beside `python -m local --aws-only`, with nothing but `.chalice/config.json`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.api_environment import CHALICE_APP
from local.platform import LocalPlatform, Ports
from tests.journeys.conftest import Person, StandIn, wait_until
from tests.journeys.malformed_http import MALFORMED, send_raw
from tests.journeys.refusals import TOKEN_ROUTES, USER_ROUTES, assert_error, forged

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
    """The CLI in a copy of the project folder whose config differs only in the ports."""
    (project / ".chalice").mkdir(parents=True)
    for name in ("app.py", "chalicelib"):
        (project / name).symlink_to(CHALICE_APP / name)
    config = (CHALICE_APP / ".chalice" / "config.json").read_text()
    config = config.replace("http://127.0.0.1:8001", aws.stand_in_url)
    config = config.replace("http://127.0.0.1:8002", aws.sign_in.authority_url)
    assert json.loads(config)["stages"]["local"]["environment_variables"]["AWS_ENDPOINT_URL"] == aws.stand_in_url
    (project / ".chalice" / "config.json").write_text(config)

    log = project / LOG_NAME
    output = log.open("w")
    port = Ports.free().site
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("chalice")),
            "local",
            "--stage",
            "local",
            "--port",
            str(port),
            "--no-autoreload",
        ],
        cwd=project,
        env={"PATH": os.environ["PATH"]},
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool | None:
        try:
            return requests.get(f"{url}/health", timeout=5).ok or None
        except requests.ConnectionError:
            assert process.poll() is None, log.read_text()
            return None

    wait_until(answers)
    yield url
    process.kill()
    process.wait()
    output.close()


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


def test_what_is_no_request_is_answered_there_too(api_url: str, project: Path) -> None:
    for kind, (sent, status, code) in MALFORMED.items():
        answer = send_raw(api_url, sent.replace(b" /api/", b" /"))
        assert (kind, answer.status, answer.error["code"]) == (kind, status, code)
        assert answer.headers["access-control-allow-origin"]
    assert requests.request("BREW", f"{api_url}/videos", timeout=30).status_code == 405
    assert "Traceback" not in (project / LOG_NAME).read_text()


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


def _developer(aws: LocalPlatform, api_url: str) -> Person:
    tokens = aws.sign_in.issue_tokens("developer@example.com", client_id="desktop")
    return Person(aws, "developer@example.com", tokens.access_token, api_url)


def _denials(project: Path) -> list[tuple[str, str]]:
    """Operation and missing permission of each; the log holds no traceback."""
    log = (project / LOG_NAME).read_text()
    assert "Traceback" not in log
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    return [(line["operation"], line["missing"]) for line in lines if "missing" in line]
