"""The completion topic."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from chalicelib.contract.views import completion_message
from chalicelib.core.video_record import VideoRecord

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_sns.client import SNSClient


@dataclass(frozen=True)
class SnsNotifier:
    sns: "SNSClient"
    topic_arn: str

    def announce(self, record: VideoRecord) -> None:
        """The attribute `state` lets a subscription filter."""
        message = completion_message(record)
        self.sns.publish(
            TopicArn=self.topic_arn,
            Subject=f"Video {message.state}",
            Message=msgspec.json.encode(message).decode(),
            MessageAttributes={"state": {"DataType": "String", "StringValue": message.state}},
        )
