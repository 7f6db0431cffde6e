"""`make preflight`: each of its checks in each verdict that it can give, on answers that fit AWS's models."""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.declared_stage import declare
from components.setting_fields import settings_in
from components.settings import GROUPS
from deploy.company_checks import READ_BY_COGNITO
from deploy.findings import Check, Finding, Verdict
from deploy.planned_stage import DocumentError, DocumentRefusedError, PlannedStage
from deploy.preflight import checks, main, policy
from deploy.stack_resources import StackResources
from tests.infrastructure.account_answers import (
    ROLE,
    ROLE_ARN,
    VERIFIED,
    aliased,
    certificate,
    concurrency,
    conversion_queues,
    distributions,
    headers_policies,
    held,
    parameter,
    plan,
    records,
    some,
    tag,
    throttle,
    zone,
)
from tests.infrastructure.answering_aws import UNREACHABLE, AnsweringSession, Answers
from tests.infrastructure.preflight_stage import ACCOUNT_ID, declared

OK, WILL_FAIL, CANNOT_TELL = Verdict
CHECKS = {check.subject: check for check in checks()}
IDENTITY = f"arn:aws:ses:eu-west-1:{ACCOUNT_ID}:identity/example.com"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT_ID}:certificate/1a2b"
VIDEO_BUCKET = f"video-upload-prod-videos-eu-central-1-{ACCOUNT_ID}"
CONVERSION_QUEUE = "video-upload-prod-renditions"
WITH_MAIL_AND_DOMAIN = {
    "mail_identity_arn": IDENTITY,
    "site_domain": "video.example.com",
    "site_certificate_arn": CERTIFICATE,
    "hosted_zone_id": "Z1",
}
WITH_COMPANIES_AND_RECEIVERS = {
    "saml_providers": ("acme=https://login.example.com/metadata",),
    "oidc_providers": ("umbrella=https://login.example.org",),
    "webhooks": ("billing=https://billing.example.com/hooks",),
    "event_bus_name": "videos",
    "malware_scan": True,
    "renditions": True,
}


NOTHING: StackResources = {}
NO_DOCUMENT = DocumentError("cannot be reached from this machine")


def asked(
    check: Check,
    answers: Answers,
    *,
    made: StackResources | None = NOTHING,
    document: bytes | DocumentError = NO_DOCUMENT,
    **settings: Any,
) -> Finding:
    def fetch(_: str) -> bytes:
        if isinstance(document, DocumentError):
            raise document
        return document

    stage = PlannedStage(
        declared=declared(**(WITH_MAIL_AND_DOMAIN | WITH_COMPANIES_AND_RECEIVERS | settings)),
        fetch=fetch,
        session=AnsweringSession(answers),  # pyrefly: ignore[bad-argument-type] (all that the checks ask of a session)
        account_id=ACCOUNT_ID,
        made=made,
    )
    return check.find(stage)


NO_PARAMETER: dict[str, Any] = {"GetParameters": {"Parameters": []}}
OIDC_SECRET, WEBHOOK_SECRET = "/video-upload/prod/oidc/umbrella", "/video-upload/prod/webhooks/billing"


LINKED = "Linked account doesn't have access to cost allocation tags."

