"""Checks of resources outside of the stack for notifications and scans: webhook secrets, an event bus, GuardDuty."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.adapters.client_errors import error_code
from chalicelib.adapters.webhook_secrets import parameter_name
from components.messaging.messaging import delivery_purpose
from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import UNREADABLE, PlannedStage

_NOT_OFFERED = {"UnknownOperationException", "BadRequestException", "404"}
"""Error codes of a GuardDuty endpoint that does not support an operation."""


def _webhook_secrets(stage: PlannedStage) -> Finding:
    name = stage.settings.stage
    webhooks = [webhook.partition("=")[0] for webhook in stage.settings.notifications.webhooks]
    stored = stage.parameter_types([parameter_name(name, webhook) for webhook in webhooks])
    missing = [webhook for webhook in webhooks if parameter_name(name, webhook) not in stored]
    plain = [each for each, kind in stored.items() if kind != "SecureString"]
    if plain:
        return will_fail(f"not encrypted: {', '.join(plain)}; delete it, then make another by `make webhook-secret`")
    if not missing:
        return ok(f"stored for {', '.join(webhooks)}")
    commands = " and ".join(f'`make webhook-secret STAGE={name} ARGS="make {webhook}"`' for webhook in missing)
    if late := [webhook for webhook in missing if _delivers_to(stage, webhook)]:
        return will_fail(f"none for {', '.join(late)}, which cannot be notified without one; run {commands}")
    return cannot_tell(f"none yet for {', '.join(missing)}; right after `pulumi up`, run {commands}")


def _delivers_to(stage: PlannedStage, webhook: str) -> bool:
    """Return whether the stack already has this webhook's queue."""
    queue = stage.names.name(delivery_purpose(webhook))
    return any(url.endswith(f"/{queue}") for url in (stage.made or {}).get("sqs/queue:Queue", ()))


def _event_bus(stage: PlannedStage) -> Finding:
    name = stage.settings.notifications.event_bus_name
    try:
        found = stage.client("events").describe_event_bus(Name=name)
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return will_fail(f"{stage.region} has no event bus {name}; create it, or correct eventBusName")
    return ok(found.get("Name", name))


def _malware_protection(stage: PlannedStage) -> Finding:
    absent = f"{stage.region} does not offer Malware Protection for S3; turn malwareScan off, or set aws:region"
    if stage.region not in stage.session.get_available_regions("guardduty"):
        return cannot_tell(
            f"this boto3 does not know GuardDuty in {stage.region}; look it up in AWS's list of endpoints"
        )
    try:
        others = list(_other_plans(stage))
    except EndpointConnectionError:
        return cannot_tell(f"GuardDuty's endpoint in {stage.region} does not respond; check the network and the region")
    except ClientError as error:
        if error_code(error) not in _NOT_OFFERED:
            raise
        return will_fail(absent)
    if others:
        scanned = f"the malware protection plan {', '.join(others)} scans {stage.names.bucket('videos')}"
        if stage.made is None:
            return cannot_tell(f"{scanned}, {UNREADABLE}")
        return will_fail(f"{scanned}, outside of the stack; delete it: its tags would overwrite the stage's verdicts")
    return ok(f"{stage.region} offers Malware Protection for S3")


def _other_plans(stage: PlannedStage) -> Iterator[str]:
    """Ids of plans for the video bucket, except the stack's own. A deleted bucket may have left one behind."""
    guardduty, token = stage.client("guardduty"), {}
    while True:
        page = guardduty.list_malware_protection_plans(**token)
        for plan_id in (each["MalwareProtectionPlanId"] for each in page["MalwareProtectionPlans"]):
            protected = guardduty.get_malware_protection_plan(MalwareProtectionPlanId=plan_id)["ProtectedResource"]
            is_ours = stage.has_made("guardduty/malwareProtectionPlan:MalwareProtectionPlan", plan_id)
            if protected["S3Bucket"]["BucketName"] == stage.names.bucket("videos") and not is_ours:
                yield plan_id
        if not page.get("NextToken"):
            return
        token = {"NextToken": page["NextToken"]}


MESSAGING_CHECKS = (
    Check(
        subject="webhook secrets",
        actions=("ssm:GetParameters",),
        answer=_webhook_secrets,
        applies=lambda stage: bool(stage.settings.notifications.webhooks),
    ),
    Check(
        subject="event bus",
        actions=("events:DescribeEventBus",),
        answer=_event_bus,
        applies=lambda stage: bool(stage.settings.notifications.event_bus_name),
    ),
    Check(
        subject="malware scan",
        actions=("guardduty:ListMalwareProtectionPlans", "guardduty:GetMalwareProtectionPlan"),
        answer=_malware_protection,
        applies=lambda stage: stage.settings.malware.malware_scan,
    ),
)
