"""Access to buckets and keys: calls as they reach AWS, through roles' and resources' policies together."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.policy_evaluation import Call, is_allowed
from tests.infrastructure.recorded_program import ACCOUNT_ID, Recording
from tests.infrastructure.safety.reading import bucket_arn, for_bucket, role_arn, statements

VIDEO, PAGE = ("videos", "videos/owner/video"), ("site", "index.html")
RECORD, POSTER = ("metadata", "records/owner/video"), ("metadata", "posters/owner/video.jpg")
CLOUDFRONT, CLOUDTRAIL, ACCESS_LOGS = (f"{name}.amazonaws.com" for name in ("cloudfront", "cloudtrail", "logging.s3"))
ALGORITHM, KEY = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
DATA_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-data"
FOREIGN_KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/another"
ACCEPTED, REJECTED = ({"s3:ExistingObjectTag/verdict": verdict} for verdict in ("accepted", "rejected"))
OWN_DISTRIBUTION = {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT_ID}:distribution/E1"}
FOREIGN_DISTRIBUTION = {"aws:SourceArn": "arn:aws:cloudfront::999999999999:distribution/E1"}
THROUGH_THE_ENDPOINT = {"aws:SourceVpce": "network-s3-id"}
FOR_S3 = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}

Context = dict[str, str]
Where = tuple[str, str]
"""A bucket by its purpose, and a key in it."""


def call_of_role(recording: Recording, role: str, action: str, where: Where, context: Context) -> bool:
    """Over TLS 1.3 and just signed, unless the context says otherwise."""
    arn = role_arn(recording, role)
    usual = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "s3:signatureAge": "1000", "aws:PrincipalArn": arn}
    call = Call(
        principal=arn,
        action=action,
        resource=arn_of(recording, where),
        context={**usual, **context},
    )
    own = "operators-operator" if role == "operator" else f"compute-{role}"
    return is_allowed(call, [statements(recording.one("iam/rolePolicy:RolePolicy", own)), policy_of(recording, where)])


def refuses_everybody(recording: Recording, action: str, where: Where, context: Context) -> bool:
    """Return whether the bucket refuses an administrator of this account, who may do anything."""
    arn = f"arn:aws:iam::{ACCOUNT_ID}:role/administrator"
    usual = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", "s3:signatureAge": "1000", "aws:PrincipalArn": arn}
    call = Call(principal=arn, action=action, resource=arn_of(recording, where), context={**usual, **context})
    anything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    return not is_allowed(call, [anything, policy_of(recording, where)])


def call_of_service(recording: Recording, service: str, action: str, where: Where, context: Context) -> bool:
    call = Call(
        principal=service,
        action=action,
        resource=arn_of(recording, where),
        context={"aws:SecureTransport": "true", "s3:TlsVersion": "1.3", **context},
    )
    return is_allowed(call, [policy_of(recording, where)])


def arn_of(recording: Recording, where: Where) -> str:
    bucket, key = where
    return f"{bucket_arn(recording, bucket)}/{key}"


def policy_of(recording: Recording, where: Where) -> list[dict[str, Any]]:
    policy = for_bucket(recording, "s3/bucketPolicy:BucketPolicy", where[0])
    assert policy is not None
    return statements(policy)


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        pytest.param({}, True, id="a part, which names nothing"),
        pytest.param({ALGORITHM: "aws:kms", KEY: DATA_KEY}, True, id="a form or a new upload, which names both"),
        pytest.param({ALGORITHM: "aws:kms"}, False, id="the algorithm alone, for which S3 takes the account's own key"),
        pytest.param({ALGORITHM: "aws:kms", KEY: FOREIGN_KEY}, False, id="another key"),
        pytest.param({ALGORITHM: "aws:kms", KEY: "alias/video-upload"}, False, id="an alias, which may be moved"),
        pytest.param({KEY: FOREIGN_KEY}, False, id="another key without an algorithm"),
        pytest.param({ALGORITHM: "AES256"}, False, id="S3's own keys"),
        pytest.param({ALGORITHM: "aws:kms:dsse", KEY: DATA_KEY}, False, id="another algorithm"),
    ],
)
def test_objects_are_written_under_the_data_key_alone(recording: Recording, headers: Context, allowed: bool) -> None:
    assert call_of_role(recording, "multipart_init", "s3:PutObject", VIDEO, headers) is allowed
    inside = {**headers, **THROUGH_THE_ENDPOINT}
    assert call_of_role(recording, "video_processing", "s3:PutObject", POSTER, headers) is allowed
    assert call_of_role(recording, "multipart_init", "s3:PutObject", RECORD, inside) is allowed


@pytest.mark.parametrize(
    ("context", "allowed"),
    [
        pytest.param({}, True, id="usual"),
        pytest.param({"aws:SecureTransport": "false"}, False, id="plain HTTP"),
        pytest.param({"s3:TlsVersion": "1.1"}, False, id="old TLS"),
        pytest.param({"s3:TlsVersion": "1.2"}, True, id="TLS 1.2"),
        pytest.param({"s3:signatureAge": "900000"}, True, id="signed a quarter of an hour ago"),
        pytest.param({"s3:signatureAge": "900001"}, False, id="signed earlier than that"),
    ],
)
def test_parts_come_over_tls_and_soon_after_they_were_signed(
    recording: Recording, context: Context, allowed: bool
) -> None:
    assert call_of_role(recording, "multipart_init", "s3:PutObject", VIDEO, context) is allowed


@pytest.mark.parametrize(
    ("role", "action", "context", "allowed"),
    [
        ("video_processing", "s3:GetObjectVersion", {}, True),
        ("video_processing", "s3:GetObjectVersion", REJECTED, True),
        ("multipart_complete", "s3:GetObject", {}, True),
        ("janitor", "s3:GetObject", {}, True),
        ("video_upload", "s3:GetObject", ACCEPTED, False),
        ("operator", "s3:GetObjectVersion", ACCEPTED, False),
        ("video_processing", "s3:PutObjectTagging", {}, True),
        ("video_processing", "s3:PutObjectVersionTagging", {}, True),
        ("video_processing", "s3:DeleteObjectVersion", {}, True),
        ("janitor", "s3:PutObjectTagging", {}, False),
        ("operator", "s3:PutObjectVersionTagging", {}, False),
        ("operator", "s3:GetObjectTagging", {}, True),
        ("operator", "s3:GetObjectVersionTagging", {}, True),
        ("operator", "s3:DeleteObjectVersion", {}, True),
        ("video_upload", "s3:DeleteObjectVersion", {}, False),
    ],
)
def test_roles_reach_videos_as_their_work_asks(
    recording: Recording, role: str, action: str, context: Context, allowed: bool
) -> None:
    assert call_of_role(recording, role, action, VIDEO, context) is allowed


@pytest.mark.parametrize(
    ("where", "context", "allowed"),
    [
        pytest.param(VIDEO, {**OWN_DISTRIBUTION, **ACCEPTED}, True, id="an accepted video"),
        pytest.param(VIDEO, OWN_DISTRIBUTION, False, id="a video without a verdict"),
        pytest.param(VIDEO, {**OWN_DISTRIBUTION, **REJECTED}, False, id="a rejected video"),
        pytest.param(VIDEO, {**FOREIGN_DISTRIBUTION, **ACCEPTED}, False, id="a foreign distribution"),
        pytest.param(VIDEO, ACCEPTED, False, id="no distribution"),
        pytest.param(POSTER, OWN_DISTRIBUTION, True, id="a poster"),
        pytest.param(RECORD, OWN_DISTRIBUTION, False, id="a record"),
        pytest.param(PAGE, OWN_DISTRIBUTION, True, id="the page"),
        pytest.param(PAGE, FOREIGN_DISTRIBUTION, False, id="the page elsewhere"),
        pytest.param(("logs", "edge/log"), OWN_DISTRIBUTION, False, id="a log"),
    ],
)
def test_cloudfront_reads_what_it_shows_knowing_nothing_but_its_distribution(
    recording: Recording, where: Where, context: Context, allowed: bool
) -> None:
    assert call_of_service(recording, CLOUDFRONT, "s3:GetObject", where, context) is allowed
    assert not call_of_service(recording, CLOUDFRONT, "s3:PutObject", where, context)


@pytest.mark.parametrize(("context", "allowed"), [(OWN_DISTRIBUTION, True), (FOREIGN_DISTRIBUTION, False), ({}, False)])
def test_cloudfront_uses_the_data_key_for_its_own_distribution(
    recording: Recording, context: Context, allowed: bool
) -> None:
    call = Call(principal=CLOUDFRONT, action="kms:Decrypt", resource=DATA_KEY, context={**FOR_S3, **context})
    assert is_allowed(call, [statements(recording.one("kms/key:Key", "keys-data"))]) is allowed


@pytest.mark.parametrize(
    ("role", "context", "in_a_network"),
    [
        ("multipart_init", THROUGH_THE_ENDPOINT, True),
        ("multipart_init", {}, False),
        ("multipart_init", {"aws:SourceVpce": "vpce-of-somebody-else"}, False),
        ("janitor", {}, True),
        ("operator", {}, True),
    ],
)
def test_records_are_reached_from_the_network_alone_where_there_is_one(
    recording: Recording, role: str, context: Context, in_a_network: bool
) -> None:
    allowed = in_a_network or not recording.of("ec2/vpc:Vpc")
    assert call_of_role(recording, role, "s3:GetObject", RECORD, context) is allowed


@pytest.mark.parametrize(
    "action",
    [
        *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"),
        *("s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"),
    ],
)
def test_a_video_that_is_not_accepted_is_read_in_no_form(recording: Recording, action: str) -> None:
    for context in ({}, REJECTED):
        assert refuses_everybody(recording, action, VIDEO, context)
    assert not refuses_everybody(recording, action, VIDEO, ACCEPTED)


@pytest.mark.parametrize("action", ["s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:ReplicateTags"])
def test_nobody_else_tags_a_video_in_any_form(recording: Recording, action: str) -> None:
    assert refuses_everybody(recording, action, VIDEO, {})


@pytest.mark.parametrize("where", [VIDEO, RECORD, POSTER])
def test_no_object_gets_its_key_in_another_way_than_by_being_written(recording: Recording, where: Where) -> None:
    for action in ("s3:UpdateObjectEncryption", "s3:ReplicateObject"):
        assert refuses_everybody(recording, action, where, THROUGH_THE_ENDPOINT)


@pytest.mark.parametrize(
    "key", ["records/owner/video", "open/2026-01-31/owner/video", "starts/owner/id", "links/owner/id"]
)
@pytest.mark.parametrize(
    "action",
    [
        *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication", "s3:GetObjectTagging"),
        *("s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging", "s3:DeleteObjectTagging"),
        *("s3:PutObjectAcl", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:ReplicateDelete"),
        *("s3:RestoreObject", "s3:PutObjectRetention", "s3:AbortMultipartUpload"),
    ],
)
def test_records_are_read_and_changed_in_no_form_from_outside_the_network(
    recording: Recording, key: str, action: str
) -> None:
    has_network = bool(recording.of("ec2/vpc:Vpc"))
    assert refuses_everybody(recording, action, ("metadata", key), {}) is has_network
    assert not refuses_everybody(recording, action, ("metadata", key), THROUGH_THE_ENDPOINT)


def test_a_trail_writes_its_own_folder_of_the_log_bucket_where_the_stage_has_one(recording: Recording) -> None:
    trails = recording.of("cloudtrail/trail:Trail")
    name = trails[0].inputs["name"] if trails else f"video-upload-{recording.stage}-trail"
    own = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT_ID}:trail/{name}"
    owned = {"s3:x-amz-acl": "bucket-owner-full-control"}
    folder = f"trail/AWSLogs/{ACCOUNT_ID}/file"
    for key, source, allowed in (
        (folder, own, bool(trails)),
        ("s3/videos/file", own, False),
        (folder, f"{own}-of-another-stage", False),
    ):
        context = {"aws:SourceArn": source, **owned}
        assert call_of_service(recording, CLOUDTRAIL, "s3:PutObject", ("logs", key), context) is allowed


def test_access_logs_come_from_the_buckets_of_this_account(recording: Recording) -> None:
    source = {"aws:SourceArn": bucket_arn(recording, "videos")}
    for account, allowed in ((ACCOUNT_ID, True), ("999999999999", False)):
        context = {**source, "aws:SourceAccount": account}
        assert call_of_service(recording, ACCESS_LOGS, "s3:PutObject", ("logs", "s3/videos/f"), context) is allowed
    assert not call_of_service(recording, ACCESS_LOGS, "s3:PutObject", ("logs", "s3/metadata/f"), source)


def test_an_operator_that_this_evaluation_does_not_know_is_not_guessed() -> None:
    unknown = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "::/0"}}}
    with pytest.raises(KeyError):
        is_allowed(Call(principal="anybody", action="s3:GetObject", resource="anything"), [[unknown]])
