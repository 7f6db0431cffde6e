"""Permissions of the functions: each role's policy is a pure function of names and keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

import pulumi

from components.naming import StageNames
from components.policy import PolicyDocument, Statement, allow, deny, document, trace
from components.settings import Settings


@dataclass(frozen=True)
class Resources:
    """Resources that the functions' policies name.

    token_key_arns: of the upload token keys, the signing one first. media_key_arn: of the key that signs media URLs.
    delivery_queue_arns: of the destinations of notifications, namely webhooks and bus.
    """

    context: StageNames
    settings: Settings
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]
    token_key_arns: Sequence[pulumi.Input[str]]
    media_key_arn: pulumi.Input[str]
    completion_topic_arn: pulumi.Input[str]
    dead_letter_queue_arn: pulumi.Input[str]
    delivery_queue_arns: Sequence[pulumi.Input[str]]

    @property
    def videos(self) -> str:
        """Videos that clients upload."""
        return f"{self.context.bucket_arn('videos')}/videos/*"

    @property
    def renditions(self) -> str:
        """Copies of videos that the platform makes."""
        return f"{self.context.bucket_arn('videos')}/renditions/*"

    def metadata(self, folder: str) -> str:
        """Objects of one folder of the metadata bucket."""
        return f"{self.context.bucket_arn('metadata')}/{folder}/*"


Grant = Callable[[Resources], Statement | list[Statement]]
"""One right of a function: the statements that grant it."""


def policy_of(function: str, grants: Sequence[Grant], resources: Resources, *, in_network: bool) -> PolicyDocument:
    """The whole policy of a function's role: log, traces, network interfaces, and its grants."""
    statements = [_write_log(function, resources), trace()]
    if in_network:
        statements.extend(_join_network(function, resources))
    for grant in grants:
        granted = grant(resources)
        statements.extend(granted if isinstance(granted, list) else [granted])
    return document(*statements)


def _write_log(function: str, resources: Resources) -> Statement:
    group = resources.context.arn("logs", f"log-group:{resources.context.function_log_group(function)}")
    return allow("WriteOwnLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=f"{group}:*")


def _join_network(function: str, resources: Resources) -> list[Statement]:
    """Let Lambda attach network interfaces with the function's role, but not the function's own code."""
    interfaces = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses",
        "ec2:UnassignPrivateIpAddresses",
    ]
    own = resources.context.function_arn(function)
    return [
        allow("LambdaAttachesInterfaces", actions=interfaces, resources="*"),  # interfaces have no name before they are
        deny(
            "CodeDoesNot",
            actions=interfaces,
            resources="*",
            conditions={"ArnLike": {"lambda:SourceFunctionArn": [own, f"{own}:*"]}},
        ),
    ]


def use_data_key(resources: Resources) -> Statement:
    """S3 encrypts and decrypts on behalf of the caller, and of the signing function for holders of a URL."""
    return allow(
        "S3UsesDataKey",
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=resources.data_key_arn,
        conditions={"StringEquals": {"kms:ViaService": f"s3.{resources.context.region}.amazonaws.com"}},
    )


def sign_tokens(resources: Resources) -> Statement:
    return allow("SignTokens", actions="kms:GenerateMac", resources=resources.token_key_arns[0])


def verify_tokens(resources: Resources) -> Statement:
    return allow("VerifyTokens", actions="kms:VerifyMac", resources=list(resources.token_key_arns))


def list_records(resources: Resources) -> Statement:
    """Without ListBucket, S3 responds with 403 instead of 404 for a missing record."""
    return allow("ListRecords", actions="s3:ListBucket", resources=resources.context.bucket_arn("metadata"))


def change_records(resources: Resources) -> Statement:
    return allow("ChangeRecords", actions=["s3:GetObject", "s3:PutObject"], resources=resources.metadata("records"))


def retire_records(resources: Resources) -> Statement:
    """Set the tag by which a lifecycle rule recognizes tombstones."""
    return allow("RetireRecords", actions="s3:PutObjectTagging", resources=resources.metadata("records"))


def tell_index(resources: Resources) -> Statement:
    return allow("TellIndex", actions="s3:PutObject", resources=resources.metadata("index/new"))


def read_index(resources: Resources) -> Statement:
    return allow("ReadIndex", actions="s3:GetObject", resources=resources.metadata("index/packs"))


