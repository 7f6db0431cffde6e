"""KMS's word about a MAC: valid, invalid, or none at all."""

from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.adapters.kms_client import KmsClient, KmsError
from chalicelib.adapters.kms_mac import KmsMac
from chalicelib.core.ports import StorageBusyError

KEYS = {"new": "alias/new", "old": "alias/old"}


class FakeKms(KmsClient):
    """Answers every call with one answer, or raises one error."""

    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        object.__setattr__(self, "answer", answer)
        object.__setattr__(self, "calls", [])

    answer: dict[str, Any] | Exception
    calls: list[tuple[str, str]]

    def call(self, operation: str, **parameters: str) -> dict[str, Any]:
        assert parameters["MacAlgorithm"] == "HMAC_SHA_256"
        self.calls.append((operation, parameters["KeyId"]))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_first_key_signs_and_each_verifies_its_own() -> None:
    kms = FakeKms({"Mac": "bWFj"})
    mac = KmsMac(kms, KEYS)
    assert (mac.current_kid, mac.generate(b"message")) == ("new", b"mac")
    assert mac.verify("old", b"message", b"mac")
    assert kms.calls == [("GenerateMac", "alias/new"), ("VerifyMac", "alias/old")]


def test_a_key_of_another_name_is_not_asked() -> None:
    kms = FakeKms({})
    assert not KmsMac(kms, KEYS).verify("other", b"message", b"mac")
    assert not kms.calls


def test_a_mac_that_kms_calls_invalid_is_invalid() -> None:
    assert not KmsMac(FakeKms(KmsError("VerifyMac", 400, "KMSInvalidMacException")), KEYS).verify("new", b"m", b"mac")


NO_WORD: Sequence[Exception] = [
    *(KmsError("VerifyMac", 400, code) for code in ("AccessDeniedException", "DisabledException", "NotFoundException")),
    KmsError("VerifyMac", 400, "KMSInvalidStateException"),
    StorageBusyError(),
]


@pytest.mark.parametrize("error", NO_WORD, ids=str)
def test_nobody_is_let_in_if_kms_says_nothing_about_the_mac(error: Exception) -> None:
    with pytest.raises(type(error)):
        KmsMac(FakeKms(error), KEYS).verify("new", b"message", b"mac")
