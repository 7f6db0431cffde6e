"""KMS's HMAC keys: they sign upload tokens."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.adapters.kms_client import KmsClient, KmsError

_ALGORITHM = "HMAC_SHA_256"


@dataclass(frozen=True)
class KmsMac:
    """key_ids: kid → key id, ARN or alias; the first one signs."""

    kms: KmsClient
    key_ids: Mapping[str, str]

    @property
    def current_kid(self) -> str:
        return next(iter(self.key_ids))

    def generate(self, message: bytes) -> bytes:
        answer = self.kms.call(
            "GenerateMac", KeyId=self.key_ids[self.current_kid], MacAlgorithm=_ALGORITHM, Message=_base64(message)
        )
        return base64.b64decode(answer["Mac"])

    def verify(self, kid: str, message: bytes, mac: bytes) -> bool:
        if kid not in self.key_ids:
            return False
        try:
            self.kms.call(
                "VerifyMac",
                KeyId=self.key_ids[kid],
                MacAlgorithm=_ALGORITHM,
                Message=_base64(message),
                Mac=_base64(mac),
            )
        except KmsError as error:
            if error.code == "KMSInvalidMacException":
                return False
            raise
        return True


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
