"""Conditional writes of the metadata bucket: the ETags that they hand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.adapters.s3_metadata import TOMBSTONE_TAG, S3Metadata

OBJECT = {"Bucket": "metadata", "Key": "records/owner/0.json"}
KEY = OBJECT["Key"]
WRITE = {**OBJECT, "Body": b"{}", "ContentType": "application/json", "IfMatch": '"1"'}


@pytest.fixture
def s3() -> Iterator[Stubber]:
    make: Any = boto3.client
    client = make("s3", region_name="eu-central-1", aws_access_key_id="A", aws_secret_access_key="S")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def metadata(s3: Stubber) -> S3Metadata:
    return S3Metadata(cast("Any", s3.client), OBJECT["Bucket"])


@pytest.mark.parametrize(
    ("write", "tagged"),
    [
        (S3Metadata.put_if_unchanged, {}),
        (S3Metadata.retire_if_unchanged, {"Tagging": TOMBSTONE_TAG}),
    ],
)
def test_a_conditional_write_tells_the_etag_for_the_next_one(
    s3: Stubber, write: Callable[[S3Metadata, str, bytes, str], str | None], tagged: dict[str, str]
) -> None:
    s3.add_response("put_object", {"ETag": '"2"'}, {**WRITE, **tagged})
    assert write(metadata(s3), KEY, b"{}", '"1"') == '"2"'
    s3.add_client_error("put_object", "PreconditionFailed", http_status_code=412)
    assert write(metadata(s3), KEY, b"{}", '"1"') is None
