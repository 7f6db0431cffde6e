"""Authenticator apps: set up, asked for at sign-in, and never fooled."""

from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from botocore.exceptions import ClientError

from components.auth.app_clients import ACCOUNT_REFRESH_MINUTES, ACCOUNT_TOKEN_MINUTES, REFRESH_TOKEN_DAYS
from components.settings import Mfa as MfaSetting
from local.sign_in.account_api import TARGET
from local.sign_in.clients import ACCOUNT_CLIENT, ACCOUNT_SCOPE, ACCOUNT_TOKEN_SECONDS, API_SCOPES, IDENTITY_SCOPES
from local.sign_in.second_factors import FACTORS_FILE, STEP_SECONDS, Mfa
from local.sign_in.server import SignIn
from local.sign_in.users import FREE_ATTEMPTS
from tests.sign_in.authenticator import (
    Authenticator,
    account_calls,
    account_token,
    operator_calls,
    set_up_app,
)
from tests.sign_in.browser_walk import Walk, answer
from tests.sign_in.clock import Clock

MakeWalk = Callable[..., Walk]
PASSWORD = "correct horse battery"
ADA = "ada@example.com"
POOL = "local_1"
SIGNED_FOR_ANOTHER_SERVICE = (
    "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/sqs/aws4_request, SignedHeaders=host, Signature=00"
)


@pytest.fixture
def app(sign_in: SignIn, clock: Clock) -> Authenticator:
    """Ada's, whose present code is unused."""
    sign_in.create_user(ADA, PASSWORD)
    app = set_up_app(sign_in, ADA)
    clock.now += STEP_SECONDS
    return app


def refusal_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response.get("Error", {}).get("Code", "")


def test_the_local_sign_in_knows_each_value_of_the_setting() -> None:
    assert {each.value for each in Mfa} == {each.value for each in MfaSetting}


def test_the_password_alone_lets_nobody_in_who_has_an_app(app: Authenticator, walk: MakeWalk) -> None:
    browser = walk()
    reply = browser.submit(ADA, PASSWORD)
    assert reply.headers["Location"].startswith("/mfa?")
    assert browser.authorize().headers["Location"].startswith("/login?")
    assert "code" in answer(browser.submit_code(app.code()))
    assert "code" in answer(browser.authorize())


def test_a_wrong_code_and_one_that_was_used_are_refused(app: Authenticator, walk: MakeWalk) -> None:
    first, thief = walk(), walk()
    first.submit(ADA, PASSWORD)
    assert first.submit_code(app.wrong_code()).status_code == 400
    code = app.code()
    assert "code" in answer(first.submit_code(code))
    thief.submit(ADA, PASSWORD)
    assert thief.submit_code(code).status_code == 400
    assert thief.submit_code(app.code(-1)).status_code == 400


@pytest.mark.parametrize(("steps", "status"), [(-2, 400), (-1, 302), (0, 302), (1, 302), (2, 400)])
def test_a_code_is_good_one_step_around_its_time(
    app: Authenticator, clock: Clock, walk: MakeWalk, steps: int, status: int
) -> None:
    clock.now += 300
    browser = walk()
    browser.submit(ADA, PASSWORD)
    assert browser.submit_code(app.code(steps)).status_code == status


def test_guessing_codes_ends_after_a_few(app: Authenticator, clock: Clock, walk: MakeWalk) -> None:
    browser = walk()
    browser.submit(ADA, PASSWORD)
    for _ in range(FREE_ATTEMPTS):
        assert browser.submit_code(app.wrong_code()).status_code == 400
    refused = browser.submit_code(app.code())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    clock.now += 2
    assert browser.submit_code(app.code()).status_code == 302


def test_a_password_of_before_is_no_half_of_a_sign_in_for_ever(
    app: Authenticator, clock: Clock, walk: MakeWalk
) -> None:
    browser = walk()
    browser.submit(ADA, PASSWORD)
    clock.now += 181
    page = browser.browser.get(f"{browser.authority}/mfa?{browser.query()}", allow_redirects=False)
    assert page.headers["Location"].startswith("/login?")