CASES: list[tuple[str, Verdict, str, Answers]] = [
    ("region", OK, "eu-central-1", {"DescribeRegions": {"Regions": [{"OptInStatus": "opt-in-not-required"}]}}),
    ("region", WILL_FAIL, "not enabled", {"DescribeRegions": {"Regions": [{"OptInStatus": "not-opted-in"}]}}),
    ("CloudFront", OK, "verified", {"ListDistributions": distributions(1)}),
    ("CloudFront", CANNOT_TELL, "AWS Support", {"ListDistributions": distributions(0)}),
    (
        *("API Gateway's logging role", OK, "api-gateway-logs"),
        {"GetAccount": {"cloudwatchRoleArn": ROLE_ARN}, "GetRole": {"Role": ROLE}},
    ),
    ("API Gateway's logging role", WILL_FAIL, "pulumi -C account up", {"GetAccount": {}}),
    (
        *("API Gateway's logging role", WILL_FAIL, "does not exist any more"),
        {"GetAccount": {"cloudwatchRoleArn": ROLE_ARN}, "GetRole": "NoSuchEntity"},
    ),
    ("SES identity", OK, "verified", {"GetEmailIdentity": VERIFIED, "GetAccount": {"ProductionAccessEnabled": True}}),
    (
        *("SES identity", WILL_FAIL, "sandbox"),
        {"GetEmailIdentity": VERIFIED, "GetAccount": {"ProductionAccessEnabled": False}},
    ),
    ("SES identity", WILL_FAIL, "not verified", {"GetEmailIdentity": {"VerifiedForSendingStatus": False}}),
    ("SES identity", WILL_FAIL, "no identity", {"GetEmailIdentity": "NotFoundException"}),
    ("certificate", OK, "issued", certificate("ISSUED", "*.example.com")),
    ("certificate", WILL_FAIL, "PENDING_VALIDATION", certificate("PENDING_VALIDATION", "video.example.com")),
    ("certificate", WILL_FAIL, "not for video.example.com", certificate("ISSUED", "other.example.com")),
    ("certificate", WILL_FAIL, "does not exist", {"DescribeCertificate": "ResourceNotFoundException"}),
    ("hosted zone", OK, "in the zone example.com", records("www.example.com.", "A")),
    ("hosted zone", OK, "and is free", records("video.example.com.", "TXT")),
    ("hosted zone", OK, "in the zone video.example.com", records("a.example.com.") | zone("video.example.com.")),
    (
        "hosted zone",
        WILL_FAIL,
        "already has records of video.example.com: A",
        records("video.example.com.", "A", "TXT"),
    ),
    ("hosted zone", WILL_FAIL, "records of video.example.com: CNAME", records("video.example.com.", "CNAME")),
    ("site domain", OK, "no distribution of this account", aliased("www.example.com", "*.example.com")),
    ("site domain", WILL_FAIL, "distribution 0 has video.example.com", aliased("www.example.com", "video.example.com")),
    ("hosted zone", WILL_FAIL, "not in it", zone("other.example.com.")),
    ("hosted zone", WILL_FAIL, "not in it", zone("ample.com.")),
    ("hosted zone", WILL_FAIL, "private", zone("example.com.", is_private=True)),
    ("hosted zone", WILL_FAIL, "has no zone Z1", {"GetHostedZone": "NoSuchHostedZone"}),
    ("cost allocation tag", OK, "active", tag("Active")),
    ("cost allocation tag", WILL_FAIL, "activate Stage", tag("Inactive")),
    ("cost allocation tag", CANNOT_TELL, "not seen the tag", {"ListCostAllocationTags": {"CostAllocationTags": []}}),
    (
        *("cost allocation tag", CANNOT_TELL, "management account"),
        {"ListCostAllocationTags": f"AccessDeniedException: {LINKED}"},
    ),
    (
        *("cost allocation tag", WILL_FAIL, "Cost Explorer is off"),
        {"ListCostAllocationTags": "AccessDeniedException: User not enabled for cost explorer access"},
    ),
    # prod provisions 8 instances and up to 80 of them
    ("Lambda concurrency", OK, "1000 for the account", concurrency(1_000, 1_000)),
    ("Lambda concurrency", WILL_FAIL, "room for 0", concurrency(10, 10)),
    ("Lambda concurrency", WILL_FAIL, "scaling ends at 50", concurrency(1_000, 150)),
    ("API Gateway throttling", OK, "10000 requests a second", throttle(10_000, 5_000)),
    ("API Gateway throttling", WILL_FAIL, "apiBurst", throttle(10_000, 1_250)),
    ("quota of buckets", OK, "96 of 100", held("ListBuckets", some("Buckets", 96), 100)),
    ("quota of buckets", WILL_FAIL, "97 of 100 used, 4 more", held("ListBuckets", some("Buckets", 97), 100)),
    ("quota of VPCs", OK, "4 of 5", held("DescribeVpcs", some("Vpcs", 4), 5)),
    ("quota of VPCs", WILL_FAIL, "5 of 5", held("DescribeVpcs", some("Vpcs", 5), 5)),
    ("quota of trails", OK, "4 of 5", held("DescribeTrails", some("trailList", 4), None)),
    ("quota of trails", CANNOT_TELL, "AWS Support", held("DescribeTrails", some("trailList", 5), None)),
    ("quota of distributions", OK, "1 of 2", held("ListDistributions", distributions(1), 2)),
    ("quota of distributions", WILL_FAIL, "2 of 2", held("ListDistributions", distributions(2), 2)),
    (
        "quota of response headers policies",
        OK,
        "18 of 20",
        held("ListResponseHeadersPolicies", headers_policies(18), 20),
    ),
    (
        "quota of response headers policies",
        WILL_FAIL,
        "19",
        held("ListResponseHeadersPolicies", headers_policies(19), 20),
    ),
    ("quota of key groups", OK, "9 of 10", {"ListKeyGroups": {"KeyGroupList": {"MaxItems": 9, "Quantity": 9}}}),
    ("quota of key groups", CANNOT_TELL, "10", {"ListKeyGroups": {"KeyGroupList": {"MaxItems": 9, "Quantity": 10}}}),
    ("sign-in domain", OK, "free", {"DescribeUserPoolDomain": {"DomainDescription": {}}}),
    (
        *("sign-in domain", WILL_FAIL, "account 111111111111"),
        {"DescribeUserPoolDomain": {"DomainDescription": {"UserPoolId": "r_1", "AWSAccountId": "111111111111"}}},
    ),
    (
        *("sign-in domain", WILL_FAIL, "outside of the stack"),
        {"DescribeUserPoolDomain": {"DomainDescription": {"UserPoolId": "r_1", "AWSAccountId": ACCOUNT_ID}}},
    ),
    ("bucket names", OK, "4 free", {"ListBuckets": some("Buckets", 0), "HeadBucket": "404"}),
    ("bucket names", WILL_FAIL, "another account", {"ListBuckets": some("Buckets", 0), "HeadBucket": "403"}),
    ("OIDC client secrets", OK, OIDC_SECRET, parameter(OIDC_SECRET)),
    ("OIDC client secrets", WILL_FAIL, f'put-parameter --type SecureString --name "{OIDC_SECRET}"', NO_PARAMETER),
    ("OIDC client secrets", WILL_FAIL, "not encrypted", parameter(OIDC_SECRET, "String")),
    ("webhook secrets", OK, "billing", parameter(WEBHOOK_SECRET)),
    ("webhook secrets", WILL_FAIL, "not encrypted", parameter(WEBHOOK_SECRET, "String")),
    ("webhook secrets", CANNOT_TELL, 'make webhook-secret STAGE=prod ARGS="make billing"', NO_PARAMETER),
    ("event bus", OK, "videos", {"DescribeEventBus": {"Name": "videos"}}),
    ("event bus", WILL_FAIL, "has no event bus videos", {"DescribeEventBus": "ResourceNotFoundException"}),
    ("malware scan", OK, "eu-central-1 offers", {"ListMalwareProtectionPlans": {"MalwareProtectionPlans": []}}),
    ("malware scan", OK, "eu-central-1 offers", plan("another-bucket")),
    ("malware scan", WILL_FAIL, "plan p-1 scans", plan(VIDEO_BUCKET)),
    ("malware scan", WILL_FAIL, "turn malwareScan off", {"ListMalwareProtectionPlans": "BadRequestException: no"}),
    ("malware scan", WILL_FAIL, "does not offer", {"ListMalwareProtectionPlans": "UnknownOperationException"}),
    ("MediaConvert", OK, "eu-central-1 offers", conversion_queues("Default")),
    ("MediaConvert", OK, "200 concurrent jobs", conversion_queues("Default", total=200, free=100)),
    ("MediaConvert", CANNOT_TELL, "assign fewer to another queue", conversion_queues("Default", total=200, free=0)),
    ("MediaConvert", WILL_FAIL, "outside of the stack", conversion_queues(CONVERSION_QUEUE)),
]

