"""What each function may do: one role a function, its policy a pure function of names and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.naming import StageContext
from components.policy import PolicyDocument, Statement, allow, deny, document


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What the functions' policies speak of.

    token_key_arns: upload token keys, the signing one first. media_key_arn: signs media URLs.
    in_network: whether the functions (but for the janitor) run in subnets. scaled: whether capacity is provisioned.
    asks_for_bill: whether the janitor asks Cost Explorer.
    """

    context: StageContext
    data_key_arn: pulumi.Input[str]
    token_key_arns: Sequence[pulumi.Input[str]]
    media_key_arn: pulumi.Input[str]
    completion_topic_arn: pulumi.Input[str]
    dead_letter_queue_arn: pulumi.Input[str]
    in_network: bool
    scaled: bool
    asks_for_bill: bool

    @property
    def videos(self) -> str:
        """Objects of clients."""
        return f"{self.context.bucket_arn('videos')}/videos/*"

    def metadata(self, folder: str) -> str:
        """Objects of one folder of the metadata bucket."""
        return f"{self.context.bucket_arn('metadata')}/{folder}/*"


def policy_of(function: str, resources: Resources) -> PolicyDocument:
    """The whole policy of a function's role. Raises KeyError for a function nobody thought about."""
    statements = [_write_log(function, resources), _trace()]
    if resources.in_network and function not in OUTSIDE_THE_NETWORK:
        statements.extend(_join_network(function, resources))
    statements.extend(grant(resources) for grant in _GRANTS[function])
    if function == "janitor":
        statements.extend(_ask_for_figures(resources))
    return document(*statements)


