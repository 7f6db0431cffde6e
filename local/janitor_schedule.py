"""The janitor's schedule, in place of EventBridge, and the dead-letter queue's metric, in place of SQS."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit
from chalice.local import LambdaContext

from local.stand_in import names
from local.status.embedded_metrics import write_metrics

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

log = logging.getLogger(__name__)

MIN_PAUSE_SECONDS = 3.0
"""Interval of sweeps. On AWS it is five minutes; here the gauges should move during an upload."""

MAX_PAUSE_SECONDS = 300.0
MAX_SHARE = 0.05
"""Share of the time that sweeps may take: with many open uploads, constant sweeping would slow them down."""

JANITOR_TIMEOUT_MS = 300_000


class JanitorSchedule:
    """A thread that sweeps periodically, never twice at once."""

    def __init__(self, janitor: Callable[[dict[str, Any], LambdaContext], Any], sqs: "SQSClient") -> None:
        self._janitor = janitor
        self._sqs = sqs
        self._queue_url = names.queue_url(sqs.meta.endpoint_url, names.FAILED_EVENTS_QUEUE)
        self._sweeping = threading.Lock()

    def sweep(self, event: dict[str, Any], context: LambdaContext) -> Any:
        with self._sweeping:
            return self._janitor(event, context)

    def run(self) -> None:
        while True:
            started = time.monotonic()
            try:
                self.sweep(scheduled_event(), LambdaContext("janitor", 1024, JANITOR_TIMEOUT_MS))
                self._record_failed_events()
            except Exception as error:
                log.warning("the janitor's run failed: %s", error)
            time.sleep(pause_seconds(time.monotonic() - started))

    def _record_failed_events(self) -> None:
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        waiting = int(attributes["Attributes"]["ApproximateNumberOfMessages"])
        dimensions = {"QueueName": names.FAILED_EVENTS_QUEUE}
        write_metrics("AWS/SQS", dimensions, {"ApproximateNumberOfMessagesVisible": (waiting, MetricUnit.Count)})


def pause_seconds(sweep_seconds: float) -> float:
    """Pause after a sweep of this length."""
    return min(max(MIN_PAUSE_SECONDS, sweep_seconds * (1 / MAX_SHARE - 1)), MAX_PAUSE_SECONDS)


def scheduled_event() -> dict[str, Any]:
    """A scheduled event of EventBridge."""
    return {
        "version": "0",
        "id": "local",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": names.ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": names.REGION,
        "resources": [],
        "detail": {},
    }
