"""Queues of messages that wait for a later attempt."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient


@dataclass(frozen=True)
class SqsQueue:
    sqs: "SQSClient"

    def hide(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        *_, account_id, name = queue_arn.split(":")
        url = f"{self.sqs.meta.endpoint_url}/{account_id}/{name}"
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds)
