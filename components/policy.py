"""IAM policy documents as data: functions build statements, so that tests can read them as values."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pulumi

Statement = dict[str, Any]
"""One IAM statement. Its ARNs may be outputs that are not known yet."""

PolicyDocument = dict[str, Any]
"""`{"Version", "Statement"}`, the format of IAM, S3, KMS, SNS and SQS."""

Conditions = Mapping[str, Mapping[str, Any]]
Strings = pulumi.Input[str] | Sequence[pulumi.Input[str]]
EVERYONE: dict[str, str] = {"AWS": "*"}
"""Only for a Deny, or for an Allow that a condition narrows to one caller."""


def statement(
    effect: Literal["Allow", "Deny"],
    sid: str,
    *,
    actions: Strings,
    resources: Strings,
    principal: Mapping[str, Strings] | None = None,
    conditions: Conditions | None = None,
) -> Statement:
    """Build a statement. `principal` is omitted in a role's own policy."""
    built: Statement = {"Sid": sid, "Effect": effect, "Action": actions, "Resource": resources}
    if principal is not None:
        built["Principal"] = dict(principal)
    if conditions:
        built["Condition"] = {operator: dict(tests) for operator, tests in conditions.items()}
    return built


allow = functools.partial(statement, "Allow")
deny = functools.partial(statement, "Deny")


def deny_plain_http(actions: Strings, resources: Strings) -> Statement:
    """Deny every request without TLS."""
    return deny(
        "NoPlainHttp",
        principal=EVERYONE,
        actions=actions,
        resources=resources,
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )


def trace() -> Statement:
    """A function's right to report to X-Ray."""
    return allow(
        "Trace",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resources="*",  # X-Ray has no resources to name
    )


def document(*statements: Statement) -> PolicyDocument:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def to_json(policy: PolicyDocument) -> pulumi.Output[str]:
    """The policy as JSON text, once every output in it is known."""
    return pulumi.Output.json_dumps(policy)


def assumed_by(service: str, conditions: Conditions | None = None) -> PolicyDocument:
    """Trust policy: only this AWS service may assume the role, under these conditions."""
    trust: Statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if conditions:
        trust["Condition"] = {operator: dict(tests) for operator, tests in conditions.items()}
    return document(trust)


def from_own_distributions(account_id: str) -> Conditions:
    """Allow only distributions of this account. The distribution is created after its buckets, hence the wildcard.

    The ARN names the account, and origin access control is documented to send no other key: CloudFront Developer Guide,
    "Restrict access to an Amazon S3 origin".
    """
    return {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{account_id}:distribution/*"}}


def alarm_senders(*, alarms: bool) -> list[str]:
    """Services that publish to the alarm topic. Every stage has a budget; not every stage has alarms."""
    return [*(["cloudwatch.amazonaws.com"] if alarms else []), "budgets.amazonaws.com"]