SAML = b'<md:EntityDescriptor xmlns:md="urn:oasis"><md:IDPSSODescriptor protocolSupportEnumeration="x"/>'
ENDPOINTS = dict.fromkeys(READ_BY_COGNITO, "https://login.example.org/x")
DOCUMENTS: list[tuple[str, Verdict, str, bytes | DocumentError]] = [
    ("SAML metadata", OK, "acme", SAML),
    ("SAML metadata", WILL_FAIL, "IDPSSODescriptor", b"<html>Sign in</html>"),
    ("SAML metadata", WILL_FAIL, "answers 404", DocumentRefusedError("answers 404")),
    ("SAML metadata", CANNOT_TELL, "Cognito reads it from the internet", NO_DOCUMENT),
    ("OIDC discovery", OK, "umbrella", json.dumps({"issuer": "https://login.example.org", **ENDPOINTS}).encode()),
    ("OIDC discovery", OK, "umbrella", json.dumps({"issuer": "https://login.example.org/", **ENDPOINTS}).encode()),
    ("OIDC discovery", WILL_FAIL, "names the issuer https://evil", b'{"issuer": "https://evil.example.org"}'),
    ("OIDC discovery", WILL_FAIL, "has no authorization_endpoint", b'{"issuer": "https://login.example.org"}'),
    ("OIDC discovery", WILL_FAIL, "is not JSON", b"<html>"),
    ("OIDC discovery", WILL_FAIL, "not a JSON object", b"[]"),
    ("OIDC discovery", CANNOT_TELL, "cannot be reached", NO_DOCUMENT),
]


