"""Storage: the private, encrypted buckets of videos, records, the site and logs."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

import pulumi
import pulumi_aws as aws

from components import policy
from components.naming import StageContext, type_token
from components.protection import protected
from components.settings import StorageSettings
from components.storage import bucket_policies

BUCKETS = ("videos", "metadata", "site", "logs")
LOGGED_BUCKETS = ("videos", "metadata", "site")
IDEMPOTENCY_KEY_DAYS = 1
"""Days until an idempotency key expires. Clients repeat an init within minutes."""


@dataclass(frozen=True)
class StorageArgs:
    """Inputs of the storage tier.

    data_key_arn: encrypts everything but the log bucket.
    s3_endpoint_id: of the only way to records; None without a network.
    trail: whether a trail writes into the log bucket. renditions: whether CloudFront serves renditions.
    """

    context: StageContext
    settings: StorageSettings
    _: KW_ONLY
    data_key_arn: pulumi.Input[str]
    s3_endpoint_id: pulumi.Input[str] | None
    roles: bucket_policies.BucketRoles
    trail: bool
    renditions: bool


class Storage(pulumi.ComponentResource):
    """Four private, versioned, logged buckets and their policies."""

    video_bucket_name: pulumi.Output[str]
    """Receives parts directly from clients. Videos are readable only after acceptance."""
    metadata_bucket_name: pulumi.Output[str]
    """Records, markers, posters."""
    site_bucket_name: pulumi.Output[str]
    """The web client's files."""
    bucket_domains: dict[str, pulumi.Output[str]]
    """Regional host names by bucket, as CloudFront's origins."""
    upload_hosts: list[pulumi.Input[str]]
    """Host names to which a page uploads, and from which it reads."""
    log_bucket_name: pulumi.Output[str]
    """Access logs of buckets and edge, and the trail."""
    log_bucket_arn: pulumi.Output[str]
    """ARN of the log bucket."""
    dependencies: list[pulumi.Resource]
    """Policies, encryption and public access blocks. Every writer to a bucket depends on them."""

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(type_token("Storage"), name, None, opts)
        self._name = name
        self._args = args
        self._protected = protected(self, args.context.general.protect)
        context = args.context

        buckets = {purpose: self._private_bucket(purpose) for purpose in BUCKETS}
        blocks = {purpose: self._public_access_block(purpose, bucket) for purpose, bucket in buckets.items()}
        documents = {
            "videos": bucket_policies.video_bucket_policy(
                context,
                data_key_arn=args.data_key_arn,
                roles=args.roles,
                renditions=args.renditions,
            ),
            "metadata": bucket_policies.metadata_bucket_policy(
                context,
                data_key_arn=args.data_key_arn,
                s3_endpoint_id=args.s3_endpoint_id,
                roles=args.roles,
            ),
            "site": bucket_policies.site_bucket_policy(context),
            "logs": bucket_policies.log_bucket_policy(context, logged_buckets=LOGGED_BUCKETS, trail=args.trail),
        }
        policies = {
            purpose: aws.s3.BucketPolicy(
                f"{name}-{purpose}",
                bucket=bucket.id,
                policy=policy.to_json(documents[purpose]),
                # S3 refuses to change a bucket's policy and its public access block at the same moment.
                opts=protected(self, args.context.general.protect, depends_on=[blocks[purpose]]),
            )
            for purpose, bucket in buckets.items()
        }
        encryptions = [self._encryption(purpose, bucket) for purpose, bucket in buckets.items()]
        for purpose in LOGGED_BUCKETS:
            aws.s3.BucketLogging(
                f"{name}-{purpose}",
                bucket=buckets[purpose].id,
                target_bucket=buckets["logs"].id,
                target_prefix=bucket_policies.access_log_prefix(purpose),
                opts=protected(self, args.context.general.protect, depends_on=[policies["logs"]]),
            )
        versionings = {
            purpose: aws.s3.BucketVersioning(
                f"{name}-{purpose}",
                bucket=bucket.id,
                versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
                opts=self._protected,
            )
            for purpose, bucket in buckets.items()
        }
        for purpose, rules in self._lifecycles().items():
            aws.s3.BucketLifecycleConfiguration(
                f"{name}-{purpose}",
                bucket=buckets[purpose].id,
                rules=rules,
                # S3 refuses rules about noncurrent versions on an unversioned bucket.
                opts=protected(self, args.context.general.protect, depends_on=[versionings[purpose]]),
            )
        if args.settings.transfer_acceleration:
            aws.s3.BucketAccelerateConfiguration(
                f"{name}-videos",
                bucket=buckets["videos"].id,
                status="Enabled",
                opts=pulumi.ResourceOptions(parent=self),
            )

        self.video_bucket_name = buckets["videos"].id
        self.metadata_bucket_name = buckets["metadata"].id
        self.site_bucket_name = buckets["site"].id
        self.bucket_domains = {purpose: bucket.bucket_regional_domain_name for purpose, bucket in buckets.items()}
        self.upload_hosts = [self.bucket_domains["videos"], self.bucket_domains["metadata"]]
        if args.settings.transfer_acceleration:
            self.upload_hosts.append(f"{context.bucket('videos')}.s3-accelerate.amazonaws.com")
        self.log_bucket_name = buckets["logs"].id
        self.log_bucket_arn = buckets["logs"].arn
        self.dependencies = [*blocks.values(), *policies.values(), *encryptions, *versionings.values()]
        self.register_outputs(
            {
                "videoBucketName": self.video_bucket_name,
                "metadataBucketName": self.metadata_bucket_name,
                "siteBucketName": self.site_bucket_name,
                "logBucketName": self.log_bucket_name,
            }
        )

    def _private_bucket(self, purpose: str) -> aws.s3.Bucket:
        bucket = aws.s3.Bucket(
            f"{self._name}-{purpose}",
            bucket=self._args.context.bucket(purpose),
            force_destroy=not self._args.context.general.protect,
            opts=self._protected,
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-{purpose}",
            bucket=bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._protected,
        )
        return bucket

    def _public_access_block(self, purpose: str, bucket: aws.s3.Bucket) -> aws.s3.BucketPublicAccessBlock:
        return aws.s3.BucketPublicAccessBlock(
            f"{self._name}-{purpose}",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._protected,
        )

    def _encryption(self, purpose: str, bucket: aws.s3.Bucket) -> aws.s3.BucketServerSideEncryptionConfiguration:
        if purpose == "logs":
            # S3 User Guide, "Enabling server access logging": the target bucket supports only SSE-S3.
            default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="AES256"
            )
        else:
            default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="aws:kms", kms_master_key_id=self._args.data_key_arn
            )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-{purpose}",
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default,
                    bucket_key_enabled=purpose != "logs",
                    blocked_encryption_types=["SSE-C"],  # nobody here can read an object encrypted with a client's key
                )
            ],
            opts=self._protected,
        )

    def _lifecycles(self) -> dict[str, list[aws.s3.BucketLifecycleConfigurationRuleArgs]]:
        """Rules by bucket. None moves a video to a tier from which it must be restored before it plays."""
        args = self._args
        cleanup_rules = [
            _drop_incomplete(args.settings.incomplete_upload_days),
            _drop_noncurrent(args.settings.noncurrent_days),
        ]
        videos = [*cleanup_rules, _drop_rejected(args.settings.rejected_days)]
        if args.settings.intelligent_tiering:
            videos.append(_tier())
        metadata = [*cleanup_rules, _drop_tombstones(args.settings.tombstone_days), _drop_idempotency_keys()]
        return {
            "videos": videos,
            "metadata": metadata,
            "site": cleanup_rules,
            "logs": [*cleanup_rules, _drop_old(args.context.general.log_days)],
        }


def _drop_incomplete(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="incomplete-uploads",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=days
        ),
    )


def _drop_noncurrent(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="noncurrent-versions",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=days
        ),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
    )


def _drop_rejected(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="rejected-videos",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(
            tag=aws.s3.BucketLifecycleConfigurationRuleFilterTagArgs(key="verdict", value="rejected")
        ),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
    )


def _drop_tombstones(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="tombstones",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(
            tag=aws.s3.BucketLifecycleConfigurationRuleFilterTagArgs(key="lifetime", value="tombstone")
        ),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
    )


def _drop_idempotency_keys() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="idempotency-keys",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="starts/"),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=IDEMPOTENCY_KEY_DAYS),
    )


def _tier() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="intelligent-tiering",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="videos/"),
        transitions=[
            aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(days=0, storage_class="INTELLIGENT_TIERING")
        ],
    )


def _drop_old(days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="old-logs",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
    )
