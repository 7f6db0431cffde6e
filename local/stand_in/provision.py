"""Contents of a fresh stand-in: the keys, buckets, topic and queues of the platform's own stack."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from local.stand_in import names

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CORSRuleTypeDef


def session() -> boto3.Session:
    """A session with the stand-in's credentials, independent of the environment."""
    return boto3.Session(
        aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=names.SECRET_KEY, region_name=names.REGION
    )


def provision(url: str, site_origins: Sequence[str]) -> None:
    """Provision an empty stand-in that serves `url`."""
    made = session()
    kms: KMSClient = made.client("kms", endpoint_url=url)
    data_key_arn = _create_key(kms, names.DATA_KEY_ALIAS)
    _create_key(kms, names.UPLOAD_TOKEN_KEY_ALIAS, is_hmac=True)
    s3 = _s3(made, url)
    for bucket in (names.VIDEO_BUCKET, names.METADATA_BUCKET):
        _create_bucket(s3, bucket, data_key_arn)
    _put_cors(s3, site_origins)
    _create_queues(made, url)
    sns = made.client("sns", endpoint_url=url)
    topic_arn = sns.create_topic(Name=names.COMPLETIONS_TOPIC)["TopicArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=names.queue_arn(names.COMPLETIONS_QUEUE))
    _queue_events(s3, names.VIDEO_BUCKET, names.VIDEO_PREFIX)
    _queue_events(s3, names.METADATA_BUCKET, names.OUTBOX_PREFIX)
    # S3 sends a test message to a new notification target, which functions never receive.
    made.client("sqs", endpoint_url=url).purge_queue(QueueUrl=names.queue_url(url, names.EVENTS_QUEUE))


def allow_origins(url: str, site_origins: Sequence[str]) -> None:
    """Set the video bucket's CORS rules on a stand-in provisioned earlier, perhaps for other origins."""
    _put_cors(_s3(session(), url), site_origins)


def _s3(made: boto3.Session, url: str) -> "S3Client":
    return made.client("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"}))


def _create_key(kms: "KMSClient", alias: str, *, is_hmac: bool = False) -> str:
    if is_hmac:
        key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
    else:
        key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    return key.get("Arn", "")


def _create_bucket(s3: "S3Client", bucket: str, data_key_arn: str) -> None:
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": names.REGION})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": data_key_arn,
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        },
    )


def _queue_events(s3: "S3Client", bucket: str, prefix: str) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": names.queue_arn(names.EVENTS_QUEUE),
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": prefix}]}},
                }
            ]
        },
    )


def _put_cors(s3: "S3Client", site_origins: Sequence[str]) -> None:
    rule: CORSRuleTypeDef = {
        "AllowedOrigins": list(site_origins),
        "AllowedMethods": ["GET", "HEAD", "PUT", "POST"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": [
            "ETag",
            "x-amz-checksum-crc64nvme",
            "x-amz-checksum-crc32",
            "x-amz-checksum-sha256",
            "x-amz-checksum-type",
            "x-amz-version-id",
        ],
        "MaxAgeSeconds": 3600,
    }
    s3.put_bucket_cors(Bucket=names.VIDEO_BUCKET, CORSConfiguration={"CORSRules": [rule]})


def _create_queues(made: boto3.Session, url: str) -> None:
    sqs = made.client("sqs", endpoint_url=url)
    sqs.create_queue(QueueName=names.COMPLETIONS_QUEUE)
    sqs.create_queue(QueueName=names.FAILED_EVENTS_QUEUE)
    redrive = (
        f'{{"deadLetterTargetArn": "{names.queue_arn(names.FAILED_EVENTS_QUEUE)}", '
        f'"maxReceiveCount": {names.EVENT_RECEIVES_BEFORE_FAILED}}}'
    )
    sqs.create_queue(
        QueueName=names.EVENTS_QUEUE,
        Attributes={"VisibilityTimeout": str(names.EVENT_VISIBILITY_SECONDS), "RedrivePolicy": redrive},
    )
