"""Commands around a deployed stage: its page, its environment, its failed events, its operators."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.environment import Environment
from deploy.deployed_stage import DeployedStage
from deploy.errors import EventCameBackError, EventRefusedError, OutputsNotReadableError, PageNotFoundError
from deploy.log_queries import log_query
from deploy.print_environment import environment_of
from deploy.publish_site import publish
from deploy.redrive import redrive
from deploy.revoke_user import ACCESS_TOKEN_LIFE
from deploy.stack_outputs import StackOutputs
from tests.infrastructure.recorded_program import ACCOUNT_ID, PROJECT, Recording

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUCKET = "site"
COMMANDS = sorted(path.stem for path in (PROJECT / "deploy").glob("*.py") if "__main__" in path.read_text())

needs_make_install = pytest.mark.skipif(
    not Path(sysconfig.get_path("purelib"), "chalice_app.pth").is_file(),
    reason="`make install` puts the functions' code on the path",
)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>")
    (tmp_path / "app" / "main.js").write_text("export {};")
    return tmp_path


def test_the_page_comes_after_what_it_needs(s3: S3Client, page: Path) -> None:
    done = publish(s3, bucket=BUCKET, page=page, config={"stage": "dev"})
    assert done.written == ("config.json", "app/main.js", "index.html")
    assert done.removed == ()


def test_browsers_get_types_they_run_and_ask_for_changes(s3: S3Client, page: Path) -> None:
    publish(s3, bucket=BUCKET, page=page, config={"stage": "dev"})
    script, config = (s3.get_object(Bucket=BUCKET, Key=key) for key in ("app/main.js", "config.json"))
    assert script["ContentType"] in ("text/javascript", "application/javascript")
    assert (script["CacheControl"], config["CacheControl"]) == ("no-cache", "no-store")
    assert json.loads(config["Body"].read()) == {"stage": "dev"}


def test_the_files_that_let_apps_claim_links_are_json(s3: S3Client, page: Path) -> None:
    names = (".well-known/apple-app-site-association", ".well-known/assetlinks.json")
    (page / ".well-known").mkdir()
    for name in names:
        (page / name).write_text("{}")
    publish(s3, bucket=BUCKET, page=page, config={})
    assert {s3.get_object(Bucket=BUCKET, Key=name)["ContentType"] for name in names} == {"application/json"}


def test_files_named_by_their_content_are_kept_by_browsers(s3: S3Client, page: Path) -> None:
    (page / "assets").mkdir()
    (page / "assets" / "index-1a2b.js").write_text("export {};")
    publish(s3, bucket=BUCKET, page=page, config={})
    assert "immutable" in s3.get_object(Bucket=BUCKET, Key="assets/index-1a2b.js")["CacheControl"]


def test_files_of_an_older_page_go_last(s3: S3Client, page: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="app/old.js", Body=b"")
    done = publish(s3, bucket=BUCKET, page=page, config={})
    assert done.removed == ("app/old.js",)
    held = {entry.get("Key") for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}
    assert held == {"config.json", "app/main.js", "index.html"}


def test_a_folder_without_a_page_is_refused_before_anything_is_written(s3: S3Client, tmp_path: Path) -> None:
    with pytest.raises(PageNotFoundError):
        publish(s3, bucket=BUCKET, page=tmp_path, config={})
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_the_app_runs_locally_with_a_deployed_stages_environment(recording: Recording) -> None:
    outputs = StackOutputs(recording.exports)
    environment = environment_of(outputs)
    assert Environment.read(environment).aws_region == "eu-central-1"
    assert environment["TOKEN_ISSUER"] == outputs["authority"]


def test_operators_find_everything_in_the_stacks_outputs(recording: Recording) -> None:
    stage = DeployedStage(StackOutputs(recording.exports), boto3.Session(region_name="eu-central-1"))
    assert (stage.context.stage, stage.context.region) == (recording.stage, "eu-central-1")
    query = log_query(stage.context, {"videoId": "1"}, datetime.now(UTC))
    assert '(videoId = "1") and' in query.text
    groups = {group.inputs["name"] for group in recording.of("cloudwatch/logGroup:LogGroup")}
    assert set(query.log_groups) <= groups
    buckets = {bucket.inputs["bucket"] for bucket in recording.of("s3/bucket:Bucket")}
    assert {stage.video_bucket, stage.metadata_bucket} <= buckets
    aliases = {alias.inputs["functionName"] for alias in recording.of("lambda/alias:Alias")}
    assert stage.processing.function.rpartition(":function:")[2].removesuffix(":live") in aliases
    assert stage.user_pool_id
    assert stage.videos.data_key_arn


def test_no_client_pushes_lines_out_of_an_answer_by_telling_progress_under_an_id_of_its_choice(prod: Recording) -> None:
    """An answer holds 10,000 lines, and a client may name any upload."""
    stage = DeployedStage(StackOutputs(prod.exports), boto3.Session(region_name="eu-central-1"))
    queries = [log_query(stage.context, {"videoId": "1", "correlationId": "2"}, datetime.now(UTC)).text]
    saved = [each.inputs for each in prod.of("cloudwatch/queryDefinition:QueryDefinition")]
    queries += [each["queryString"] for each in saved if "/trail" not in "".join(each["logGroupNames"])]
    for page in ("logs", "runbook"):
        text = (PROJECT / "docs" / f"{page}.md").read_text()
        queries += re.findall(r"filter [^`\n]*\b(?:videoId|correlationId) = [^`\n]*", text)
    # One that asks for a single message of the platform's own leaves out all that clients tell.
    queries = [query for query in queries if not re.search(r'^\| filter message = "[a-z ]+"$', query, re.MULTILINE)]
    assert len(queries) >= 4
    for query in queries:
        assert 'message != "progress reported"' in query, query
        alternatives = re.search(r"filter (.*?) and (ispresent|message)", query)
        assert alternatives
        assert " or " not in re.sub(r"\([^)]*\)", "", alternatives[1]), "`and` binds closer than `or`"


def test_a_missing_output_is_named() -> None:
    with pytest.raises(OutputsNotReadableError, match="siteBucket"):
        StackOutputs({})["siteBucket"]


def test_operators_act_in_their_role_under_their_own_name(s3: S3Client, recording: Recording) -> None:
    assert s3  # AWS is mocked
    role_arn = f"arn:aws:iam::{ACCOUNT_ID}:role/operator"
    stage = DeployedStage.opened(StackOutputs({**recording.exports, "operatorRoleArn": role_arn}))
    caller = boto3.client("sts", region_name="eu-central-1").get_caller_identity()["Arn"].rpartition("/")[2]
    acting = stage.session.client("sts").get_caller_identity()["Arn"]
    assert acting == f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/operator/{caller}"


def test_revoking_waits_for_the_longest_access_token(recording: Recording) -> None:
    clients = recording.of("cognito/userPoolClient:UserPoolClient")
    assert {client.inputs["tokenValidityUnits"]["accessToken"] for client in clients} == {"minutes"}
    longest = max(client.inputs["accessTokenValidity"] for client in clients)
    assert timedelta(minutes=longest) == ACCESS_TOKEN_LIFE


@needs_make_install
def test_make_runs_an_operators_command() -> None:
    told = subprocess.run(
        ["make", "-s", "-o", "install", "find-upload", "ARGS=--help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "VIDEO_ID" in told.stdout


ASK_EACH_FOR_HELP = """
import contextlib, io, json, runpy, sys

