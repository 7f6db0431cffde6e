"""The capability for one upload."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import UnauthorizedError
from chalicelib.core.upload_token import MAX_TOKEN_CHARS, UploadTokens
from tests.fakes import FakeClock, FakeMac
from tests.in_memory_platform import InMemoryPlatform


def test_a_token_opens_the_upload_it_was_made_for(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    assert transfer.token.upload_id == transfer.started.upload_id
    assert transfer.token.file_key == f"videos/{transfer.token.owner}/{transfer.token.video_id}"


def test_a_token_dies_with_its_upload(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    platform.clock.pass_time(days=7)
    with pytest.raises(UnauthorizedError):
        platform.tokens.verify(transfer.started.token)


def test_an_expired_token_costs_no_kms_call(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    platform.clock.pass_time(days=8)
    before = platform.mac.verifications
    with pytest.raises(UnauthorizedError):
        platform.tokens.verify(transfer.started.token)
    assert platform.mac.verifications == before


@pytest.mark.parametrize("claim", ["kid", "owner", "videoId", "fileKey", "uploadId", "expiry"])
def test_no_claim_can_be_changed(platform: InMemoryPlatform, claim: str) -> None:
    payload, _, mac = platform.start().started.token.partition(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims[claim] = claims[claim] + 1 if claim == "expiry" else claims[claim][:-1] + "0"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    with pytest.raises(UnauthorizedError):
        platform.tokens.verify(f"{forged}.{mac}")


def test_a_token_has_one_spelling(platform: InMemoryPlatform) -> None:
    token = platform.start().started.token
    payload, _, mac = token.partition(".")
    spellings = [f"{token}=", f"{payload}=.{mac}", token.replace("-", "+").replace("_", "/")]
    spellings += [f"{token} ", f"{payload}!.{mac}", f"{payload}.{mac[:-1]}.{mac[-1]}"]
    # 43 characters carry 258 bits, of which a MAC has 256.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(mac[-1])
    spellings += [token[:-1] + alphabet[last ^ bits] for bits in (1, 2, 3)]
    for spelling in {*spellings} - {token}:
        with pytest.raises(UnauthorizedError):
            platform.tokens.verify(spelling)
    assert platform.tokens.verify(token)


def test_a_token_of_the_last_key_is_good_until_it_expires(platform: InMemoryPlatform) -> None:
    transfer = platform.start()
    rotated = UploadTokens(FakeMac(k2=b"new", k1=b"secret"), platform.clock)
    assert rotated.verify(transfer.started.token) == transfer.token
    reissued = rotated.issue(transfer.started.record, transfer.started.upload_id, platform.clock() + timedelta(hours=1))
    assert rotated.verify(reissued).kid == "k2"
    with pytest.raises(UnauthorizedError):
        platform.tokens.verify(reissued)


@given(st.one_of(st.text(max_size=300), st.text("AZaz09-_.", max_size=300)))
def test_noise_is_unauthorized_and_nothing_worse(noise: str) -> None:
    with pytest.raises(UnauthorizedError):
        UploadTokens(FakeMac(), FakeClock()).verify(noise)


@pytest.mark.parametrize(
    "claims",
    [
        [],
        {},
        {"kid": "k1"},
        {"kid": "k1", "owner": "../x", "videoId": "0" * 28, "fileKey": "", "uploadId": "", "expiry": 9e9},
        "text",
    ],
)
def test_a_signed_payload_of_another_shape_is_unauthorized(claims: object) -> None:
    mac = FakeMac()
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    signature = base64.urlsafe_b64encode(mac.generate(payload.encode())).decode().rstrip("=")
    with pytest.raises(UnauthorizedError):
        UploadTokens(mac, FakeClock()).verify(f"{payload}.{signature}")


GOOD = {
    "kid": "k1",
    "owner": "owner",
    "videoId": "0" * 28,
    "fileKey": f"videos/owner/{'0' * 28}",
    "uploadId": "upload-1",
    "expiry": 10**10,
}


def signed(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"{payload}.{base64.urlsafe_b64encode(FakeMac().generate(payload.encode())).decode().rstrip('=')}"


def test_a_token_tells_which_upload_it_opens() -> None:
    token = UploadTokens(FakeMac(), FakeClock()).verify(signed(GOOD))
    assert (token.kid, token.upload_id, token.expiry) == ("k1", "upload-1", 10**10)
    assert token.ref.file_key == token.file_key == GOOD["fileKey"]


@pytest.mark.parametrize(
    "changed",
    [
        {"owner": "../owner", "fileKey": f"videos/../owner/{'0' * 28}"},
        {"owner": "", "fileKey": f"videos//{'0' * 28}"},
        {"videoId": "x", "fileKey": "videos/owner/x"},
        {"fileKey": f"videos/other/{'0' * 28}"},
        {"fileKey": ""},
        {"more": 1},
        {"kid": 1},
        {"uploadId": None},
        {"expiry": "10000000000"},
    ],
    ids=str,
)
def test_a_signed_token_of_claims_that_we_do_not_make_is_unauthorized(changed: dict[str, object]) -> None:
    mac = FakeMac()
    with pytest.raises(UnauthorizedError):
        UploadTokens(mac, FakeClock()).verify(signed({**GOOD, **changed}))
    assert mac.verifications == 0


def test_the_longest_token_is_good_and_the_next_longer_one_is_not() -> None:
    tokens = UploadTokens(FakeMac(), FakeClock())
    found: dict[int, str] = {}
    for chars in range(1_200, 1_600):
        text = signed({**GOOD, "uploadId": "u" * chars})
        found.setdefault(len(text), text)
    assert tokens.verify(found[MAX_TOKEN_CHARS])
    with pytest.raises(UnauthorizedError):
        # No base64 text of whole bytes has one character more.
        tokens.verify(found[MAX_TOKEN_CHARS + 2])


@pytest.mark.parametrize("text", ["", ".", "e30", "e30.", ".e30"])
def test_a_token_without_payload_or_mac_is_unauthorized_before_anything_is_read(text: str) -> None:
    with pytest.raises(UnauthorizedError) as refused:
        UploadTokens(FakeMac(), FakeClock()).verify(text)
    assert refused.value.__cause__ is None


def test_a_token_without_a_mac_costs_no_kms_call() -> None:
    mac = FakeMac()
    payload, _, _ = signed(GOOD).partition(".")
    with pytest.raises(UnauthorizedError):
        UploadTokens(mac, FakeClock()).verify(f"{payload}.")
    assert mac.verifications == 0


def test_a_token_spends_no_character_on_spaces(platform: InMemoryPlatform) -> None:
    payload, _, _ = platform.start().started.token.partition(".")
    assert b" " not in base64.urlsafe_b64decode(payload + "==")
