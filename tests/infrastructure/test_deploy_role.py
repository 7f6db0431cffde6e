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

from components.policy import PolicyDocument
from deploy.deploy_role import (
    DEPLOYING,
    GITHUB,
    MAX_POLICY_CHARS,
    PREVIEW,
    PROVING,
    PUBLISHING,
    WHY_EVERYTHING,
    main,
    policies,
    preview_policy,
    preview_state_policy,
    state_policy,
    trust,
)
from deploy.provider_actions import ACTIONS_BY_TYPE
from tests.infrastructure.every_setting import BILLED_WHILE_IDLE
from tests.infrastructure.policy_evaluation import Call, is_allowed
from tests.infrastructure.recorded_program import Recording, record
from tests.infrastructure.safety.reading import as_list

ACCOUNT_ID = "123456789012"
EVERYTHING_ON = {
    **BILLED_WHILE_IDLE,
    "samlProviders": ["acme=https://login.example.com/metadata"],
    "oidcProviders": ["umbrella=https://login.example.org"],
    "oidcClientIds": ["umbrella=client-1"],
    "companyAdministrators": ["acme=groups=video-admins", "umbrella=roles=video.admin"],
    "siteDomain": "video.example.com",
    "siteCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/1a2b",
    "hostedZoneId": "Z1",
    "transferAcceleration": "true",
    "malwareScan": "true",
    "renditions": "true",
    "eventBusName": "videos",
    "alarmEmails": ["ops@example.com"],
}
SERVICE_MODELS = {
    **{"apigateway": "", "cognito-idp": "cognito-idp"},
    **{"application-autoscaling": "application-autoscaling", "s3": ""},
}
"""Model names by action prefix, where the two differ; "" for services whose actions are not named for their calls."""

PERMISSIONS_WITHOUT_A_CALL = {
    # Service Authorization Reference
    *("budgets:ModifyBudget", "budgets:ViewBudget", "cloudfront:AllowVendedLogDeliveryForResource", "iam:PassRole"),
    *("logs:CreateLogDelivery", "logs:GetLogDelivery", "logs:UpdateLogDelivery", "logs:DeleteLogDelivery"),
}


def statements() -> Iterator[dict[str, Any]]:
    """All that allow something."""
    for policy in policies(ACCOUNT_ID).values():
        yield from (statement for statement in policy["Statement"] if statement["Effect"] == "Allow")


STATE_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/state"
DEPLOY_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/deploys-video-upload"
PREVIEW_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/previews-video-upload"


def may_deploy(action: str, resource: str, context: dict[str, str] | None = None) -> bool:
    held = [*policies(ACCOUNT_ID).values(), state_policy("state", STATE_KEY)]
    call = Call(principal=DEPLOY_ROLE, action=action, resource=resource, context=context or {})
    return is_allowed(call, [policy["Statement"] for policy in held])


def may_preview(action: str, resource: str, context: dict[str, str] | None = None) -> bool:
    held = [preview_policy(ACCOUNT_ID), preview_state_policy("state", STATE_KEY)]
    call = Call(principal=PREVIEW_ROLE, action=action, resource=resource, context=context or {})
    return is_allowed(call, [policy["Statement"] for policy in held])


def takes_on(policy: PolicyDocument, subject: str, audience: str = "sts.amazonaws.com") -> bool:
    """Return whether GitHub's token with this subject meets the conditions of the role's only trust statement."""
    (statement,) = policy["Statement"]
    rules = {"Effect": "Allow", "Action": statement["Action"], "Resource": "*", "Condition": statement["Condition"]}
    token = {f"{GITHUB}:sub": subject, f"{GITHUB}:aud": audience}
    call = Call(principal=DEPLOY_ROLE, action=statement["Action"], resource=DEPLOY_ROLE, context=token)
    return is_allowed(call, [[rules]])


def written_trust(folder: Path, *arguments: str) -> dict[str, PolicyDocument]:
    assert main(["--account", ACCOUNT_ID, "--into", str(folder), *arguments]) == 0
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in ("trust", "preview-trust")}


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
    # S3 encrypts the page's files on behalf of their publisher.
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


PREFIXES = {"repo:example/videos": "example/videos", "repo:example@1234/videos@5678": "example@1234/videos@5678"}
"""Beginnings of the subjects that GitHub sends: of repositories made before July 2026, and of those made since."""


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("is_short", [True, False])
def test_only_the_repositorys_deploying_environments_take_the_role_on(
    tmp_path: Path, prefix: str, *, is_short: bool
) -> None:
    made = written_trust(tmp_path, "--repository", PREFIXES[prefix] if is_short else prefix)
    for environment in DEPLOYING:
        subject = f"{prefix}:environment:{environment}"
        assert takes_on(made["trust"], subject)
        assert not takes_on(made["trust"], subject, "sts.example.com")
        assert not takes_on(made["preview-trust"], subject)
    assert takes_on(made["preview-trust"], f"{prefix}:environment:preview")
    for subject in (
        *(f"{prefix}:environment:preview", f"{prefix}:environment:made-up", f"{prefix}:ref:refs/heads/main"),
        *(f"{prefix}:pull_request", "repo:example/other:environment:prod", "repo:foreign/videos:environment:prod"),
        "repo:example@1234/videos@9999:environment:prod",
    ):
        assert not takes_on(made["trust"], subject), subject


