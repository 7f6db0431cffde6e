"""A paused stage runs no function and keeps none warm, and what goes on costing is known.

Every type of resource is looked at: one that nobody has thought about fails here, and what costs stands in the runbook.
"""

from __future__ import annotations

import functools
import re
from enum import Enum

import pytest

from components.stack_configuration import SettingsError
from tests.infrastructure.every_setting import BILLED_WHILE_IDLE
from tests.infrastructure.recorded_program import PROJECT, STAGES, Recording, record

EVERYTHING_ON = {
    "paused": True,
    "provisionedConcurrency": 0,
    "provisionedConcurrencyMax": 0,
    "signUp": "domain",
    "signUpDomains": ["example.com"],
    "alarmEmails": ["ops@example.com"],
    "network": True,
    "waf": True,
    "dashboard": True,
    "trail": True,
    "trailManagementEvents": True,
    "transferAcceleration": True,
    "machineClient": True,
    "intelligentTiering": True,
    "malwareScan": True,
    "renditions": True,
}
"""Every optional feature of a stage, so that nothing escapes by being switched off."""


class CostKind(Enum):
    """Costs of a paused stage's resource."""

    STOPPED = "by being called, and it is not called"
    BY_THE_MONTH = "the same every month, used or not"
    BY_USE = "by what still reaches it"
    NOTHING = "nothing of its own"


STOPPED = {
    "aws:lambda/function:Function": "reserves no concurrency: Lambda refuses every call",
    "aws:cloudwatch/eventRule:EventRule": "the janitor's rules are disabled; verdicts wait in the dead-letter queue",
    "aws:mediaconvert/queue:Queue": "begins no job that waits; who adds jobs is stopped",
}
"""Types that spend by being called, and how each is stopped; each has its own test below."""

NEVER_THERE = {
    "aws:lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig",
    "aws:appautoscaling/target:Target",
}
"""Types that keep functions warm."""

