"""Commands in the operators' pages are real: targets, options, settings, AWS calls; links lead somewhere."""

from __future__ import annotations

import importlib
import json
import logging
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore import xform_name
from botocore.loaders import Loader

from chalicelib.adapters.emf_meter import EmfMeter
from chalicelib.adapters.json_logs import JsonFormatter
from chalicelib.contract.requests import ProgressBatch
from chalicelib.core import log_context
from chalicelib.core.notification_delivery import QueuedMessage
from chalicelib.core.progress import ProgressLog
from components.api.gateway import ACCESS_LOG_FORMAT
from components.naming import LIVE
from deploy import (
    administrators,
    erase_user,
    find_upload,
    print_environment,
    publish_site,
    rebuild_index,
    redrive,
    remake_rendition,
    replay_event,
    reset_mfa,
    restore_records,
    restore_video,
    revoke_user,
    smoke,
    webhook_secret,
)
from tests.in_memory_platform import platform_in_memory
from tests.infrastructure.recorded_program import PROJECT, Recording

PAGES = [PROJECT / "docs" / name for name in ("runbook.md", "audit.md")]
COMMANDS = (
    *(
        erase_user,
        find_upload,
        print_environment,
        publish_site,
        rebuild_index,
        redrive,
        remake_rendition,
        replay_event,
        reset_mfa,
        restore_records,
        restore_video,
    ),
    *(administrators, revoke_user, smoke, webhook_secret),
)
NOT_OURS = {"install", "costs"}
"""Targets that run nothing of deploy/."""
OF_THE_CLI_ITSELF = {("cloudtrail", "validate-logs"), ("s3", "cp")}
"""Commands that the AWS CLI adds to AWS's calls."""
OF_LAMBDA_ITSELF = {"record.status"}
"""Lambda Telemetry API reference, "platform.report"; at system log level WARN of runs that went wrong only."""
FAILED: dict[str, Any] = {
    "client": "web/1",
    "events": [
        {"event": "uploadState", "state": "failed", "at": 1, "videoId": "f" * 28, "sizeBytes": 1, "sentBytes": 0},
    ],
}
"""A client's report of an upload that fails."""
QUERY_WORDS = {"filter", "fields", "stats", "by", "in", "like", "and", "or", "desc", "asc", "limit"}
GLOBAL_OPTIONS = {"query", "output", "region"}
OPERATIONS = (
    *("Find an upload", "Replay one video's event", "Redrive failed events", "Rotate a webhook's secret"),
    *("Make a rendition again", "Restore a deleted video", "Restore lost records", "Rebuild the index"),
    *("Revoke a user", "Reset a lost device"),
    *("Administrators", "Erase a user", "Pause a stage"),
    *("Roll back", "Rotate the upload token key", "Rotate the origin secret"),
)


def shell_lines(page: Path) -> Iterator[str]:
    """Each command line of the shell blocks, continued lines joined, and each command between backticks."""
    text = page.read_text()
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        yield from (line for line in block.replace("\\\n", " ").splitlines() if line.strip())
    inline = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    for span in re.findall(r"`([^`\n]+)`", inline):
        if re.match(r"(make|aws|pulumi|python|\.venv/bin/python) [a-z-]", span):
            yield span


def words_of_commands(page: Path, program: str) -> Iterator[list[str]]:
    """Words of every call of a program, also inside `$(…)` and after `&&`."""
    for line in shell_lines(page):
        inner = re.findall(rf"\$\(({program} [^()]*)\)", line)
        outer = re.sub(r"\$\([^()]*\)", "INNER", line)
        for call in [*inner, *re.split(r"&&|;", outer)]:
            words = shlex.split(call, comments=True)
            if words and words[0] == program:
                yield words[1:]


