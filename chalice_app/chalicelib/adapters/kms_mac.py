"""KMS's HMAC keys, without boto3: the authorizer runs in front of every token call and must start fast."""

import base64
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.ports import Clock, StorageBusyError
from chalicelib.core.sigv4 import Credentials, SigningScope, signed_headers

_ALGORITHM = "HMAC_SHA_256"
_TRIES = 3
_TIMEOUT_SECONDS = 3.0


class KmsError(Exception):
    """KMS refused: a missing right, an unknown or disabled key."""

    def __init__(self, status: int, code: str) -> None:
        self.status, self.code = status, code
        super().__init__(f"KMS answered {status} {code}")


@dataclass(frozen=True)
class KmsMac:
    """key_ids: kid → key id, ARN or alias; the first one signs."""

    endpoint_url: str
    region: str
    key_ids: Mapping[str, str]
    credentials: Callable[[], Credentials]
    now: Clock

    @property
    def current_kid(self) -> str:
        return next(iter(self.key_ids))

    def generate(self, message: bytes) -> bytes:
        answer = self._call("GenerateMac", self.key_ids[self.current_kid], message)
        return base64.b64decode(answer["Mac"])

    def verify(self, kid: str, message: bytes, mac: bytes) -> bool:
        if kid not in self.key_ids:
            return False
        try:
            self._call("VerifyMac", self.key_ids[kid], message, Mac=base64.b64encode(mac).decode())
        except KmsError as error:
            if error.code == "KMSInvalidMacException":
                return False
            raise
        return True

    def _call(self, operation: str, key_id: str, message: bytes, **more: str) -> dict[str, Any]:
        body = json.dumps(
            {"KeyId": key_id, "MacAlgorithm": _ALGORITHM, "Message": base64.b64encode(message).decode(), **more}
        ).encode()
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
                    raise KmsError(status, code)
                if attempt == _TRIES:
                    raise StorageBusyError
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