def test_the_role_of_one_environment_is_refused_to_another(tmp_path: Path) -> None:
    made = written_trust(tmp_path, "--repository", "example/videos", "--environments", "prod")
    assert takes_on(made["trust"], "repo:example/videos:environment:prod")
    assert not takes_on(made["trust"], "repo:example/videos:environment:dev")


@pytest.mark.parametrize(
    "arguments",
    [
        *(["--repository", each] for each in ("videos", "example/*", "example/v?", "*/videos", "a/b:ref:*", "repo:")),
        *(["--repository", each] for each in ("example@1234/videos", "example/videos@5678", "example@x/videos@y", "")),
        *(["--repository", "a/b", "--environments", each] for each in ("preview", "*", "prod*", "Prod", "")),
        ["--repository", "a/b", "--environments"],
    ],
    ids=" ".join,
)
def test_a_repository_or_environment_that_lets_in_more_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--account", ACCOUNT_ID, "--into", str(tmp_path), *arguments])
    assert ended.value.code == 2


FOREIGN_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/foreign"
ASKED_FOR = {"aws:RequestTag/Product": "video-upload"}
OWN = {"aws:ResourceTag/Product": "video-upload"}


def test_a_key_gets_the_products_tag_when_it_is_made_and_no_foreign_key_gets_it() -> None:
    for action in ("kms:CreateKey", "kms:TagResource"):
        assert may_deploy(action, "*", ASKED_FOR), action
    assert may_deploy("kms:TagResource", FOREIGN_KEY, ASKED_FOR | OWN | {"kms:ResourceAliases": "alias/video-upload-x"})
    for foreign in ({"aws:ResourceTag/Product": "payroll"}, {"kms:ResourceAliases": "alias/payroll"}):
        assert not may_deploy("kms:TagResource", FOREIGN_KEY, ASKED_FOR | foreign), foreign
    assert not may_deploy("kms:TagResource", FOREIGN_KEY, {})


def test_the_states_key_is_used_and_never_managed() -> None:
    for action in ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey"):
        assert may_deploy(action, STATE_KEY), action
    for action in ("kms:TagResource", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:UpdateAlias"):
        # Even if somebody else has given it the product's tag.
        assert may_deploy(action, FOREIGN_KEY, ASKED_FOR | OWN), action
        assert not may_deploy(action, STATE_KEY, ASKED_FOR | OWN), action


def test_the_accounts_own_settings_of_api_gateway_stay_as_they_are() -> None:
    api = "arn:aws:apigateway:eu-central-1::/restapis/a1"
    assert may_deploy("apigateway:PATCH", api)
    assert not may_deploy("apigateway:PATCH", "arn:aws:apigateway:eu-central-1::/account")


def test_a_preview_reads_the_state_and_changes_none() -> None:
    state = "arn:aws:s3:::state/.pulumi/stacks/video-upload-platform/prod.json"
    assert may_preview("s3:ListBucket", "arn:aws:s3:::state")
    assert may_preview("s3:GetObject", state)
    assert may_preview("kms:Decrypt", STATE_KEY)
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert may_deploy(action, state)
        assert not may_preview(action, state), action
    for action in ("kms:Encrypt", "kms:GenerateDataKey"):
        assert not may_preview(action, STATE_KEY), action


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
    bucket = ["--state-bucket", "state", "--state-key", STATE_KEY]
    assert main(["--account", ACCOUNT_ID, "--into", str(tmp_path), *bucket]) == 0
    assert json.loads((tmp_path / "state.json").read_text()) == state_policy("state", STATE_KEY)
    assert json.loads((tmp_path / "preview-state.json").read_text()) == preview_state_policy("state", STATE_KEY)
    preview = {action for each in preview_policy(ACCOUNT_ID)["Statement"] for action in as_list(each["Action"])}
    assert preview == {"ec2:DescribeAvailabilityZones", "kms:GetPublicKey", "ssm:GetParameter"}


def test_a_state_bucket_without_its_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--account", ACCOUNT_ID, "--into", str(tmp_path), "--state-bucket", "state"])
    assert ended.value.code == 2


def test_the_files_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--account", ACCOUNT_ID, "--into", str(tmp_path), "--repository", "example/videos"]
    assert main(arguments) == 0
    written = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert written == {
        **policies(ACCOUNT_ID),
        "preview": preview_policy(ACCOUNT_ID),
        "trust": trust(ACCOUNT_ID, "repo:example/videos", DEPLOYING),
        "preview-trust": trust(ACCOUNT_ID, "repo:example/videos", [PREVIEW]),
    }
    assert len(capsys.readouterr().out.splitlines()) == len(written)
