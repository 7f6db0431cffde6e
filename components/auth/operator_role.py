"""Operator role: the rights of the operators' commands, namely to find, replay, restore, revoke, erase, reset
authenticator apps and appoint administrators. Publishing, redriving and the smoke test need the deploy role."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import STAGE_TAG, StageContext, StageNames, type_token
from components.policy import PolicyDocument, Statement, allow, document

ROLE = "operator"


@dataclass(frozen=True)
class OperatorsArgs:
    """data_key_arn: of records, videos and messages. completion_topic_arn: for messages about erased videos.
    user_pool_arn: of the users who may be revoked, erased and reset. converts: whether videos are converted.
    """

    context: StageContext
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]
    completion_topic_arn: pulumi.Input[str]
    user_pool_arn: pulumi.Input[str]
    converts: bool


class Operators(pulumi.ComponentResource):
    """The role that the operators' commands assume."""

    role_arn: pulumi.Output[str]
    """ARN of the role. The metadata bucket's policy lets it in from outside of the network."""

    def __init__(self, name: str, args: OperatorsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Operators"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-operator",
            name=args.context.account_wide_name(ROLE),
            description="Find, replay, restore, revoke, erase, reset, appoint",
            assume_role_policy=policy.to_json(trusted_by_the_account(args.context)),
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-operator",
            role=role.name,
            policy=policy.to_json(
                operators_policy(
                    args.context,
                    data_key_arn=args.data_key_arn,
                    completion_topic_arn=args.completion_topic_arn,
                    user_pool_arn=args.user_pool_arn,
                    converts=args.converts,
                )
            ),
            opts=child,
        )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})


def trusted_by_the_account(context: StageNames) -> PolicyDocument:
    """Trust policy: any principal of the account whose own policies allow `sts:AssumeRole` on this role."""
    return document(
        {"Effect": "Allow", "Principal": {"AWS": context.account_root}, "Action": "sts:AssumeRole"},
    )


def operators_policy(
    context: StageNames,
    *,
    data_key_arn: pulumi.Input[str],
    completion_topic_arn: pulumi.Input[str],
    user_pool_arn: pulumi.Input[str],
    converts: bool,
) -> PolicyDocument:
    """Permissions of operators: they list versions and read verdicts and records, never the content of a video.

    S3 API reference, GetObjectTagging and DeleteObject: a call that names a version needs both actions.
    """
    videos, metadata = context.bucket_arn("videos"), context.bucket_arn("metadata")
    objects, renditions = f"{videos}/videos/*", f"{videos}/renditions/*"
    records, markers, idempotency_keys, posters, index, links, link_uses = (
        f"{metadata}/{folder}/*" for folder in ("records", "open", "starts", "posters", "index", "links", "link-uses")
    )
    return document(
        allow("FindRecords", actions="s3:ListBucket", resources=metadata),
        allow("FindVersions", actions="s3:ListBucketVersions", resources=[videos, metadata]),
        allow("FindOpenUploads", actions="s3:ListBucketMultipartUploads", resources=videos),
        allow("ReadRecords", actions=["s3:GetObject", "s3:GetObjectVersion"], resources=records),
        allow(
            "ReadVerdicts",
            actions=["s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
            resources=[objects, renditions],
        ),
        allow("ChangeRecords", actions=["s3:PutObject", "s3:PutObjectTagging"], resources=records),
        allow("RebuildIndex", actions=["s3:GetObject", "s3:PutObject"], resources=index),
        allow("MarkOpen", actions="s3:PutObject", resources=[markers, link_uses]),
        allow("RevokeLinks", actions=["s3:GetObject", "s3:PutObject"], resources=links),
        allow(
            "AbortUploads",
            actions=["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"],
            resources=[objects, renditions],
        ),
        allow(
            "HideUncoverAndErase",
            actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
            resources=[objects, renditions, records, posters, markers, idempotency_keys, index, links, link_uses],
        ),
        allow(
            "S3UsesDataKey",
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=data_key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"s3.{context.region}.amazonaws.com"}},
        ),
        allow("AnnounceDeletions", actions="sns:Publish", resources=completion_topic_arn),
        allow(
            "SnsUsesDataKey",
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=data_key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"sns.{context.region}.amazonaws.com"}},
        ),
        allow("Replay", actions="lambda:InvokeFunction", resources=context.live_arn("video_processing")),
        allow(
            "RevokeEraseResetAndAppointUsers",
            actions=[
                "cognito-idp:ListUsers",
                "cognito-idp:AdminDeleteSoftwareToken",
                "cognito-idp:AdminDisableUser",
                "cognito-idp:AdminUserGlobalSignOut",
                "cognito-idp:AdminDeleteUser",
                "cognito-idp:AdminAddUserToGroup",
                "cognito-idp:AdminRemoveUserFromGroup",
                "cognito-idp:ListUsersInGroup",
            ],
            resources=user_pool_arn,
        ),
        *(_conversions(context) if converts else []),
    )


def _conversions(context: StageNames) -> list[Statement]:
    """Rights to find and cancel the conversions of a user who is erased."""
    return [
        allow("FindConversions", actions="mediaconvert:SearchJobs", resources=context.conversion_queue_arn),
        allow(
            "StopConversions",
            actions=["mediaconvert:GetJob", "mediaconvert:CancelJob"],
            resources=context.arn("mediaconvert", "jobs/*"),  # MediaConvert assigns the names; a tag tells the stage
            conditions={"StringEquals": {f"aws:ResourceTag/{STAGE_TAG}": context.stage}},
        ),
    ]
