"""Fixed names of the resources that the stand-in provisions, for all its users."""

from typing import Any, Final

REGION: Final = "eu-central-1"
ACCOUNT_ID: Final = "123456789012"
ACCESS_KEY: Final = "local"
SECRET_KEY: Final = "local-stand-in"

VIDEO_BUCKET: Final = "video-upload-local-videos"
METADATA_BUCKET: Final = "video-upload-local-metadata"
VIDEO_PREFIX: Final = "videos/"
OUTBOX_PREFIX: Final = "outbox/"

DATA_KEY_ALIAS: Final = "alias/video-upload-local-data"
UPLOAD_TOKEN_KEY_ALIAS: Final = "alias/video-upload-local-upload-token"

COMPLETIONS_TOPIC: Final = "video-upload-local-completions"
COMPLETIONS_TOPIC_ARN: Final = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:{COMPLETIONS_TOPIC}"
COMPLETIONS_QUEUE: Final = "video-upload-local-completions"
EVENTS_QUEUE: Final = "video-upload-local-events"
FAILED_EVENTS_QUEUE: Final = "video-upload-local-failed-events"
EVENT_VISIBILITY_SECONDS: Final = 60
POLL_SECONDS: Final = 20
"""Duration of a long poll, as Lambda's."""

EVENT_RECEIVES_BEFORE_FAILED: Final = 3

SCAN_REQUESTS: Final = "stand-in.malware-scan"
"""Source of the events that ask for a malware scan."""
CONVERSION_REQUESTS: Final = "stand-in.conversion"
"""Source of the events that announce a new job to the converter."""

DEFAULT_SITE_ORIGINS: Final = ("http://127.0.0.1:8000", "http://localhost:8000")


def queue_arn(queue_name: str) -> str:
    """ARN of a queue of the stand-in's account."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{queue_name}"


def queue_url(endpoint_url: str, queue_name: str) -> str:
    """URL of a queue as `endpoint_url` (without a trailing slash) serves it."""
    return f"{endpoint_url}/{ACCOUNT_ID}/{queue_name}"


def scan_request(bucket: str, key: str, version_id: str) -> dict[str, Any]:
    """Event that asks for the scan of one version."""
    return {"source": SCAN_REQUESTS, "detail": {"Bucket": bucket, "Key": key, "VersionId": version_id}}
