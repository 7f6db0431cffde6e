"""KMS's elliptic-curve key: it signs media URLs."""

import base64
from dataclasses import dataclass

from chalicelib.adapters.kms_client import KmsClient


@dataclass(frozen=True)
class KmsSigner:
    kms: KmsClient
    key_id: str

    def sign(self, message: bytes) -> bytes:
        answer = self.kms.call(
            "Sign",
            KeyId=self.key_id,
            SigningAlgorithm="ECDSA_SHA_256",
            MessageType="RAW",
            Message=base64.b64encode(message).decode(),
        )
        return base64.b64decode(answer["Signature"])
