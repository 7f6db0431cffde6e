"""Verification of AWS Signature Version 4 as in S3: in the Authorization header and in presigned URLs.

Source of the rules: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from local.stand_in.errors import S3Error, access_denied, invalid_request
from local.stand_in.names import ACCESS_KEY, REGION, SECRET_KEY
from local.stand_in.requests import S3Request

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_PRESIGNED_SECONDS = 7 * 24 * 3600  # same reference, "Query Parameters": X-Amz-Expires
MAX_CLOCK_SKEW_SECONDS = 15 * 60  # same reference, "RequestTimeTooSkewed"
TIMESTAMP_FORMAT = "%Y%m%dT%H%M%SZ"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_QUERY_FIELDS = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The credential scope: access key, day, region and service."""

    access_key: str
    date: str
    region: str
    service: str

    @property
    def text(self) -> str:
        """The scope in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A verified signature.

    payload_hash: of the body: a SHA-256 in hex, UNSIGNED-PAYLOAD or one of S3's STREAMING names. signing_key, scope,
    timestamp, value: start of the chain of signed chunks.
    """

    payload_hash: str
    signing_key: bytes
    scope: Scope
    timestamp: str
    value: str


def verify(request: S3Request, now: datetime) -> Signature | None:
    """Verify the request's signature; None for an unsigned request.

    Raises S3Error as S3 does for a wrong or expired signature, a foreign key or region, unsigned headers, SigV2.
    """
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _verify_header(request, authorization, now)
    if request.query.get("X-Amz-Algorithm") == ALGORITHM or "X-Amz-Signature" in request.query:
        return _verify_query(request, now)
    if authorization or "AWSAccessKeyId" in request.query:
        raise invalid_request("The authorization mechanism you have provided is not supported. Please use " + ALGORITHM)
    return None


def signing_key(scope: Scope, secret_key: str = SECRET_KEY) -> bytes:
    """The signing key of a scope."""
    key = f"AWS4{secret_key}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def parse_scope(credential: str, malformed: S3Error) -> Scope:
    """Parse `key/date/region/s3/aws4_request`. Raises `malformed`, or S3's error for foreign keys and regions."""
    pieces = credential.split("/")
    if len(pieces) != 5 or pieces[3:] != ["s3", "aws4_request"]:
        raise malformed
    scope = Scope(access_key=pieces[0], date=pieces[1], region=pieces[2], service=pieces[3])
    if scope.region != REGION:
        message = f"the region '{scope.region}' is wrong; expecting '{REGION}'"
        raise S3Error(malformed.status, malformed.code, f"{malformed.message} {message}", {"Region": REGION})
    if scope.access_key != ACCESS_KEY:
        raise S3Error(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            {"AWSAccessKeyId": scope.access_key},
        )
    return scope


