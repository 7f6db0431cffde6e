"""Signatures of operators' calls: SigV4 with the local platform's only access key."""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.stand_in import names

SERVICE = "cognito-idp"
MAX_CLOCK_SKEW_SECONDS = 15 * 60
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<credential>[^,]+), ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z")
_DEMANDED = {"host", "x-amz-date", "x-amz-target"}


def is_signed(url: str, headers: Mapping[str, str], body: bytes, now: float) -> bool:
    """Check that the platform's key signed this request recently. headers: names in lower case."""
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    timestamp = headers.get("x-amz-date", "")
    if found is None or not _TIMESTAMP.fullmatch(timestamp):
        return False
    try:
        signed_at = datetime.strptime(timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return False
    signed_names = found["headers"].split(";")
    if abs(now - signed_at) > MAX_CLOCK_SKEW_SECONDS or not _DEMANDED.issubset(signed_names):
        return False
    request = AWSRequest("POST", url, {name: headers.get(name, "") for name in signed_names}, body)
    request.context["timestamp"] = timestamp
    auth = SigV4Auth(Credentials(names.ACCESS_KEY, names.SECRET_KEY), SERVICE, names.REGION)
    expected = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    of_this_key = hmac.compare_digest(found["credential"].encode(), auth.scope(request).encode())
    return hmac.compare_digest(found["signature"].encode(), expected.encode()) and of_this_key
