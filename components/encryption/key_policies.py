"""Key policies: which principal may use which KMS key. In a key's policy the resource `*` is that key."""

from __future__ import annotations

from components import policy
from components.naming import StageNames
from components.settings import ObservabilitySettings


def account_key_policy(context: StageNames) -> policy.PolicyDocument:
    """Delegate access to the account's IAM policies. If the key named roles, role and key would wait for each other."""
    return policy.document(_account_statement(context))


def data_key_policy(context: StageNames) -> policy.PolicyDocument:
    """Allow the account, and CloudFront for reading from this account's buckets."""
    return policy.document(
        _account_statement(context),
        policy.allow(
            "CloudFrontReadsEncryptedObjects",
            principal={"Service": "cloudfront.amazonaws.com"},
            actions="kms:Decrypt",
            resources="*",  # in a key policy: this key
            conditions=policy.from_own_distributions(context.account_id),
        ),
    )


def log_key_policy(context: StageNames, observability: ObservabilitySettings) -> policy.PolicyDocument:
    """Allow the account, and the services that write logs or send messages for this stage."""
    statements = [
        _account_statement(context),
        policy.allow(
            "LogGroups",
            principal={"Service": f"logs.{context.region}.amazonaws.com"},
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            resources="*",  # in a key policy: this key
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": context.arn("logs", "log-group:*")}},
        ),
        policy.allow(
            "AlarmMessages",
            principal={"Service": policy.alarm_senders(alarms=observability.alarms)},
            actions=["kms:GenerateDataKey*", "kms:Decrypt"],
            resources="*",  # in a key policy: this key
            conditions={"StringEquals": {"aws:SourceAccount": context.account_id}},
        ),
    ]
    if observability.trail:
        statements.append(
            policy.allow(
                "Trail",
                principal={"Service": "cloudtrail.amazonaws.com"},
                # Decrypt is for the topic that announces the trail's files.
                actions=["kms:GenerateDataKey*", "kms:Decrypt", "kms:DescribeKey"],
                resources="*",  # in a key policy: this key
                conditions={"StringEquals": {"aws:SourceArn": context.trail_arn}},
            )
        )
    return policy.document(*statements)


def _account_statement(context: StageNames) -> policy.Statement:
    return policy.allow(
        "AccountDecides",
        principal={"AWS": context.account_root},
        actions="kms:*",
        resources="*",  # in a key policy: this key
    )
