"""Cost Explorer and Application Auto Scaling as botocore's models know them: no stand-in has their data."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.adapters.cost_explorer import CostExplorer
from chalicelib.adapters.scaling_activities import ScalingActivities

CREDENTIALS = {"aws_access_key_id": "AK", "aws_secret_access_key": "SK", "region_name": "eu-central-1"}


@pytest.fixture
def stubbed(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Stubber]]:
    make: Any = boto3.client
    client = make(request.param, **CREDENTIALS)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()
    client.close()


@pytest.mark.parametrize("stubbed", ["ce"], indirect=True)
def test_the_bill_is_that_of_the_tag_over_all_months_it_touches(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed
    month = {"Estimated": True, "Groups": []}
    stubber.add_response(
        "get_cost_and_usage",
        {
            "ResultsByTime": [
                {**month, "Total": {"UnblendedCost": {"Amount": "1.25", "Unit": "USD"}}},
                {**month, "Total": {"UnblendedCost": {"Amount": "0.5", "Unit": "USD"}}},
            ]
        },
        {
            "TimePeriod": {"Start": "2026-10-23", "End": "2026-11-22"},
            "Granularity": "MONTHLY",
            "Metrics": ["UnblendedCost"],
            "Filter": {"Tags": {"Key": "Stage", "Values": ["prod"]}},
        },
    )
    assert CostExplorer(client, "Stage", "prod").cost_usd(date(2026, 10, 23), date(2026, 11, 22)) == 1.75


@pytest.mark.parametrize("stubbed", ["application-autoscaling"], indirect=True)
def test_activities_are_counted_page_by_page_until_they_are_too_old(stubbed: tuple[Any, Stubber]) -> None:
    client, stubber = stubbed

    def page(days: list[int], token: str | None = None) -> dict[str, Any]:
        activities = [
            {
                "ActivityId": str(day),
                "ServiceNamespace": "lambda",
                "ResourceId": "function:a:live",
                "ScalableDimension": "lambda:function:ProvisionedConcurrency",
                "Description": "",
                "Cause": "",
                "StartTime": datetime(2026, 11, day, tzinfo=UTC),
                "StatusCode": "Successful",
            }
            for day in days
        ]
        return {"ScalingActivities": activities, **({"NextToken": token} if token else {})}

    asked = {"ServiceNamespace": "lambda", "ResourceId": "function:a:live"}
    stubber.add_response("describe_scaling_activities", page([22, 21], "2"), asked)
    stubber.add_response("describe_scaling_activities", page([20, 1], "3"), {**asked, "NextToken": "2"})
    stubber.add_response("describe_scaling_activities", page([]), {**asked, "ResourceId": "function:b:live"})
    counted = ScalingActivities(client, ["function:a:live", "function:b:live"])
    assert counted.count_since(datetime(2026, 11, 20, tzinfo=UTC)) == 3
