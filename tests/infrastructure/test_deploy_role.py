"""The role that deploys: it may do what the program's types of resources need, and nothing for any other service."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.session import get_session

from deploy.deploy_role import (
    MAX_POLICY_CHARS,
    PREVIEW,
    PROVING,
    PUBLISHING,
    WHY_EVERYTHING,
    main,
    policies,
    preview_policy,
    state_policy,
    trust,
)
from deploy.provider_actions import ACTIONS_BY_TYPE
from tests.infrastructure.recorded_program import Recording, record
from tests.infrastructure.safety.reading import as_list

ACCOUNT_ID = "123456789012"
EVERYTHING_ON = {
    "siteDomain": "video.example.com",
    "siteCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/1a2b",
    "hostedZoneId": "Z1",
    "transferAcceleration": "true",
    "alarmEmails": ["ops@example.com"],
}
SERVICE_MODELS = {
    **{"apigateway": "", "cognito-idp": "cognito-idp"},
    **{"application-autoscaling": "application-autoscaling", "s3": ""},
}
"""Where the model's name differs; "" for services whose actions are not named for their calls."""

PERMISSIONS_WITHOUT_A_CALL = {
    # Service Authorization Reference
    *("budgets:ModifyBudget", "budgets:ViewBudget", "cloudfront:AllowVendedLogDeliveryForResource", "iam:PassRole"),
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
}


def statements() -> Iterator[dict[str, Any]]:
    for policy in policies(ACCOUNT_ID).values():
        yield from policy["Statement"]


def granted() -> set[str]:
    return {action for statement in statements() for action in as_list(statement["Action"])}


@functools.cache
def everything_on() -> Recording:
    return record("prod", overrides=EVERYTHING_ON)


def test_every_type_of_the_program_and_no_other_has_its_actions(
    dev: Recording, staging: Recording, prod: Recording
) -> None:
    recorded = {
        resource.type.removeprefix("aws:")
        for recording in (dev, staging, prod, everything_on())
        for resource in recording.resources
        if resource.type.startswith("aws:")
    }
    assert set(ACTIONS_BY_TYPE) == recorded


def test_the_policies_grant_what_the_types_need_and_no_more() -> None:
    needed = {action for actions in ACTIONS_BY_TYPE.values() for action in actions} | {*PUBLISHING, *PROVING}
    # S3 encrypts the page's files on behalf of whoever publishes them.
    assert granted() == needed | {"kms:GenerateDataKey", "kms:Decrypt"}


def test_every_action_is_one_that_aws_knows() -> None:
    loader: Loader = get_session().get_component("data_loader")
    unknown = {
        action
        for action in granted() - PERMISSIONS_WITHOUT_A_CALL
        if (model := SERVICE_MODELS.get(service := action.partition(":")[0], service))
        and action.partition(":")[2] not in loader.load_service_model(model, "service-2")["operations"]
    }
    assert unknown == set()


def test_nobody_who_deploys_reads_a_video_or_takes_a_foreign_role() -> None:
    assert not {"s3:GetObject", "s3:GetObjectVersion", "sts:AssumeRole", "iam:CreateUser"} & granted()
    passing = next(statement for statement in statements() if statement["Action"] == "iam:PassRole")
    assert passing["Resource"] == f"arn:aws:iam::{ACCOUNT_ID}:role/video-upload-*"
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"]


def test_a_resource_is_everything_only_where_a_reason_stands_beside_it() -> None:
    for statement in statements():
        if statement["Resource"] == "*":
            actions = as_list(statement["Action"])
            service = actions[0].partition(":")[0]
            reasons = {service, f"{service}:account", *actions} & set(WHY_EVERYTHING)
            assert reasons, statement["Sid"]


@pytest.mark.parametrize("name", policies(ACCOUNT_ID))
def test_a_policy_is_as_short_as_iam_wants_it(name: str) -> None:
    text = json.dumps(policies(ACCOUNT_ID)[name])
    assert len("".join(text.split())) <= MAX_POLICY_CHARS


