"""KMS as the functions call it, answered by the stand-in."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chalicelib.adapters.kms_client import KmsClient, KmsError
from chalicelib.adapters.kms_mac import KmsMac
from chalicelib.adapters.kms_signer import KmsSigner
from chalicelib.core.ports import StorageBusyError
from chalicelib.core.sigv4 import Credentials
from local.stand_in import names
from tests.end_to_end.actors import StandIn


def kms_client(url: str) -> KmsClient:
    credentials = Credentials(names.ACCESS_KEY, names.SECRET_KEY)
    return KmsClient(url, names.REGION, lambda: credentials, lambda: datetime.now(UTC))


def test_a_mac_verifies_and_a_changed_one_does_not(stand_in: StandIn) -> None:
    mac = KmsMac(kms_client(stand_in.url), {"k1": names.UPLOAD_TOKEN_KEY_ALIAS})
    made = mac.generate(b"message")
    assert mac.verify("k1", b"message", made)
    assert not mac.verify("k1", b"another", made)
    assert not mac.verify("k1", b"message", bytes([made[0] ^ 1]) + made[1:])
    assert not mac.verify("k0", b"message", made)


def test_a_media_signature_verifies_under_the_published_key(stand_in: StandIn) -> None:
    kms = stand_in.client("kms")
    key_id = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    public_key: Any = load_der_public_key(kms.get_public_key(KeyId=key_id)["PublicKey"])
    signature = KmsSigner(kms_client(stand_in.url), key_id).sign(b"policy")
    public_key.verify(signature, b"policy", ec.ECDSA(SHA256()))
    with pytest.raises(InvalidSignature):
        public_key.verify(signature, b"another policy", ec.ECDSA(SHA256()))


def test_an_unknown_key_is_our_fault_and_says_so(stand_in: StandIn) -> None:
    with pytest.raises(KmsError, match="NotFound"):
        KmsMac(kms_client(stand_in.url), {"k1": "alias/nothing"}).generate(b"message")


def test_a_throttled_or_unreachable_kms_asks_for_patience(stand_in: StandIn) -> None:
    mac = KmsMac(kms_client(stand_in.url), {"k1": names.UPLOAD_TOKEN_KEY_ALIAS})
    stand_in.fail("GenerateMac", status=400, code="ThrottlingException", times=2)
    assert mac.generate(b"message")
    with pytest.raises(StorageBusyError):
        KmsMac(kms_client("http://127.0.0.1:9"), {"k1": "x"}).generate(b"message")
