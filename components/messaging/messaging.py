"""Messaging: the notification topic with its subscribers, and the dead-letter queue of failed events."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import StageContext, formerly, type_token
from components.settings import NotificationSettings

RETENTION_SECONDS = 14 * 24 * 3600  # SQS quotas, "Message retention": at most 14 days
HIDDEN_SECONDS = 1_080  # Lambda Developer Guide, "Using Lambda with Amazon SQS": six times the function's timeout
EVENT_BUS = "event-bus"
"""Name of the event bus as a destination. No webhook can have it."""

MAILED_TYPES = ["video.ready", "video.rejected", "video.failed", "video.expiring"]
"""Events that send a mail. Deletions send none: a person asked for them."""


@dataclass(frozen=True)
class MessagingArgs:
    """data_key_arn: of the key that encrypts messages. delivery_attempts: before a notification goes to the dead-letter
    queue."""

    context: StageContext
    settings: NotificationSettings
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]
    delivery_attempts: int


class Messaging(pulumi.ComponentResource):
    """Notification topic, mail subscriptions, a queue for each webhook and for the event bus, dead-letter queues."""

    completion_topic_arn: pulumi.Output[str]
    """One message for each event of a video: ready, rejected, failed, deleted, expiring."""
    dead_letter_queue_arn: pulumi.Output[str]
    """Events that failed every retry, with their error, until an operator redrives them."""
    dead_letter_queue_name: pulumi.Output[str]
    """Name of the dead-letter queue, for redriving."""
    delivery_queue_arns: dict[str, pulumi.Output[str]]
    """Queues by destination of notifications."""

    def __init__(self, name: str, args: MessagingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(opts, formerly("Messages", "messages"))
        super().__init__(type_token("Messaging"), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        context = args.context
        topic = aws.sns.Topic(
            f"{name}-completed", name=context.name("completed"), kms_master_key_id=args.data_key_arn, opts=self._child
        )
        aws.sns.TopicPolicy(
            f"{name}-completed", arn=topic.arn, policy=policy.to_json(topic_policy(topic.arn)), opts=self._child
        )
        failed = self._queue("failed")
        aws.sqs.QueuePolicy(
            f"{name}-failed", queue_url=failed.url, policy=policy.to_json(queue_policy(failed.arn)), opts=self._child
        )
        for address in args.settings.notification_emails:
            self._mail(address, topic)

        self.completion_topic_arn = topic.arn
        self.dead_letter_queue_arn = failed.arn
        self.dead_letter_queue_name = failed.name
        self.delivery_queue_arns = {
            destination: self._delivery_queue(destination, topic).arn for destination in destinations_of(args.settings)
        }
        self.register_outputs({"completionTopicArn": topic.arn, "deadLetterQueueArn": failed.arn})

    def _queue(
        self, purpose: str, *, hidden_seconds: int | None = None, redrive_policy: pulumi.Output[str] | None = None
    ) -> aws.sqs.Queue:
        return aws.sqs.Queue(
            f"{self._name}-{purpose}",
            name=self._args.context.name(purpose),
            sqs_managed_sse_enabled=True,
            message_retention_seconds=RETENTION_SECONDS,
            visibility_timeout_seconds=hidden_seconds,
            redrive_policy=redrive_policy,
            opts=self._child,
        )

    def _mail(self, address: str, topic: aws.sns.Topic) -> None:
        aws.sns.TopicSubscription(
            f"{self._name}-{address}",
            topic=topic.arn,
            protocol="email",
            endpoint=address,
            filter_policy=json.dumps({"type": MAILED_TYPES}),
            opts=self._child,
        )

    def _delivery_queue(self, destination: str, topic: aws.sns.Topic) -> aws.sqs.Queue:
        """Create a destination's own queue, so that a slow destination delays no other."""
        purpose = delivery_purpose(destination)
        dead = self._queue(f"{purpose}-failed")
        queue = self._queue(
            purpose,
            hidden_seconds=HIDDEN_SECONDS,
            redrive_policy=dead.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": self._args.delivery_attempts})
            ),
        )
        aws.sqs.QueuePolicy(
            f"{self._name}-{purpose}-failed",
            queue_url=dead.url,
            policy=policy.to_json(queue_policy(dead.arn)),
            opts=self._child,
        )
        allowed = aws.sqs.QueuePolicy(
            f"{self._name}-{purpose}",
            queue_url=queue.url,
            policy=policy.to_json(delivery_queue_policy(queue.arn, topic.arn)),
            opts=self._child,
        )
        aws.sns.TopicSubscription(
            f"{self._name}-{purpose}",
            topic=topic.arn,
            protocol="sqs",
            endpoint=queue.arn,
            raw_message_delivery=True,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
        return queue


def delivery_purpose(destination: str) -> str:
    """Purpose in the name of a destination's queue."""
    return f"to-{destination}"


def destinations_of(settings: NotificationSettings) -> list[str]:
    """Names of the webhooks, and of the bus if there is one."""
    webhooks = [webhook.partition("=")[0] for webhook in settings.webhooks]
    return [*webhooks, *([EVENT_BUS] if settings.event_bus_name else [])]


def topic_policy(topic_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Deny requests without TLS. The account's IAM policies decide who may publish and subscribe."""
    return policy.document(policy.deny_plain_http("sns:Publish", topic_arn))


def queue_policy(queue_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Deny requests without TLS. The account's IAM policies decide who may send and receive."""
    return policy.document(policy.deny_plain_http("sqs:*", queue_arn))


def delivery_queue_policy(queue_arn: pulumi.Input[str], topic_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Let the notification topic send (SNS Developer Guide, "Subscribing an Amazon SQS queue to an Amazon SNS
    topic")."""
    return policy.document(
        policy.allow(
            "TopicSends",
            principal={"Service": "sns.amazonaws.com"},
            actions="sqs:SendMessage",
            resources=queue_arn,
            conditions={"ArnEquals": {"aws:SourceArn": topic_arn}},
        ),
        policy.deny_plain_http("sqs:*", queue_arn),
    )