def deploy_calls(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Module and arguments of every command of ours that a page names, as make would run it."""
    for words in words_of_commands(page, "make"):
        target, *settings = words
        if target in NOT_OURS:
            continue
        dry = ["make", "-n", "-o", "install", "-o", "web", target, *settings]
        made = subprocess.run(dry, cwd=PROJECT, capture_output=True, text=True, check=False)
        assert made.returncode == 0, f"make {shlex.join(words)}: {made.stderr}"
        (run,) = (line for line in made.stdout.splitlines() if "-m deploy." in line)
        module, _, arguments = run.partition("-m deploy.")[2].partition(" ")
        yield module, shlex.split(arguments.replace("<videoId>", "0" * 28).replace("<", "").replace(">", ""))
    for line in shell_lines(page):
        for module, arguments in re.findall(r"python -m deploy\.(\w+)([^)]*)", line):
            yield module, shlex.split(arguments, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_ours_exists_and_takes_its_options(page: Path) -> None:
    parsed = 0
    for module, arguments in deploy_calls(page):
        command = importlib.import_module(f"deploy.{module}")
        assert command in COMMANDS
        try:
            command.parser().parse_args(arguments)
        except SystemExit:
            pytest.fail(f"{module} does not take {arguments}")
        parsed += 1
    assert parsed >= 10 or page.name != "runbook.md"


def test_every_command_of_ours_is_in_the_runbook() -> None:
    named = {module for module, _ in deploy_calls(PAGES[0])}
    developers = {"print_environment"}
    assert named | developers == {command.__name__.removeprefix("deploy.") for command in COMMANDS}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_aws_command_is_one_with_these_options(page: Path) -> None:
    services = set(boto3.Session().get_available_services())
    loader = Loader()
    looked = 0
    for service, operation, *arguments in words_of_commands(page, "aws"):
        if (service, operation) in OF_THE_CLI_ITSELF:
            continue
        assert service in services | {"s3api"}, service
        model: dict[str, Any] = loader.load_service_model("s3" if service == "s3api" else service, "service-2")
        calls = {xform_name(name, "-"): call for name, call in model["operations"].items()}
        assert operation in calls, f"aws {service} {operation}"
        shape = calls[operation].get("input", {}).get("shape")
        members = model["shapes"][shape]["members"] if shape else {}
        options = {xform_name(member, "-") for member in members} | GLOBAL_OPTIONS
        given = {word.removeprefix("--") for word in arguments if word.startswith("--")}
        assert given <= options, f"aws {service} {operation} knows no {given - options}"
        required = {xform_name(member, "-") for member in (model["shapes"][shape].get("required", []) if shape else [])}
        assert required <= given, f"aws {service} {operation} needs {required - given}"
        looked += 1
    assert looked >= 1


def test_the_alarms_that_call_somebody_are_among_those_that_are_asked_for() -> None:
    """CloudWatch API reference, DescribeAlarms: composite ones only when they are named."""
    asked = [words for words in words_of_commands(PAGES[0], "aws") if words[1] == "describe-alarms"]
    assert asked
    for words in asked:
        assert words[words.index("--alarm-types") + 1 :] == ["MetricAlarm", "CompositeAlarm"]


def test_pausing_a_function_by_hand_takes_its_warm_instances_away_first(full_prod: Recording) -> None:
    """Lambda refuses to reserve less than it has provisioned."""
    assert full_prod.of("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    calls = list(words_of_commands(PAGES[0], "aws"))
    (pause,) = (at for at, words in enumerate(calls) if words[1] == "put-function-concurrency")
    function = calls[pause][calls[pause].index("--function-name") + 1]
    before = ["lambda", "delete-provisioned-concurrency-config", "--function-name", function, "--qualifier", LIVE]
    assert calls[pause - 1] == before


def test_every_setting_that_a_page_changes_exists() -> None:
    settings = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    calls = [words[2:] for page in PAGES for words in words_of_commands(page, "pulumi") if words[:1] == ["config"]]
    changed = [next(word for word in words if not word.startswith("--")) for words in calls]
    assert len(changed) >= 5
    assert {setting.partition("[")[0] for setting in changed} <= set(settings)


def test_every_output_that_a_page_asks_for_is_exported(prod: Recording) -> None:
    asked = {
        words[2] for page in PAGES for words in words_of_commands(page, "pulumi") if words[:2] == ["stack", "output"]
    }
    assert {"userPoolId", "videoBucket"} <= asked
    assert asked <= set(prod.exports)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_log_group_alias_and_queue_that_a_page_names_exists(page: Path, prod: Recording) -> None:
    groups = {group.inputs["name"] for group in prod.of("cloudwatch/logGroup:LogGroup")}
    named = set(re.findall(r"(?:/aws/lambda|/video-upload/prod)/[a-z/-]+(?![a-z/{-]|<)", page.read_text()))
    assert {name for name in named if not name.endswith("-")} <= groups
    functions = {made.inputs["name"] for made in prod.of("lambda/function:Function")}
    called = set(re.findall(r"--function-name (\S+)", page.read_text()))
    assert called <= functions


UNDELIVERABLE = QueuedMessage(
    message_id="m",
    receipt_handle="r",
    queue_arn="arn:aws:sqs:r:a:video-upload-prod-to-gone",
    body="{}",
    receive_count=1,
)


def fields_of_functions(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return the fields of the functions' lines, named as in Logs Insights: nested by a dot, in a list by index."""
    with log_context.invocation(function="janitor", request_id="1", correlation_id="2"):
        log_context.about_upload(owner="3", video_id="4", upload_id="5")
        EmfMeter("prod").record(processing_milliseconds=1)
        try:
            raise ValueError
        except ValueError:
            told = logging.LogRecord("janitor", logging.ERROR, "", 1, "failed", (), sys.exc_info())
        with caplog.at_level(logging.INFO, "chalicelib"):
            platform_in_memory().deliveries.deliver([UNDELIVERABLE])
            ProgressLog(EmfMeter("prod")).write("3", ProgressBatch.parse(FAILED))
        printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        lines = [*printed, *(json.loads(JsonFormatter(stage="prod").format(each)) for each in (told, *caplog.records))]
    return {name for line in lines for name in flattened(line)}


def flattened(value: Any, name: str = "") -> Iterator[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if inner is None:
        yield name
    else:
        for key, each in inner:
            yield from flattened(each, f"{name}.{key}" if name else str(key))


def named_fields(words: list[str]) -> set[str]:
    """Fields that the query of a command names."""
    query = words[words.index("--query-string") + 1]
    bare = re.sub(r'"[^"]*"|\bas \w+|\bsort @?\w+|\bbin\(\w+\)|\bjsonParse\(@message\)', "", query)
    # `unnest` takes entries out of a list: each has the fields of entry 0 of that list.
    for parsed, entry in re.findall(r"unnest \w+\.(\w+) into (\w+)", bare):
        bare = re.sub(rf"\b{entry}\.", f"{parsed}.0.", re.sub(r"unnest \S+ into \w+", "", bare))
    return {name for name in re.findall(r"(?<![@\w.])[a-zA-Z][\w.]*(?!\w*\()", bare) if name not in QUERY_WORDS}


def test_queries_over_the_functions_logs_ask_for_fields_that_are_there(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    known = fields_of_functions(capsys, caplog) | OF_LAMBDA_ITSELF
    asked = 0
    for words in words_of_commands(PAGES[0], "aws"):
        if not any(word.startswith("/aws/lambda/") for word in words):
            continue
        named = named_fields(words)
        assert named <= known, f"no line has {named - known}: {words}"
        asked += 1
    assert asked >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_queries_over_the_apis_access_log_ask_for_fields_that_are_there(page: Path) -> None:
    for words in words_of_commands(page, "aws"):
        if any(word.endswith("/api-access") for word in words):
            assert named_fields(words) <= set(json.loads(ACCESS_LOG_FORMAT))


def test_no_page_takes_the_address_that_api_gateway_sees_for_the_callers() -> None:
    addresses = [name for name, variable in json.loads(ACCESS_LOG_FORMAT).items() if variable.endswith("sourceIp")]
    assert addresses == ["peerIp"]
    for page in PAGES:
        queries = [words for words in words_of_commands(page, "aws") if "--query-string" in words]
        assert not any("peerIp" in named_fields(words) for words in queries)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    """Anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_operation_has_its_section_and_every_alarm_says_the_same_things() -> None:
    sections = PAGES[0].read_text().split("\n## ")[1:]
    headings = [section.partition("\n")[0] for section in sections]
    alarms = [heading for heading in headings if re.fullmatch(r"[a-z-]+", heading)]
    assert headings == [*alarms, *OPERATIONS]
    for section in sections[: len(alarms)]:
        told = re.findall(r"^\*\*(Means|People notice|Look|Fix|Over)", section, re.MULTILINE)
        assert told == ["Means", "People notice", "Look", "Fix", "Over"], section.partition("\n")[0]
