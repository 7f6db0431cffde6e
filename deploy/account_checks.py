"""Checks of an account and its region, independent of stages: services are verified, enabled, out of sandboxes."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chalicelib.adapters.client_errors import error_code, error_message
from components.naming import SITE_REGION, STAGE_TAG
from deploy.findings import Check, Finding, cannot_tell, ok, will_fail
from deploy.planned_stage import UNREADABLE, PlannedStage


def _region(stage: PlannedStage) -> Finding:
    answer = stage.client("ec2", SITE_REGION).describe_regions(RegionNames=[stage.region], AllRegions=True)
    (region,) = answer["Regions"]
    if region["OptInStatus"] == "not-opted-in":
        return will_fail(f"{stage.region} is not enabled; enable it under the account's AWS Regions, or set aws:region")
    return ok(f"{stage.region} is enabled")


def _cloudfront(stage: PlannedStage) -> Finding:
    page = stage.client("cloudfront").list_distributions(MaxItems="1")["DistributionList"]
    if page.get("Items"):
        return ok("the account has a distribution, so it is verified")
    return cannot_tell(
        "the account has no distribution yet, and AWS verifies new accounts first; if `pulumi up` ends with "
        "`Your account must be verified`, open a case with AWS Support (account and billing) and run it again"
    )


def _api_logging_role(stage: PlannedStage) -> Finding:
    role_arn = stage.client("apigateway").get_account().get("cloudwatchRoleArn")
    if not role_arn:
        return will_fail(
            f"none in {stage.region}; run `pulumi -C account up` (docs/deploying.md, Once per account and region)"
        )
    name = role_arn.rpartition("/")[2]
    try:
        stage.client("iam").get_role(RoleName=name)
    except ClientError as error:
        if error_code(error) != "NoSuchEntity":
            raise
        return will_fail(f"{name} does not exist any more; run `pulumi -C account up` again")
    return ok(name)


def _mail_identity(stage: PlannedStage) -> Finding:
    _, _, _, region, account_id, resource = stage.settings.sign_in.mail_identity_arn.split(":", 5)
    identity = resource.partition("/")[2]
    if account_id != stage.account_id:
        return will_fail(f"{identity} belongs to account {account_id}; verify one in this account and set its ARN")
    ses = stage.client("sesv2", region)
    try:
        found = ses.get_email_identity(EmailIdentity=identity)
    except ClientError as error:
        if error_code(error) != "NotFoundException":
            raise
        return will_fail(f"SES has no identity {identity} in {region}; create and verify it")
    if not found.get("VerifiedForSendingStatus"):
        return will_fail(f"{identity} is not verified; finish its verification in SES")
    if not ses.get_account().get("ProductionAccessEnabled"):
        return will_fail(
            f"SES is in its sandbox in {region} and sends only to verified addresses; request production access"
        )
    return ok(f"{identity} is verified, and SES is out of its sandbox")


def _certificate(stage: PlannedStage) -> Finding:
    settings = stage.settings
    try:
        answer = stage.client("acm", SITE_REGION).describe_certificate(
            CertificateArn=settings.edge.site_certificate_arn
        )
    except ClientError as error:
        if error_code(error) != "ResourceNotFoundException":
            raise
        return will_fail(f"{settings.edge.site_certificate_arn} does not exist; request a certificate for the domain")
    certificate = answer["Certificate"]
    names = {certificate["DomainName"], *certificate.get("SubjectAlternativeNames", ())}
    if certificate["Status"] != "ISSUED":
        return will_fail(f"the certificate is {certificate['Status']}, not ISSUED; finish its validation in ACM")
    if names.isdisjoint({settings.edge.site_domain, f"*.{settings.edge.site_domain.partition('.')[2]}"}):
        return will_fail(f"the certificate is for {', '.join(sorted(names))}, not for {settings.edge.site_domain}")
    return ok(f"issued for {settings.edge.site_domain}")


def _zone(stage: PlannedStage) -> Finding:
    zone_id, domain = stage.settings.edge.hosted_zone_id, stage.settings.edge.site_domain
    try:
        zone = stage.client("route53").get_hosted_zone(Id=zone_id)["HostedZone"]
    except ClientError as error:
        if error_code(error) != "NoSuchHostedZone":
            raise
        return will_fail(f"Route 53 has no zone {zone_id} in this account; set hostedZoneId to the zone of {domain}")
    name = zone["Name"].removesuffix(".")
    if not f".{domain}".endswith(f".{name}"):
        return will_fail(f"{zone_id} is the zone of {name}, and {domain} is not in it; set the zone of {domain}")
    if zone.get("Config", {}).get("PrivateZone"):
        return will_fail(f"{zone_id} is a private zone, and browsers cannot look {domain} up in it; set a public one")
    if held := _held_records(stage):
        there = f"the zone {name} already has records of {domain}: {', '.join(held)}"
        if stage.made is None:
            return cannot_tell(f"{there}, {UNREADABLE}")
        return will_fail(f"{there}, outside of the stack; delete them, or choose another siteDomain")
    return ok(f"{domain} is in the zone {name} and is free or belongs to the stage")


def _held_records(stage: PlannedStage) -> list[str]:
    """Types of records that conflict with the site's own; a zone lists all records of a name together."""
    zone_id, domain = stage.settings.edge.hosted_zone_id, stage.settings.edge.site_domain
    answer = stage.client("route53").list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=domain)
    kinds = {each["Type"] for each in answer["ResourceRecordSets"] if each["Name"].removesuffix(".") == domain}
    return [
        kind
        for kind in ("A", "AAAA", "CNAME")
        if kind in kinds and not stage.has_made("route53/record:Record", f"{zone_id}_{domain}_{kind}")
    ]


