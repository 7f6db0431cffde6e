"""The caller's own stream of the platform's log group, opened with credentials that can do nothing else.

An identity pool changes the person's ID token for an identity and an hour of AWS credentials; the stream is named after
the identity, which is all that its role allows.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpHeaders, HttpRequest

from video_upload.answers import TelemetryConfig
from video_upload.credentials import SignIn
from video_upload.errors import TelemetryError
from video_upload.loopback import is_safe_url
from video_upload.telemetry import TelemetryEvent

TIMEOUT_SECONDS = (5.0, 10.0)
SIGNING_SECONDS = 5.0
EXPIRY_MARGIN_SECONDS = 120.0
CONTENT_TYPE = "application/x-amz-json-1.1"


class SignedIn(Protocol):
    """Where ID tokens come from."""

    def fresh(self) -> SignIn:
        """With tokens that are good for another minute at least. Raises SignInError."""
        ...


class TelemetryStream:
    """An EventSink."""

    def __init__(self, config: TelemetryConfig, signed_in: SignedIn) -> None:
        """Raises TelemetryError if the site names an insecure address."""
        self._config = config
        self._signed_in = signed_in
        self._identity_url = config.identity_url or f"https://cognito-identity.{config.region}.amazonaws.com/"
        self._logs_url = config.logs_url or f"https://logs.{config.region}.amazonaws.com/"
        for url in (self._identity_url, self._logs_url):
            if not is_safe_url(url):
                raise TelemetryError(f"{url} is not safe")
        self._identity_id = ""
        self._credentials: AwsCredentialsProvider | None = None
        self._good_until = 0.0
        self._has_stream = False

    def write(self, events: Sequence[TelemetryEvent]) -> None:
        """Raises TelemetryError and SignInError."""
        if self._credentials is None or time.time() > self._good_until:
            self._credentials = self._exchange()
        if not self._has_stream:
            self._create_stream(self._credentials)
        self._log(
            "PutLogEvents",
            {**self._stream(), "logEvents": [{"timestamp": one.at_ms, "message": one.message} for one in events]},
            self._credentials,
        )

    def _exchange(self) -> AwsCredentialsProvider:
        signed_in = self._signed_in.fresh()
        if signed_in.id_token is None:
            raise TelemetryError(reason="the sign-in gives no ID token")
        logins = {signed_in.issuer.removeprefix("https://"): signed_in.id_token}
        pool = {"IdentityPoolId": self._config.identity_pool_id, "Logins": logins}
        try:
            self._identity_id = self._identity_id or str(self._identity("GetId", pool)["IdentityId"])
            answer = self._identity("GetCredentialsForIdentity", {"IdentityId": self._identity_id, "Logins": logins})
            found: dict[str, Any] = answer["Credentials"]
            self._good_until = float(found["Expiration"]) - EXPIRY_MARGIN_SECONDS
            return AwsCredentialsProvider.new_static(found["AccessKeyId"], found["SecretKey"], found["SessionToken"])
        except (KeyError, ValueError) as error:
            raise TelemetryError(f"the identity pool answered strangely: {error}") from error

    def _stream(self) -> dict[str, str]:
        return {"logGroupName": self._config.log_group_name, "logStreamName": self._identity_id}

    def _create_stream(self, credentials: AwsCredentialsProvider) -> None:
        try:
            self._log("CreateLogStream", self._stream(), credentials)
        except TelemetryError as error:
            if "ResourceAlreadyExists" not in error.reason:
                raise
        self._has_stream = True

    def _identity(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Target": f"AWSCognitoIdentityService.{action}"}
        return _post(self._identity_url, headers, json.dumps(body).encode())

    def _log(self, action: str, body: dict[str, Any], credentials: AwsCredentialsProvider) -> None:
        content = json.dumps(body).encode()
        headers = [
            ("Host", urlsplit(self._logs_url).netloc),
            ("Content-Type", CONTENT_TYPE),
            ("X-Amz-Target", f"Logs_20140328.{action}"),
        ]
        _post(self._logs_url, sign(headers, content, self._config.region, credentials), content)


def sign(
    headers: list[tuple[str, str]], content: bytes, region: str, credentials: AwsCredentialsProvider
) -> dict[str, str]:
    """The headers of a POST to `/` of CloudWatch Logs, with Signature Version 4."""
    config = AwsSigningConfig(
        algorithm=AwsSigningAlgorithm.V4,
        signature_type=AwsSignatureType.HTTP_REQUEST_HEADERS,
        credentials_provider=credentials,
        region=region,
        service="logs",
        signed_body_value=sha256(content).hexdigest(),
    )
    request = HttpRequest("POST", "/", HttpHeaders(headers))
    return dict(aws_sign_request(request, config).result(SIGNING_SECONDS).headers)


def _post(url: str, headers: dict[str, str], content: bytes) -> dict[str, Any]:
    try:
        response = requests.post(url, data=content, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise TelemetryError(str(error)) from error
    if response.status_code != 200:
        raise TelemetryError(f"{headers['X-Amz-Target']} answered {response.status_code}: {response.text[:200]}")
    try:
        return json.loads(response.content) if response.content else {}
    except ValueError as error:
        # A captive portal answers for everybody.
        raise TelemetryError(f"{headers['X-Amz-Target']} was not answered by AWS") from error
