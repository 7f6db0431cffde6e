"""Event worker, in place of Lambda: passes each event to its function.

Events of S3 go to `video_processing` and `message_sender`, schedules and finished conversions to `janitor`, results of
malware scans to `scan_verdict`, notifications to `notification_delivery`.
"""

import argparse
import json
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from chalice.local import LambdaContext

from chalicelib.adapters.conversion_events import CONVERTER
from chalicelib.adapters.guardduty_scanner import SCANNER
from local.child_process import READY, end_with_parent
from local.janitor_schedule import JanitorSchedule
from local.malware_scanner import MalwareScans, scanner_here
from local.stand_in import names

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

log = logging.getLogger(__name__)

EVENTS_PER_PROCESSOR = 2
"""Threads per core: an event waits for S3 about as long as it computes."""

MAX_PARALLEL_EVENTS = 8
"""Limit of concurrent inspections: each is a process of up to 100 MB."""

RETRY_AFTER_SECONDS = 1
"""Pause before a retry. Lambda waits for a minute, which is too long for a developer."""

PROCESSING_TIMEOUT_MS = 300_000

FUNCTIONS_BY_BUCKET = {names.VIDEO_BUCKET: "video_processing", names.METADATA_BUCKET: "message_sender"}
FUNCTIONS_BY_SOURCE = {
    "aws.events": "janitor",
    CONVERTER: "janitor",
    SCANNER: "scan_verdict",
    names.SCAN_REQUESTS: "malware scanner",
    names.CONVERSION_REQUESTS: "converter",
}

PATH_STYLE: Any = {"addressing_style": "path"}

Handler = Callable[[dict[str, Any], LambdaContext], Any]


class EventWorker:
    """A worker that passes queued events to a handler. After three failures an event goes to the dead-letter queue."""

    def __init__(self, sqs: "SQSClient", queue_url: str, handlers: dict[str, Handler]) -> None:
        self._parallel_events = min(MAX_PARALLEL_EVENTS, EVENTS_PER_PROCESSOR * (os.cpu_count() or 1))
        self._sqs = sqs
        self._queue_url = queue_url
        self._handlers = handlers
        self._stopped = threading.Event()

    def run(self) -> None:
        with ThreadPoolExecutor(self._parallel_events) as workers:
            for _ in range(self._parallel_events):
                workers.submit(self._poll)

    def stop(self) -> None:
        self._stopped.set()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            try:
                answer = self._sqs.receive_message(
                    QueueUrl=self._queue_url, WaitTimeSeconds=names.POLL_SECONDS, MaxNumberOfMessages=1
                )
                for message in answer.get("Messages", []):
                    self._handle(message)
            except Exception as error:
                log.warning("the stand-in does not answer: %s", error)
                self._stopped.wait(1)

    def _handle(self, message: Any) -> None:
        receipt = {"QueueUrl": self._queue_url, "ReceiptHandle": message["ReceiptHandle"]}
        name = "reading it"
        try:
            event = json.loads(message["Body"])
            name = _function_for(event)
            if name in self._handlers:
                self._handlers[name](event, LambdaContext(name, 1024, PROCESSING_TIMEOUT_MS))
        except Exception:
            log.exception("%s failed; the event comes again", name)
            self._sqs.change_message_visibility(**receipt, VisibilityTimeout=RETRY_AFTER_SECONDS)
        else:
            self._sqs.delete_message(**receipt)


def _function_for(event: dict[str, Any]) -> str:
    """Name of the event's function; empty if no function receives it."""
    if "Records" in event:
        return FUNCTIONS_BY_BUCKET[event["Records"][0]["s3"]["bucket"]["name"]]
    return FUNCTIONS_BY_SOURCE.get(event.get("source", ""), "")


def main() -> None:
    """Work until a signal stops the process. Needs the API's environment."""
    argparse.ArgumentParser(prog="python -m local.event_worker", description=__doc__).parse_args()

    import boto3
    from botocore.config import Config

    from app import janitor, message_sender, notification_delivery, scan_verdict, video_processing
    from chalicelib.environment import Environment
    from chalicelib.invocations import set_up_logs
    from local.notification_queues import NotificationQueues, destinations_of, provision

    set_up_logs()

    endpoint = os.environ["AWS_ENDPOINT_URL"]
    sqs = boto3.client("sqs", endpoint_url=endpoint, region_name=names.REGION)
    queue_url = names.queue_url(endpoint, names.EVENTS_QUEUE)
    schedule = JanitorSchedule(janitor, sqs)
    handlers: dict[str, Handler] = {
        "video_processing": video_processing,
        "message_sender": message_sender,
        "janitor": schedule.sweep,
    }
    environment = Environment.read()
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name=names.REGION, config=Config(s3=PATH_STYLE))
    converter = None
    if environment.converts:
        from local.conversion.converter import LocalConverter

        # MediaConvert takes no alias.
        kms = boto3.client("kms", endpoint_url=endpoint, region_name=names.REGION)
        os.environ["DATA_KEY_ARN"] = kms.describe_key(KeyId=environment.data_key_arn)["KeyMetadata"].get("Arn", "")
        converter = LocalConverter(s3, endpoint)
        handlers["converter"] = converter.wake
    if environment.malware_scan == "true":
        scans = MalwareScans(s3, sqs, queue_url, scanner_here())

        def process_and_scan(event: dict[str, Any], context: LambdaContext) -> Any:
            scans.request(event)
            return video_processing(event, context)

        handlers |= {
            "video_processing": process_and_scan,
            "malware scanner": scans.answer,
            "scan_verdict": scan_verdict,
        }
    worker = EventWorker(sqs, queue_url, handlers)
    provision(endpoint, environment)
    end_with_parent(lambda: os._exit(0))
    print(f"{READY}{queue_url}", flush=True)
    # After the line that the parent waits for: the output of two threads may be interleaved.
    threading.Thread(target=schedule.run, daemon=True).start()
    if converter:
        threading.Thread(target=converter.run, daemon=True).start()
    NotificationQueues(sqs, destinations_of(environment), notification_delivery).start()
    worker.run()


if __name__ == "__main__":
    main()
