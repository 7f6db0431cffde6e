"""Sends failed events to their functions again: `python -m deploy.redrive`, once their cause is gone.

An event leaves the queue only after Lambda has taken it; one that fails again comes back.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from deploy.publish_site import OutputsNotReadableError, stack_outputs

if TYPE_CHECKING:
    from types_boto3_lambda.client import LambdaClient
    from types_boto3_sqs.client import SQSClient

MAX_MESSAGES = 10  # SQS API reference, ReceiveMessage
TAKEN = 202  # Lambda API reference, Invoke: status of an event that was queued
HIDDEN_SECONDS = 60


class EventRefusedError(Exception):
    """function_arn: whose event; status: Lambda's answer."""

    def __init__(self, function_arn: str, status: int) -> None:
        self.function_arn, self.status = function_arn, status
        super().__init__(f"{function_arn} did not take an event: {status}")


def redrive(sqs: SQSClient, functions: LambdaClient, *, queue_url: str) -> int:
    """How many events went out again. Raises EventRefusedError; what is left stays in the queue."""
    redriven = 0
    while messages := sqs.receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=MAX_MESSAGES, VisibilityTimeout=HIDDEN_SECONDS
    ).get("Messages"):
        for message in messages:
            failure = json.loads(message.get("Body", ""))
            function_arn: str = failure["requestContext"]["functionArn"]
            answer = functions.invoke(
                FunctionName=function_arn,
                InvocationType="Event",
                Payload=json.dumps(failure["requestPayload"]).encode(),
            )
            if answer["StatusCode"] != TAKEN:
                raise EventRefusedError(function_arn, answer["StatusCode"])
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message.get("ReceiptHandle", ""))
            redriven += 1
    return redriven


def main() -> None:
    """Redrive the selected stack's failure queue."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    import boto3  # noqa: PLC0415 - `--help` needs none

    try:
        name = stack_outputs()["failureQueue"]
        sqs = boto3.client("sqs")
        queue_url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        redriven = redrive(sqs, boto3.client("lambda"), queue_url=queue_url)
    except KeyError as missing:
        sys.exit(str(OutputsNotReadableError(f"it has no {missing}")))
    except (OutputsNotReadableError, EventRefusedError) as error:
        sys.exit(str(error))
    sys.stdout.write(f"{redriven} events sent again\n")


if __name__ == "__main__":
    main()
