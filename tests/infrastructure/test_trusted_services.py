"""AWS services that the program lets in: only under conditions that they meet, only where the stage has them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.infrastructure.recorded_program import ACCOUNT_ID, STAGES, Recording, record, record_account
from tests.infrastructure.safety.reading import as_list, policies

SOURCE_ARN, SOURCE_ACCOUNT = "aws:SourceArn", "aws:SourceAccount"


@dataclass(frozen=True)
class Caller:
    """sends: condition keys that the service is documented to send; made_by: resource types on whose behalf it calls;
    source: the document."""

    sends: frozenset[str]
    made_by: tuple[str, ...]
    source: str


def sending(*keys: str, made_by: str | tuple[str, ...], source: str) -> Caller:
    return Caller(frozenset(keys), (made_by,) if isinstance(made_by, str) else made_by, source)


OWN_ORIGIN = sending(
    SOURCE_ARN,
    made_by="cloudfront/distribution:Distribution",
    source='CloudFront Developer Guide, "Restrict access to an Amazon S3 origin"',
)
TRAIL, FLOW_LOG = "cloudtrail/trail:Trail", "ec2/flowLog:FlowLog"
ALARMS = ("cloudwatch/metricAlarm:MetricAlarm", "cloudwatch/compositeAlarm:CompositeAlarm")
BUDGET, FUNCTION = "budgets/budget:Budget", "lambda/function:Function"
ENCRYPTED_TOPICS = 'SNS Developer Guide, "Managing Amazon SNS encryption keys and costs"'

CALLERS: dict[tuple[str, str], Caller] = {
    # (service, called service): what the call is documented to carry
    ("cloudfront", "s3"): OWN_ORIGIN,
    ("cloudfront", "kms"): OWN_ORIGIN,
    ("logging.s3", "s3"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by="s3/bucketLogging:BucketLogging",
        source='S3 User Guide, "Enabling Amazon S3 server access logging"',
    ),
    ("cloudtrail", "s3"): sending(
        *(SOURCE_ARN, "s3:x-amz-acl"),
        made_by=TRAIL,
        source='CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"',
    ),
    ("cloudtrail", "kms"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by=TRAIL,
        source='CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail"',
    ),
    ("cloudtrail", "sns"): sending(
        SOURCE_ARN, made_by=TRAIL, source='CloudTrail User Guide, "Amazon SNS topic policy for CloudTrail"'
    ),
    ("cloudtrail", "sts"): sending(
        made_by=TRAIL,
        source='CloudTrail User Guide, "Sending events to CloudWatch Logs": nothing; prowler-cloud/prowler#4714 saw it',
    ),
    ("delivery.logs", "s3"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT, "s3:x-amz-acl"),
        made_by="cloudwatch/logDelivery:LogDelivery",
        source='CloudWatch Logs User Guide, "Logging that requires additional permissions [V2]"',
    ),
    ("logs", "kms"): sending(
        "kms:EncryptionContext:aws:logs:arn",
        made_by="cloudwatch/logGroup:LogGroup",
        source='CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS KMS"',
    ),
    ("cloudwatch", "sns"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by=ALARMS,
        source='SNS Developer Guide, "Example cases for Amazon SNS access control"',
    ),
    ("cloudwatch", "kms"): sending(SOURCE_ARN, SOURCE_ACCOUNT, made_by=ALARMS, source=ENCRYPTED_TOPICS),
    ("budgets", "sns"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by=BUDGET,
        source='AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications"',
    ),
    ("budgets", "kms"): sending(SOURCE_ARN, SOURCE_ACCOUNT, made_by=BUDGET, source=ENCRYPTED_TOPICS),
    ("sns", "sqs"): sending(
        SOURCE_ARN,
        made_by="sns/topicSubscription:TopicSubscription",
        source='SNS Developer Guide, "Subscribing an Amazon SQS queue to an Amazon SNS topic"',
    ),
    ("vpc-flow-logs", "sts"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by=FLOW_LOG,
        source='VPC User Guide, "IAM role for publishing flow logs to CloudWatch Logs"',
    ),
    ("malware-protection-plan.guardduty", "sts"): sending(
        made_by="guardduty/malwareProtectionPlan:MalwareProtectionPlan",
        source='GuardDuty User Guide, "Create or update IAM role policy": its trust policy has no condition',
    ),
    ("mediaconvert", "sts"): sending(
        made_by="mediaconvert/queue:Queue",
        source='MediaConvert User Guide, "Setting up IAM permissions": its trust policy has no condition',
    ),
    ("lambda", "sts"): sending(
        made_by=FUNCTION, source='Lambda Developer Guide, "Defining Lambda function permissions with an execution role"'
    ),
    ("apigateway", "sts"): sending(
        made_by="apigateway/account:Account",
        source='API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs"',
    ),
    ("apigateway", "lambda"): sending(
        SOURCE_ARN,
        made_by="apigateway/restApi:RestApi",
        source='Lambda Developer Guide, "Invoking a Lambda function using an Amazon API Gateway endpoint"',
    ),
    ("s3", "lambda"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by="s3/bucketNotification:BucketNotification",
        source='Lambda Developer Guide, "Process Amazon S3 event notifications with Lambda"',
    ),
    ("events", "lambda"): sending(
        SOURCE_ARN,
        made_by="cloudwatch/eventRule:EventRule",
        source='EventBridge User Guide, "Using resource-based policies for Amazon EventBridge"',
    ),
    ("cognito-idp", "lambda"): sending(
        *(SOURCE_ARN, SOURCE_ACCOUNT),
        made_by="cognito/userPool:UserPool",
        source='Cognito Developer Guide, "Customizing user pool workflows with Lambda triggers"',
    ),
}


@dataclass(frozen=True)
class TrustedService:
    """One service in one statement."""

    where: str
    service: str
    called: str
    conditions: dict[str, Any]

    @property
    def caller(self) -> tuple[str, str]:
        return self.service, self.called


SETTINGS: dict[str, tuple[str, dict[str, object]]] = {
    **{stage: (stage, {}) for stage in STAGES},
    "dev with sign-up by domain": ("dev", {"signUp": "domain", "signUpDomains": ["example.com"]}),
    "dev with a malware scan": ("dev", {"malwareScan": True}),
    "dev with renditions": ("dev", {"renditions": True}),
    "dev with a trail and alarms": ("dev", {"trail": True, "alarms": True}),
    "dev with an event bus": ("dev", {"eventBusName": "videos"}),
    "staging without trail, alarms and network": ("staging", {"trail": False, "alarms": False, "network": False}),
}


ACCOUNT = "the account's own program"
PROGRAMS = (*SETTINGS, ACCOUNT)


@functools.cache
def recorded(program: str) -> Recording:
    if program == ACCOUNT:
        return record_account("eu-central-1", "eu-central-1")
    stage, overrides = SETTINGS[program]
    return record(stage, overrides=overrides)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Recording:
    return recorded(request.param)


def let_in(recording: Recording) -> Iterator[TrustedService]:
    for resource, _, found in policies(recording):
        for each in found:
            principal = each.get("Principal")
            if each["Effect"] == "Allow" and isinstance(principal, dict):
                for service in as_list(principal.get("Service", [])):
                    called = as_list(each["Action"])[0].partition(":")[0]
                    where = f"{resource.name}: {each.get('Sid')}"
                    yield TrustedService(where, short(service), called, each.get("Condition", {}))
    for permission in recording.of("lambda/permission:Permission"):
        asked = {SOURCE_ARN: "sourceArn", SOURCE_ACCOUNT: "sourceAccount"}
        tests = {key: permission.inputs[name] for key, name in asked.items() if permission.inputs.get(name)}
        yield TrustedService(permission.name, short(permission.inputs["principal"]), "lambda", {"StringEquals": tests})


def short(principal: str) -> str:
    """`logs` of `logs.eu-central-1.amazonaws.com`."""
    name = principal.removesuffix(".amazonaws.com")
    return name.removesuffix(".eu-central-1").removesuffix(".us-east-1")


def test_a_service_is_asked_only_for_what_it_is_documented_to_send(program: Recording) -> None:
    never_sent = [
        f"{each.where}: {each.service} does not send {key}"
        for each in let_in(program)
        for tests in each.conditions.values()
        for key in tests
        if key not in CALLERS[each.caller].sends
    ]
    assert never_sent == []


def test_a_service_works_for_this_account_alone_wherever_it_says_for_whom(program: Recording) -> None:
    open_to_all = [
        each.where
        for each in let_in(program)
        if CALLERS[each.caller].sends
        and not any(ACCOUNT_ID in str(value) for tests in each.conditions.values() for value in tests.values())
    ]
    assert open_to_all == []


def test_a_service_is_trusted_only_where_the_stage_has_it(program: Recording) -> None:
    missing = [each.where for each in let_in(program) if not program.of(*CALLERS[each.caller].made_by)]
    assert missing == []


def test_every_row_of_the_table_is_about_somebody() -> None:
    assert {each.caller for program in PROGRAMS for each in let_in(recorded(program))} == set(CALLERS)