def test_an_app_that_is_set_up_but_not_verified_is_not_asked_for(sign_in: SignIn, walk: MakeWalk) -> None:
    sign_in.create_user(ADA, PASSWORD)
    cognito, token = account_calls(sign_in), account_token(sign_in, ADA)
    cognito.associate_software_token(AccessToken=token)
    on = {"Enabled": True, "PreferredMfa": True}
    assert (
        refusal_of(lambda: cognito.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=on))
        == "InvalidParameterException"
    )
    assert "code" in answer(walk().submit(ADA, PASSWORD))


def test_another_app_replaces_the_first_once_its_code_was_right(
    app: Authenticator, sign_in: SignIn, clock: Clock, walk: MakeWalk
) -> None:
    cognito, token = account_calls(sign_in), account_token(sign_in, ADA)
    other = Authenticator(cognito.associate_software_token(AccessToken=token)["SecretCode"], clock)

    def verify(code: str) -> object:
        return cognito.verify_software_token(AccessToken=token, UserCode=code)

    assert refusal_of(lambda: verify(other.wrong_code())) == "EnableSoftwareTokenMFAException"
    before = walk()
    before.submit(ADA, PASSWORD)
    assert "code" in answer(before.submit_code(app.code()))
    verify(other.code(-1))
    after = walk()
    after.submit(ADA, PASSWORD)
    assert after.submit_code(app.code(1)).status_code == 400
    assert "code" in answer(after.submit_code(other.code()))


def test_a_removed_app_is_not_asked_for_again(app: Authenticator, sign_in: SignIn, walk: MakeWalk) -> None:
    cognito, token = account_calls(sign_in), account_token(sign_in, ADA)
    assert cognito.get_user(AccessToken=token)["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    cognito.set_user_mfa_preference(
        AccessToken=token, SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False}
    )
    assert "UserMFASettingList" not in cognito.get_user(AccessToken=token)
    assert "code" in answer(walk().submit(ADA, PASSWORD))


class TestRequired:
    @pytest.fixture
    def mfa(self) -> Mfa:
        return Mfa.REQUIRED

    def test_the_first_sign_in_sets_an_app_up(self, sign_in: SignIn, clock: Clock, walk: MakeWalk) -> None:
        subject = sign_in.create_user(ADA, PASSWORD).subject
        browser = walk()
        assert browser.submit(ADA, PASSWORD).headers["Location"].startswith("/mfa/set-up?")
        shown = browser.browser.get(f"{browser.authority}/mfa/set-up?{browser.query()}").text
        app = Authenticator(sign_in.authority.second_factors.pending(subject), clock)
        assert app.secret in shown
        assert browser.submit_code(app.wrong_code(), page="mfa/set-up").status_code == 400
        assert "code" in answer(browser.submit_code(app.code(), page="mfa/set-up"))
        later = walk()
        assert later.submit(ADA, PASSWORD).headers["Location"].startswith("/mfa?")
        page = later.browser.get(f"{later.authority}/mfa/set-up?{later.query()}", allow_redirects=False)
        assert page.headers["Location"].startswith("/login?"), "a stolen password must not replace the app"

    def test_somebody_who_signs_up_sets_an_app_up(self, walk: MakeWalk) -> None:
        assert walk().submit(ADA, PASSWORD, page="signup").headers["Location"].startswith("/mfa/set-up?")

    def test_nobody_turns_their_app_off(self, app: Authenticator, sign_in: SignIn, walk: MakeWalk) -> None:
        account_calls(sign_in).set_user_mfa_preference(
            AccessToken=account_token(sign_in, ADA), SoftwareTokenMfaSettings={"Enabled": False}
        )
        browser = walk()
        assert browser.submit(ADA, PASSWORD).headers["Location"].startswith("/mfa?")
        assert "code" in answer(browser.submit_code(app.code()))


