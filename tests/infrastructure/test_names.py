"""Physical names: AWS takes each of them, and no two stages of an account share one that must be unique."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

import botocore.session
import pytest
import regex

from components.naming import MAX_STAGE_CHARS, REFUSED_IN_STAGE_NAMES
from components.stack_configuration import SettingsError
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording, record

LONGEST_REGION = "ap-southeast-1"
EVERYTHING = {
    "samlProviders": ["acme=https://login.example.com/metadata"],
    "oidcProviders": ["umbrella=https://login.example.org"],
    "oidcClientIds": ["umbrella=client-1"],
    "companyAdministrators": ["acme=groups=video-admins", "umbrella=roles=video.admin"],
    "machineClient": True,
    "signUp": "domain",
    "signUpDomains": ["example.com"],
    "provisionedConcurrency": 1,
    "provisionedConcurrencyMax": 2,
    "threatProtection": "audit",
}
"""Settings under which staging makes every kind of resource that the program knows."""


class Unique(Enum):
    """Scope within which a name is unique."""

    PARENT = "parent"
    REGION = "region"
    ACCOUNT = "account"
    AWS = "AWS"


class Member(NamedTuple):
    """Member of an API's operation, whose length and pattern stand in botocore's model."""

    service: str
    operation: str
    path: tuple[str, ...]


class Rule(NamedTuple):
    """Rule for names of one kind of resource.

    where: what the name is unique in. limit: member of the API, or pattern from the page named beside it.
    """

    property: str
    where: Unique
    limit: Member | str


def member(service: str, operation: str, *path: str) -> Member:
    return Member(service, operation, path)


# CloudFront API Reference gives 64 characters for functions and access controls, and no figure for the other three.
CLOUDFRONT_NAME = r"[a-zA-Z0-9-_]{1,64}"

RULES = {
    # API Reference of CloudWatch, Dimension: the name is a dimension's value.
    "apigateway/restApi:RestApi": Rule("name", Unique.REGION, r".{1,1024}"),
    # API Reference, CreateStage
    "apigateway/stage:Stage": Rule("stageName", Unique.PARENT, r"[A-Za-z0-9-_]{1,128}"),
    # API Reference, PutScalingPolicy: \p{Print}, which Python's patterns do not know
    "appautoscaling/policy:Policy": Rule("name", Unique.PARENT, r"[ -~]{1,256}"),
    # API Reference, Budget: neither colon nor backslash
    "budgets/budget:Budget": Rule("name", Unique.ACCOUNT, r"(?!.*/action/)[^:\\]{1,100}"),
    "cloudfront/function:Function": Rule("name", Unique.ACCOUNT, member("cloudfront", "CreateFunction", "Name")),
    "cloudfront/keyGroup:KeyGroup": Rule("name", Unique.ACCOUNT, CLOUDFRONT_NAME),
    "cloudfront/originAccessControl:OriginAccessControl": Rule("name", Unique.ACCOUNT, CLOUDFRONT_NAME),
    "cloudfront/publicKey:PublicKey": Rule("name", Unique.ACCOUNT, CLOUDFRONT_NAME),
    "cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": Rule("name", Unique.ACCOUNT, CLOUDFRONT_NAME),
    # API Reference, CreateTrail; a trail of all regions takes its name in each of them.
    "cloudtrail/trail:Trail": Rule("name", Unique.ACCOUNT, r"(?=.{3,128}$)[a-zA-Z0-9]+([-._][a-zA-Z0-9]+)*"),
    "cloudwatch/compositeAlarm:CompositeAlarm": Rule(
        "alarmName", Unique.REGION, member("cloudwatch", "PutCompositeAlarm", "AlarmName")
    ),
    # API Reference, PutDashboard; a dashboard's ARN has no region.
    "cloudwatch/dashboard:Dashboard": Rule("dashboardName", Unique.ACCOUNT, r"[A-Za-z0-9-_]{1,255}"),
    "cloudwatch/eventRule:EventRule": Rule("name", Unique.REGION, member("events", "PutRule", "Name")),
    "cloudwatch/logDeliveryDestination:LogDeliveryDestination": Rule(
        "name", Unique.REGION, member("logs", "PutDeliveryDestination", "name")
    ),
    "cloudwatch/logDeliverySource:LogDeliverySource": Rule(
        "name", Unique.REGION, member("logs", "PutDeliverySource", "name")
    ),
    "cloudwatch/logGroup:LogGroup": Rule("name", Unique.REGION, member("logs", "CreateLogGroup", "logGroupName")),
    "cloudwatch/metricAlarm:MetricAlarm": Rule(
        "name", Unique.REGION, member("cloudwatch", "PutMetricAlarm", "AlarmName")
    ),
    "cloudwatch/queryDefinition:QueryDefinition": Rule(
        "name", Unique.REGION, member("logs", "PutQueryDefinition", "name")
    ),
    "cognito/identityProvider:IdentityProvider": Rule("providerName", Unique.PARENT, r"[^_\s][^\s][^_\s]{1,30}"),
    "cognito/resourceServer:ResourceServer": Rule(
        "name", Unique.PARENT, member("cognito-idp", "CreateResourceServer", "Name")
    ),
    "cognito/userGroup:UserGroup": Rule("name", Unique.PARENT, member("cognito-idp", "CreateGroup", "GroupName")),
    "cognito/userPool:UserPool": Rule("name", Unique.REGION, member("cognito-idp", "CreateUserPool", "PoolName")),
    "cognito/userPoolClient:UserPoolClient": Rule(
        "name", Unique.PARENT, member("cognito-idp", "CreateUserPoolClient", "ClientName")
    ),
    # Unique among all accounts of a region.
    "cognito/userPoolDomain:UserPoolDomain": Rule(
        "domain", Unique.REGION, member("cognito-idp", "CreateUserPoolDomain", "Domain")
    ),
    # API Reference, CreateSecurityGroup
    "ec2/securityGroup:SecurityGroup": Rule("name", Unique.PARENT, r"(?!sg-)[\w ._:/()#,@\[\]+=&;{}!$*-]{1,255}"),
    "iam/role:Role": Rule("name", Unique.ACCOUNT, member("iam", "CreateRole", "RoleName")),
    "kms/alias:Alias": Rule("name", Unique.REGION, member("kms", "CreateAlias", "AliasName")),
    "lambda/alias:Alias": Rule("name", Unique.PARENT, member("lambda", "CreateAlias", "Name")),
    # API Reference, CreateFunction
    "lambda/function:Function": Rule("name", Unique.REGION, r"[a-zA-Z0-9-_]{1,64}"),
    # S3 User Guide, "General purpose bucket naming rules"
    "s3/bucket:Bucket": Rule("bucket", Unique.AWS, r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"),
    "sns/topic:Topic": Rule("name", Unique.REGION, r"[A-Za-z0-9-_]{1,256}"),  # API Reference, CreateTopic
    "sqs/queue:Queue": Rule("name", Unique.REGION, r"[A-Za-z0-9-_]{1,80}"),  # API Reference, CreateQueue
    "wafv2/webAcl:WebAcl": Rule("name", Unique.REGION, member("wafv2", "CreateWebACL", "Name")),
    "xray/group:Group": Rule("groupName", Unique.REGION, member("xray", "CreateGroup", "GroupName")),
    "xray/samplingRule:SamplingRule": Rule(
        "ruleName", Unique.REGION, member("xray", "CreateSamplingRule", "SamplingRule", "RuleName")
    ),
}

NAMES_OF_OTHERS = {
    "functionName",
    "logGroupName",
    "snsTopicName",
    "s3BucketName",
    "deliverySourceName",
    "serviceName",
    "stageName",
}
"""Properties that name a resource by which a rule of this table holds already."""


@functools.cache
def everything(stage: str, region: str) -> Recording:
    """A stage with staging's settings and more, wherever it is."""
    return record(stage, overrides={**EVERYTHING, "aws:region": region}, settings_of="staging")


