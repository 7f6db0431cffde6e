"""Bucket policies: requests denied to everybody, and access of AWS services. Functions get their rights from
permissions.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components import policy
from components.naming import StageNames
from components.policy import EVERYONE, PolicyDocument, Statement, allow, deny, deny_plain_http, document

MAX_SIGNATURE_AGE_MS = 15 * 60 * 1000
MIN_TLS = "1.2"
FOLDERS_OF_RECORDS = ("records", "open", "starts", "links", "link-uses", "usage", "outbox")
READS = [
    *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"),
    *("s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"),
]
"""Every action that returns an object's bytes; `s3:GetObject*` would include tags and attributes."""

TAGGING = [
    "s3:ReplicateTags",
    "s3:PutObjectTagging",
    "s3:PutObjectVersionTagging",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersionTagging",
]


@dataclass(frozen=True, kw_only=True)
class BucketRoles:
    """Roles that are exempt from the policies' denials.

    tagging_arns: may tag a video as accepted or rejected. inspecting_arns: may read a video that is not accepted yet.
    outside_network_arns: may use records from outside the network.
    """

    tagging_arns: Sequence[str]
    inspecting_arns: Sequence[str]
    outside_network_arns: Sequence[str]


def video_bucket_policy(
    context: StageNames, *, data_key_arn: pulumi.Input[str], roles: BucketRoles, renditions: bool
) -> PolicyDocument:
    """Policy of the video bucket. renditions: whether CloudFront serves renditions as well."""
    arn = context.bucket_arn("videos")
    played = [f"{arn}/videos/*", *([f"{arn}/renditions/*"] if renditions else [])]
    return document(
        *_transport(arn),
        *_encryption(arn, data_key_arn),
        _short_signatures(arn),
        deny(
            "ReadOnlyAccepted",
            principal=EVERYONE,
            actions=READS,
            resources=f"{arn}/*",
            conditions={
                # Both conditions match an absent key: an object without the tag, a service without a role.
                "StringNotEquals": {"s3:ExistingObjectTag/verdict": "accepted"},
                "ArnNotEquals": {"aws:PrincipalArn": list(roles.inspecting_arns)},
            },
        ),
        deny(
            "OnlyProcessingTags",
            principal=EVERYONE,
            actions=TAGGING,
            resources=f"{arn}/*",
            conditions={"ArnNotEquals": {"aws:PrincipalArn": list(roles.tagging_arns)}},
        ),
        _cloudfront_reads(context, *played),
    )


def metadata_bucket_policy(
    context: StageNames,
    *,
    data_key_arn: pulumi.Input[str],
    s3_endpoint_id: pulumi.Input[str] | None,
    roles: BucketRoles,
) -> PolicyDocument:
    """Policy of the bucket of records, markers, idempotency keys, messages and posters.

    s3_endpoint_id: on a stage with a network, the only way to all of these except posters.
    """
    arn = context.bucket_arn("metadata")
    statements = [*_transport(arn), *_encryption(arn, data_key_arn), _short_signatures(arn)]
    if s3_endpoint_id is not None:
        elsewhere: policy.Conditions = {
            "StringNotEquals": {"aws:SourceVpce": s3_endpoint_id},
            "ArnNotEquals": {"aws:PrincipalArn": list(roles.outside_network_arns)},
        }
        statements.append(
            deny(
                "RecordsOnlyFromTheNetwork",
                principal=EVERYONE,
                actions="s3:*",  # read, write, delete and tag: a tag makes the lifecycle rule delete a record
                resources=[f"{arn}/{folder}/*" for folder in FOLDERS_OF_RECORDS],
                conditions=elsewhere,
            )
        )
    statements.append(_cloudfront_reads(context, f"{arn}/posters/*"))
    return document(*statements)


def site_bucket_policy(context: StageNames) -> PolicyDocument:
    """Policy of the site bucket: CloudFront reads, the deploying machine writes."""
    arn = context.bucket_arn("site")
    return document(*_transport(arn), _short_signatures(arn), _cloudfront_reads(context, f"{arn}/*"))