@pytest.mark.parametrize(
    ("subject", "verdict", "words", "answers"), CASES, ids=[f"{case[0]}: {case[1]}, {case[2]}" for case in CASES]
)
def test_a_check_tells_what_the_account_answers(subject: str, verdict: Verdict, words: str, answers: Answers) -> None:
    finding = asked(CHECKS[subject], answers)
    assert finding.verdict is verdict, finding.text
    assert words in finding.text


@pytest.mark.parametrize(
    ("subject", "verdict", "words", "document"),
    DOCUMENTS,
    ids=[f"{case[0]}: {case[1]}, {case[2]}" for case in DOCUMENTS],
)
def test_a_check_reads_what_cognito_will_read_at_a_company(
    subject: str, verdict: Verdict, words: str, document: bytes | DocumentError
) -> None:
    finding = asked(CHECKS[subject], {}, document=document)
    assert finding.verdict is verdict, finding.text
    assert words in finding.text


def test_a_webhook_that_is_deployed_without_a_secret_will_fail() -> None:
    queue = f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT_ID}/video-upload-prod-to-billing"
    finding = asked(CHECKS["webhook secrets"], NO_PARAMETER, made={"sqs/queue:Queue": {queue}})
    assert finding.verdict is WILL_FAIL
    assert 'ARGS="make billing"' in finding.text


@pytest.mark.parametrize(("subject", "service"), [("malware scan", "guardduty"), ("MediaConvert", "mediaconvert")])
def test_a_region_that_the_sdk_does_not_know_a_service_in_cannot_be_told(subject: str, service: str) -> None:
    check = CHECKS[subject]
    session = AnsweringSession({}, regions={service: []})
    stage = PlannedStage(
        declared=declared(malware_scan=True, renditions=True),
        session=session,  # pyrefly: ignore[bad-argument-type]
        account_id=ACCOUNT_ID,
        made=NOTHING,
    )
    assert check.find(stage).verdict is CANNOT_TELL


