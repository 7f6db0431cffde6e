"""Calls of the core to the outside world that AWS bills, and as what."""

from collections.abc import Mapping

KINDS: Mapping[str, Mapping[str, str]] = {
    "metadata": {
        "get": "s3_reads",
        "get_newer": "s3_reads",
        "put": "s3_writes",
        "put_if_new": "s3_writes",
        "put_if_unchanged": "s3_writes",
        "retire_if_unchanged": "s3_writes",
        "list_keys": "s3_writes",
        "delete": "s3_deletes",
    },
    "videos": {
        "create_multipart_upload": "s3_writes",
        "list_parts": "s3_writes",
        "list_videos": "s3_writes",
        "complete_multipart_upload": "s3_writes",
        "set_verdict": "s3_writes",
        "head": "s3_reads",
        "read_range": "s3_reads",
        "abort_multipart_upload": "s3_deletes",
        "delete": "s3_deletes",
        "delete_version": "s3_deletes",
    },
    "renditions": {"put_part": "s3_writes", "complete": "s3_writes"},
    "mac": {"generate": "kms_requests", "verify": "kms_requests"},
    "notifier": {"announce": "publishes"},
}
"""By port of the platform in memory and method."""
