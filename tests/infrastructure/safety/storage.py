"""Safety of what is stored: buckets, keys, logs, messages, and what outlives a mistake."""

from __future__ import annotations

from tests.infrastructure.recorded_program import ACCOUNT_ID, Recorded, Recording
from tests.infrastructure.safety.reading import (
    EVERYONE,
    Violations,
    account_wide_name,
    bucket_arn,
    bucket_name,
    for_bucket,
    require,
    require_statement,
    role_arn,
    statements,
    value_at,
    variables,
)
from tests.infrastructure.safety.scanning import is_scanned

BUCKETS = ("videos", "metadata", "site", "logs")
ENCRYPTED_WITH_DATA_KEY = ("videos", "metadata", "site")
ARCHIVES = {"GLACIER", "DEEP_ARCHIVE", "GLACIER_IR"}
OWN_DISTRIBUTIONS = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudfront::{ACCOUNT_ID}:distribution/*"}}


def _of_bucket(recording: Recording, kind: str, bucket: str) -> tuple[Recorded | None, Violations]:
    found = for_bucket(recording, kind, bucket)
    return found, iter(() if found else (f"{bucket} has no {kind}",))


def no_bucket_is_public(recording: Recording) -> Violations:
    for bucket in BUCKETS:
        block, missing = _of_bucket(recording, "s3/bucketPublicAccessBlock:BucketPublicAccessBlock", bucket)
        yield from missing
        if block:
            yield from require(
                block,
                blockPublicAcls=True,
                blockPublicPolicy=True,
                ignorePublicAcls=True,
                restrictPublicBuckets=True,
            )


def buckets_have_no_acls(recording: Recording) -> Violations:
    for bucket in BUCKETS:
        controls, missing = _of_bucket(recording, "s3/bucketOwnershipControls:BucketOwnershipControls", bucket)
        yield from missing
        if controls:
            yield from require(controls, rule__objectOwnership="BucketOwnerEnforced")


def a_deleted_object_can_be_brought_back(recording: Recording) -> Violations:
    for bucket in BUCKETS:
        versioning, missing = _of_bucket(recording, "s3/bucketVersioning:BucketVersioning", bucket)
        yield from missing
        if versioning:
            yield from require(versioning, versioningConfiguration__status="Enabled")


def buckets_are_encrypted(recording: Recording) -> Violations:
    data_key = recording.one("kms/key:Key", "keys-data")
    kind = "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    default = "rules__applyServerSideEncryptionByDefault"
    for bucket in BUCKETS:
        encryption, missing = _of_bucket(recording, kind, bucket)
        yield from missing
        if encryption:
            yield from require(encryption, rules__blockedEncryptionTypes=["SSE-C"])
        if encryption and bucket in ENCRYPTED_WITH_DATA_KEY:
            yield from require(encryption, **{f"{default}__sseAlgorithm": "aws:kms", "rules__bucketKeyEnabled": True})
            key = value_at(encryption, f"{default}__kmsMasterKeyId".replace("__", "."))
            if not str(key).endswith(f"key/{data_key.name}"):
                yield f"{bucket} is encrypted with {key}"
        elif encryption:
            yield from require(encryption, **{f"{default}__sseAlgorithm": "AES256"})


def buckets_refuse_plain_http_and_old_tls(recording: Recording) -> Violations:
    for bucket in BUCKETS:
        policy, missing = _of_bucket(recording, "s3/bucketPolicy:BucketPolicy", bucket)
        yield from missing
        if policy:
            arn = bucket_arn(recording, bucket)
            common: dict[str, object] = {
                "Effect": "Deny",
                "Principal": EVERYONE,
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
            }
            plain, old = {"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
            yield from require_statement(policy, "NoPlainHttp", Condition=plain, **common)
            yield from require_statement(policy, "NoOldTls", Condition=old, **common)


def _policy(recording: Recording, bucket: str) -> Recorded:
    found = for_bucket(recording, "s3/bucketPolicy:BucketPolicy", bucket)
    return found or Recorded(type="", name=bucket, inputs={})


def objects_cannot_name_another_encryption(recording: Recording) -> Violations:
    algorithm, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
    data_key = f"arn:aws:kms:eu-central-1:{ACCOUNT_ID}:key/keys-data"
    for bucket in ("videos", "metadata"):
        common: dict[str, object] = {
            "Effect": "Deny",
            "Principal": EVERYONE,
            "Action": "s3:PutObject",
            "Resource": f"{bucket_arn(recording, bucket)}/*",
        }
        other = {"StringNotEquals": {algorithm: "aws:kms"}, "Null": {algorithm: "false"}}
        foreign = {"StringNotEquals": {key: data_key}, "Null": {key: "false"}}
        yield from require_statement(_policy(recording, bucket), "NoOtherEncryption", Condition=other, **common)
        yield from require_statement(_policy(recording, bucket), "NoOtherKey", Condition=foreign, **common)
        unnamed = {"Null": {algorithm: "false", key: "true"}}
        yield from require_statement(_policy(recording, bucket), "NoUnnamedKey", Condition=unnamed, **common)
        later = {**common, "Action": ["s3:UpdateObjectEncryption", "s3:ReplicateObject"]}
        yield from require_statement(_policy(recording, bucket), "NoLaterKey", Condition=None, **later)


def signed_urls_die_after_a_quarter_of_an_hour(recording: Recording) -> Violations:
    for bucket in ENCRYPTED_WITH_DATA_KEY:
        yield from require_statement(
            _policy(recording, bucket),
            "NoOldSignatures",
            Effect="Deny",
            Principal=EVERYONE,
            Action="s3:*",
            Resource=f"{bucket_arn(recording, bucket)}/*",
            Condition={"NumericGreaterThan": {"s3:signatureAge": "900000"}},
        )


def only_accepted_videos_can_be_read(recording: Recording) -> Violations:
    roles = ["multipart_complete", "video_processing", "janitor", *(["malware-scan"] if is_scanned(recording) else [])]
    inspectors = [role_arn(recording, role) for role in roles]
    yield from require_statement(
        _policy(recording, "videos"),
        "ReadOnlyAccepted",
        Effect="Deny",
        Principal=EVERYONE,
        Action=[
            *("s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectVersionForReplication"),
            *("s3:GetObjectTorrent", "s3:GetObjectVersionTorrent"),
        ],
        Resource=f"{bucket_arn(recording, 'videos')}/*",
        Condition={
            "StringNotEquals": {"s3:ExistingObjectTag/verdict": "accepted"},
            "ArnNotEquals": {"aws:PrincipalArn": inspectors},
        },
    )


def only_processing_tags_videos(recording: Recording) -> Violations:
    yield from require_statement(
        _policy(recording, "videos"),
        "OnlyProcessingTags",
        Effect="Deny",
        Principal=EVERYONE,
        Action=[
            "s3:ReplicateTags",
            *(f"s3:{verb}Object{version}Tagging" for verb in ("Put", "Delete") for version in ("", "Version")),
        ],
        Resource=f"{bucket_arn(recording, 'videos')}/*",
        Condition={"ArnNotEquals": {"aws:PrincipalArn": [role_arn(recording, "video_processing")]}},
    )


def records_are_reachable_from_the_network_alone(recording: Recording) -> Violations:
    if not recording.of("ec2/vpc:Vpc"):
        return
    arn = bucket_arn(recording, "metadata")
    yield from require_statement(
        _policy(recording, "metadata"),
        "RecordsOnlyFromTheNetwork",
        Effect="Deny",
        Principal=EVERYONE,
        Action="s3:*",
        Resource=[
            *(f"{arn}/records/*", f"{arn}/open/*", f"{arn}/starts/*", f"{arn}/links/*", f"{arn}/link-uses/*"),
            *(f"{arn}/usage/*", f"{arn}/outbox/*"),
        ],
        Condition={
            "StringNotEquals": {"aws:SourceVpce": "network-s3-id"},
            "ArnNotEquals": {
                "aws:PrincipalArn": [
                    role_arn(recording, role) for role in ("janitor", "scan_verdict", "message_sender", "operator")
                ]
            },
        },
    )


def makes_renditions(recording: Recording) -> bool:
    return variables(recording, "video_processing")["RENDITIONS"] == "true"


def cloudfront_reads_what_it_shows_and_no_more(recording: Recording) -> Violations:
    played = ["/videos", "/renditions"] if makes_renditions(recording) else ["/videos"]
    for bucket, folders in {"videos": played, "metadata": ["/posters"], "site": [""]}.items():
        shown = [f"{bucket_arn(recording, bucket)}{folder}/*" for folder in folders]
        yield from require_statement(
            _policy(recording, bucket),
            "CloudFrontReads",
            Effect="Allow",
            Principal={"Service": "cloudfront.amazonaws.com"},
            Action="s3:GetObject",
            Resource=shown if len(shown) > 1 else shown[0],
            Condition=OWN_DISTRIBUTIONS,
        )
        allowed = [each["Sid"] for each in statements(_policy(recording, bucket)) if each["Effect"] == "Allow"]
        if allowed != ["CloudFrontReads"]:
            yield f"{bucket}: also allows {allowed}"


def logs_are_written_by_their_services_alone(recording: Recording) -> Violations:
    arn, policy = bucket_arn(recording, "logs"), _policy(recording, "logs")
    trail = f"arn:aws:cloudtrail:eu-central-1:{ACCOUNT_ID}:trail/{account_wide_name(recording, 'trail')}"
    owner = {"s3:x-amz-acl": "bucket-owner-full-control"}
    for bucket in ENCRYPTED_WITH_DATA_KEY:
        yield from require_statement(
            policy,
            f"AccessLogsOf{bucket.capitalize()}",
            Principal={"Service": "logging.s3.amazonaws.com"},
            Action="s3:PutObject",
            Resource=f"{arn}/s3/{bucket}/*",
            Condition={
                "StringEquals": {"aws:SourceAccount": ACCOUNT_ID},
                "ArnEquals": {"aws:SourceArn": bucket_arn(recording, bucket)},
            },
        )
    yield from require_statement(
        policy,
        "EdgeLogs",
        Principal={"Service": "delivery.logs.amazonaws.com"},
        Action="s3:PutObject",
        Resource=f"{arn}/edge/*",
        Condition={
            "StringEquals": {"aws:SourceAccount": ACCOUNT_ID, **owner},
            "ArnLike": {"aws:SourceArn": f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:delivery-source:*"},
        },
    )
    if recording.stage == "dev":
        return
    yield from require_statement(
        policy,
        "TrailLooks",
        Principal={"Service": "cloudtrail.amazonaws.com"},
        Action="s3:GetBucketAcl",
        Resource=arn,
        Condition={"StringEquals": {"aws:SourceArn": trail}},
    )
    yield from require_statement(
        policy,
        "TrailWrites",
        Principal={"Service": "cloudtrail.amazonaws.com"},
        Action="s3:PutObject",
        Resource=f"{arn}/trail/AWSLogs/{ACCOUNT_ID}/*",
        Condition={"StringEquals": {"aws:SourceArn": trail, **owner}},
    )


def reads_and_writes_of_buckets_are_logged(recording: Recording) -> Violations:
    for bucket in ENCRYPTED_WITH_DATA_KEY:
        logging, missing = _of_bucket(recording, "s3/bucketLogging:BucketLogging", bucket)
        yield from missing
        if logging:
            target = bucket_name(recording, "logs")
            yield from require(logging, targetBucket=target, targetPrefix=f"s3/{bucket}/")


def lifecycle_rules_drop_what_nobody_needs_and_archive_nothing(recording: Recording) -> Violations:
    wanted = {
        "videos": {"incomplete-uploads", "noncurrent-versions", "rejected-videos"},
        "metadata": {"incomplete-uploads", "noncurrent-versions", "tombstones", "idempotency-keys"},
        "site": {"incomplete-uploads", "noncurrent-versions"},
        "logs": {"incomplete-uploads", "noncurrent-versions", "old-logs"},
    }
    if recording.stage != "dev":
        wanted["videos"].add("intelligent-tiering")
    for bucket, names in wanted.items():
        lifecycle, missing = _of_bucket(
            recording, "s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket
        )
        yield from missing
        rules = lifecycle.inputs["rules"] if lifecycle else []
        enabled = {rule["id"] for rule in rules if rule["status"] == "Enabled"}
        if not names <= enabled:
            yield f"{bucket} misses the rules {names - enabled}"
        classes = {step["storageClass"] for rule in rules for step in rule.get("transitions", [])}
        if classes & ARCHIVES:
            yield f"{bucket} moves objects to where they cannot be played: {classes & ARCHIVES}"


def only_pages_of_the_site_send_parts(recording: Recording) -> Violations:
    cors, missing = _of_bucket(recording, "s3/bucketCorsConfiguration:BucketCorsConfiguration", "videos")
    yield from missing
    if cors:
        (rule,) = cors.inputs["corsRules"]
        foreign = [
            origin
            for origin in rule["allowedOrigins"]
            if origin != recording.exports["siteUrl"] and not origin.startswith("http://localhost:")
        ]
        if foreign:
            yield f"other pages may send parts: {foreign}"
        if "ETag" not in rule["exposeHeaders"]:
            yield "a browser cannot read the ETag"


def what_holds_data_is_emptied_by_no_deletion_in_prod(recording: Recording) -> Violations:
    if recording.stage != "prod":
        return
    for bucket in recording.of("s3/bucket:Bucket"):
        yield from require(bucket, forceDestroy=False)
    for pool in recording.of("cognito/userPool:UserPool"):
        yield from require(pool, deletionProtection="ACTIVE")


def everything_that_can_carry_tags_tells_its_stage(recording: Recording) -> Violations:
    tags = {"Product": "video-upload", "Stage": recording.stage, "ManagedBy": "pulumi"}
    for resource in recording.resources:
        if "tags" in resource.inputs and resource.inputs["tags"] != tags:
            yield f"{resource.name} has the tags {resource.inputs['tags']}"


def buckets_are_protected_before_anyone_can_write(recording: Recording) -> Violations:
    dependencies = {
        each.urn
        for each in recording.of(
            "s3/bucketPolicy:BucketPolicy",
            "s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            "s3/bucketVersioning:BucketVersioning",
        )
    }
    writers = recording.of("lambda/function:Function", "cloudfront/distribution:Distribution", "cloudtrail/trail:Trail")
    for writer in writers:
        if not writer.name.startswith("auth-") and not dependencies <= recording.before(writer):
            yield f"{writer.name} may exist before {sorted(dependencies - recording.before(writer))}"
