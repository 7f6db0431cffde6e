"""Settings of buckets (versioning, encryption, CORS, notifications), which moto stores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from moto.kms.models import kms_backends
from moto.s3.models import s3_backends

from local.stand_in.errors import S3Error, invalid_argument, invalid_request
from local.stand_in.names import ACCOUNT_ID, REGION

_PARTITION = "aws"  # moto keeps S3 by partition, not by region
ENCRYPTION_HEADER = "x-amz-server-side-encryption"
KMS_KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"
KMS_CONTEXT_HEADER = "x-amz-server-side-encryption-context"
CUSTOMER_KEY_PREFIX = f"{ENCRYPTION_HEADER}-customer-"
BUCKET_KEY_HEADER = "x-amz-server-side-encryption-bucket-key-enabled"


@dataclass(frozen=True, kw_only=True)
class CorsRule:
    """One CORS rule of a bucket. `*` matches any characters in origins and headers."""

    origins: list[str]
    methods: list[str]
    headers: list[str]
    exposed_headers: list[str]
    max_age_seconds: int | None


@dataclass(frozen=True, kw_only=True)
class Notification:
    """Target of a bucket's events; matches(event name, key) selects them."""

    kind: str
    target_arn: str
    configuration_id: str
    matches: Callable[[str, str], bool]


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """Settings of a bucket at the time of one request.

    has_versions: whether it keeps versions or, suspended, once did; is_versioned: whether it keeps new ones.
    """

    name: str
    is_versioned: bool
    has_versions: bool
    encryption_headers: Mapping[str, str]
    cors_rules: list[CorsRule]
    notifications: list[Notification]


def find_bucket(name: str) -> Bucket | None:
    """The settings of a bucket; None if it does not exist."""
    # moto declares some of these attributes too narrowly (lists of untyped dictionaries).
    moto_bucket = cast("Any", s3_backends[ACCOUNT_ID][_PARTITION].buckets.get(name))
    if moto_bucket is None:
        return None
    return Bucket(
        name=name,
        is_versioned=bool(moto_bucket.is_versioned),
        has_versions=moto_bucket.versioning_status is not None,
        encryption_headers=_default_encryption(moto_bucket.encryption),
        cors_rules=[_cors_rule(rule) for rule in moto_bucket.cors or ()],
        notifications=_notifications(moto_bucket.notification_configuration),
    )


def require_bucket(name: str) -> Bucket:
    """The settings of a bucket. Raises S3Error 404 if it does not exist."""
    bucket = find_bucket(name)
    if bucket is None:
        raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist", {"BucketName": name})
    return bucket


def encryption_headers(bucket: Bucket, headers: Mapping[str, str]) -> dict[str, str]:
    """Headers of an object's encryption: the request's, else the bucket's default.

    Raises S3Error 400 for an unknown algorithm, a KMS key without the algorithm, and a missing key.
    """
    algorithm = headers.get(ENCRYPTION_HEADER)
    if algorithm in (None, "AES256") and (KMS_KEY_HEADER in headers or KMS_CONTEXT_HEADER in headers):
        raise invalid_argument(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
            "aws:kms",
            ENCRYPTION_HEADER,
            algorithm or "null",
        )
    if algorithm is None:
        return dict(bucket.encryption_headers)
    if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse"):
        raise S3Error(400, "InvalidEncryptionAlgorithmError", "The encryption request you specified is not valid.")
    if algorithm == "AES256":
        return {ENCRYPTION_HEADER: algorithm}
    answered = {ENCRYPTION_HEADER: algorithm}
    key_id = headers.get(KMS_KEY_HEADER) or bucket.encryption_headers.get(KMS_KEY_HEADER)
    if key_id:
        answered[KMS_KEY_HEADER] = _key_arn(key_id)
    if headers.get(BUCKET_KEY_HEADER, bucket.encryption_headers.get(BUCKET_KEY_HEADER)) == "true":
        answered[BUCKET_KEY_HEADER] = "true"
    return answered


def encryption_of(headers: Mapping[str, str]) -> dict[str, str]:
    """An object's headers about its encryption."""
    return {name: headers[name] for name in (ENCRYPTION_HEADER, KMS_KEY_HEADER, BUCKET_KEY_HEADER) if name in headers}


def demand_no_customer_key(headers: Mapping[str, str]) -> None:
    """Raises S3Error 400 for SSE-C, which S3 accepts only over TLS, which the stand-in does not offer."""
    if any(name.startswith((CUSTOMER_KEY_PREFIX, f"x-amz-copy-source-{CUSTOMER_KEY_PREFIX[6:]}")) for name in headers):
        raise invalid_request(
            "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure "
            "connection."
        )


def demand_no_encryption(headers: Mapping[str, str]) -> None:
    """Raises S3Error 400 for encryption headers in a read request."""
    for name in (ENCRYPTION_HEADER, KMS_KEY_HEADER, KMS_CONTEXT_HEADER, BUCKET_KEY_HEADER):
        if name in headers:
            raise invalid_argument(f"{name} header is not supported for this operation.", name, headers[name])


def _key_arn(key_id: str) -> str:
    kms = kms_backends[ACCOUNT_ID][REGION]
    try:
        return str(kms.describe_key(key_id).arn)
    except Exception as error:  # moto raises KeyError or its own errors, by the form of the id
        raise S3Error(400, "KMS.NotFoundException", f"Key '{key_id}' does not exist") from error


def _default_encryption(encryption: Any) -> dict[str, str]:
    rule = encryption["Rule"] if encryption else {}
    if isinstance(rule, list):
        rule = cast("Any", rule[0])
    default = rule.get("ApplyServerSideEncryptionByDefault") or {"SSEAlgorithm": "AES256"}
    headers = {ENCRYPTION_HEADER: str(default["SSEAlgorithm"])}
    if default.get("KMSMasterKeyID"):
        headers[KMS_KEY_HEADER] = str(default["KMSMasterKeyID"])
    if str(rule.get("BucketKeyEnabled", "")).lower() == "true":
        headers[BUCKET_KEY_HEADER] = "true"
    return headers


def _cors_rule(rule: Any) -> CorsRule:
    return CorsRule(
        origins=list(rule.allowed_origins or ()),
        methods=list(rule.allowed_methods or ()),
        headers=list(rule.allowed_headers or ()),
        exposed_headers=list(rule.exposed_headers or ()),
        max_age_seconds=int(rule.max_age_seconds) if rule.max_age_seconds else None,
    )


def _notifications(configuration: Any) -> list[Notification]:
    if configuration is None:
        return []
    return [
        Notification(kind=kind, target_arn=str(entry.arn), configuration_id=str(entry.id), matches=_matcher(entry))
        for kind, entries in (("queue", configuration.queue), ("topic", configuration.topic))
        for entry in entries
    ]


def _matcher(entry: Any) -> Callable[[str, str], bool]:
    return lambda event_name, key: bool(entry.matches(event_name, key))
