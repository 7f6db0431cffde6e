"""Checks of unique names: buckets, the sign-in domain, and the site's domain."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chalicelib.adapters.client_errors import error_status
from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import UNREADABLE, PlannedStage

_LEFT_OVER = "import them, or empty and delete them (docs/deploying.md, Destroying)"


def _buckets(stage: PlannedStage) -> Finding:
    names: list[str] = [bucket.inputs["bucket"] for bucket in stage.declared.of("s3/bucket:Bucket")]
    s3 = stage.client("s3")
    mine = {bucket["Name"] for page in s3.get_paginator("list_buckets").paginate() for bucket in page["Buckets"]}
    foreign = [name for name in names if name not in mine and _exists(s3, name)]
    if foreign:
        return will_fail(f"another account holds {', '.join(foreign)}; choose another name for the stage")
    own = [name for name in names if name in mine and stage.has_made("s3/bucket:Bucket", name)]
    left_over = [name for name in names if name in mine and name not in own]
    if left_over and stage.made is None:
        return cannot_tell(f"{', '.join(left_over)} exist in this account, {UNREADABLE}")
    if left_over:
        return will_fail(f"{', '.join(left_over)} exist in this account, outside of the stack; {_LEFT_OVER}")
    return ok(f"{len(own)} are the stage's own, {len(names) - len(own)} free" if own else f"{len(names)} free")


def _exists(s3: object, name: str) -> bool:
    """Check bucket names. HEAD returns 404 for a free name, 301 or 403 for another account's bucket (S3 API reference,
    HeadBucket)."""
    try:
        s3.head_bucket(Bucket=name)  # type: ignore[attr-defined]
    except ClientError as error:
        if error_status(error) == 404:
            return False
        if error_status(error) not in {301, 403}:
            raise
    return True


def _sign_in_domain(stage: PlannedStage) -> Finding:
    (declared,) = stage.declared.of("cognito/userPoolDomain:UserPoolDomain")
    domain: str = declared.inputs["domain"]
    found = stage.client("cognito-idp").describe_user_pool_domain(Domain=domain)["DomainDescription"]
    if not found.get("UserPoolId"):
        return ok(f"{domain} is free")
    owner = found.get("AWSAccountId", stage.account_id)
    if owner != stage.account_id:
        return will_fail(f"account {owner} holds {domain}; choose another name for the stage")
    if not stage.has_made("cognito/userPoolDomain:UserPoolDomain", domain):
        pool = found["UserPoolId"]
        if stage.made is None:
            return cannot_tell(f"{domain} belongs to the user pool {pool}, {UNREADABLE}")
        return will_fail(f"{domain} belongs to the user pool {pool}, outside of the stack; delete or import the domain")
    return ok(f"{domain} is the stage's own")


def _site_domain(stage: PlannedStage) -> Finding:
    """Check the site's domain, which only one distribution of all accounts may have (Developer Guide, "Restrictions on
    using alternate domain names"). Other accounts' distributions are visible only to a distribution with a certificate
    for the name (API reference, ListDomainConflicts)."""
    domain = stage.settings.edge.site_domain
    pages = stage.client("cloudfront").get_paginator("list_distributions").paginate()
    holders = [
        each["Id"]
        for page in pages
        for each in page["DistributionList"].get("Items", ())
        if domain in each.get("Aliases", {}).get("Items", ())
        and not stage.has_made("cloudfront/distribution:Distribution", each["Id"])
    ]
    if not holders:
        return ok(f"no distribution of this account but the stage's own has {domain}; other accounts cannot be asked")
    held = f"distribution {', '.join(holders)} has {domain}"
    if stage.made is None:
        return cannot_tell(f"{held}, {UNREADABLE}")
    return will_fail(f"{held}, outside of the stack; take the name from it, or choose another siteDomain")


NAME_CHECKS = (
    Check(subject="bucket names", actions=("s3:ListAllMyBuckets", "s3:ListBucket"), answer=_buckets),
    Check(subject="sign-in domain", actions=("cognito-idp:DescribeUserPoolDomain",), answer=_sign_in_domain),
    Check(
        subject="site domain",
        actions=("cloudfront:ListDistributions",),
        answer=_site_domain,
        applies=lambda stage: bool(stage.settings.edge.site_domain),
    ),
)