def fold_index(resources: Resources) -> list[Statement]:
    return [
        allow("WriteIndex", actions=["s3:GetObject", "s3:PutObject"], resources=resources.metadata("index/packs")),
        allow("FoldChanges", actions="s3:DeleteObject", resources=resources.metadata("index/new")),
    ]


def mark(resources: Resources) -> Statement:
    """Reservations of users, and uses of upload links."""
    return allow(
        "MarkOpen",
        actions=["s3:PutObject", "s3:DeleteObject"],
        resources=[resources.metadata("open"), resources.metadata("link-uses")],
    )


def keep_links(resources: Resources) -> Statement:
    return allow(
        "KeepLinks",
        actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        resources=resources.metadata("links"),
    )


def read_links(resources: Resources) -> Statement:
    return allow("ReadLinks", actions="s3:GetObject", resources=resources.metadata("links"))


def write_idempotency_keys(resources: Resources) -> Statement:
    return allow(
        "WriteIdempotencyKeys",
        actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        resources=resources.metadata("starts"),
    )


def create_videos(resources: Resources) -> Statement:
    """The right is also needed to sign parts and forms: S3 checks the signer's rights when the client uses them."""
    return allow("CreateVideos", actions="s3:PutObject", resources=resources.videos)


def list_parts(resources: Resources) -> Statement:
    return allow("ListParts", actions="s3:ListMultipartUploadParts", resources=resources.videos)


