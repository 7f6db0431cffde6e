"""The metric of client progress, on AWS and locally: uploads that arrived according to their clients."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.metric_catalogue import NAMESPACE, OWN_METRICS

METRIC = OWN_METRICS["client_uploads_arrived_count"].name
TIMEOUT_SECONDS = 30
MINUTE_SECONDS = 60

ArrivedCount = Callable[[], float]
"""Reads the metric's current total. Raises MetricNotReadableError."""


class MetricNotReadableError(Exception):
    """The metric cannot be read."""


def counted_by_cloudwatch(cloudwatch: Any, stage: str) -> ArrivedCount:
    """Count in CloudWatch from the current minute on. Needs `cloudwatch:GetMetricData`."""
    since = datetime.now(UTC).replace(second=0, microsecond=0)
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": METRIC,
        "Dimensions": [{"Name": "Stage", "Value": stage}],
    }
    query = {"Id": "arrived", "MetricStat": {"Metric": metric, "Period": MINUTE_SECONDS, "Stat": "Sum"}}

    def count() -> float:
        until = datetime.now(UTC) + timedelta(minutes=1)
        try:
            answer = cloudwatch.get_metric_data(MetricDataQueries=[query], StartTime=since, EndTime=until)
        except (ClientError, BotoCoreError) as error:
            raise MetricNotReadableError(f"CloudWatch does not tell {NAMESPACE} {METRIC}: {error}") from error
        return sum(answer["MetricDataResults"][0]["Values"])

    return count


def counted_by_the_status_page(site_url: str) -> ArrivedCount:
    """Count on the local platform's status page since its start."""

    def count() -> float:
        answer = requests.get(f"{site_url}/status.json", timeout=TIMEOUT_SECONDS)
        steps = answer.json()["funnel"] if answer.ok else []
        found = [float(step["ever"]) for step in steps if step["key"] == "arrivedAsTold"]
        if not found:
            raise MetricNotReadableError(f"{site_url}/status.json answered {answer.status_code}, without {METRIC}")
        return found[0]

    return count
