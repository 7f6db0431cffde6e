"""Names: type tokens of the tiers, physical names of their resources, and tags."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.settings import GeneralSettings, Settings

PRODUCT = "video-upload"
SITE_REGION = "us-east-1"
"""The only region from which CloudFront accepts a web ACL, a certificate and log deliveries."""

MAX_STAGE_CHARS = 12
"""With the longest region name in it, the longest role name then fits into IAM's 64 characters."""

REFUSED_IN_STAGE_NAMES = ("aws", "amazon", "cognito")
"""Cognito Developer Guide, "Using the Amazon Cognito domain for the hosted UI": no sign-in domain may contain them."""

LOCAL_STAGE = "local"
"""Stage name of the platform on one machine, which has its own names and metrics."""

LIVE = "live"
"""Alias through which every function is invoked."""


def type_token(tier: str) -> str:
    """Pulumi type of a tier, such as `video-upload:tier:Storage`."""
    return f"{PRODUCT}:tier:{tier}"


def formerly(tier: str, name: str) -> pulumi.ResourceOptions:
    """Options of a tier with another type and name in stacks of 0.1, so that its resources survive the update."""
    return pulumi.ResourceOptions(aliases=[pulumi.Alias(name=name, type_=type_token(tier))])


def problem_of_stage_name(stage: str) -> str | None:
    """Return why AWS or this program refuses a stack's name, or None if neither does.

    A hyphen would make one stage's names a prefix of another's: policies of `dev` would cover `dev-2`.
    """
    if not re.fullmatch(rf"[a-z][a-z0-9]{{0,{MAX_STAGE_CHARS - 1}}}", stage):
        return (
            f"is called {stage!r}; every name on AWS holds it, so it must be 1 to {MAX_STAGE_CHARS} small letters and "
            "digits, a letter first"
        )
    if stage == LOCAL_STAGE:
        return f"is called {stage!r}, as the platform on one machine is"
    for word in REFUSED_IN_STAGE_NAMES:
        if word in stage:
            return f"is called {stage!r}, and Cognito takes no sign-in domain that holds {word!r}"
    return None


def problem_of_region(region: str | None) -> str | None:
    """Return why this program refuses a region, or None if it does not.

    Every ARN here begins with `arn:aws:`, and CloudFront's web ACL, certificate and logs are in us-east-1.
    """
    if region is None or not re.fullmatch(r"(?!cn-)[a-z]{2}-[a-z]+-[0-9]", region):
        return f"is {region!r}, not a region of the partition `aws`; China, GovCloud and others are not supported"
    if region not in {each.value for each in aws.Region}:
        return f"is {region!r}, and AWS has no such region"
    return None


@dataclass(frozen=True, kw_only=True)
class StageNames:
    """The account, region and names of a stage. Names follow from it, so that policies can name resources that are
    created later.

    stage: the stack's name, as `problem_of_stage_name` lets it pass.
    account_id: twelve digits.
    region: of everything but the edge.
    """

    stage: str
    account_id: str
    region: str

    def name(self, purpose: str) -> str:
        """`video-upload-dev-janitor`: unique within account and region."""
        return f"{PRODUCT}-{self.stage}-{purpose.replace('_', '-')}"

    def account_wide_name(self, purpose: str) -> str:
        """`video-upload-dev-janitor-eu-central-1`: unique within the account.

        For global resources (IAM, CloudFront, budgets, dashboards), for those in us-east-1 whatever the stage's region,
        and for a trail, whose name is taken in every region.
        """
        return f"{self.name(purpose)}-{self.region}"

    def bucket(self, purpose: str) -> str:
        """`video-upload-dev-videos-eu-central-1-123456789012`: bucket names are shared by all AWS accounts."""
        return f"{self.account_wide_name(purpose)}-{self.account_id}"

    def bucket_arn(self, purpose: str) -> str:
        """ARN of that bucket."""
        return f"arn:aws:s3:::{self.bucket(purpose)}"

    def log_group(self, purpose: str) -> str:
        """`/video-upload/dev/api-access`."""
        return f"/{PRODUCT}/{self.stage}/{purpose}"

    def function_log_group(self, purpose: str) -> str:
        """`/aws/lambda/…`: Lambda's console and Insights look for a function's log there."""
        return f"/aws/lambda/{self.name(purpose)}"

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def function_arn(self, purpose: str) -> str:
        """ARN of a function without alias or version."""
        return self.arn("lambda", f"function:{self.name(purpose)}")

    def live_arn(self, purpose: str) -> str:
        """ARN of the alias through which a function is invoked."""
        return f"{self.function_arn(purpose)}:{LIVE}"

    def role_arn(self, purpose: str) -> str:
        """ARN of a role; IAM has no region."""
        return f"arn:aws:iam::{self.account_id}:role/{self.account_wide_name(purpose)}"

    @property
    def conversion_queue(self) -> str:
        """Name of the stage's MediaConvert queue, on a stage that converts videos."""
        return self.name("renditions")

    @property
    def conversion_queue_arn(self) -> str:
        """ARN of that queue."""
        return self.arn("mediaconvert", f"queues/{self.conversion_queue}")

    @property
    def trail_arn(self) -> str:
        """ARN of the stage's trail, on a stage that has one."""
        return self.arn("cloudtrail", f"trail/{self.account_wide_name('trail')}")

    @property
    def account_root(self) -> str:
        """The account as a principal: every principal that its IAM policies allow."""
        return f"arn:aws:iam::{self.account_id}:root"


CONVERTER_ROLE = "converter"
"""Role that MediaConvert assumes for a job."""

STAGE_TAG = "Stage"
"""Tag by which the bill separates stages, once it is activated as a cost allocation tag."""


@dataclass(frozen=True, kw_only=True)
class StageContext(StageNames):
    """Names of the stage, and the settings that all tiers share."""

    general: GeneralSettings

    @classmethod
    def of(cls, settings: Settings, account_id: str, region: str) -> StageContext:
        """The context of a stage with these settings."""
        return cls(stage=settings.stage, account_id=account_id, region=region, general=settings.general)


def tag_everything(stage: str) -> None:
    """Tag every taggable resource with product and stage, by which the bill separates costs."""
    tags = {"Product": PRODUCT, STAGE_TAG: stage, "ManagedBy": "pulumi"}

    def add_tags(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not hasattr(type(args.resource), "tags"):
            return None
        return pulumi.ResourceTransformationResult({**args.props, "tags": tags}, args.opts)

    pulumi.runtime.register_stack_transformation(add_tags)