def abort_uploads(resources: Resources) -> Statement:
    """An abort is complete once a listing shows no part."""
    return allow(
        "AbortUploads",
        actions=["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        resources=resources.videos,
    )


def find_videos(resources: Resources) -> Statement:
    """HEAD needs GetObject on the object, and ListBucket to respond with 404."""
    return allow("FindVideos", actions="s3:GetObject", resources=resources.videos)


def list_videos(resources: Resources) -> Statement:
    return allow("VideoNotFoundIs404", actions="s3:ListBucket", resources=resources.context.bucket_arn("videos"))


def count_videos(resources: Resources) -> Statement:
    """The condition limits listings to users' videos and excludes the rest of the bucket."""
    return allow(
        "CountVideos",
        actions="s3:ListBucket",
        resources=resources.context.bucket_arn("videos"),
        conditions={"StringLike": {"s3:prefix": "videos/*"}},
    )


def read_stage_count(resources: Resources) -> Statement:
    return allow("ReadStageCount", actions="s3:GetObject", resources=resources.metadata("usage"))


def read_stage_count_for_limits(resources: Resources) -> list[Statement]:
    return [read_stage_count(resources)] if resources.settings.uploads.max_stored_tib_per_stage else []


def write_stage_count(resources: Resources) -> Statement:
    return allow("WriteStageCount", actions=["s3:GetObject", "s3:PutObject"], resources=resources.metadata("usage"))


def count_videos_for_limits(resources: Resources) -> list[Statement]:
    return [count_videos(resources)] if resources.settings.uploads.limits_stored else []


def read_videos(resources: Resources) -> Statement:
    return allow("ReadVideos", actions=["s3:GetObject", "s3:GetObjectVersion"], resources=resources.videos)


def sign_media_urls(resources: Resources) -> Statement:
    """CloudFront serves videos and posters to holders of a signed URL; the function itself cannot read them."""
    return allow(
        "SignMediaUrls",
        actions="kms:Sign",
        resources=resources.media_key_arn,
        conditions={"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}},
    )


def delete_videos(resources: Resources) -> Statement:
    """Hide videos behind a delete marker, which an operator can remove. Renditions too, even after the setting was
    turned off."""
    return allow(
        "DeleteVideosAndPosters",
        actions="s3:DeleteObject",
        resources=[resources.videos, resources.renditions, resources.metadata("posters")],
    )


def tag_verdicts(resources: Resources) -> Statement:
    """S3 API reference, PutObjectTagging and DeleteObject: a call that names a version needs both actions."""
    return allow(
        "TagVerdicts",
        actions=[
            *("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
            *("s3:DeleteObject", "s3:DeleteObjectVersion"),
        ],
        resources=resources.videos,
    )


def remove_uninspected(resources: Resources) -> Statement:
    """Remove the second object of a form that was sent twice, after the first was accepted."""
    return allow("RemoveUninspected", actions=["s3:DeleteObject", "s3:DeleteObjectVersion"], resources=resources.videos)


def keep_posters(resources: Resources) -> Statement:
    return allow("KeepPosters", actions=["s3:PutObject", "s3:DeleteObject"], resources=resources.metadata("posters"))


def announce(resources: Resources) -> list[Statement]:
    """Publish to the topic, or invoke the function that does."""
    if resources.settings.network.uses_outbox:
        return [allow("FillOutbox", actions="s3:PutObject", resources=resources.metadata("outbox"))]
    return _publish(resources)


def empty_outbox(resources: Resources) -> list[Statement]:
    sent = allow("EmptyOutbox", actions=["s3:GetObject", "s3:DeleteObject"], resources=resources.metadata("outbox"))
    return [sent, *_publish(resources)]


def where_outbox_is_used(grant: Grant) -> Grant:
    """The grant on a stage that uses the outbox, nothing on any other."""

    def granted(resources: Resources) -> Statement | list[Statement]:
        return grant(resources) if resources.settings.network.uses_outbox else []

    return granted


def _publish(resources: Resources) -> list[Statement]:
    return [
        allow("Announce", actions="sns:Publish", resources=resources.completion_topic_arn),
        allow(
            "SnsUsesDataKey",
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=resources.data_key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"sns.{resources.context.region}.amazonaws.com"}},
        ),
    ]


def send_failures_to_dead_letter_queue(resources: Resources) -> Statement:
    """Lambda sends failed events with the function's role."""
    return allow("SendToDeadLetterQueue", actions="sqs:SendMessage", resources=resources.dead_letter_queue_arn)


def take_notifications(resources: Resources) -> list[Statement]:
    """Lambda receives and deletes with the function's role; the function hides messages that are due later."""
    if not resources.delivery_queue_arns:
        return []
    actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"]
    return [allow("TakeNotifications", actions=actions, resources=list(resources.delivery_queue_arns))]


def read_webhook_secrets(resources: Resources) -> list[Statement]:
    """The AWS managed key of Parameter Store decrypts for every principal that may read the parameter."""
    if not resources.settings.notifications.webhooks:
        return []
    parameters = resources.context.arn("ssm", f"parameter{resources.context.log_group('webhooks/*')}")
    return [allow("ReadWebhookSecrets", actions="ssm:GetParameter", resources=parameters)]


def put_events(resources: Resources) -> list[Statement]:
    name = resources.settings.notifications.event_bus_name
    if not name:
        return []
    bus = resources.context.arn("events", f"event-bus/{name}")
    return [allow("PutEvents", actions="events:PutEvents", resources=bus)]


def list_open_uploads(resources: Resources) -> Statement:
    return allow(
        "ListUnfinishedUploads",
        actions="s3:ListBucketMultipartUploads",
        resources=resources.context.bucket_arn("videos"),
    )


def repeat_processing(resources: Resources) -> Statement:
    return allow(
        "RepeatProcessing",
        actions="lambda:InvokeFunction",
        resources=resources.context.live_arn("video_processing"),
    )


def request_scans(resources: Resources) -> list[Statement]:
    """Request a scan again whose verdict did not arrive."""
    requested = allow(
        "RequestScans",
        actions="guardduty:SendObjectMalwareScan",
        resources="*",  # the action takes no resource to name: Service Authorization Reference, Amazon GuardDuty
    )
    return [requested] if resources.settings.malware.malware_scan else []


def where_scanned(grant: Grant) -> Grant:
    """The grant on a stage with the malware scan, nothing on any other."""

    def granted(resources: Resources) -> Statement | list[Statement]:
        return grant(resources) if resources.settings.malware.malware_scan else []

    return granted


def ask_for_figures(resources: Resources) -> list[Statement]:
    scaling = allow(
        "CountScaling",
        actions="application-autoscaling:DescribeScalingActivities",
        resources="*",  # the call takes no resource to name
    )
    bill = allow(
        "AskForBill",
        actions="ce:GetCostAndUsage",
        resources="*",  # the bill is the account's
    )
    noted = allow("NoteBill", actions=["s3:GetObject", "s3:PutObject"], resources=resources.metadata("figures"))
    return [
        *([scaling] if resources.settings.compute.provisioned_concurrency else []),
        *([bill, noted] if resources.settings.observability.cost_figure else []),
    ]
