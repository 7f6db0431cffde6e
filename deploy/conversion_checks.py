"""Checks for conversions: MediaConvert in the region, and room for the stage's queue."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import EndpointConnectionError

from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import UNREADABLE, PlannedStage

_QUEUE = "mediaconvert/queue:Queue"


def _mediaconvert(stage: PlannedStage) -> Finding:
    if stage.region not in stage.session.get_available_regions("mediaconvert"):
        return cannot_tell(
            f"this boto3 does not know MediaConvert in {stage.region}; look it up in AWS's list of endpoints, and turn "
            "renditions off where it is not offered"
        )
    try:
        pages: list[dict[str, Any]] = [*stage.client("mediaconvert").get_paginator("list_queues").paginate()]
    except EndpointConnectionError:
        return cannot_tell(
            f"MediaConvert's endpoint in {stage.region} does not respond; check the network and the region"
        )
    return _room_for_queue(stage, pages)


def _room_for_queue(stage: PlannedStage, pages: list[dict[str, Any]]) -> Finding:
    wanted = stage.names.conversion_queue
    is_made = stage.has_made(_QUEUE, wanted)
    if not is_made and any(queue["Name"] == wanted for page in pages for queue in page.get("Queues", ())):
        there = f"the queue {wanted} already exists"
        if stage.made is None:
            return cannot_tell(f"{there}, {UNREADABLE}")
        return will_fail(f"{there}, outside of the stack; delete it")
    # MediaConvert User Guide, "Processing multiple jobs in parallel": queues share the account's quota.
    total, free = pages[0].get("TotalConcurrentJobs"), pages[0].get("UnallocatedConcurrentJobs")
    if total is None or free is None:
        return ok(f"{stage.region} offers MediaConvert")
    figures = f"{total} concurrent jobs in {stage.region}, {free} of them not assigned to a queue"
    if free <= 0 and not is_made:
        return cannot_tell(f"{figures}; assign fewer to another queue, or request more in Service Quotas")
    return ok(figures)


CONVERSION_CHECKS = (
    Check(
        subject="MediaConvert",
        actions=("mediaconvert:ListQueues",),
        answer=_mediaconvert,
        applies=lambda stage: stage.settings.playback.renditions,
    ),
)