def names_of(recording: Recording) -> Iterator[tuple[Recorded, Rule, str]]:
    for resource in recording.resources:
        if rule := RULES.get(resource.type.removeprefix("aws:")):
            yield resource, rule, resource.inputs[rule.property]


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@functools.cache
def _limits(limit: Member | str) -> tuple[str, int, int]:
    """Pattern, shortest and longest name."""
    if isinstance(limit, str):
        return limit, 0, 10_000
    shape: Any = _session().get_service_model(limit.service).operation_model(limit.operation).input_shape
    for step in limit.path:
        shape = shape.members[step]
    found: dict[str, Any] = shape.metadata
    return found.get("pattern", ".*"), found["min"], found["max"]


def refused(recording: Recording) -> set[str]:
    """Names that AWS refuses."""
    found = set[str]()
    for resource, rule, name in names_of(recording):
        pattern, shortest, longest = _limits(rule.limit)
        if (
            not regex.fullmatch(pattern.removeprefix("^").removesuffix("$"), name)
            or not shortest <= len(name) <= longest
        ):
            found.add(f"{resource.type}: {name}")
    return found


def test_every_name_of_a_stage_falls_under_a_rule() -> None:
    recording = everything("ada", "eu-central-1")
    assert {resource.type.removeprefix("aws:") for resource, _, _ in names_of(recording)} == set(RULES)
    named = {
        (resource.type.removeprefix("aws:"), key)
        for resource in recording.resources
        for key, value in resource.inputs.items()
        if re.search("(?i)name$", key) and isinstance(value, str) and key not in NAMES_OF_OTHERS
    }
    assert named <= {(kind, rule.property) for kind, rule in RULES.items()}