def test_only_one_repositorys_environment_takes_the_role_on() -> None:
    (statement,) = trust(ACCOUNT_ID, "example/videos", "prod")["Statement"]
    assert statement["Condition"]["StringLike"] == {
        "token.actions.githubusercontent.com:sub": "repo:example/videos:environment:prod"
    }
    assert statement["Condition"]["StringEquals"] == {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}


def test_the_programs_own_names_are_those_that_the_policies_name(recording: Recording) -> None:
    named = {
        "s3:CreateBucket": ("s3/bucket:Bucket", "bucket", "arn:aws:s3:::{}"),
        "lambda:CreateFunction": ("lambda/function:Function", "name", "arn:aws:lambda:r:1:function:{}"),
        "iam:CreateRole": ("iam/role:Role", "name", "arn:aws:iam::1:role/{}"),
        "sns:CreateTopic": ("sns/topic:Topic", "name", "arn:aws:sns:r:1:{}"),
        "sqs:CreateQueue": ("sqs/queue:Queue", "name", "arn:aws:sqs:r:1:{}"),
        "events:PutRule": ("cloudwatch/eventRule:EventRule", "name", "arn:aws:events:r:1:rule/{}"),
        "cloudtrail:CreateTrail": ("cloudtrail/trail:Trail", "name", "arn:aws:cloudtrail:r:1:trail/{}"),
        "logs:CreateLogGroup": ("cloudwatch/logGroup:LogGroup", "name", "arn:aws:logs:r:1:log-group:{}"),
        "budgets:ModifyBudget": ("budgets/budget:Budget", "name", "arn:aws:budgets::1:budget/{}"),
        "cloudwatch:PutDashboard": (
            "cloudwatch/dashboard:Dashboard",
            "dashboardName",
            "arn:aws:cloudwatch::1:dashboard/{}",
        ),
    }
    for action, (kind, name, arn) in named.items():
        patterns = [
            pattern.replace(ACCOUNT_ID, "1")
            for statement in statements()
            if action in as_list(statement["Action"])
            for pattern in as_list(statement["Resource"])
        ]
        for resource in recording.of(kind):
            assert any(fnmatchcase(arn.format(resource.inputs[name]), pattern) for pattern in patterns), action
    page = f"arn:aws:s3:::{recording.exports['siteBucket']}/index.html"
    (publish,) = (statement for statement in statements() if statement["Sid"] == "PublishPages")
    assert fnmatchcase(page, publish["Resource"])


def test_a_preview_reads_and_both_roles_reach_the_state(tmp_path: Path) -> None:
    key_arn = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/1"
    bucket = ["--state-bucket", "state", "--state-key", key_arn]
    assert main(["--account", ACCOUNT_ID, "--into", str(tmp_path), *bucket]) == 0
    assert json.loads((tmp_path / "state.json").read_text()) == state_policy("state", key_arn)
    preview = {action for each in preview_policy(ACCOUNT_ID)["Statement"] for action in as_list(each["Action"])}
    assert preview == {"ec2:DescribeAvailabilityZones", "kms:GetPublicKey"}


def test_a_state_bucket_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--account", ACCOUNT_ID, "--into", str(tmp_path), "--state-bucket", "state"])
    assert ended.value.code == 2


def test_the_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--account", ACCOUNT_ID, "--into", str(tmp_path), "--repository", "example/videos", "--stage", "dev"]
    assert main(arguments) == 0
    written = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert written == {
        **policies(ACCOUNT_ID),
        "preview": preview_policy(ACCOUNT_ID),
        "trust": trust(ACCOUNT_ID, "example/videos", "dev"),
        "preview-trust": trust(ACCOUNT_ID, "example/videos", PREVIEW),
    }
    assert len(capsys.readouterr().out.splitlines()) == len(written)
