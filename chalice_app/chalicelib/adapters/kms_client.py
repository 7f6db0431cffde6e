"""KMS without boto3: every call with an upload token is verified by it, so it must start fast."""

import http.client
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.ports import Clock, StorageBusyError
from chalicelib.core.sigv4 import Credentials, SigningScope, signed_headers

_TRIES = 3
_TIMEOUT_SECONDS = 3.0


class KmsError(Exception):
    """KMS refused: a missing permission, an unknown or disabled key, a wrong MAC."""

    def __init__(self, operation: str, status: int, code: str) -> None:
        self.operation, self.status, self.code = operation, status, code
        super().__init__(f"KMS answered {operation} with {status} {code}")


@dataclass(frozen=True)
class KmsClient:
    endpoint_url: str
    region: str
    credentials: Callable[[], Credentials]
    now: Clock

    def call(self, operation: str, **parameters: str) -> dict[str, Any]:
        """Raises KmsError; StorageBusyError when KMS cannot be reached or throttles, after some tries."""
        body = json.dumps(parameters).encode()
        for attempt in range(1, _TRIES + 1):
            try:
                status, answer = self._post(f"TrentService.{operation}", body)
            except OSError as error:
                if attempt == _TRIES:
                    raise StorageBusyError from error
            else:
                if status == 200:
                    return answer
                code = str(answer.get("__type", "")).rpartition("#")[2]
                if status < 500 and "Throttling" not in code:
                    raise KmsError(operation, status, code)
            time.sleep(0.05 * 2**attempt)
        raise StorageBusyError

    def _post(self, target: str, body: bytes) -> tuple[int, dict[str, Any]]:
        address = urlsplit(self.endpoint_url)
        scope = SigningScope(self.credentials(), self.region, "kms", self.now())
        headers = signed_headers(
            scope,
            "POST",
            {"content-type": "application/x-amz-json-1.1", "x-amz-target": target},
            body,
            host=address.netloc,
            path="/",
        )
        connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = connect(address.netloc, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        finally:
            connection.close()
