"""Activities of Application Auto Scaling, which emits no event for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_application_autoscaling.client import ApplicationAutoScalingClient


@dataclass(frozen=True)
class ScalingActivities:
    """resource_ids: such as `function:name:alias`."""

    scaling: "ApplicationAutoScalingClient"
    resource_ids: Sequence[str]

    def count_since(self, moment: datetime) -> int:
        return sum(self._count(resource_id, moment) for resource_id in self.resource_ids)

    def _count(self, resource_id: str, moment: datetime) -> int:
        """Pages come newest first (Application Auto Scaling API reference, DescribeScalingActivities)."""
        pages = self.scaling.get_paginator("describe_scaling_activities").paginate(
            ServiceNamespace="lambda", ResourceId=resource_id
        )
        count = 0
        for page in pages:
            recent = [activity for activity in page["ScalingActivities"] if activity["StartTime"] >= moment]
            count += len(recent)
            if len(recent) < len(page["ScalingActivities"]):
                break
        return count
