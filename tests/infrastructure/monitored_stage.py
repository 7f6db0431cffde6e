"""A stage whose metrics are named, and the widgets of one that was recorded."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.environment import FUNCTIONS
from components.observability.metrics import MonitoredResources
from tests.infrastructure.recorded_program import Recording

ANY_STAGE = MonitoredResources(
    stage="dev",
    region="eu-central-1",
    api_name="api",
    api_stage="api",
    distribution_id="E1",
    video_bucket="videos",
    function_names={name: name for name in FUNCTIONS},
    queue_name="failed",
    delivery_queue_names=["to-mine", "to-event-bus"],
    data_key_arn="arn",
    web_acl_name=None,
    scans=False,
    makes_renditions=False,
    deletes_old=False,
)


def widgets(recording: Recording) -> list[dict[str, Any]]:
    return [
        widget
        for dashboard in recording.of("cloudwatch/dashboard:Dashboard")
        for widget in json.loads(dashboard.inputs["dashboardBody"])["widgets"]
    ]