class TestOff:
    @pytest.fixture
    def mfa(self) -> Mfa:
        return Mfa.OFF

    def test_no_app_can_be_set_up(self, sign_in: SignIn) -> None:
        token = account_token(sign_in, ADA)
        code = refusal_of(lambda: account_calls(sign_in).associate_software_token(AccessToken=token))
        assert code == "SoftwareTokenMFANotFoundException"


def test_the_apis_tokens_open_no_account_and_the_accounts_token_opens_no_api(sign_in: SignIn) -> None:
    cognito = account_calls(sign_in)
    for client_id in ("web", "desktop", "native"):
        token = sign_in.issue_tokens(ADA, client_id=client_id).access_token
        assert refusal_of(lambda token=token: cognito.get_user(AccessToken=token)) == "NotAuthorizedException"
    machine = sign_in.authority.tokens.for_machine(sign_in.machine_client, API_SCOPES).access_token
    assert refusal_of(lambda: cognito.get_user(AccessToken=machine)) == "NotAuthorizedException"
    account = sign_in.authority.clients.get(ACCOUNT_CLIENT)
    assert account.scopes == ("openid", ACCOUNT_SCOPE)
    assert ACCOUNT_SCOPE not in {*API_SCOPES, *IDENTITY_SCOPES}


def test_an_account_token_writes_no_attribute_and_ends_soon(sign_in: SignIn, clock: Clock) -> None:
    cognito, token = account_calls(sign_in), account_token(sign_in, ADA)
    for name in ("email", "email_verified", "custom:groups"):
        wanted = [{"Name": name, "Value": "eve@example.com"}]
        code = refusal_of(
            lambda wanted=wanted: cognito.update_user_attributes(AccessToken=token, UserAttributes=wanted)
        )
        assert code == "NotAuthorizedException"
    clock.now += ACCOUNT_TOKEN_SECONDS
    assert refusal_of(lambda: cognito.get_user(AccessToken=token)) == "NotAuthorizedException"


def test_tokens_of_the_account_view_live_as_long_as_on_aws(sign_in: SignIn, clock: Clock, walk: MakeWalk) -> None:
    tokens = sign_in.issue_tokens(ADA, scopes=("openid", ACCOUNT_SCOPE), client_id=ACCOUNT_CLIENT)
    assert tokens.expires_in == ACCOUNT_TOKEN_MINUTES * 60
    clock.now += ACCOUNT_REFRESH_MINUTES * 60 - 1
    view = walk(client_id=ACCOUNT_CLIENT)
    renewed = view.refresh(tokens.refresh_token or "")
    assert renewed.status_code == 200
    clock.now += 1
    assert view.refresh(renewed.json()["refresh_token"]).status_code == 400, "renewing lengthens nothing"
    person = sign_in.issue_tokens(ADA)
    clock.now += REFRESH_TOKEN_DAYS * 24 * 3600 - 1
    assert walk().refresh(person.refresh_token or "").status_code == 200


def test_an_operator_resets_a_lost_app_and_ends_every_session(
    app: Authenticator, sign_in: SignIn, walk: MakeWalk
) -> None:
    tokens, token = sign_in.issue_tokens(ADA), account_token(sign_in, ADA)
    operator = operator_calls(sign_in)
    (found,) = operator.list_users(UserPoolId=POOL, Filter=f'email = "{ADA}"')["Users"]
    user_name = found.get("Username", "")
    operator.admin_delete_software_token(UserPoolId=POOL, Username=user_name)
    operator.admin_user_global_sign_out(UserPoolId=POOL, Username=user_name)
    assert walk().refresh(tokens.refresh_token or "").status_code == 400
    assert refusal_of(lambda: account_calls(sign_in).get_user(AccessToken=token)) == "NotAuthorizedException"
    browser = walk()
    assert "code" in answer(browser.submit(ADA, PASSWORD))
    assert app.secret not in str(sign_in.authority.second_factors.__dict__)


