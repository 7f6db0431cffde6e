"""Signatures equal botocore's, byte for byte."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.sigv4 import (
    BucketAddress,
    Credentials,
    PartToSign,
    SigningScope,
    presign_get,
    presign_parts,
    signed_headers,
)

MOMENT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
TOKENS = st.one_of(st.none(), st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
ADDRESSES = st.sampled_from(
    [
        BucketAddress("https://bucket.s3.eu-central-1.amazonaws.com"),
        BucketAddress("http://127.0.0.1:8001", "/bucket"),
        BucketAddress("https://uploads.example.org"),
    ]
)


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: MOMENT.replace(tzinfo=None))


def scope_of(token: str | None, service: str = "s3") -> SigningScope:
    return SigningScope(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", token), "eu-central-1", service, MOMENT)


def botocore_presigned(method: str, url: str, token: str | None, headers: dict[str, str]) -> str:
    request: Any = botocore.awsrequest.AWSRequest(method=method, url=url, headers=headers)
    request.context["payload_signing_enabled"] = False
    signer: Any = botocore.auth.S3SigV4QueryAuth
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", token)
    signer(credentials, "s3", "eu-central-1", expires=900).add_auth(request)
    return request.url


def same_request(ours: str, theirs: str) -> bool:
    mine, other = urlsplit(ours), urlsplit(theirs)
    return (mine.netloc, mine.path, sorted(parse_qsl(mine.query))) == (
        other.netloc,
        other.path,
        sorted(parse_qsl(other.query)),
    )


@settings(max_examples=60)
@given(KEYS, TOKENS, ADDRESSES, st.lists(st.integers(1, 10_000), min_size=1, max_size=5, unique=True), st.booleans())
def test_part_urls_are_signed_as_botocore_signs_them(
    key: str, token: str | None, address: BucketAddress, numbers: list[int], with_checksum: bool
) -> None:
    headers = {"x-amz-checksum-crc64nvme": "rosUhgp5mIg="} if with_checksum else {}
    parts = [PartToSign(number, number * 1000, headers) for number in numbers]
    urls = presign_parts(scope_of(token), address, parts, key=key, upload_id="up/load+id=", expires_seconds=900)
    for part, url in zip(parts, urls, strict=True):
        bare = f"{address.origin}{address.path(key)}?partNumber={part.part_number}&uploadId=up%2Fload%2Bid%3D"
        theirs = botocore_presigned("PUT", bare, token, {"content-length": str(part.size_bytes), **headers})
        assert same_request(url, theirs)


@settings(max_examples=40)
@given(KEYS, TOKENS, ADDRESSES, st.one_of(st.none(), st.text("abcDEF._-0123", min_size=1)))
def test_viewing_urls_are_signed_as_botocore_signs_them(
    key: str, token: str | None, address: BucketAddress, version_id: str | None
) -> None:
    query = {"versionId": version_id} if version_id else {}
    bare = f"{address.origin}{address.path(key)}" + (f"?versionId={version_id}" if version_id else "")
    ours = presign_get(scope_of(token), address, key, 900, query)
    assert same_request(ours, botocore_presigned("GET", bare, token, {}))


@given(st.binary(max_size=200), TOKENS)
def test_kms_calls_are_signed_as_botocore_signs_them(body: bytes, token: str | None) -> None:
    headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "TrentService.GenerateMac"}
    ours = signed_headers(
        scope_of(token, "kms"), "POST", headers, body, host="kms.eu-central-1.amazonaws.com", path="/"
    )
    request: Any = botocore.awsrequest.AWSRequest(
        method="POST", url="https://kms.eu-central-1.amazonaws.com/", headers=dict(headers), data=body
    )
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", token)
    signer: Any = botocore.auth.SigV4Auth
    signer(credentials, "kms", "eu-central-1").add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def test_credentials_do_not_show_their_secret() -> None:
    shown = repr(scope_of("session-token"))
    assert "wJalrXUtnFEMI" not in shown
    assert "session-token" not in shown
    assert json.dumps(shown)
