"""Messaging: the notification topic, and the dead-letter queue of failed events."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import StageContext, formerly, type_token

RETENTION_SECONDS = 14 * 24 * 3600  # SQS quotas, "Message retention": at most 14 days


@dataclass(frozen=True)
class MessagingArgs:
    """data_key_arn: encrypts what the topic carries."""

    context: StageContext
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]


class Messaging(pulumi.ComponentResource):
    """Notification topic (mail, queues and webhooks may subscribe) and dead-letter queue."""

    completion_topic_arn: pulumi.Output[str]
    """One message for each event of a video: ready, rejected, failed, deleted."""
    dead_letter_queue_arn: pulumi.Output[str]
    """Events that failed every retry, with their error, until an operator redrives them."""
    dead_letter_queue_name: pulumi.Output[str]
    """Name of the dead-letter queue, for redriving."""

    def __init__(self, name: str, args: MessagingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        opts = pulumi.ResourceOptions.merge(opts, formerly("Messages", "messages"))
        super().__init__(type_token("Messaging"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        context = args.context
        topic = aws.sns.Topic(
            f"{name}-completed", name=context.name("completed"), kms_master_key_id=args.data_key_arn, opts=child
        )
        aws.sns.TopicPolicy(
            f"{name}-completed", arn=topic.arn, policy=policy.to_json(topic_policy(topic.arn)), opts=child
        )
        queue = aws.sqs.Queue(
            f"{name}-failed",
            name=context.name("failed"),
            sqs_managed_sse_enabled=True,
            message_retention_seconds=RETENTION_SECONDS,
            opts=child,
        )
        aws.sqs.QueuePolicy(
            f"{name}-failed", queue_url=queue.url, policy=policy.to_json(queue_policy(queue.arn)), opts=child
        )

        self.completion_topic_arn = topic.arn
        self.dead_letter_queue_arn = queue.arn
        self.dead_letter_queue_name = queue.name
        self.register_outputs({"completionTopicArn": topic.arn, "deadLetterQueueArn": queue.arn})


def topic_policy(topic_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Only over TLS. Who may publish and subscribe is up to the account's own IAM policies."""
    return policy.document(policy.deny_plain_http("sns:Publish", topic_arn))


def queue_policy(queue_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """Only over TLS. Who may send and receive is up to the account's own IAM policies."""
    return policy.document(policy.deny_plain_http("sqs:*", queue_arn))
