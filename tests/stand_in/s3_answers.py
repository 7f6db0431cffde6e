"""Shared helpers of S3's tests: refusals as status and code, names in listings, buckets of other kinds."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stand_in import names
from tests.stand_in.server_process import Server, status_of

PLAIN_BUCKET = "plain"


def refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Status and code of the error that a call must end with; for a HEAD, which has no body, the status twice."""
    with pytest.raises(ClientError) as caught:
        call()
    return status_of(caught.value), caught.value.response.get("Error", {}).get("Code", "")


def keys(listing: Any, element: str = "Contents") -> list[str]:
    """The keys of a listing, in order."""
    return [entry["Key"] for entry in listing.get(element, [])]


def prefixes(listing: Any) -> list[str]:
    """The common prefixes of a listing, in order."""
    return [entry["Prefix"] for entry in listing.get("CommonPrefixes", [])]


def make_plain_bucket(server: Server) -> str:
    """A bucket as S3 makes it: without versions, encrypted by S3's own key."""
    place = {"LocationConstraint": names.REGION}
    server.s3.create_bucket(Bucket=PLAIN_BUCKET, CreateBucketConfiguration=place)
    return PLAIN_BUCKET


def put_all(server: Server, *keys: str) -> None:
    """Put an empty object at each key."""
    for key in keys:
        server.s3.put_object(Bucket=server.bucket, Key=key, Body=b"")


def boto3_as_it_comes(server: Server) -> Any:
    """An S3 client that sends a CRC32 with everything it uploads, as boto3 does by itself."""
    made = boto3.Session(
        aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=names.SECRET_KEY, region_name=names.REGION
    )
    return made.client("s3", endpoint_url=server.url)


def unchecked_s3(server: Server) -> Any:
    """An S3 client that checks nothing itself."""
    return boto3.Session(
        aws_access_key_id=names.ACCESS_KEY, aws_secret_access_key=names.SECRET_KEY, region_name=names.REGION
    ).client(
        "s3",
        endpoint_url=server.url,
        config=Config(
            parameter_validation=False,
            request_checksum_calculation="when_required",
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
        ),
    )
