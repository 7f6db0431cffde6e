"""Conversion: a stage's MediaConvert queue, and the role by which its jobs read videos and write renditions."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import CONVERTER_ROLE, StageContext, StageNames, type_token

SERVICE = "mediaconvert.amazonaws.com"


@dataclass(frozen=True)
class ConversionArgs:
    """data_key_arn: encrypts videos and renditions."""

    context: StageContext
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]


class Conversion(pulumi.ComponentResource):
    """Queue and role of the jobs that the janitor submits."""

    queue_arn: pulumi.Output[str]
    """ARN of the queue: on demand, and of this stage alone."""

    def __init__(self, name: str, args: ConversionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Conversion"), name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-converter",
            name=args.context.account_wide_name(CONVERTER_ROLE),
            # No condition: AWS documents none that MediaConvert sends. Only principals that may pass the role can give
            # it to a job.
            assume_role_policy=policy.to_json(policy.assumed_by(SERVICE)),
            opts=child,
        )
        aws.iam.RolePolicy(
            f"{name}-converter",
            role=role.name,
            policy=policy.to_json(converter_policy(args.context, args.data_key_arn)),
            opts=child,
        )
        queue = aws.mediaconvert.Queue(
            f"{name}-renditions",
            name=args.context.conversion_queue,
            description="Renditions of videos whose codecs browsers do not play",
            # Running jobs finish; queued ones wait until the stage is resumed.
            status="PAUSED" if args.context.general.paused else "ACTIVE",
            opts=child,
        )
        self.queue_arn = queue.arn
        self.register_outputs({"queueArn": self.queue_arn})


def converter_policy(context: StageNames, data_key_arn: pulumi.Input[str]) -> policy.PolicyDocument:
    """MediaConvert User Guide, "Setting up IAM permissions", for one folder to read and one to write.

    The video bucket's policy lets nobody read a video before it is accepted, including this role: jobs begin after the
    verdict.
    """
    bucket = context.bucket_arn("videos")
    return policy.document(
        policy.allow("ReadVideos", actions="s3:GetObject", resources=f"{bucket}/videos/*"),
        policy.allow("WriteRenditions", actions="s3:PutObject", resources=f"{bucket}/renditions/*"),
        policy.allow(
            "S3UsesDataKey",
            actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=data_key_arn,
            conditions={"StringEquals": {"kms:ViaService": f"s3.{context.region}.amazonaws.com"}},
        ),
    )
