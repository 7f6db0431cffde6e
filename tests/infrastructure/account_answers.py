"""Answers of AWS about an account, as the checks of `make preflight` read them."""

from __future__ import annotations

from typing import Any

from tests.infrastructure.preflight_stage import ACCOUNT_ID


def quota(value: int) -> dict[str, Any]:
    return {"Quota": {"Value": value}}


def concurrency(limit: int, unreserved: int) -> dict[str, Any]:
    return {
        "GetAccountSettings": {
            "AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": unreserved}
        }
    }


def throttle(rate: float, burst: int) -> dict[str, Any]:
    return {"GetAccount": {"throttleSettings": {"rateLimit": rate, "burstLimit": burst}}}


def distributions(count: int) -> dict[str, Any]:
    return {"DistributionList": LIST | {"Quantity": count, "Items": [distribution(each) for each in range(count)]}}


def distribution(number: int) -> dict[str, Any]:
    return {"Id": str(number), **{name: DISTRIBUTION_PARTS.get(name, "") for name in DISTRIBUTION_MEMBERS}}


LIST = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}
DISTRIBUTION_MEMBERS = (
    *("ARN", "Status", "LastModifiedTime", "DomainName", "Aliases", "Origins", "DefaultCacheBehavior"),
    *("CacheBehaviors", "CustomErrorResponses", "Comment", "PriceClass", "Enabled", "ViewerCertificate"),
    *("Restrictions", "WebACLId", "HttpVersion", "IsIPV6Enabled", "Staging"),
)
DISTRIBUTION_PARTS: dict[str, Any] = {
    "LastModifiedTime": 0,
    "Aliases": {"Quantity": 0},
    "Origins": {"Quantity": 0, "Items": [{"Id": "site", "DomainName": "site.example.com"}]},
    "DefaultCacheBehavior": {"TargetOriginId": "site", "ViewerProtocolPolicy": "https-only"},
    "CacheBehaviors": {"Quantity": 0},
    "CustomErrorResponses": {"Quantity": 0},
    "Enabled": True,
    "ViewerCertificate": {},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "IsIPV6Enabled": True,
    "Staging": False,
}
VERIFIED = {"VerifiedForSendingStatus": True}
ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/api-gateway-logs"
ROLE = {
    **{"Path": "/", "RoleName": "api-gateway-logs", "RoleId": "AROA000000000000", "Arn": ROLE_ARN},
    "CreateDate": "2026-01-01T00:00:00Z",
}


def certificate(status: str, name: str) -> dict[str, Any]:
    return {"DescribeCertificate": {"Certificate": {"Status": status, "DomainName": name}}}


def zone(name: str, *, is_private: bool = False) -> dict[str, Any]:
    made = {"Id": "/hostedzone/Z1", "Name": name, "CallerReference": "1", "Config": {"PrivateZone": is_private}}
    return {"GetHostedZone": {"HostedZone": made}}


def records(name: str, *kinds: str) -> dict[str, Any]:
    listed = {"ResourceRecordSets": [{"Name": name, "Type": kind} for kind in kinds]}
    return zone("example.com.") | {"ListResourceRecordSets": {**listed, "IsTruncated": False, "MaxItems": "3"}}


def aliased(*names: str) -> dict[str, Any]:
    listed = distributions(1)
    listed["DistributionList"]["Items"][0] |= {"Aliases": {"Quantity": len(names), "Items": list(names)}}
    return {"ListDistributions": listed}


def plan(bucket: str) -> dict[str, Any]:
    return {
        "ListMalwareProtectionPlans": {"MalwareProtectionPlans": [{"MalwareProtectionPlanId": "p-1"}]},
        "GetMalwareProtectionPlan": {"ProtectedResource": {"S3Bucket": {"BucketName": bucket}}},
    }


def conversion_queues(*names: str, total: int | None = None, free: int | None = None) -> dict[str, Any]:
    jobs = {"TotalConcurrentJobs": total, "UnallocatedConcurrentJobs": free}
    told = {name: count for name, count in jobs.items() if count is not None}
    return {"ListQueues": {"Queues": [{"Name": name} for name in names], **told}}


def tag(status: str) -> dict[str, Any]:
    return {
        "ListCostAllocationTags": {"CostAllocationTags": [{"TagKey": "Stage", "Type": "UserDefined", "Status": status}]}
    }


def held(operation: str, answer: dict[str, Any], allowed: int | None) -> dict[str, Any]:
    return {operation: answer} | ({"GetServiceQuota": quota(allowed)} if allowed is not None else {})


def some(key: str, count: int) -> dict[str, Any]:
    return {key: [{} for _ in range(count)]}


def headers_policies(count: int) -> dict[str, Any]:
    return {"ResponseHeadersPolicyList": {"MaxItems": 100, "Quantity": count}}


def parameter(name: str, kind: str = "SecureString") -> dict[str, Any]:
    return {"GetParameters": {"Parameters": [{"Name": name, "Type": kind}]}}