def test_every_setting_that_names_something_outside_of_the_stack_has_a_check() -> None:
    """With nothing named, none of these checks applies; with everything named, all do."""
    bare = PlannedStage(
        declared=declare("dev", account_id=ACCOUNT_ID),
        session=AnsweringSession({}),  # pyrefly: ignore[bad-argument-type]
        account_id=ACCOUNT_ID,
        made=NOTHING,
    )
    named = {
        "mailIdentityArn": "SES identity",
        "siteCertificateArn": "certificate",
        "hostedZoneId": "hosted zone",
        "siteDomain": "site domain",
        "samlProviders": "SAML metadata",
        "oidcProviders": "OIDC discovery",
        "oidcClientIds": "OIDC client secrets",
        "webhooks": "webhook secrets",
        "eventBusName": "event bus",
        "malwareScan": "malware scan",
        "renditions": "MediaConvert",
    }
    assert not any(CHECKS[subject].applies(bare) for subject in named.values())
    settings = {setting.key: setting for group in GROUPS.values() for _, setting in settings_in(group)}
    outside = {
        key
        for key in settings
        if key.endswith(("Arn", "Id", "Providers", "Ids", "BusName")) or key in {"siteDomain", "webhooks"}
    }
    assert outside <= named.keys(), "a setting that names something outside needs a check"


def test_every_check_has_a_case_for_two_verdicts() -> None:
    seen = {(subject, verdict) for subject, verdict, *_ in (*CASES, *DOCUMENTS)}
    for subject in CHECKS:
        assert (subject, OK) in seen, subject
        assert {(subject, WILL_FAIL), (subject, CANNOT_TELL)} & seen, subject


@pytest.mark.parametrize("subject", [subject for subject, check in CHECKS.items() if check.actions])
def test_a_denied_check_cannot_tell_and_names_the_permission(subject: str) -> None:
    check = CHECKS[subject]
    finding = asked(check, dict.fromkeys(OPERATIONS, "AccessDeniedException: no"))
    assert finding.verdict is CANNOT_TELL
    assert " and ".join(check.actions) in finding.text


@pytest.mark.parametrize("subject", [subject for subject, check in CHECKS.items() if check.actions])
@pytest.mark.parametrize(("trouble", "words"), [("ThrottlingException", "too busy"), (UNREACHABLE, "network")])
def test_a_check_that_gets_no_answer_cannot_tell(subject: str, trouble: str | Exception, words: str) -> None:
    finding = asked(CHECKS[subject], dict.fromkeys(OPERATIONS, trouble))
    assert finding.verdict is CANNOT_TELL
    assert words in finding.text


OPERATIONS = {operation for *_, answers in CASES for operation in answers}


def test_an_unknown_quota_is_taken_for_awss_default() -> None:
    answers: Answers = {"DescribeVpcs": some("Vpcs", 5), "GetServiceQuota": "NoSuchResourceException"}
    assert asked(CHECKS["quota of VPCs"], answers).verdict is CANNOT_TELL


BUCKET, DOMAIN, VPC = "s3/bucket:Bucket", "cognito/userPoolDomain:UserPoolDomain", "ec2/vpc:Vpc"


def test_resources_of_the_stack_count_once_and_may_exist_after_an_up_that_failed() -> None:
    names = [bucket.inputs["bucket"] for bucket in declared().of(BUCKET)]
    there: Answers = {"ListBuckets": {"Buckets": [{"Name": name} for name in names]}, "HeadBucket": "404"}
    first: Answers = {"ListBuckets": {"Buckets": [{"Name": names[0]}]}, "HeadBucket": "404"}
    half_made: StackResources = {BUCKET: {names[0]}, VPC: {"vpc-1"}}
    assert asked(CHECKS["bucket names"], there, made={BUCKET: set(names)}).verdict is OK
    assert asked(CHECKS["bucket names"], first, made=half_made).text == "1 are the stage's own, 3 free"
    assert asked(CHECKS["bucket names"], first).verdict is WILL_FAIL
    left_over = asked(CHECKS["bucket names"], there, made=half_made)
    assert left_over.verdict is WILL_FAIL
    assert names[0] not in left_over.text
    assert asked(CHECKS["quota of VPCs"], held("DescribeVpcs", some("Vpcs", 5), 5), made=half_made).verdict is OK
    full = held("ListBuckets", some("Buckets", 98), 100)
    assert "98 of 100 used, 3 more needed" in asked(CHECKS["quota of buckets"], full, made=half_made).text


