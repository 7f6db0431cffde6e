"""The policy of a POST form: its signer, its expiry and its conditions.

Source: Amazon S3 API Reference, "Authenticating Requests in Browser-Based Uploads Using POST" and "POST Policy".
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from local.stand_in.errors import S3Error, access_denied, invalid_argument, invalid_request
from local.stand_in.signatures import (
    ALGORITHM,
    Signature,
    parse_scope,
    parse_timestamp,
    signature_does_not_match,
    signing_key,
)

_FREE_FIELDS = frozenset({"x-amz-signature", "policy", "file", "submit"})
_EXPIRATION = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z", re.ASCII)
_SIGNATURE_FIELDS = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")


class PostPolicy:
    """A policy with a valid signature that has not expired."""

    def __init__(self, fields: Mapping[str, str], now: datetime) -> None:
        """fields: the form's, names in lower case. Raises S3Error for a missing, forged, foreign or expired policy."""
        self._fields = fields
        self.signature = _verify(fields, now)
        self._conditions = _conditions(fields["policy"], now)

    def check_fields(self, bucket: str, key: str) -> None:
        """Check that every condition holds and every field has one. Raises S3Error 403 otherwise."""
        values = {**self._fields, "bucket": bucket, "key": key}
        covered: set[str] = set()
        for condition in self._conditions:
            name = condition[1].removeprefix("$").lower()
            if condition[0] == "content-length-range":
                continue
            covered.add(name)
            actual = values.get(name, "")
            holds = actual == condition[2] if condition[0] == "eq" else _starts_with(name, actual, condition[2])
            if not holds:
                raise _failed(f"Policy Condition failed: {json.dumps(list(condition))}")
        extra = [name for name in self._fields if name not in covered | _FREE_FIELDS and not _is_ignored(name)]
        if extra:
            raise _failed(f"Extra input fields: {', '.join(extra)}")

    def check_size(self, size_bytes: int) -> None:
        """Check the file's size against every content-length-range. Raises S3Error 400 otherwise."""
        for kind, least, most in self._conditions:
            if kind != "content-length-range":
                continue
            if size_bytes > int(most):
                raise S3Error(
                    400,
                    "EntityTooLarge",
                    "Your proposed upload exceeds the maximum allowed size",
                    {"ProposedSize": str(size_bytes), "MaxSizeAllowed": most},
                )
            if size_bytes < int(least):
                raise S3Error(
                    400,
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                    {"ProposedSize": str(size_bytes), "MinSizeAllowed": least},
                )


def _verify(fields: Mapping[str, str], now: datetime) -> Signature:
    if "awsaccesskeyid" in fields or "signature" in fields:
        raise invalid_request("The authorization mechanism you have provided is not supported. Please use " + ALGORITHM)
    if "policy" not in fields:
        raise access_denied()
    for name in _SIGNATURE_FIELDS:
        if name not in fields:
            raise invalid_argument(f"Bucket POST must contain a field named '{name}'.", name, "")
    if fields["x-amz-algorithm"] != ALGORITHM:
        raise invalid_argument(f"Only {ALGORITHM} is supported", "x-amz-algorithm", fields["x-amz-algorithm"])
    malformed = S3Error(400, "InvalidArgument", "the Credential is mal-formed;")
    scope = parse_scope(fields["x-amz-credential"], malformed)
    parse_timestamp(fields["x-amz-date"], malformed)
    if "x-amz-security-token" in fields:
        raise S3Error(400, "InvalidToken", "The provided token is malformed or otherwise invalid.")
    key = signing_key(scope)
    expected = hmac.new(key, fields["policy"].encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), fields["x-amz-signature"].encode()):
        raise signature_does_not_match({"StringToSign": fields["policy"]})
    return Signature(
        payload_hash="UNSIGNED-PAYLOAD",
        signing_key=key,
        scope=scope,
        timestamp=fields["x-amz-date"],
        value=fields["x-amz-signature"],
    )


def _conditions(policy: str, now: datetime) -> list[tuple[str, str, str]]:
    malformed = S3Error(400, "InvalidPolicyDocument", "Invalid Policy: Invalid JSON.")
    try:
        document: object = json.loads(base64.b64decode(policy, validate=True))
    except (binascii.Error, ValueError) as error:
        raise malformed from error
    if not isinstance(document, dict):
        raise malformed
    fields = cast("dict[str, object]", document)
    expiration, conditions = fields.get("expiration"), fields.get("conditions")
    if not isinstance(expiration, str) or not isinstance(conditions, list):
        raise malformed
    if now > _expiry(expiration):
        raise _failed("Policy expired.")
    return [_condition(entry, malformed) for entry in cast("list[object]", conditions)]


def _expiry(text: str) -> datetime:
    """The expiry of a policy. Raises S3Error 400 for any format but `2013-08-01T12:00:00.000Z`."""
    try:
        if not _EXPIRATION.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError as error:
        message = f"Invalid Policy: Invalid 'expiration' value: '{text}'"
        raise S3Error(400, "InvalidPolicyDocument", message) from error


def _condition(entry: object, malformed: S3Error) -> tuple[str, str, str]:
    if isinstance(entry, dict):
        pairs = list(cast("dict[str, object]", entry).items())
        if len(pairs) != 1:
            raise malformed
        return "eq", f"${pairs[0][0]}", str(pairs[0][1])
    if not isinstance(entry, list) or len(cast("list[object]", entry)) != 3:
        raise malformed
    kind, first, second = (str(piece) for piece in cast("list[object]", entry))
    kind = kind.lower()
    is_range = kind == "content-length-range" and first.isdigit() and second.isdigit()
    if not is_range and (kind not in ("eq", "starts-with") or not first.startswith("$")):
        raise malformed
    return kind, first, second


def _starts_with(name: str, actual: str, prefix: str) -> bool:
    # For a prefix condition, S3 accepts a list of content types and checks the prefix of each.
    values = actual.split(",") if name == "content-type" else [actual]
    return all(value.strip().startswith(prefix) for value in values)


def _is_ignored(name: str) -> bool:
    return name.startswith("x-ignore-")


def _failed(reason: str) -> S3Error:
    return access_denied(f"Invalid according to Policy: {reason}")
