"""The notification topic."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from chalicelib.contract.views import video_message
from chalicelib.core.video_events import VideoEvent

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_sns.client import SNSClient


@dataclass(frozen=True)
class SnsNotifier:
    sns: "SNSClient"
    topic_arn: str

    def announce(self, event: VideoEvent) -> None:
        """A subscription filters by the attributes `type` and, as in version 0.1, `state`."""
        message = video_message(event)
        self.sns.publish(
            TopicArn=self.topic_arn,
            Subject=f"Video {message.state}",
            Message=msgspec.json.encode(message).decode(),
            MessageAttributes={
                "type": {"DataType": "String", "StringValue": message.type},
                "state": {"DataType": "String", "StringValue": message.state},
            },
        )