def test_the_stacks_own_sign_in_domain_may_be_there() -> None:
    (domain,) = declared().of(DOMAIN)
    answers: Answers = {
        "DescribeUserPoolDomain": {"DomainDescription": {"UserPoolId": "r_1", "AWSAccountId": ACCOUNT_ID}}
    }
    assert asked(CHECKS["sign-in domain"], answers, made={DOMAIN: {domain.inputs["domain"]}}).verdict is OK
    assert asked(CHECKS["sign-in domain"], answers, made={BUCKET: {"other"}}).verdict is WILL_FAIL


def test_the_stacks_own_resources_are_no_obstacle_to_it() -> None:
    its_own: StackResources = {
        "guardduty/malwareProtectionPlan:MalwareProtectionPlan": {"p-1"},
        "mediaconvert/queue:Queue": {CONVERSION_QUEUE},
        "cloudfront/distribution:Distribution": {"0"},
        "route53/record:Record": {"Z1_video.example.com_A", "Z1_video.example.com_AAAA"},
    }
    assert asked(CHECKS["malware scan"], plan(VIDEO_BUCKET), made=its_own).verdict is OK
    assert (
        asked(CHECKS["MediaConvert"], conversion_queues(CONVERSION_QUEUE, total=9, free=0), made=its_own).verdict is OK
    )
    assert asked(CHECKS["site domain"], aliased("video.example.com"), made=its_own).verdict is OK
    there = records("video.example.com.", "A", "AAAA")
    assert asked(CHECKS["hosted zone"], there, made=its_own).verdict is OK
    half = {"route53/record:Record": {"Z1_video.example.com_A"}}
    assert "records of video.example.com: AAAA" in asked(CHECKS["hosted zone"], there, made=half).text


@pytest.mark.parametrize(
    "subject", ["bucket names", "sign-in domain", "site domain", "hosted zone", "malware scan", "MediaConvert"]
)
def test_nothing_is_called_left_over_while_the_stack_cannot_be_read(subject: str) -> None:
    answers: Answers = {
        "ListBuckets": {"Buckets": [{"Name": bucket.inputs["bucket"]} for bucket in declared().of(BUCKET)]},
        "DescribeUserPoolDomain": {"DomainDescription": {"UserPoolId": "r_1", "AWSAccountId": ACCOUNT_ID}},
        **aliased("video.example.com"),
        **records("video.example.com.", "A"),
        **plan(VIDEO_BUCKET),
        **conversion_queues(CONVERSION_QUEUE),
    }
    finding = asked(CHECKS[subject], answers, made=None)
    assert finding.verdict is CANNOT_TELL
    assert "delete" not in finding.text


def test_an_identity_of_another_account_is_refused() -> None:
    identity = IDENTITY.replace(ACCOUNT_ID, "111111111111")
    finding = asked(CHECKS["SES identity"], {}, mail_identity_arn=identity)
    assert finding.verdict is WILL_FAIL
    assert "111111111111" in finding.text


def test_only_what_a_stage_has_is_checked() -> None:
    dev = PlannedStage(
        declared=declare("dev", account_id=ACCOUNT_ID),
        session=AnsweringSession({}),  # pyrefly: ignore[bad-argument-type]
        account_id=ACCOUNT_ID,
        made=NOTHING,
    )
    left_out = {subject for subject, check in CHECKS.items() if not check.applies(dev)}
    assert left_out == {
        *("SES identity", "certificate", "hosted zone", "site domain", "quota of VPCs", "quota of trails"),
        *("OIDC client secrets", "OIDC discovery", "SAML metadata", "webhook secrets", "event bus", "malware scan"),
        "MediaConvert",
    }


def test_the_policy_holds_what_the_checks_call_and_only_reads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--policy"]) == 0
    assert json.loads(capsys.readouterr().out) == policy()
    (statement,) = policy()["Statement"]  # pyrefly: ignore[not-iterable]
    actions: list[str] = statement["Action"]
    assert all(action.partition(":")[2].startswith(("Get", "List", "Describe", "GET")) for action in actions)
    called = {operation for operation in OPERATIONS if operation not in {"GetAccount", "HeadBucket", "ListBuckets"}}
    assert called <= {action.partition(":")[2] for action in actions}
