"""Safety of conversions: who has videos converted, what the converter reads and writes, and who tells of its end."""

from __future__ import annotations

import json

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording
from tests.infrastructure.safety.reading import (
    Violations,
    bucket_arn,
    policy_of,
    require,
    require_statement,
    statements,
)
from tests.infrastructure.safety.storage import makes_renditions

JOBS = f"arn:aws:mediaconvert:eu-central-1:{ACCOUNT_ID}:jobs/*"
"""Jobs are named by MediaConvert; a tag tells the stage."""


def queue_arn(recording: Recording) -> str:
    return f"arn:aws:mediaconvert:eu-central-1:{ACCOUNT_ID}:queues/video-upload-{recording.stage}-renditions"


def the_queue_is_there_where_renditions_are_made(recording: Recording) -> Violations:
    queues = recording.of("mediaconvert/queue:Queue")
    if len(queues) != makes_renditions(recording):
        yield f"{len(queues)} queues"
    for queue in queues:
        # A reserved queue costs by the month.
        yield from require(queue, name=queue_arn(recording).rpartition("/")[2], pricingPlan=None, status="ACTIVE")


def the_converter_reads_videos_and_writes_renditions_and_no_more(recording: Recording) -> Violations:
    roles = [role for role in recording.of("iam/rolePolicy:RolePolicy") if role.name == "conversion-converter"]
    if len(roles) != makes_renditions(recording):
        yield f"{len(roles)} roles of the converter"
    bucket = bucket_arn(recording, "videos")
    wanted = {
        "ReadVideos": ("s3:GetObject", f"{bucket}/videos/*"),
        "WriteRenditions": ("s3:PutObject", f"{bucket}/renditions/*"),
        "S3UsesDataKey": (
            ["kms:GenerateDataKey", "kms:Decrypt"],
            f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-data",
        ),
    }
    for role in roles:
        reached = {each["Sid"]: (each["Action"], each["Resource"]) for each in policy_of(role)["Statement"]}
        if reached != wanted:
            yield f"{role.name} reaches {reached}"


def nobody_exempts_the_converter_from_the_verdict(recording: Recording) -> Violations:
    """Its input is accepted already; what it writes is read by processing, which accepts it."""
    text = json.dumps(policy_of(recording.one("s3/bucketPolicy:BucketPolicy", "storage-videos")))
    if "converter" in text:
        yield "the video bucket's policy names the converter"


def the_janitor_has_this_stages_videos_converted_alone(recording: Recording) -> Violations:
    for role in recording.of("iam/rolePolicy:RolePolicy"):
        asked = [each for each in statements(role) if "mediaconvert:" in json.dumps(each["Action"])]
        if bool(asked) != (makes_renditions(recording) and role.name in {"compute-janitor", "operators-operator"}):
            yield f"{role.name}: {[each['Sid'] for each in asked]}"
        for each in asked:
            tag = "RequestTag" if each["Sid"] == "TagConversions" else "ResourceTag"
            is_ours = each.get("Condition") == {"StringEquals": {f"aws:{tag}/Stage": recording.stage}}
            if each["Resource"] != queue_arn(recording) and not (each["Resource"] == JOBS and is_ours):
                yield f"{role.name}: {each['Sid']} reaches {each['Resource']} under {each.get('Condition')}"
    if makes_renditions(recording):
        yield from require_statement(
            recording.one("iam/rolePolicy:RolePolicy", "compute-janitor"),
            "PassConverterRole",
            Action="iam:PassRole",
            Resource=f"arn:aws:iam::{ACCOUNT_ID}:role/video-upload-{recording.stage}-converter-eu-central-1",
            Condition={"StringEquals": {"iam:PassedToService": "mediaconvert.amazonaws.com"}},
        )


def ends_of_conversions_come_from_this_queue_alone(recording: Recording) -> Violations:
    rules = [
        rule for rule in recording.of("cloudwatch/eventRule:EventRule") if rule.name == "compute-janitor-conversions"
    ]
    if len(rules) != makes_renditions(recording):
        yield f"{len(rules)} rules for conversions"
    for rule in rules:
        # Only AWS's services may send events whose source begins with `aws.`.
        if json.loads(rule.inputs["eventPattern"]) != {
            "source": ["aws.mediaconvert"],
            "detail-type": ["MediaConvert Job State Change"],
            "detail": {"status": ["COMPLETE", "ERROR", "CANCELED"], "queue": [queue_arn(recording)]},
        }:
            yield f"{rule.name} takes {rule.inputs['eventPattern']}"
        yield from require(rule, state="ENABLED")
