"""Safety of the malware scan: who scans what, who tells of it, and what each of them may do."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording
from tests.infrastructure.safety.reading import (
    Violations,
    as_list,
    bucket_arn,
    bucket_name,
    policy_of,
    require,
    statements,
    variables,
)

PLAN = "guardduty/malwareProtectionPlan:MalwareProtectionPlan"
MANAGED_RULES = f"arn:aws:events:eu-central-1:{ACCOUNT_ID}:rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3*"
"""Rules of GuardDuty's own in this account, whose names it chooses."""
SCANNER_ACTIONS = {
    *("events:PutRule", "events:DeleteRule", "events:PutTargets", "events:RemoveTargets"),
    *("events:DescribeRule", "events:ListTargetsByRule", "s3:GetBucketNotification", "s3:PutBucketNotification"),
    *("s3:ListBucket", "s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "kms:GenerateDataKey", "kms:Decrypt"),
}


def is_scanned(recording: Recording) -> bool:
    return variables(recording, "video_processing")["MALWARE_SCAN"] == "true"


def videos_are_scanned_where_the_setting_says_so(recording: Recording) -> Violations:
    plans = recording.of(PLAN)
    if not is_scanned(recording):
        yield from (f"{plan.name} scans what nobody waits for" for plan in plans)
        return
    (plan,) = plans
    yield from require(
        plan,
        protectedResource={"s3Bucket": {"bucketName": bucket_name(recording, "videos"), "objectPrefixes": ["videos/"]}},
        actions=[{"taggings": [{"status": "DISABLED"}]}],  # its tags would replace our verdict
    )


def an_update_leaves_the_scanner_its_events(recording: Recording) -> Violations:
    notification = recording.one("s3/bucketNotification:BucketNotification", "compute-videos")
    yield from require(notification, eventbridge=is_scanned(recording))
    for other in recording.of("s3/bucketNotification:BucketNotification"):
        if other is not notification:
            yield from require(other, eventbridge=False)


def the_scanner_reads_videos_and_no_more(recording: Recording) -> Violations:
    roles = [role for role in recording.of("iam/rolePolicy:RolePolicy") if role.name == "scanning-scanner"]
    if len(roles) != is_scanned(recording):
        yield f"{len(roles)} roles of the scanner"
    for role in roles:
        granted = {action for each in statements(role) for action in as_list(each["Action"])}
        if granted != SCANNER_ACTIONS:
            yield f"{role.name}: {granted ^ SCANNER_ACTIONS}"
        yield from _reach(role, recording)


def _reach(role: Recorded, recording: Recording) -> Iterator[str]:
    bucket = bucket_arn(recording, "videos")
    wanted = {
        "ManageOwnRule": MANAGED_RULES,
        "SeeOwnRule": MANAGED_RULES,
        "HearOfNewObjects": bucket,
        "CheckOwner": bucket,
        "ProveAccess": f"{bucket}/malware-protection-resource-validation-object",
        "ReadVideos": f"{bucket}/videos/*",
        "S3UsesDataKey": f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-data",
    }
    reached = {each["Sid"]: each["Resource"] for each in policy_of(role)["Statement"]}
    if reached != wanted:
        yield f"{role.name} reaches {reached}"
    managed = {"StringEquals": {"events:ManagedBy": "malware-protection-plan.guardduty.amazonaws.com"}}
    for each in statements(role):
        if each["Sid"] == "ManageOwnRule" and each.get("Condition") != managed:
            yield f"{role.name} changes rules that are not GuardDuty's"


def verdicts_come_from_guardduty_about_this_bucket_alone(recording: Recording) -> Violations:
    rules = [rule for rule in recording.of("cloudwatch/eventRule:EventRule") if rule.name == "compute-scan_verdict"]
    if len(rules) != is_scanned(recording):
        yield f"{len(rules)} rules for verdicts"
    for rule in rules:
        pattern = json.loads(rule.inputs["eventPattern"])
        # Only AWS's services may send events whose source begins with `aws.`.
        if pattern != {
            "source": ["aws.guardduty"],
            "detail-type": ["GuardDuty Malware Protection Object Scan Result"],
            "detail": {"s3ObjectDetails": {"bucketName": [bucket_name(recording, "videos")]}},
        }:
            yield f"{rule.name} takes {pattern}"
        yield from require(rule, state=None)
