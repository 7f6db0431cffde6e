"""Checks of quotas: the account's limits, its current use, and its use with the stage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.adapters.client_errors import error_code
from components.declared_stage import DeclaredStage
from components.naming import SITE_REGION
from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import PlannedStage

FULL_UNRESERVED = 100
"""Lambda Developer Guide, "Configuring reserved concurrency": minimum that stays unreserved. An account with a lower
limit cannot reserve any."""


@dataclass(frozen=True, kw_only=True)
class Quota:
    """A quota of an account.

    types: of the resources that count. action, held: the permission and the function that count existing ones. service,
    code: in Service Quotas; code is None without one. default: AWS's value for accounts without their own.
    """

    subject: str
    types: tuple[str, ...]
    action: str
    held: Callable[[PlannedStage], int]
    service: str = ""
    code: str | None = None
    default: int
    region: str | None = None

    @property
    def check(self) -> Check:
        read = ("servicequotas:GetServiceQuota",) if self.code else ()
        return Check(subject=self.subject, actions=(self.action, *read), answer=self._find, applies=self._applies)

    def _applies(self, stage: PlannedStage) -> bool:
        return bool(stage.declared.of(*self.types))

    def _find(self, stage: PlannedStage) -> Finding:
        held, wanted = self.held(stage), stage.to_be_made(*self.types)
        allowed, is_certain = self._allowed(stage)
        left = f"{held} of {allowed} used, {wanted} more needed"
        if held + wanted <= allowed:
            return ok(left)
        if is_certain:
            return will_fail(f"{left}; request more in Service Quotas")
        return cannot_tell(f"{left} by AWS's default; ask AWS Support whether the account's own is higher")

    def _allowed(self, stage: PlannedStage) -> tuple[int, bool]:
        """The quota's value, and whether it is specific to this account."""
        if self.code is None:
            return self.default, False
        try:
            answer = stage.client("service-quotas", self.region).get_service_quota(
                ServiceCode=self.service, QuotaCode=self.code
            )
        except ClientError as error:
            if error_code(error) == "NoSuchResourceException":
                return self.default, False
            raise
        return int(answer["Quota"]["Value"]), True


def _pages(client: Any, operation: str, key: str, **parameters: str) -> int:
    pages = client.get_paginator(operation).paginate(**parameters)
    return sum(len(page.get(key, ())) for page in pages)


def _distributions(stage: PlannedStage) -> int:
    pages = stage.client("cloudfront").get_paginator("list_distributions").paginate()
    return sum(len(page["DistributionList"].get("Items", ())) for page in pages)


def _headers_policies(stage: PlannedStage) -> int:
    answer = stage.client("cloudfront").list_response_headers_policies(Type="custom", MaxItems="100")
    return answer["ResponseHeadersPolicyList"]["Quantity"]


def _key_groups(stage: PlannedStage) -> int:
    return stage.client("cloudfront").list_key_groups(MaxItems="100")["KeyGroupList"]["Quantity"]


def _trails(stage: PlannedStage) -> int:
    return len(stage.client("cloudtrail").describe_trails(includeShadowTrails=True)["trailList"])


QUOTAS = (
    Quota(
        subject="quota of buckets",
        types=("s3/bucket:Bucket",),
        action="s3:ListAllMyBuckets",
        held=lambda stage: _pages(stage.client("s3"), "list_buckets", "Buckets"),
        service="s3",
        code="L-DC2B2D3D",
        default=10_000,  # AWS General Reference, "Amazon S3 endpoints and quotas"
    ),
    Quota(
        subject="quota of VPCs",
        types=("ec2/vpc:Vpc",),
        action="ec2:DescribeVpcs",
        held=lambda stage: _pages(stage.client("ec2"), "describe_vpcs", "Vpcs"),
        service="vpc",
        code="L-F678F1CE",
        default=5,  # VPC User Guide, "Amazon VPC quotas"
    ),
    Quota(
        subject="quota of trails",
        types=("cloudtrail/trail:Trail",),
        action="cloudtrail:DescribeTrails",
        held=_trails,
        default=5,  # CloudTrail User Guide, "Quotas in AWS CloudTrail"
    ),
    Quota(
        subject="quota of distributions",
        types=("cloudfront/distribution:Distribution",),
        action="cloudfront:ListDistributions",
        held=_distributions,
        service="cloudfront",
        code="L-24B04930",
        default=200,  # CloudFront Developer Guide, "Quotas"
        region=SITE_REGION,
    ),
    Quota(
        subject="quota of response headers policies",
        types=("cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",),
        action="cloudfront:ListResponseHeadersPolicies",
        held=_headers_policies,
        service="cloudfront",
        code="L-CF0D4FC5",
        default=20,  # same page
        region=SITE_REGION,
    ),
    Quota(
        subject="quota of key groups",
        types=("cloudfront/keyGroup:KeyGroup",),
        action="cloudfront:ListKeyGroups",
        held=_key_groups,
        default=10,  # same page, "Quotas on key groups"
    ),
)


def _concurrency(stage: PlannedStage) -> Finding:
    warm, most = _provisioned(stage.declared)
    limits = stage.client("lambda").get_account_settings()["AccountLimit"]
    limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
    spare = unreserved - min(FULL_UNRESERVED, limit)
    figures = f"{limit} for the account, {unreserved} unreserved, {warm} provisioned (up to {most}) by the stage"
    if warm > spare:
        return will_fail(f"{figures}; room for {max(spare, 0)}. Request more concurrent executions, or set less")
    if most > spare:
        return will_fail(f"{figures}; scaling ends at {spare}. Request more concurrent executions, or set less")
    if limit < FULL_UNRESERVED:
        return ok(f"{figures}; enough to try the stage. Request more concurrent executions before people use it")
    return ok(figures)


def _provisioned(declared: DeclaredStage) -> tuple[int, int]:
    """Warm instances, and the maximum to which they may scale."""
    configs = declared.of("lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig")
    targets = declared.of("appautoscaling/target:Target")
    warm = sum(int(config.inputs["provisionedConcurrentExecutions"]) for config in configs)
    return warm, max(warm, sum(int(target.inputs["maxCapacity"]) for target in targets))


def _api_rate(stage: PlannedStage) -> Finding:
    throttle = stage.client("apigateway").get_account()["throttleSettings"]
    rate, burst = int(throttle["rateLimit"]), int(throttle["burstLimit"])
    wanted_rate, wanted_burst = stage.settings.api.api_requests_per_second, stage.settings.api.api_burst
    figures = f"{rate} requests a second, burst {burst} for the account; {wanted_rate} and {wanted_burst} by the stage"
    if wanted_rate > rate or wanted_burst > burst:
        return will_fail(f"{figures}. Request more, or lower apiRequestsPerSecond and apiBurst")
    return ok(figures)


QUOTA_CHECKS = (
    Check(subject="Lambda concurrency", actions=("lambda:GetAccountSettings",), answer=_concurrency),
    Check(subject="API Gateway throttling", actions=("apigateway:GET",), answer=_api_rate),
    *(quota.check for quota in QUOTAS),
)