def log_bucket_policy(context: StageNames, *, logged_buckets: Sequence[str], trail: bool) -> PolicyDocument:
    """Policy of the log bucket: access logs of S3 and CloudFront, and the stage's trail, each from this account and
    into its own folder."""
    arn = context.bucket_arn("logs")
    statements = [
        *_transport(arn),
        *(
            allow(
                f"AccessLogsOf{bucket.capitalize()}",
                principal={"Service": "logging.s3.amazonaws.com"},
                actions="s3:PutObject",
                resources=f"{arn}/{access_log_prefix(bucket)}*",
                conditions={
                    "StringEquals": {"aws:SourceAccount": context.account_id},
                    "ArnEquals": {"aws:SourceArn": context.bucket_arn(bucket)},
                },
            )
            for bucket in logged_buckets
        ),
        allow(
            "EdgeLogs",
            principal={"Service": "delivery.logs.amazonaws.com"},
            actions="s3:PutObject",
            resources=f"{arn}/edge/*",
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": context.account_id,
                    "s3:x-amz-acl": "bucket-owner-full-control",
                },
                "ArnLike": {"aws:SourceArn": f"arn:aws:logs:us-east-1:{context.account_id}:delivery-source:*"},
            },
        ),
    ]
    if trail:
        statements += _trail_statements(context, arn)
    return document(*statements)


def access_log_prefix(bucket: str) -> str:
    """Folder in the log bucket of this bucket's access logs."""
    return f"s3/{bucket}/"


def _trail_statements(context: StageNames, bucket_arn: str) -> list[Statement]:
    return [
        allow(
            "TrailLooks",
            principal={"Service": "cloudtrail.amazonaws.com"},
            actions="s3:GetBucketAcl",
            resources=bucket_arn,
            conditions={"StringEquals": {"aws:SourceArn": context.trail_arn}},
        ),
        allow(
            "TrailWrites",
            principal={"Service": "cloudtrail.amazonaws.com"},
            actions="s3:PutObject",
            resources=f"{bucket_arn}/trail/AWSLogs/{context.account_id}/*",
            conditions={
                "StringEquals": {"aws:SourceArn": context.trail_arn, "s3:x-amz-acl": "bucket-owner-full-control"}
            },
        ),
    ]


def _transport(bucket_arn: str) -> list[Statement]:
    both = [bucket_arn, f"{bucket_arn}/*"]
    return [
        deny_plain_http("s3:*", both),
        deny(
            "NoOldTls",
            principal=EVERYONE,
            actions="s3:*",
            resources=both,
            conditions={"NumericLessThan": {"s3:TlsVersion": MIN_TLS}},
        ),
    ]


def _encryption(bucket_arn: str, data_key_arn: pulumi.Input[str]) -> list[Statement]:
    """Deny a wrong algorithm or key; the bucket's default encrypts requests that name none, as parts do."""
    algorithm, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    return [
        deny(
            "NoOtherEncryption",
            principal=EVERYONE,
            actions="s3:PutObject",
            resources=f"{bucket_arn}/*",
            conditions={"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: "false"}},
        ),
        deny(
            "NoOtherKey",
            principal=EVERYONE,
            actions="s3:PutObject",
            resources=f"{bucket_arn}/*",
            conditions={"StringNotEquals": {key: data_key_arn}, "Null": {key: "false"}},
        ),
        deny(
            "NoUnnamedKey",
            principal=EVERYONE,
            actions="s3:PutObject",
            resources=f"{bucket_arn}/*",
            # A request that names only the algorithm gets the account's `aws/s3` key: S3 API reference, PutObject.
            conditions={"Null": {algorithm: "false", key: "true"}},
        ),
        # Conditions on headers do not cover these: one changes the key afterwards, the other brings its own key.
        deny(
            "NoLaterKey",
            principal=EVERYONE,
            actions=["s3:UpdateObjectEncryption", "s3:ReplicateObject"],
            resources=f"{bucket_arn}/*",
        ),
    ]


def _short_signatures(bucket_arn: str) -> Statement:
    return deny(
        "NoOldSignatures",
        principal=EVERYONE,
        actions="s3:*",
        resources=f"{bucket_arn}/*",
        conditions={"NumericGreaterThan": {"s3:signatureAge": str(MAX_SIGNATURE_AGE_MS)}},
    )


def _cloudfront_reads(context: StageNames, *resources: str) -> Statement:
    return allow(
        "CloudFrontReads",
        principal={"Service": "cloudfront.amazonaws.com"},
        actions="s3:GetObject",
        resources=resources[0] if len(resources) == 1 else list(resources),
        conditions=policy.from_own_distributions(context.account_id),
    )
