"""Conformance of the program's requests to AWS's own models: names, lengths, ranges, enums, patterns."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from tests.infrastructure.aws_members import Findings, findings
from tests.infrastructure.aws_operations import NOT_HELD, OPERATIONS
from tests.infrastructure.recorded_program import STAGES, Recorded, Recording, record

LEAST_VALUES = 900


@pytest.fixture(params=(*STAGES, "with a malware scan and renditions"))
def recording(request: pytest.FixtureRequest) -> Recording:
    """Each stage in turn, and what none of them ships."""
    return (
        record(request.param)
        if request.param in STAGES
        else record("dev", overrides={"malwareScan": True, "renditions": True})
    )


def _held(recording: Recording) -> dict[str, Findings]:
    names = {resource.name for resource in recording.resources}
    return {
        f"{resource.type} {resource.name}": findings(resource, OPERATIONS[resource.type], names)
        for resource in recording.resources
        if resource.type in OPERATIONS
    }


def test_every_value_of_a_stage_is_one_that_its_service_takes(recording: Recording) -> None:
    held = _held(recording)
    assert {name: [str(each) for each in found.violations] for name, found in held.items() if found.violations} == {}
    assert sum(found.held for found in held.values()) > LEAST_VALUES


def test_every_property_is_held_against_a_member_or_says_why_not(recording: Recording) -> None:
    assert {name: found.unmapped for name, found in _held(recording).items() if found.unmapped} == {}


def test_every_type_of_the_program_is_held_against_an_operation_or_says_why_not(recording: Recording) -> None:
    types = {resource.type for resource in recording.resources if not resource.type.startswith("pulumi:")}
    assert types - OPERATIONS.keys() - NOT_HELD.keys() == set()
    assert OPERATIONS.keys() & NOT_HELD.keys() == set()


def _changed(resource: Recorded, path: str, value: Any) -> Recorded:
    inputs: Any = copy.copy(resource.inputs)
    *steps, last = path.split(".")
    node = inputs
    for step in steps:
        key: Any = int(step) if step.isdigit() else step
        node[key] = copy.copy(node[key])
        node = node[key]
    assert last in node, f"{resource.type} has no {path} that could be changed"
    node[last] = value
    return replace(resource, inputs=inputs)


@pytest.mark.parametrize(
    ("kind", "path", "value", "constraint"),
    [
        ("lambda/function:Function", "name", "f" * 200, "length less than"),
        ("lambda/function:Function", "name", "video upload", "pattern"),
        ("lambda/function:Function", "memorySize", 127.0, "value greater than"),
        ("lambda/function:Function", "runtime", "python3.99", "enum"),
        ("lambda/function:Function", "tracingConfig.mode", "On", "enum"),
        ("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "maximumEventAgeInSeconds", 59.0, "value"),
        ("cloudwatch/logGroup:LogGroup", "name", "/video:upload", "pattern"),
        ("cloudwatch/logGroup:LogGroup", "name", "g" * 513, "length"),
        ("cloudwatch/metricAlarm:MetricAlarm", "name", "a" * 256, "length"),
        ("cloudwatch/metricAlarm:MetricAlarm", "alarmDescription", "d" * 1025, "length"),
        ("cloudwatch/metricAlarm:MetricAlarm", "comparisonOperator", "GreaterThan", "enum"),
        ("cloudwatch/metricAlarm:MetricAlarm", "evaluationPeriods", 0.0, "value"),
        ("cloudwatch/eventRule:EventRule", "scheduleExpression", "e" * 257, "length"),
        ("cloudwatch/eventRule:EventRule", "state", "ON", "enum"),
        ("iam/role:Role", "name", "r" * 65, "length"),
        ("iam/role:Role", "description", "Signs parts \u2013 and no more", "pattern"),
        ("kms/key:Key", "description", "d" * 8193, "length"),
        ("kms/key:Key", "deletionWindowInDays", 366.0, "value"),
        ("kms/alias:Alias", "name", "alias/video upload", "pattern"),
        ("cognito/userPool:UserPool", "name", "n" * 129, "length"),
        ("cognito/userPool:UserPool", "passwordPolicy.minimumLength", 5.0, "value"),
        ("cognito/userPool:UserPool", "mfaConfiguration", "SOMETIMES", "enum"),
        ("cognito/userPoolClient:UserPoolClient", "name", "a:b", "pattern"),
        ("cognito/userPoolClient:UserPoolClient", "explicitAuthFlows", ["ALLOW_EVERYTHING"], "enum"),
        ("cognito/userPoolDomain:UserPoolDomain", "domain", "Sign.In", "pattern"),
        ("cloudfront/distribution:Distribution", "priceClass", "PriceClass_99", "enum"),
        ("cloudfront/function:Function", "name", "a page", "pattern"),
        ("cloudfront/function:Function", "code", "c" * 40_961, "length"),
        ("wafv2/webAcl:WebAcl", "name", "edge acl", "pattern"),
        ("wafv2/webAcl:WebAcl", "scope", "EDGE", "enum"),
        ("xray/group:Group", "groupName", "g" * 33, "length"),
        ("xray/samplingRule:SamplingRule", "priority", 10_000.0, "value"),
        ("xray/samplingRule:SamplingRule", "fixedRate", 1.5, "value"),
        ("budgets/budget:Budget", "name", "dev:month", "pattern"),
        ("budgets/budget:Budget", "timeUnit", "WEEKLY", "enum"),
        ("appautoscaling/target:Target", "scalableDimension", "lambda:function:Concurrency", "enum"),
        ("ec2/flowLog:FlowLog", "trafficType", "EVERYTHING", "enum"),
        ("ec2/vpcEndpoint:VpcEndpoint", "vpcEndpointType", "Portal", "enum"),
        ("s3/bucketVersioning:BucketVersioning", "versioningConfiguration.status", "On", "enum"),
        ("s3/bucketOwnershipControls:BucketOwnershipControls", "rule.objectOwnership", "Bucket", "enum"),
        ("cloudtrail/trail:Trail", "advancedEventSelectors.0.fieldSelectors", [], "length"),
    ],
)  # fmt: skip
def test_a_value_that_its_service_refuses_is_seen(
    full_prod: Recording, kind: str, path: str, value: Any, constraint: str
) -> None:
    resource = full_prod.of(kind)[0]
    assert findings(resource, OPERATIONS[resource.type], {each.name for each in full_prod.resources}).violations == []
    found = findings(_changed(resource, path, value), OPERATIONS[resource.type])
    assert any(constraint in each.constraint for each in found.violations), found.violations


def test_a_property_that_no_member_takes_is_seen(prod: Recording) -> None:
    resource = prod.of("iam/role:Role")[0]
    mistaken = replace(resource, inputs={**resource.inputs, "boundry": "arn:aws:iam::aws:policy/ReadOnlyAccess"})
    assert findings(mistaken, OPERATIONS[resource.type]).unmapped == ["boundry"]