def parse_timestamp(text: str, malformed: S3Error) -> datetime:
    """Parse a time of the form 20260131T120000Z. Raises `malformed` for anything else."""
    try:
        return datetime.strptime(text, TIMESTAMP_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise malformed from error


def signature_does_not_match(elements: Mapping[str, str] | None = None) -> S3Error:
    """403: the request differs from the signed one."""
    return S3Error(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. "
        "Check your key and signing method.",
        elements,
    )


def _verify_header(request: S3Request, authorization: str, now: datetime) -> Signature:
    malformed = S3Error(400, "AuthorizationHeaderMalformed", "The authorization header is malformed;")
    fields: dict[str, str] = {}
    for piece in authorization.removeprefix(ALGORITHM).split(","):
        name, equals, value = piece.strip().partition("=")
        if not equals:
            raise malformed
        fields[name] = value
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        raise malformed
    scope = parse_scope(fields["Credential"], malformed)
    timestamp = _header_timestamp(request.headers)
    signed_at = parse_timestamp(timestamp, access_denied("AWS authentication requires a valid Date or x-amz-date"))
    if abs((now - signed_at).total_seconds()) > MAX_CLOCK_SKEW_SECONDS:
        raise S3Error(
            403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."
        )
    payload_hash = request.headers.get("x-amz-content-sha256")
    if payload_hash is None:
        raise invalid_request("Missing required header for this request: x-amz-content-sha256")
    return _compare(
        request,
        scope=scope,
        timestamp=timestamp,
        signed_headers=fields["SignedHeaders"],
        payload_hash=payload_hash,
        given=fields["Signature"],
    )


def _header_timestamp(headers: Mapping[str, str]) -> str:
    """The time of the signature: x-amz-date, else Date in the same format or HTTP's."""
    date = headers.get("x-amz-date") or headers.get("date", "")
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return date
    # RFC 5322: -0000, which has no zone here, is UTC as well.
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime(TIMESTAMP_FORMAT)


def _verify_query(request: S3Request, now: datetime) -> Signature:
    malformed = S3Error(
        400,
        "AuthorizationQueryParametersError",
        f"Query-string authentication version 4 requires {', '.join(('X-Amz-Algorithm', *_QUERY_FIELDS))}.",
    )
    query = request.query
    if query.get("X-Amz-Algorithm") != ALGORITHM or any(name not in query for name in _QUERY_FIELDS):
        raise malformed
    scope = parse_scope(query["X-Amz-Credential"], malformed)
    if "X-Amz-Security-Token" in query:
        raise S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    signed_at = parse_timestamp(query["X-Amz-Date"], malformed)
    lifetime = query["X-Amz-Expires"]
    if not lifetime.isdigit() or int(lifetime) > MAX_PRESIGNED_SECONDS:
        raise S3Error(400, malformed.code, "X-Amz-Expires must be a non-negative number less than a week (in seconds).")
    signature = _compare(
        request,
        scope=scope,
        timestamp=query["X-Amz-Date"],
        signed_headers=query["X-Amz-SignedHeaders"],
        payload_hash=request.headers.get("x-amz-content-sha256", UNSIGNED_PAYLOAD),
        given=query["X-Amz-Signature"],
    )
    age_seconds = (now - signed_at).total_seconds()
    if age_seconds < -MAX_CLOCK_SKEW_SECONDS:
        raise access_denied("Request is not valid yet")
    if age_seconds > int(lifetime):
        raise access_denied(
            "Request has expired", {"X-Amz-Expires": lifetime, "ServerTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )
    return signature


def _compare(
    request: S3Request, *, scope: Scope, timestamp: str, signed_headers: str, payload_hash: str, given: str
) -> Signature:
    names = signed_headers.split(";")
    _demand_signed(request, names)
    canonical = canonical_request(request, names, payload_hash)
    digest = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    string_to_sign = "\n".join((ALGORITHM, timestamp, scope.text, digest))
    key = signing_key(scope)
    expected = hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()
    if not timestamp.startswith(scope.date) or not hmac.compare_digest(expected.encode(), given.encode()):
        raise signature_does_not_match(
            {
                "AWSAccessKeyId": scope.access_key,
                "StringToSign": string_to_sign,
                "SignatureProvided": given,
                "CanonicalRequest": canonical,
            }
        )
    return Signature(payload_hash=payload_hash, signing_key=key, scope=scope, timestamp=timestamp, value=given)


def _demand_signed(request: S3Request, names: list[str]) -> None:
    unsigned = [name for name in request.headers if name.startswith("x-amz-") and name not in names]
    if "host" not in names:
        unsigned.append("host")
    if unsigned:
        raise access_denied(
            "There were headers present in the request which were not signed",
            {"HeadersNotSigned": ", ".join(sorted(unsigned))},
        )


def canonical_request(request: S3Request, names: list[str], payload_hash: str) -> str:
    """The canonical request."""
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query_pairs
        if name != "X-Amz-Signature"
    )
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    return "\n".join(
        (
            request.method,
            quote(request.path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in query),
            headers,
            ";".join(names),
            payload_hash,
        )
    )