BY_THE_MONTH = {
    "aws:kms/key:Key",
    "aws:wafv2/webAcl:WebAcl",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "aws:cloudfront/monitoringSubscription:MonitoringSubscription",
    "aws:s3/bucket:Bucket",
}
BY_USE = {
    "aws:cloudfront/distribution:Distribution",
    "aws:cloudfront/function:Function",
    "aws:apigateway/restApi:RestApi",
    "aws:cognito/userPool:UserPool",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/logDelivery:LogDelivery",
    "aws:cloudtrail/trail:Trail",
    "aws:ec2/flowLog:FlowLog",
    "aws:s3/bucketAccelerateConfiguration:BucketAccelerateConfiguration",
    "aws:sqs/queue:Queue",
    "aws:sns/topic:Topic",
    "aws:xray/samplingRule:SamplingRule",
    "aws:guardduty/malwareProtectionPlan:MalwareProtectionPlan",
}
FREE = {
    *("apigateway/account:Account", "apigateway/clientCertificate:ClientCertificate"),
    *("apigateway/deployment:Deployment", "apigateway/methodSettings:MethodSettings"),
    *("apigateway/stage:Stage", "budgets/budget:Budget"),
    *("cloudfront/keyGroup:KeyGroup", "cloudfront/originAccessControl:OriginAccessControl"),
    *("cloudfront/publicKey:PublicKey", "cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"),
    *("cloudwatch/eventTarget:EventTarget", "cloudwatch/logDeliveryDestination:LogDeliveryDestination"),
    *("cloudwatch/logDeliverySource:LogDeliverySource", "cloudwatch/queryDefinition:QueryDefinition"),
    *("cognito/identityProvider:IdentityProvider", "cognito/userGroup:UserGroup"),
    *("cognito/resourceServer:ResourceServer", "cognito/riskConfiguration:RiskConfiguration"),
    *("cognito/userPoolClient:UserPoolClient", "cognito/userPoolDomain:UserPoolDomain"),
    *("ec2/defaultSecurityGroup:DefaultSecurityGroup", "ec2/networkAcl:NetworkAcl", "ec2/routeTable:RouteTable"),
    *("ec2/routeTableAssociation:RouteTableAssociation", "ec2/securityGroup:SecurityGroup", "ec2/subnet:Subnet"),
    *("ec2/vpc:Vpc", "iam/role:Role", "iam/rolePolicy:RolePolicy", "iam/rolePolicyAttachment:RolePolicyAttachment"),
    *("kms/alias:Alias", "lambda/alias:Alias", "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"),
    *("lambda/permission:Permission", "s3/bucketCorsConfiguration:BucketCorsConfiguration"),
    *("s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "s3/bucketLogging:BucketLogging"),
    *("s3/bucketNotification:BucketNotification", "s3/bucketOwnershipControls:BucketOwnershipControls"),
    *("s3/bucketPolicy:BucketPolicy", "s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
    "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    *("s3/bucketVersioning:BucketVersioning", "sns/topicPolicy:TopicPolicy"),
    *("sns/topicSubscription:TopicSubscription", "sqs/queuePolicy:QueuePolicy"),
    *("vpc/securityGroupEgressRule:SecurityGroupEgressRule", "vpc/securityGroupIngressRule:SecurityGroupIngressRule"),
    *("wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "xray/group:Group"),
}


def spending(kind: str) -> CostKind | None:
    """Cost of a type of resource; None for a type without a decision."""
    if kind in STOPPED:
        return CostKind.STOPPED
    if kind in BY_THE_MONTH:
        return CostKind.BY_THE_MONTH
    if kind in BY_USE:
        return CostKind.BY_USE
    return CostKind.NOTHING if kind.removeprefix("aws:") in FREE or kind.startswith("random:") else None


@functools.cache
def _paused(stage: str) -> Recording:
    return record(stage, overrides=EVERYTHING_ON)


@pytest.fixture(params=STAGES)
def paused(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn, with everything a stage may have, paused."""
    return _paused(request.param)


def test_somebody_has_thought_about_every_type_of_resource(paused: Recording) -> None:
    unknown = {resource.type for resource in paused.resources if spending(resource.type) is None}
    assert unknown == set(), "say here, and in the runbook if it costs, what each spends while a stage is paused"


def test_no_function_can_run(paused: Recording) -> None:
    functions = paused.of("lambda/function:Function")
    assert len(functions) == 10
    running = [made.name for made in functions if made.inputs.get("reservedConcurrentExecutions") != 0]
    assert running == []


def test_no_schedule_runs(paused: Recording) -> None:
    scheduled = [rule for rule in paused.of("cloudwatch/eventRule:EventRule") if rule.inputs.get("scheduleExpression")]
    assert [rule.inputs["state"] for rule in scheduled] == ["DISABLED"]


def test_no_conversion_begins(paused: Recording) -> None:
    assert [queue.inputs["status"] for queue in paused.of("mediaconvert/queue:Queue")] == ["PAUSED"]
    assert paused.one("cloudwatch/eventRule:EventRule", "compute-janitor-conversions").inputs["state"] == "DISABLED"


def test_nothing_is_kept_warm_and_nothing_scales(paused: Recording) -> None:
    assert {resource.type for resource in paused.resources} & NEVER_THERE == set()


def test_a_stage_that_keeps_functions_warm_refuses_to_pause_before_it_lets_them_cool() -> None:
    with pytest.raises(SettingsError, match="provisionedConcurrency"):
        record("prod", overrides={**BILLED_WHILE_IDLE, "paused": True})


def test_pausing_is_one_setting_and_loses_nothing() -> None:
    running = record("staging", overrides={**EVERYTHING_ON, "paused": False})
    stopped = _paused("staging")
    gone = running.names() - stopped.names()
    alarms = ("aws:cloudwatch/metricAlarm:", "aws:cloudwatch/compositeAlarm:")
    assert all(name.startswith(alarms) for name in gone), gone
    assert stopped.names() - running.names() == set()
    for kind in ("s3/bucket:Bucket", "kms/key:Key", "cognito/userPool:UserPool"):
        assert {each.name: each.inputs for each in stopped.of(kind)} == {
            each.name: each.inputs for each in running.of(kind)
        }


def test_the_runbook_lists_every_resource_that_still_costs(paused: Recording) -> None:
    section = (PROJECT / "docs" / "runbook.md").read_text().split("\n## Pause a stage\n")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `([A-Za-z]+)`", section, re.MULTILINE))
    costing = {
        resource.type.rpartition(":")[2]
        for resource in paused.resources
        if spending(resource.type) in {CostKind.BY_THE_MONTH, CostKind.BY_USE}
    }
    every_stage = {kind.rpartition(":")[2] for kind in BY_THE_MONTH | BY_USE}
    assert costing <= listed
    assert listed == every_stage


@pytest.mark.parametrize("stage", STAGES)
def test_a_budget_warns_of_what_is_spent_and_of_what_will_be(stage: str) -> None:
    recording = record(stage, overrides={"monthlyBudgetUsd": 321, "alarmEmails": ["ops@example.com"]})
    (budget,) = recording.of("budgets/budget:Budget")
    assert (budget.inputs["limitAmount"], budget.inputs["timeUnit"]) == ("321", "MONTHLY")
    assert budget.inputs["costFilters"] == [{"name": "TagKeyValue", "values": [f"user:Stage${stage}"]}]
    kinds = {each["notificationType"]: each for each in budget.inputs["notifications"]}
    assert set(kinds) == {"ACTUAL", "FORECASTED"}
    topic = recording.one("sns/topic:Topic", "observability-alarms")
    heard = {each.inputs["topic"] for each in recording.of("sns/topicSubscription:TopicSubscription")}
    for each in kinds.values():
        assert each["comparisonOperator"] == "GREATER_THAN"
        assert 0 < each["threshold"] <= 100
        assert [arn.rpartition(":")[2] for arn in each["subscriberSnsTopicArns"]] == [topic.name]
        assert set(each["subscriberSnsTopicArns"]) == heard