def _cost_tag(stage: PlannedStage) -> Finding:
    activate = f"activate {STAGE_TAG} under Billing, Cost allocation tags, a day after the first `pulumi up`"
    try:
        tags = stage.client("ce", SITE_REGION).list_cost_allocation_tags(TagKeys=[STAGE_TAG])["CostAllocationTags"]
    except ClientError as error:
        reason = error_message(error)
        if "Linked account" in reason:
            return cannot_tell(f"only the organization's management account knows; {activate} there")
        if "not enabled for cost explorer" in reason.lower():
            return will_fail("Cost Explorer is off; open it once under Billing; it has data a day later")
        raise
    if not tags:
        return cannot_tell(f"the bill has not seen the tag yet; {activate}")
    if tags[0]["Status"] != "Active":
        return will_fail(f"the budget and the cost figure would count no costs: {activate}")
    return ok(f"Cost Explorer answers, and the tag {STAGE_TAG} is active")


ACCOUNT_CHECKS = (
    Check(subject="region", actions=("ec2:DescribeRegions",), answer=_region),
    Check(subject="CloudFront", actions=("cloudfront:ListDistributions",), answer=_cloudfront),
    Check(subject="API Gateway's logging role", actions=("apigateway:GET", "iam:GetRole"), answer=_api_logging_role),
    Check(
        subject="SES identity",
        actions=("ses:GetEmailIdentity", "ses:GetAccount"),
        answer=_mail_identity,
        applies=lambda stage: bool(stage.settings.sign_in.mail_identity_arn),
    ),
    Check(
        subject="certificate",
        actions=("acm:DescribeCertificate",),
        answer=_certificate,
        applies=lambda stage: bool(stage.settings.edge.site_certificate_arn),
    ),
    Check(
        subject="hosted zone",
        actions=("route53:GetHostedZone", "route53:ListResourceRecordSets"),
        answer=_zone,
        applies=lambda stage: bool(stage.settings.edge.hosted_zone_id),
    ),
    Check(subject="cost allocation tag", actions=("ce:ListCostAllocationTags",), answer=_cost_tag),
)
