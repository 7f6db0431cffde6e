"""Policies of the buckets as values: the calls that each lets in or refuses, and the calls that differ in one place."""

from collections.abc import Callable
from typing import Any

import pytest

from components.naming import StageNames
from components.policy import PolicyDocument
from components.storage.bucket_policies import (
    BucketRoles,
    access_log_prefix,
    log_bucket_policy,
    metadata_bucket_policy,
    site_bucket_policy,
    video_bucket_policy,
)
from tests.infrastructure.policy_evaluation import Call, is_allowed

ACCOUNT = "123456789012"
CONTEXT = StageNames(stage="dev", account_id=ACCOUNT, region="eu-central-1")
TAGS, INSPECTS, OUTSIDE, OTHER = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("tags", "looks", "out", "other"))
ROLES = BucketRoles(tagging_arns=[TAGS], inspecting_arns=[INSPECTS], outside_network_arns=[OUTSIDE])
METADATA: dict[str, Any] = {"data_key_arn": "data-key", "roles": ROLES}
POLICIES: dict[str, Callable[[], PolicyDocument]] = {
    "videos": lambda: video_bucket_policy(CONTEXT, data_key_arn="data-key", roles=ROLES, renditions=True),
    "metadata": lambda: metadata_bucket_policy(CONTEXT, s3_endpoint_id="endpoint", **METADATA),
    "open metadata": lambda: metadata_bucket_policy(CONTEXT, s3_endpoint_id=None, **METADATA),
    "site": lambda: site_bucket_policy(CONTEXT),
    "logs": lambda: log_bucket_policy(CONTEXT, logged_buckets=["videos", "site"], trail=True),
    "logs without a trail": lambda: log_bucket_policy(CONTEXT, logged_buckets=["videos", "site"], trail=False),
}
BUCKETS = {purpose: purpose.removeprefix("open ").removesuffix(" without a trail") for purpose in POLICIES}
USUAL = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.2", "s3:signatureAge": "900000"}
ANYTHING = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
ALGORITHM, KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
VERDICT = "s3:ExistingObjectTag/verdict"
ENCRYPTED_WRONGLY = [
    {ALGORITHM: "AES256"},
    {ALGORITHM: "aws:kms"},
    {ALGORITHM: "AES256", KEY: "data-key"},
    {ALGORITHM: "aws:kms", KEY: "another-key"},
    {KEY: "another-key"},
]
ENCRYPTED_WELL = [{}, {ALGORITHM: "aws:kms", KEY: "data-key"}, {KEY: "data-key"}]

Context = dict[str, str]


def arn(purpose: str, key: str | None) -> str:
    bucket = f"arn:aws:s3:::video-upload-dev-{BUCKETS[purpose]}-eu-central-1-{ACCOUNT}"
    return bucket if key is None else f"{bucket}/{key}"


def refused(purpose: str, action: str, key: str | None, context: Context | None = None, *, role: str = OTHER) -> bool:
    """Return whether the bucket refuses a role that may do anything."""
    whole = {**USUAL, "aws:PrincipalArn": role, **(context or {})}
    call = Call(principal=role, action=action, resource=arn(purpose, key), context=whole)
    return not is_allowed(call, [ANYTHING, POLICIES[purpose]()["Statement"]])


def let_in(purpose: str, service: str, action: str, key: str | None, context: Context) -> bool:
    whole = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", **context}
    call = Call(principal=f"{service}.amazonaws.com", action=action, resource=arn(purpose, key), context=whole)
    return is_allowed(call, [POLICIES[purpose]()["Statement"]])


def only_with_all_of(purpose: str, service: str, action: str, key: str | None, context: Context) -> bool:
    """Return whether a service is let in, but no longer with any value of the context changed or missing."""
    others = [
        *({**context, name: f"{value}x"} for name, value in context.items()),
        *({each: context[each] for each in context if each != name} for name in context),
    ]
    return (
        let_in(purpose, service, action, key, context)
        and not let_in(purpose, "another", action, key, context)
        and not let_in(purpose, service, f"{action}Acl", key, context)
        and not any(let_in(purpose, service, action, key, other) for other in others)
    )


