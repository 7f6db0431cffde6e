"""The notification topic."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from chalicelib.contract.converting import converted
from chalicelib.contract.responses import VideoMessage
from chalicelib.contract.views import video_message
from chalicelib.core.video_events import VideoEvent

if TYPE_CHECKING:  # the stubs are not in the Lambda bundle
    from types_boto3_sns.client import SNSClient


_SENTENCES = {
    "video.ready": "{name} is ready to play.",
    "video.rejected": "{name} was rejected: {reason}",
    "video.failed": "{name} did not arrive in full: {reason}",
    "video.deleted": "{name} was deleted.",
    "video.expiring": "{name} will be deleted on {day}. Download it before then to keep it.",
    "video.rendition_ready": "{name} now has a copy that every browser plays.",
    "video.rendition_failed": "{name} could not be converted for all browsers. It still plays where it did before.",
}
_CAUSES = {
    "expired": "its upload was not finished in time. Upload it again.",
    "given_up": "it could not be processed. An operator is looking at it.",
}


_NOT_IN_XML = {ord(each): f"\\u{ord(each):04x}" for each in "\ufffe\uffff"}
"""Characters that SQS takes in no message, as JSON escapes (SQS Developer Guide, "Message quotas")."""


def mail_text(message: VideoMessage) -> str:
    """The message for a person who reads mail."""
    reason = message.rejection.message if message.rejection else _CAUSES.get(message.cause or "", "")
    day = (message.expires_at or "").partition("T")[0]
    return "\n".join(
        [
            _SENTENCES[message.type].format(name=message.file_name, reason=reason, day=day),
            "",
            f"Size: {message.size_bytes:,} bytes",
            f"Time: {message.occurred_at}",
            f"Video: {message.video_id}",
            f"User: {message.owner}",
        ]
    )


@dataclass(frozen=True)
class SnsNotifier:
    """Publishes what happened to a video.

    sns: makes the client, at the first message: most calls of the library send none.
    """

    sns: "Callable[[], SNSClient]"
    topic_arn: str

    def announce(self, event: VideoEvent) -> None:
        self.publish(msgspec.json.encode(video_message(event)))

    def publish(self, message: bytes) -> None:
        """A subscription filters by the attributes `type` and, as in version 0.1, `state`."""
        told: VideoMessage = converted(msgspec.json.decode(message), VideoMessage)
        texts = {"default": message.decode(), "email": mail_text(told)}
        self.sns().publish(
            TopicArn=self.topic_arn,
            Subject=f"Video {told.state}",
            # SNS Developer Guide, "Publishing": `default` for every protocol without a text of its own.
            MessageStructure="json",
            Message=msgspec.json.encode({to: text.translate(_NOT_IN_XML) for to, text in texts.items()}).decode(),
            MessageAttributes={
                "type": {"DataType": "String", "StringValue": told.type},
                "state": {"DataType": "String", "StringValue": told.state},
            },
        )
