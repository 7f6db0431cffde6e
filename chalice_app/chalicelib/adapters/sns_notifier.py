"""The completion topic."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.json_values import JsonObject

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_sns.client import SNSClient


@dataclass(frozen=True)
class SnsNotifier:
    sns: "SNSClient"
    topic_arn: str

    def publish(self, subject: str, message: JsonObject) -> None:
        """The attribute `state` lets a subscription filter."""
        self.sns.publish(
            TopicArn=self.topic_arn,
            Subject=subject,
            Message=json.dumps(message),
            MessageAttributes={"state": {"DataType": "String", "StringValue": str(message["state"])}},
        )
