"""Send failed events and undelivered notifications again: `make redrive STAGE=prod`, once their cause is gone.

An event is deleted from the queue only after Lambda has accepted it; one that fails again returns to the queue. The
command stops if an event returns at once, as on a paused stage. A notification returns to its destination's queue for
another day of attempts.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from deploy.command import chosen_outputs, exit_status, say, stage_parser
from deploy.errors import EventCameBackError, EventRefusedError
from deploy.stack_outputs import StackOutputs

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

MAX_MESSAGES = 10  # SQS API reference, ReceiveMessage
TAKEN = 202  # Lambda API reference, Invoke: status of an event that was queued
HIDDEN_SECONDS = 60


def redrive(sqs: SQSClient, functions: LambdaClient, *, queue_url: str) -> int:
    """Send each failed event again, once, and return how many were sent.

    Raises EventRefusedError, EventCameBackError; the remaining events stay in the queue.
    """
    sent_at: dict[tuple[str, str], datetime] = {}
    while messages := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=MAX_MESSAGES,
        VisibilityTimeout=HIDDEN_SECONDS,
        MessageSystemAttributeNames=["SentTimestamp"],
    ).get("Messages"):
        for message in messages:
            failure = json.loads(message.get("Body", ""))
            function_arn: str = failure["requestContext"]["functionArn"]
            payload = json.dumps(failure["requestPayload"])
            event = (function_arn, payload)
            if event not in sent_at:
                answer = functions.invoke(FunctionName=function_arn, InvocationType="Event", Payload=payload.encode())
                if answer["StatusCode"] != TAKEN:
                    raise EventRefusedError(function_arn, answer["StatusCode"])
                # By AWS's clock, like the queue's: the operator's may be wrong.
                sent_at[event] = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            elif _queued_at(message) >= sent_at[event]:
                raise EventCameBackError(function_arn, len(sent_at))
            # Otherwise it is a repetition by the janitor that failed as well: sending it once is enough.
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))
    return len(sent_at)


def redrive_notifications(sqs: SQSClient, *, queue: str) -> int:
    """Move a destination's dead letters back to its queue, and return their number."""
    queue_url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    dead_url = sqs.get_queue_url(QueueName=f"{queue}-failed")["QueueUrl"]
    moved = 0
    while messages := sqs.receive_message(
        QueueUrl=dead_url, MaxNumberOfMessages=MAX_MESSAGES, VisibilityTimeout=HIDDEN_SECONDS
    ).get("Messages"):
        for message in messages:
            # At least once: receivers recognize a repetition by its id.
            sqs.send_message(QueueUrl=queue_url, MessageBody=message.get("Body", ""))
            sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=message.get("ReceiptHandle", ""))
            moved += 1
    return moved


def _queued_at(message: MessageTypeDef) -> datetime:
    return datetime.fromtimestamp(int(message.get("Attributes", {})["SentTimestamp"]) / 1000, UTC)


def parser() -> argparse.ArgumentParser:
    return stage_parser(__file__, __doc__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Redrive a stage's dead-letter queues."""
    options = parser().parse_args(arguments)
    return exit_status(lambda: _redrive(chosen_outputs(options)))


def _redrive(outputs: StackOutputs) -> None:
    import boto3  # noqa: PLC0415 - `--help` needs none

    session = boto3.Session(region_name=outputs.region)
    sqs = session.client("sqs")
    queue_url = sqs.get_queue_url(QueueName=outputs["failureQueue"])["QueueUrl"]
    say(f"{redrive(sqs, session.client('lambda'), queue_url=queue_url)} events sent again")
    for queue in outputs.get("notificationQueues", []):
        say(f"{redrive_notifications(sqs, queue=queue)} notifications sent again to {queue.partition('-to-')[2]}")


if __name__ == "__main__":
    sys.exit(main())