@pytest.mark.parametrize("purpose", POLICIES)
@pytest.mark.parametrize("key", [None, "any/key"])
def test_a_bucket_is_reached_over_new_tls_alone(purpose: str, key: str | None) -> None:
    action = "s3:ListBucket" if key is None else "s3:DeleteObject"
    assert not refused(purpose, action, key)
    assert refused(purpose, action, key, {"aws:SecureTransport": "false"})
    assert refused(purpose, action, key, {"s3:TlsVersion": "1.1"})
    assert not refused(purpose, action, key, {"s3:TlsVersion": "1.3"})


@pytest.mark.parametrize("purpose", ["videos", "metadata", "open metadata", "site"])
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_a_signature_is_good_for_a_quarter_of_an_hour(purpose: str, action: str) -> None:
    assert not refused(purpose, action, "any/key")
    assert refused(purpose, action, "any/key", {"s3:signatureAge": "900001"})


@pytest.mark.parametrize("purpose", ["videos", "metadata", "open metadata"])
def test_an_object_is_written_under_the_data_key_or_the_buckets_default(purpose: str) -> None:
    for headers in ENCRYPTED_WELL:
        assert not refused(purpose, "s3:PutObject", "any/key", headers), headers
    for headers in ENCRYPTED_WRONGLY:
        assert refused(purpose, "s3:PutObject", "any/key", headers), headers
        assert not refused(purpose, "s3:DeleteObject", "any/key", headers), headers
    for action in ("s3:UpdateObjectEncryption", "s3:ReplicateObject"):
        assert refused(purpose, action, "any/key"), action


@pytest.mark.parametrize(
    "action",
    [
        *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"),
        *("s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"),
    ],
)
def test_a_video_is_read_once_it_is_accepted_or_by_a_role_that_inspects(action: str) -> None:
    assert refused("videos", action, "any/key")
    assert refused("videos", action, "any/key", {VERDICT: "rejected"})
    assert refused("videos", action, "any/key", role=TAGS)
    assert not refused("videos", action, "any/key", {VERDICT: "accepted"})
    assert not refused("videos", action, "any/key", role=INSPECTS)


@pytest.mark.parametrize(
    "action",
    [
        *("s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging"),
        *("s3:DeleteObjectVersionTagging", "s3:ReplicateTags"),
    ],
)
def test_a_video_is_tagged_by_the_processing_role(action: str) -> None:
    assert refused("videos", action, "any/key", {VERDICT: "accepted"}, role=INSPECTS)
    assert not refused("videos", action, "any/key", role=TAGS)


@pytest.mark.parametrize("folder", ["records", "open", "starts"])
@pytest.mark.parametrize("action", ["s3:GetObject", "s3:PutObjectTagging", "s3:DeleteObjectVersion"])
def test_records_are_reached_through_the_endpoint_or_by_a_role_outside(folder: str, action: str) -> None:
    key = f"{folder}/owner/id"
    assert refused("metadata", action, key)
    assert refused("metadata", action, key, {"aws:SourceVpce": "another"})
    assert not refused("metadata", action, key, {"aws:SourceVpce": "endpoint"})
    assert not refused("metadata", action, key, role=OUTSIDE)
    assert not refused("metadata", action, "posters/owner/id.jpg")
    assert not refused("open metadata", action, key)