@pytest.mark.parametrize("who", ["nobody", "a wrong key"])
def test_nobody_but_an_operator_resets_an_app(app: Authenticator, sign_in: SignIn, walk: MakeWalk, who: str) -> None:
    calls = account_calls(sign_in) if who == "nobody" else operator_calls(sign_in, secret_key="guessed")
    for call in (
        lambda: calls.admin_delete_software_token(UserPoolId=POOL, Username=ADA),
        lambda: calls.admin_user_global_sign_out(UserPoolId=POOL, Username=ADA),
        lambda: calls.list_users(UserPoolId=POOL, Filter=f'email = "{ADA}"'),
    ):
        assert refusal_of(call) == "NotAuthorizedException"
    browser = walk()
    browser.submit(ADA, PASSWORD)
    assert "code" in answer(browser.submit_code(app.code()))


def test_an_app_and_its_used_codes_survive_a_restart_in_a_file_of_the_owner_alone(tmp_path: Path, clock: Clock) -> None:
    with SignIn(port=0, data_dir=tmp_path, clock=clock) as first:
        subject = first.create_user(ADA, PASSWORD).subject
        app = set_up_app(first, ADA)
        clock.now += STEP_SECONDS
        first.authority.second_factors.verify(subject, app.code())
    assert (tmp_path / FACTORS_FILE).stat().st_mode & 0o777 == 0o600
    with SignIn(port=0, data_dir=tmp_path, clock=clock) as second:
        browser = Walk(second.authority_url)
        browser.submit(ADA, PASSWORD)
        assert browser.submit_code(app.code()).status_code == 400
        assert "code" in answer(browser.submit_code(app.code(1)))
        browser.browser.close()


@pytest.mark.parametrize("time", ["99999999T999999Z", "20261301T000000Z", "00000101T000000Z"])
def test_a_signature_of_a_time_that_never_is_signs_nothing(sign_in: SignIn, time: str) -> None:
    headers = {
        "X-Amz-Target": f"{TARGET}.AdminDeleteSoftwareToken",
        "X-Amz-Date": time,
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/cognito-idp/aws4_request, "
        f"SignedHeaders=host;x-amz-date;x-amz-target, Signature={'0' * 64}",
    }
    named = {"UserPoolId": POOL, "Username": ADA}
    reply = requests.post(f"{sign_in.authority_url}/", json=named, headers=headers, timeout=5)
    assert (reply.status_code, reply.json()["__type"]) == (400, "NotAuthorizedException")


def test_a_setting_of_nothing_changes_nothing(app: Authenticator, sign_in: SignIn, walk: MakeWalk) -> None:
    nothing = {"AccessToken": account_token(sign_in, ADA), "SoftwareTokenMfaSettings": None}
    headers = {"X-Amz-Target": f"{TARGET}.SetUserMFAPreference"}
    assert requests.post(f"{sign_in.authority_url}/", json=nothing, headers=headers, timeout=5).status_code == 200
    browser = walk()
    browser.submit(ADA, PASSWORD)
    assert "code" in answer(browser.submit_code(app.code())), "codes are asked for as before"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff{", b"{}", b'{"AccessToken": 5}'])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Amz-Target": "Other.GetUser"},
        {"X-Amz-Target": f"{TARGET}.VerifySoftwareToken"},
        {"X-Amz-Target": f"{TARGET}.ListUsers"},
        {"X-Amz-Target": f"{TARGET}.Unknown"},
        {"X-Amz-Target": f"{TARGET}.GetUser", "Content-Encoding": "gzip"},
        {"X-Amz-Target": f"{TARGET}.VerifySoftwareToken", "Authorization": SIGNED_FOR_ANOTHER_SERVICE},
    ],
)
def test_a_call_that_cannot_be_read_is_refused_and_is_no_fault(
    sign_in: SignIn, headers: dict[str, str], body: bytes
) -> None:
    answered = requests.post(f"{sign_in.authority_url}/", data=body, headers=headers, timeout=10)
    assert answered.status_code == 400, answered.text
    assert answered.json()["__type"]
