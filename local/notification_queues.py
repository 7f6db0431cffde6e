"""Queues of the destinations of notifications, in place of SNS's subscriptions and Lambda's poller."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from chalice.local import LambdaContext

from chalicelib.adapters.webhook_secrets import parameter_name
from chalicelib.core.notification_delivery import EVENT_BUS, MAX_RECEIVES, QUEUE_INFIX
from chalicelib.core.webhook_signatures import new_secret
from chalicelib.environment import Environment
from local.stand_in import names

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef

log = logging.getLogger(__name__)

VISIBILITY_SECONDS = 20
"""Visibility timeout: longer than an attempt. On AWS it is six times the function's timeout."""

FUNCTION = "notification_delivery"
TIMEOUT_MS = 120_000

Handler = Callable[[dict[str, Any], LambdaContext], Any]


def destinations_of(environment: Environment) -> list[str]:
    return [*environment.webhook_urls, *([EVENT_BUS] if environment.event_bus_name else [])]


def queue_name(destination: str) -> str:
    return f"video-upload-local{QUEUE_INFIX}{destination}"


def provision(endpoint_url: str, environment: Environment) -> None:
    """Create each destination's queue and subscription, each webhook's secret, and the bus, unless they exist."""
    session = boto3.Session(region_name=names.REGION)
    sqs = session.client("sqs", endpoint_url=endpoint_url)
    sns = session.client("sns", endpoint_url=endpoint_url)
    ssm = session.client("ssm", endpoint_url=endpoint_url)
    for destination in destinations_of(environment):
        name = queue_name(destination)
        sqs.create_queue(QueueName=f"{name}-failed")
        redrive = {"deadLetterTargetArn": names.queue_arn(f"{name}-failed"), "maxReceiveCount": MAX_RECEIVES}
        attributes: dict[QueueAttributeNameType, str] = {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
        }
        sqs.create_queue(QueueName=name, Attributes=attributes)
        sns.subscribe(
            TopicArn=names.COMPLETIONS_TOPIC_ARN,
            Protocol="sqs",
            Endpoint=names.queue_arn(name),
            Attributes={"RawMessageDelivery": "true"},
        )
    for webhook, url in environment.webhook_urls.items():
        parameter = parameter_name(environment.stage, webhook)
        try:
            secret = ssm.get_parameter(Name=parameter, WithDecryption=True)["Parameter"].get("Value", "")
        except ssm.exceptions.ParameterNotFound:
            secret = new_secret()
            ssm.put_parameter(Name=parameter, Value=secret, Type="SecureString")
        print(f"webhook {webhook} to {url} is signed with {secret}", flush=True)
    bus = environment.event_bus_name
    if bus and bus != "default":
        events = session.client("events", endpoint_url=endpoint_url)
        if all(each.get("Name") != bus for each in events.list_event_buses(NamePrefix=bus)["EventBuses"]):
            events.create_event_bus(Name=bus)


class NotificationQueues:
    """Pollers that pass messages to the function, one thread per destination."""

    def __init__(self, sqs: SQSClient, destinations: Sequence[str], handler: Handler) -> None:
        self._sqs = sqs
        self._destinations = destinations
        self._handler = handler

    def start(self) -> None:
        for destination in self._destinations:
            threading.Thread(target=self._poll, args=(queue_name(destination),), daemon=True).start()

    def _poll(self, queue: str) -> None:
        url = names.queue_url(self._sqs.meta.endpoint_url, queue)
        while True:
            try:
                answer = self._sqs.receive_message(
                    QueueUrl=url,
                    WaitTimeSeconds=names.POLL_SECONDS,
                    MaxNumberOfMessages=1,
                    MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                )
                for message in answer.get("Messages", []):
                    self._deliver(url, queue, message)
            except Exception as error:
                log.warning("notifications are delayed: %s", error)
                threading.Event().wait(1)

    def _deliver(self, url: str, queue: str, message: MessageTypeDef) -> None:
        event = {"Records": [as_lambda_passes_it(message, queue)]}
        answer = self._handler(event, LambdaContext(FUNCTION, 512, TIMEOUT_MS))
        if not answer["batchItemFailures"]:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message.get("ReceiptHandle", ""))


def as_lambda_passes_it(message: MessageTypeDef, queue: str) -> dict[str, Any]:
    """One record of Lambda's event (Lambda Developer Guide, "Using Lambda with Amazon SQS")."""
    return {
        "messageId": message.get("MessageId"),
        "receiptHandle": message.get("ReceiptHandle"),
        "body": message.get("Body"),
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message.get("MD5OfBody"),
        "eventSource": "aws:sqs",
        "eventSourceARN": names.queue_arn(queue),
        "awsRegion": names.REGION,
    }