def test_the_longest_stage_name_in_the_longest_region_fits_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    regions = _session().get_available_regions("ec2", "aws")
    assert len(LONGEST_REGION) == max(map(len, regions))
    assert not refused(everything("a" * MAX_STAGE_CHARS, LONGEST_REGION))

    monkeypatch.setattr("components.naming.MAX_STAGE_CHARS", MAX_STAGE_CHARS + 1)
    assert refused(everything("a" * (MAX_STAGE_CHARS + 1), LONGEST_REGION)) == {
        f"aws:iam/role:Role: video-upload-{'a' * (MAX_STAGE_CHARS + 1)}-upload-token-authorizer-{LONGEST_REGION}"
    }


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        ("a" * (MAX_STAGE_CHARS + 1), f"1 to {MAX_STAGE_CHARS} small letters"),
        ("Ada", "small letters"),
        ("dev-2", "small letters"),
        ("dev.2", "small letters"),
        ("dev_2", "small letters"),
        ("2nd", "a letter first"),
        ("local", "on one machine"),
        *((f"my{word}", word) for word in REFUSED_IN_STAGE_NAMES),
    ],
)
def test_a_stack_whose_name_aws_would_refuse_somewhere_is_refused_by_name(stage: str, reason: str) -> None:
    with pytest.raises(SettingsError) as caught:
        record(stage)
    assert set(dict(caught.value.problems)) == {"stack"}
    assert reason in dict(caught.value.problems)["stack"]


def test_stages_and_regions_of_an_account_share_no_name() -> None:
    taken: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for stage in ("ada", "dev"):
        for region in ("eu-central-1", "us-east-1"):
            for resource, rule, name in names_of(everything(stage, region)):
                where = (resource.region or region) if rule.where is Unique.REGION else ""
                if rule.where is not Unique.PARENT:
                    taken[resource.type, where, name].append(f"{stage} in {region}: {resource.name}")
    assert {name: users for name, users in taken.items() if len(users) > 1} == {}


def test_names_that_all_accounts_share_hold_the_account() -> None:
    for resource, rule, name in names_of(everything("ada", "eu-central-1")):
        if rule.where is Unique.AWS or resource.type.endswith(":UserPoolDomain"):
            assert ACCOUNT_ID in name