@pytest.mark.parametrize(
    ("purpose", "key", "hidden"),
    [
        ("videos", "videos/owner/id", "other/id"),
        ("metadata", "posters/owner/id.jpg", "records/owner/id"),
        ("open metadata", "posters/owner/id.jpg", "records/owner/id"),
        ("site", "index.html", None),
    ],
)
def test_cloudfront_reads_for_distributions_of_this_account(purpose: str, key: str, hidden: str | None) -> None:
    tag = {VERDICT: "accepted"}
    own = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"}
    foreign = {"aws:SourceArn": "arn:aws:cloudfront::999999999999:distribution/E1"}
    assert let_in(purpose, "cloudfront", "s3:GetObject", key, {**tag, **own})
    assert not let_in(purpose, "cloudfront", "s3:GetObject", key, {**tag, **foreign})
    assert not let_in(purpose, "cloudfront", "s3:GetObject", key, tag)
    assert not let_in(purpose, "cloudfront", "s3:PutObject", key, {**tag, **own})
    assert not let_in(purpose, "another", "s3:GetObject", key, {**tag, **own})
    assert not let_in(purpose, "cloudfront", "s3:GetObject", hidden, {**tag, **own})


@pytest.mark.parametrize("purpose", ["logs", "logs without a trail"])
def test_each_service_writes_its_logs_into_its_own_folder(purpose: str) -> None:
    for bucket in ("videos", "site"):
        assert access_log_prefix(bucket) == f"s3/{bucket}/"
        own = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": arn(bucket, None)}
        assert only_with_all_of(purpose, "logging.s3", "s3:PutObject", f"s3/{bucket}/log", own)
        for key in ("s3/metadata/log", "edge/log", "log"):
            assert not let_in(purpose, "logging.s3", "s3:PutObject", key, own)
    account = {"aws:SourceAccount": ACCOUNT, "s3:x-amz-acl": "bucket-owner-full-control"}
    source = f"arn:aws:logs:us-east-1:{ACCOUNT}:delivery-source:edge"
    assert let_in(purpose, "delivery.logs", "s3:PutObject", "edge/log", {**account, "aws:SourceArn": source})
    for other in (source.replace("us-east-1", "eu-central-1"), source.replace(ACCOUNT, "999999999999"), "x"):
        assert not let_in(purpose, "delivery.logs", "s3:PutObject", "edge/log", {**account, "aws:SourceArn": other})
    for missing in account:
        context = {**account, "aws:SourceArn": source, missing: "another"}
        assert not let_in(purpose, "delivery.logs", "s3:PutObject", "edge/log", context)
    assert not let_in(purpose, "delivery.logs", "s3:PutObject", "s3/log", {**account, "aws:SourceArn": source})
    assert not let_in(purpose, "delivery.logs", "s3:GetObject", "edge/log", {**account, "aws:SourceArn": source})
    assert not let_in(purpose, "another", "s3:PutObject", "edge/log", {**account, "aws:SourceArn": source})


def test_the_trail_of_the_stage_writes_where_there_is_one() -> None:
    trail = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT}:trail/video-upload-dev-trail-eu-central-1"
    looks: Context = {"aws:SourceArn": trail}
    writes = {**looks, "s3:x-amz-acl": "bucket-owner-full-control"}
    key = f"trail/AWSLogs/{ACCOUNT}/log"
    assert only_with_all_of("logs", "cloudtrail", "s3:GetBucketAcl", None, looks)
    assert only_with_all_of("logs", "cloudtrail", "s3:PutObject", key, writes)
    for other in ("trail/AWSLogs/999999999999/log", "edge/log", "log"):
        assert not let_in("logs", "cloudtrail", "s3:PutObject", other, writes)
    assert not let_in("logs without a trail", "cloudtrail", "s3:GetBucketAcl", None, looks)
    assert not let_in("logs without a trail", "cloudtrail", "s3:PutObject", key, writes)


@pytest.mark.parametrize("purpose", POLICIES)
def test_nobody_else_is_let_in(purpose: str) -> None:
    allowed = [each for each in POLICIES[purpose]()["Statement"] if each["Effect"] == "Allow"]
    assert all(set(each["Principal"]) == {"Service"} and each["Condition"] for each in allowed)


@pytest.mark.parametrize("purpose", POLICIES)
def test_a_bucket_refuses_everybody_alike(purpose: str) -> None:
    denied = [each for each in POLICIES[purpose]()["Statement"] if each["Effect"] == "Deny"]
    assert [each["Principal"] for each in denied] == [{"AWS": "*"}] * len(denied)
