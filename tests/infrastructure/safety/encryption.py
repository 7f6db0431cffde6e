"""Safety of keys, and of logs and messages that are encrypted with them."""

from __future__ import annotations

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording
from tests.infrastructure.safety.reading import (
    ACCOUNT_ROOT,
    EVERYONE,
    Violations,
    account_wide_name,
    as_list,
    require,
    require_present,
    require_statement,
    statement,
    statements,
)
from tests.infrastructure.safety.storage import OWN_DISTRIBUTIONS


def keys_that_can_rotate_do(recording: Recording) -> Violations:
    for key in recording.of("kms/key:Key"):
        if key.inputs.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT":
            yield from require(key, enableKeyRotation=True)
        elif key.inputs.get("enableKeyRotation"):
            yield f"{key.name} cannot rotate, and AWS refuses to try"


def keys_trust_the_account_and_named_services(recording: Recording) -> Violations:
    account = {"Sid": "AccountDecides", "Effect": "Allow", "Principal": ACCOUNT_ROOT}
    trail = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT_ID}:trail"
    groups = f"arn:aws:logs:{{region}}:{ACCOUNT_ID}:log-group:*"
    conditions: dict[str, dict[str, dict[str, object]]] = {
        "keys-data": {"CloudFrontReadsEncryptedObjects": dict(OWN_DISTRIBUTIONS)},
        "keys-logs": {
            "LogGroups": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups.format(region="eu-central-1")}},
            "AlarmMessages": {"StringEquals": {"aws:SourceAccount": ACCOUNT_ID}},
        },
        "feature-logs-edge": {
            "LogGroups": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups.format(region="us-east-1")}}
        },
    }
    if recording.stage != "dev":
        own_trail = f"{trail}/{account_wide_name(recording, 'trail')}"
        conditions["keys-logs"]["Trail"] = {"StringEquals": {"aws:SourceArn": own_trail}}
    for key in recording.of("kms/key:Key"):
        allowed = conditions.get(key.name, {})
        if {k: v for k, v in statement(key, "AccountDecides").items() if k in account} != account:
            yield f"{key.name} does not trust the account alone"
        for each in statements(key):
            if each["Sid"] != "AccountDecides" and each.get("Condition") != allowed.get(each["Sid"]):
                yield f"{key.name}: {each['Sid']} under {each.get('Condition')}"
            if each["Sid"] != "AccountDecides" and not _is_service(each["Principal"]):
                yield f"{key.name}: {each['Sid']} lets {each['Principal']} in"
            if each["Sid"] != "AccountDecides" and "kms:*" in as_list(each["Action"]):
                yield f"{key.name}: {each['Sid']} may do everything"
        if missing := set(allowed) - {each["Sid"] for each in statements(key)}:
            yield f"{key.name} keeps out {missing}"


def _is_service(principal: object) -> bool:
    return isinstance(principal, dict) and set(principal) == {"Service"}


def log_groups_are_encrypted_and_kept(recording: Recording) -> Violations:
    days = {"dev": 30, "staging": 365, "prod": 365}[recording.stage]
    for group in recording.of("cloudwatch/logGroup:LogGroup"):
        yield from require_present(group, "kmsKeyId")
        yield from require(group, retentionInDays=days)


def messages_are_encrypted_and_sent_over_tls(recording: Recording) -> Violations:
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    for topic in recording.of("sns/topic:Topic"):
        yield from require_present(topic, "kmsMasterKeyId")
    for queue in recording.of("sqs/queue:Queue"):
        yield from require(queue, sqsManagedSseEnabled=True)
    for kind, many in (
        ("sns/topicPolicy:TopicPolicy", "sns/topic:Topic"),
        ("sqs/queuePolicy:QueuePolicy", "sqs/queue:Queue"),
    ):
        if len(recording.of(kind)) != len(recording.of(many)):
            yield f"not every {many} has a policy"
        for policy in recording.of(kind):
            action = "sqs:*" if "sqs" in kind else "sns:Publish"
            yield from require_statement(
                policy, "NoPlainHttp", Effect="Deny", Principal=EVERYONE, Action=action, Condition=plain
            )
