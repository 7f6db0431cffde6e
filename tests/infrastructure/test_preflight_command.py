"""`make preflight` as a command: settings and machine first, then AWS; one line a check, and an exit code."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import NoCredentialsError
from moto import mock_aws

from components import declared_stage
from components.compute.lambda_package import PYTHON
from components.declared_stage import declare
from deploy import preflight
from deploy.errors import StateNotReadableError
from deploy.findings import Finding, Verdict
from deploy.machine_checks import interpreter, pulumi_version
from deploy.planned_stage import PlannedStage
from deploy.preflight import checks, main
from deploy.stack_resources import stack_resources
from tests.infrastructure.answering_aws import AnsweringSession
from tests.infrastructure.preflight_stage import declared

OK, WILL_FAIL, CANNOT_TELL = Verdict
BUCKET = "s3/bucket:Bucket"
CHECKS = {check.subject: check for check in checks()}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program of this name on a PATH that holds no other."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name: str, script: str) -> None:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return put


def test_the_bytecodes_interpreter_is_looked_for(program: Callable[[str, str], None]) -> None:
    settings = declared(bytecode=True).settings
    assert interpreter(settings).verdict is WILL_FAIL
    assert interpreter(declared(bytecode=False).settings).verdict is OK
    program(f"python{PYTHON}", "exit 0")
    assert interpreter(settings).verdict is OK


@pytest.mark.parametrize(
    ("version", "required", "verdict"),
    [
        (None, "", WILL_FAIL),
        ("echo v3.200.0", "requiredPulumiVersion: '>=3.100.0'", OK),
        ("echo v3.99.0", "requiredPulumiVersion: '>=3.100.0'", WILL_FAIL),
        ("echo v3.200.0", "name: x", OK),
        ("echo v3.200.0", "requiredPulumiVersion: '>3.1 <4'", CANNOT_TELL),
        ("exit 1", "name: x", CANNOT_TELL),
    ],
)
def test_pulumis_version_is_compared_with_the_one_needed(
    tmp_path: Path, program: Callable[[str, str], None], version: str | None, required: str, verdict: Verdict
) -> None:
    (tmp_path / "Pulumi.yaml").write_text(required or "name: x")
    if version:
        program("pulumi", version)
    assert pulumi_version(tmp_path).verdict is verdict


def test_a_stage_with_wrong_settings_fails_before_aws_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "no_such_stage"]) == 1
    assert "will fail    settings: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "told"),
    [("ExpiredToken: it has expired", "AWS does not take them"), (NoCredentialsError(), "none found")],
)
def test_without_valid_credentials_nothing_else_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str | Exception, told: str
) -> None:
    session = AnsweringSession({"GetCallerIdentity": answer})
    monkeypatch.setattr(boto3, "Session", lambda: session)
    assert main(["--stage", "dev"]) == 1
    assert f"will fail    credentials: {told}" in capsys.readouterr().out
    assert session.asked == ["GetCallerIdentity"]


@pytest.mark.parametrize("arguments", [[], ["--stage"], ["--stage", "dev", "--policy"]])
def test_wrong_arguments_end_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_it_ends_with_0_unless_something_will_fail(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"a": Finding(OK, "fine"), "b": Finding(CANNOT_TELL, "look")}
    monkeypatch.setattr(preflight, "findings", lambda _: iter(found.items()))
    assert main(["--stage", "dev"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok           a: fine",
        "cannot tell  b: look",
        "1 ok, 0 will fail, 1 cannot tell",
    ]
    found["c"] = Finding(WILL_FAIL, "no")
    monkeypatch.setattr(preflight, "findings", lambda _: iter(found.items()))
    assert main(["--stage", "dev"]) == 1


def test_every_check_of_an_account_of_motos_ends_without_a_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    program("pulumi", "echo \"error: no stack named 'staging' found\" >&2; exit 255")
    offered = {"bucket names", "sign-in domain", "quota of buckets", "quota of VPCs", "quota of trails", "region"}
    monkeypatch.setattr(preflight, "checks", lambda: tuple(CHECKS[subject] for subject in sorted(offered)))
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-central-1")
        name = declare("staging", account_id="123456789012").of("s3/bucket:Bucket")[0].inputs["bucket"]
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        assert main(["--stage", "staging"]) == 1
    lines = capsys.readouterr().out.splitlines()
    said = {line[13:].partition(":")[0]: line[:13].strip() for line in lines[:-1]}
    assert {subject: said[subject] for subject in offered} == {
        "bucket names": "will fail",
        **dict.fromkeys(offered - {"bucket names"}, "ok"),
    }


def test_resources_that_settings_name_are_looked_up_at_their_real_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    named = {"oidc_providers": ("umbrella=https://login.example.org",), "event_bus_name": "videos"}
    asked = ("OIDC client secrets", "webhook secrets", "event bus")
    with mock_aws():
        stage = PlannedStage(
            declared=declared(webhooks=("billing=https://billing.example.com/in",), **named),
            session=boto3.Session(region_name="eu-central-1"),
            account_id="123456789012",
            made={},
        )
        assert [CHECKS[subject].find(stage).verdict for subject in asked] == [WILL_FAIL, CANNOT_TELL, WILL_FAIL]
        ssm = stage.client("ssm")
        for name in ("/video-upload/prod/oidc/umbrella", "/video-upload/prod/webhooks/billing"):
            ssm.put_parameter(Name=name, Value="secret", Type="SecureString")
        stage.client("events").create_event_bus(Name="videos")
        found = [CHECKS[subject].find(stage) for subject in asked]
    assert [each.verdict for each in found] == [OK, OK, OK]
    assert "secret" not in "".join(each.text for each in found)


def test_the_stacks_resources_come_from_its_state(program: Callable[[str, str], None]) -> None:
    with pytest.raises(StateNotReadableError, match="not installed"):
        stack_resources("dev")
    state = {
        "deployment": {
            "resources": [
                {"type": "pulumi:pulumi:Stack", "urn": "urn:1"},
                {"type": "video-upload:tier:Storage", "urn": "urn:2"},
                {"type": f"aws:{BUCKET}", "urn": "urn:3", "id": "videos"},
                {"type": f"aws:{BUCKET}", "urn": "urn:4", "id": "not-ours", "external": True},
            ]
        }
    }
    program("pulumi", f"[ \"$*\" = 'stack export --non-interactive --stack dev' ] && echo '{json.dumps(state)}'")
    assert stack_resources("dev") == {BUCKET: {"videos"}}
    program("pulumi", "echo '{\"deployment\": {}}'")
    assert stack_resources("dev") == {}
    program("pulumi", "echo \"error: no stack named 'dev' found\" >&2; exit 255")
    assert stack_resources("dev") == {}
    program("pulumi", "echo 'error: PULUMI_ACCESS_TOKEN must be set' >&2; exit 255")
    with pytest.raises(StateNotReadableError, match="PULUMI_ACCESS_TOKEN"):
        stack_resources("dev")


def test_a_misspelt_region_is_named_instead_of_the_credentials(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = declared_stage.stage_file
    monkeypatch.setattr(declared_stage, "stage_file", lambda stage: read(stage) | {"aws:region": "eu-centrall-1"})
    assert main(["--stage", "dev"]) == 1
    said = capsys.readouterr().out
    assert "aws:region: is 'eu-centrall-1'" in said
    assert "credentials" not in said