def _write_log(function: str, resources: Resources) -> Statement:
    group = resources.context.arn("logs", f"log-group:{resources.context.function_log_group(function)}")
    return allow("WriteOwnLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=f"{group}:*")


def _trace() -> Statement:
    return allow(
        "Trace",
        actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
        resources="*",  # X-Ray has no resources to name
    )


def _join_network(function: str, resources: Resources) -> list[Statement]:
    """Lambda attaches network interfaces with the function's role; the function's own code may not."""
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


def _use_data_key(resources: Resources) -> Statement:
    """S3 encrypts and decrypts on the caller's behalf, also for whoever uses a URL the function signed."""
    return allow(
        "S3UsesDataKey",
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=resources.data_key_arn,
        conditions={"StringEquals": {"kms:ViaService": f"s3.{resources.context.region}.amazonaws.com"}},
    )


def _sign_tokens(resources: Resources) -> Statement:
    return allow("SignTokens", actions="kms:GenerateMac", resources=resources.token_key_arns[0])


def _verify_tokens(resources: Resources) -> Statement:
    return allow("VerifyTokens", actions="kms:VerifyMac", resources=list(resources.token_key_arns))


def _list_records(resources: Resources) -> Statement:
    """Without it S3 answers 403 instead of 404 for a record that does not exist."""
    return allow("ListRecords", actions="s3:ListBucket", resources=resources.context.bucket_arn("metadata"))


def _change_records(resources: Resources) -> Statement:
    return allow("ChangeRecords", actions=["s3:GetObject", "s3:PutObject"], resources=resources.metadata("records"))


def _retire_records(resources: Resources) -> Statement:
    """The tag by which a lifecycle rule tells tombstones from records."""
    return allow("RetireRecords", actions="s3:PutObjectTagging", resources=resources.metadata("records"))


def _mark(resources: Resources) -> Statement:
    return allow("MarkOpen", actions=["s3:PutObject", "s3:DeleteObject"], resources=resources.metadata("open"))


def _unmark(resources: Resources) -> Statement:
    return allow("Unmark", actions="s3:DeleteObject", resources=resources.metadata("open"))


def _claim_starts(resources: Resources) -> Statement:
    return allow(
        "ClaimStarts",
        actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        resources=resources.metadata("starts"),
    )


def _create_videos(resources: Resources) -> Statement:
    """Also what presigned parts and forms do: S3 checks the signer's rights when the client uses them."""
    return allow("CreateVideos", actions="s3:PutObject", resources=resources.videos)


def _list_parts(resources: Resources) -> Statement:
    return allow("ListParts", actions="s3:ListMultipartUploadParts", resources=resources.videos)


def _abort_uploads(resources: Resources) -> Statement:
    """Emptied means: listed until no part is left."""
    return allow(
        "AbortUploads",
        actions=["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
        resources=resources.videos,
    )


def _find_videos(resources: Resources) -> Statement:
    """HEAD needs GetObject on the object, and ListBucket to answer 404."""
    return allow("FindVideos", actions="s3:GetObject", resources=resources.videos)


def _list_videos(resources: Resources) -> Statement:
    return allow("VideoNotFoundIs404", actions="s3:ListBucket", resources=resources.context.bucket_arn("videos"))


def _read_videos(resources: Resources) -> Statement:
    return allow("ReadVideos", actions=["s3:GetObject", "s3:GetObjectVersion"], resources=resources.videos)


def _sign_media_urls(resources: Resources) -> Statement:
    """CloudFront shows videos and posters to whoever holds a signed URL; the function itself reads neither."""
    return allow(
        "SignMediaUrls",
        actions="kms:Sign",
        resources=resources.media_key_arn,
        conditions={"StringEquals": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}},
    )


def _delete_videos(resources: Resources) -> Statement:
    """Hides them behind a delete marker, which an operator can take away again."""
    return allow(
        "DeleteVideosAndPosters",
        actions="s3:DeleteObject",
        resources=[resources.videos, resources.metadata("posters")],
    )


def _judge_videos(resources: Resources) -> Statement:
    """S3 API reference, PutObjectTagging and DeleteObject: a call that names a version needs both actions."""
    return allow(
        "JudgeVideos",
        actions=[
            *("s3:PutObjectTagging", "s3:PutObjectVersionTagging"),
            *("s3:DeleteObject", "s3:DeleteObjectVersion"),
        ],
        resources=resources.videos,
    )


def _remove_unjudged(resources: Resources) -> Statement:
    """The object of a form that was sent again, after another one of the same form was accepted."""
    return allow("RemoveUnjudged", actions=["s3:DeleteObject", "s3:DeleteObjectVersion"], resources=resources.videos)


def _keep_posters(resources: Resources) -> Statement:
    return allow("KeepPosters", actions=["s3:PutObject", "s3:DeleteObject"], resources=resources.metadata("posters"))


def _announce(resources: Resources) -> Statement:
    return allow("Announce", actions="sns:Publish", resources=resources.completion_topic_arn)


def _encrypt_announcements(resources: Resources) -> Statement:
    return allow(
        "SnsUsesDataKey",
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=resources.data_key_arn,
        conditions={"StringEquals": {"kms:ViaService": f"sns.{resources.context.region}.amazonaws.com"}},
    )


def _send_failures_to_dead_letter_queue(resources: Resources) -> Statement:
    """Lambda sends with the function's role."""
    return allow("SendToDeadLetterQueue", actions="sqs:SendMessage", resources=resources.dead_letter_queue_arn)


def _list_open_uploads(resources: Resources) -> Statement:
    return allow(
        "ListUnfinishedUploads",
        actions="s3:ListBucketMultipartUploads",
        resources=resources.context.bucket_arn("videos"),
    )


def _repeat_processing(resources: Resources) -> Statement:
    return allow(
        "RepeatProcessing",
        actions="lambda:InvokeFunction",
        resources=resources.context.live_arn("video_processing"),
    )


def _ask_for_figures(resources: Resources) -> list[Statement]:
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
    return [*([scaling] if resources.scaled else []), *([bill, noted] if resources.asks_for_bill else [])]


OUTSIDE_THE_NETWORK = frozenset({"janitor"})
"""It calls Lambda, Application Auto Scaling and Cost Explorer, for which no endpoint is paid."""

_RECORDS: tuple[Callable[[Resources], Statement], ...] = (_use_data_key, _list_records, _change_records)

_GRANTS: Mapping[str, Sequence[Callable[[Resources], Statement]]] = {
    "video_upload": (
        *_RECORDS,
        _retire_records,
        _mark,
        _create_videos,
        _sign_media_urls,
        _abort_uploads,
        _delete_videos,
    ),
    "multipart_init": (*_RECORDS, _mark, _claim_starts, _create_videos, _list_parts, _sign_tokens),
    "multipart_complete": (
        *_RECORDS,
        _retire_records,
        _unmark,
        _create_videos,
        _find_videos,
        _list_videos,
        _abort_uploads,
    ),
    "video_processing": (
        *_RECORDS,
        _mark,
        _read_videos,
        _list_videos,
        _judge_videos,
        _keep_posters,
        _announce,
        _encrypt_announcements,
        _send_failures_to_dead_letter_queue,
    ),
    "upload_token_authorizer": (_verify_tokens,),
    "janitor": (
        *_RECORDS,
        _retire_records,
        _mark,
        _create_videos,
        _read_videos,
        _list_videos,
        _list_open_uploads,
        _abort_uploads,
        _delete_videos,
        _remove_unjudged,
        _repeat_processing,
        _send_failures_to_dead_letter_queue,
    ),
}
