"""Costs on the bill that carry the stage's tag."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_ce.client import CostExplorerClient


@dataclass(frozen=True)
class CostExplorer:
    """Reader of Cost Explorer, which sees costs from the day on which the tag was activated for cost allocation."""

    costs: "CostExplorerClient"
    tag_key: str
    tag_value: str

    def cost_usd(self, first: date, end_exclusive: date) -> float:
        answer: Any = self.costs.get_cost_and_usage(
            TimePeriod={"Start": first.isoformat(), "End": end_exclusive.isoformat()},
            Granularity="MONTHLY",
            Metrics=["UnblendedCost"],
            Filter={"Tags": {"Key": self.tag_key, "Values": [self.tag_value]}},
        )
        return sum(float(month["Total"]["UnblendedCost"]["Amount"]) for month in answer["ResultsByTime"])