told = {}
for command in sys.argv[1:]:
    sys.argv[1:] = ["--help"]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            runpy.run_module(f"deploy.{command}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            told[command] = [end.code, out.getvalue()]
json.dump(told, sys.stdout)
"""


@needs_make_install
def test_every_command_starts_without_make() -> None:
    """One interpreter asks them all: most of a start is boto3, which they share."""
    told = subprocess.run(
        [sys.executable, "-c", ASK_EACH_FOR_HELP, *COMMANDS],
        cwd=PROJECT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    answers = json.loads(told.stdout)
    assert list(answers) == COMMANDS
    for command, (code, text) in answers.items():
        assert code in {None, 0}, command
        assert "usage:" in text, command


class FakeLambda:
    """Takes events until `refuses_after` of them."""

    def __init__(self, refuses_after: int) -> None:
        self.refuses_after = refuses_after
        self.taken: list[tuple[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        if len(self.taken) >= self.refuses_after:
            return {"StatusCode": 429}
        assert request["InvocationType"] == "Event"
        self.taken.append((request["FunctionName"], json.loads(request["Payload"])))
        answered_at = format_datetime(datetime.now(UTC), usegmt=True)
        return {"StatusCode": 202, "ResponseMetadata": {"HTTPHeaders": {"date": answered_at}}}


@pytest.fixture
def dead_letter_queue(s3: S3Client) -> tuple[Any, str]:
    """A queue with three failed events, as Lambda's failure destination writes them."""
    assert s3  # AWS is mocked
    sqs = boto3.client("sqs", region_name="us-east-1")
    queue_url = sqs.create_queue(QueueName="failed")["QueueUrl"]
    for number in range(3):
        sqs.send_message(QueueUrl=queue_url, MessageBody=a_failure({"Records": [number]}))
    return sqs, queue_url


def a_failure(event: dict[str, Any]) -> str:
    """Lambda Developer Guide, "Capturing records of Lambda asynchronous invocations"."""
    context = {"functionArn": "processing:live", "condition": "RetriesExhausted"}
    return json.dumps({"requestContext": context, "requestPayload": event})


def left_in(sqs: Any, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(count) for count in counts.values())


def test_failed_events_go_to_their_function_again(dead_letter_queue: tuple[Any, str]) -> None:
    sqs, queue_url = dead_letter_queue
    functions: Any = FakeLambda(refuses_after=100)
    assert redrive(sqs, functions, queue_url=queue_url) == 3
    assert sorted(functions.taken, key=str) == [("processing:live", {"Records": [number]}) for number in range(3)]
    assert left_in(sqs, queue_url) == 0


def test_an_event_that_comes_back_at_once_as_on_a_paused_stage_is_sent_only_once(
    dead_letter_queue: tuple[Any, str],
) -> None:
    sqs, queue_url = dead_letter_queue

    class PausedLambda(FakeLambda):
        def invoke(self, **request: Any) -> dict[str, Any]:
            answer = super().invoke(**request)
            sqs.send_message(QueueUrl=queue_url, MessageBody=a_failure(json.loads(request["Payload"])))
            return answer

    functions: Any = PausedLambda(refuses_after=4)
    with pytest.raises(EventCameBackError) as told:
        redrive(sqs, functions, queue_url=queue_url)
    assert told.value.sent == 3
    assert len(functions.taken) == 3
    assert left_in(sqs, queue_url) == 3


def test_an_event_that_failed_several_times_is_sent_once_and_keeps_none_from_being_sent(
    dead_letter_queue: tuple[Any, str],
) -> None:
    sqs, queue_url = dead_letter_queue
    for _ in range(12):
        sqs.send_message(QueueUrl=queue_url, MessageBody=a_failure({"Records": [0]}))
    time.sleep(1.1)  # what was queued in the very second of the sending may be what came back
    functions: Any = FakeLambda(refuses_after=100)
    assert redrive(sqs, functions, queue_url=queue_url) == 3
    assert len(functions.taken) == 3
    assert left_in(sqs, queue_url) == 0


def test_an_event_that_lambda_does_not_take_stays_in_the_queue(dead_letter_queue: tuple[Any, str]) -> None:
    sqs, queue_url = dead_letter_queue
    functions: Any = FakeLambda(refuses_after=1)
    with pytest.raises(EventRefusedError):
        redrive(sqs, functions, queue_url=queue_url)
    assert left_in(sqs, queue_url) == 2
