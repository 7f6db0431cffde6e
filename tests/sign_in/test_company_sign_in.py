"""Company sign-in: people whom a company vouches for, and answers that prove nothing."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from local.sign_in.clients import ACCOUNT_CLIENT, ACCOUNT_PAGE, ACCOUNT_SCOPE, IDENTITY_SCOPES, Client
from local.sign_in.companies import ANSWER_SECONDS, CALLBACK, Company
from local.sign_in.second_factors import Mfa
from local.sign_in.server import SignIn
from local.sign_in.signing_key import SigningKey
from local.sign_in.tokens import POOL_ID
from tests.sign_in.browser_walk import SITE, Walk, answer
from tests.sign_in.clock import Clock

DOMAIN = "acme.example"
SECRET = "between the two sign-ins alone"

MakeWalk = Callable[..., Walk]


@pytest.fixture
def company(clock: Clock) -> Iterator[SignIn]:
    with SignIn(
        port=0, redirect_uris={}, demo_email=f"ada@{DOMAIN}", session_cookie="company_sign_in", clock=clock
    ) as running:
        yield running


@pytest.fixture
def local_users() -> bool:
    return True


@pytest.fixture
def sign_in(company: SignIn, clock: Clock, local_users: bool, mfa: Mfa) -> Iterator[SignIn]:
    acme = Company(
        name="acme",
        issuer=company.authority_url,
        client_id="video-upload",
        client_secret=SECRET,
        domains=(DOMAIN,),
        groups_claim="cognito:groups",
        administrators="administrators",
    )
    with SignIn(port=0, companies=[acme], local_users=local_users, mfa=mfa, clock=clock) as running:
        company.authority.clients.add(
            Client(
                client_id="video-upload",
                scopes=IDENTITY_SCOPES,
                grants=frozenset({"authorization_code"}),
                redirect_uris=(running.authority_url + CALLBACK,),
                secret=SECRET,
            )
        )
        yield running


def company_answer(walk: Walk, company: SignIn, email: str = "", password: str = "") -> str:
    """Sign in at the company, and stop before its answer: the address that holds it."""
    left = walk.authorize(idp_identifier=DOMAIN)
    assert left.headers["Location"].startswith(f"{company.authority_url}/oauth2/authorize?"), left.text
    form = walk.browser.get(left.headers["Location"])
    csrf_token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    assert csrf_token, form.text
    demo = company.demo_user
    typed = {"email": email or demo.email, "password": password or demo.password}
    sent = walk.browser.post(form.url, data={**typed, "csrf_token": unescape(csrf_token[1])}, allow_redirects=False)
    return sent.headers["Location"]


def bring(walk: Walk, address: str) -> requests.Response:
    return walk.browser.get(address, allow_redirects=False)


def signed_in(walk: Walk, company: SignIn, **person: str) -> dict[str, Any]:
    reply = walk.exchange(answer(bring(walk, company_answer(walk, company, **person)))["code"])
    assert reply.status_code == 200, reply.text
    return reply.json()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_a_person_of_a_company_signs_in_there_and_gets_the_tokens_of_a_federated_user(
    walk: MakeWalk, company: SignIn
) -> None:
    tokens = signed_in(walk(), company)
    at_the_company = company.authority.users.by_email(company.demo_user.email)
    assert at_the_company
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert access["username"] == identity["cognito:username"] == f"acme_{at_the_company.subject}"
    assert access["sub"] == identity["sub"] != at_the_company.subject
    assert access["cognito:groups"] == identity["cognito:groups"] == [f"{POOL_ID}_acme"]
    assert identity["identities"] == [
        {"userId": at_the_company.subject, "providerName": "acme", "providerType": "OIDC", "primary": "true"}
    ]
    assert (identity["email"], identity["email_verified"], identity["nonce"]) == (f"ada@{DOMAIN}", False, "n-1")


def test_a_person_of_a_company_stays_the_same_and_is_nobody_of_the_pool_with_the_same_address(
    sign_in: SignIn, company: SignIn, walk: MakeWalk
) -> None:
    local = sign_in.create_user(company.demo_user.email, "a long password")
    first, second = (claims_of(signed_in(walk(), company)["access_token"])["sub"] for _ in range(2))
    assert first == second != local.subject
    own = walk()
    own_tokens = own.exchange(own.code(local.email, "a long password")).json()
    assert claims_of(own_tokens["access_token"])["sub"] == local.subject


def test_a_companys_administrator_is_one_until_the_first_renewal(company: SignIn, walk: MakeWalk) -> None:
    company.appoint_administrator(company.demo_user.email)
    browser = walk()
    tokens = signed_in(browser, company)
    assert claims_of(tokens["access_token"])["cognito:groups"] == [f"{POOL_ID}_acme", "administrators"]
    renewed = browser.refresh(tokens["refresh_token"]).json()
    assert claims_of(renewed["access_token"])["cognito:groups"] == [f"{POOL_ID}_acme"]


@pytest.mark.parametrize("named", [{"identity_provider": "acme"}, {"idp_identifier": DOMAIN.upper()}])
def test_a_company_is_named_by_provider_or_by_domain(walk: MakeWalk, company: SignIn, named: dict[str, str]) -> None:
    assert walk().authorize(**named).headers["Location"].startswith(company.authority_url)


@pytest.mark.parametrize("named", [{"identity_provider": "umbrella"}, {"idp_identifier": "example.org"}])
def test_a_company_that_is_not_let_in_is_refused_at_the_client(walk: MakeWalk, named: dict[str, str]) -> None:
    assert answer(walk().authorize(**named))["error"] == "invalid_request"


def test_somebody_who_is_signed_in_with_a_password_is_asked_at_the_company_all_the_same(
    sign_in: SignIn, company: SignIn, walk: MakeWalk
) -> None:
    browser = walk()
    browser.code(sign_in.demo_user.email, sign_in.demo_user.password)
    assert claims_of(signed_in(browser, company)["id_token"])["email"] == company.demo_user.email
    # The company's own session is not asked again within the hour.
    assert "code" in answer(browser.authorize(idp_identifier=DOMAIN))


@pytest.mark.parametrize("local_users", [False])
def test_no_password_signs_anybody_in_without_local_users(sign_in: SignIn, company: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    page = browser.browser.get(f"{sign_in.authority_url}/login?{browser.query()}")
    assert "Sign in with acme" in page.text
    assert 'type="password"' not in page.text
    demo = sign_in.demo_user
    assert browser.submit(demo.email, demo.password, csrf_token="any").status_code == 403
    assert browser.browser.get(f"{sign_in.authority_url}/signup?{browser.query()}").status_code == 403
    assert signed_in(walk(), company)


def test_a_companys_answer_counts_once(company: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    address = company_answer(browser, company)
    before = browser.browser.cookies.copy()
    assert "code" in answer(bring(browser, address))
    assert bring(browser, address).status_code == 400
    browser.browser.cookies = before
    assert bring(browser, address).status_code == 400, "also in the session that began it"


def test_a_companys_answer_counts_in_the_browser_that_asked_alone(company: SignIn, walk: MakeWalk) -> None:
    """Otherwise somebody signs a victim's browser in to an account of their own."""
    begun, other = walk(), walk()
    address = company_answer(begun, company)
    other.authorize(idp_identifier=DOMAIN)
    assert bring(other, address).status_code == 400
    assert "code" in answer(bring(begun, address)), "the attempt must not use it up"


def test_a_companys_answer_that_nobody_asked_for_is_refused(sign_in: SignIn, walk: MakeWalk) -> None:
    assert bring(walk(), f"{sign_in.authority_url}{CALLBACK}?code=x&state=unknown").status_code == 400
    assert bring(walk(), f"{sign_in.authority_url}{CALLBACK}").status_code == 400


@pytest.mark.parametrize(("seconds", "status"), [(ANSWER_SECONDS - 1, 302), (ANSWER_SECONDS, 400)])
def test_a_companys_answer_counts_for_five_minutes(
    company: SignIn, walk: MakeWalk, clock: Clock, seconds: int, status: int
) -> None:
    browser = walk()
    left = browser.authorize(idp_identifier=DOMAIN)
    clock.now += seconds
    form = browser.browser.get(left.headers["Location"])
    csrf_token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
    assert csrf_token
    demo = company.demo_user
    data = {"email": demo.email, "password": demo.password, "csrf_token": unescape(csrf_token[1])}
    sent = browser.browser.post(form.url, data=data, allow_redirects=False)
    assert bring(browser, sent.headers["Location"]).status_code == status


def test_a_companys_refusal_reaches_the_client(company: SignIn, sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    state = answer(browser.authorize(idp_identifier=DOMAIN))["state"]
    refused = answer(bring(browser, f"{sign_in.authority_url}{CALLBACK}?error=access_denied&state={state}"))
    assert (refused["error"], refused["state"]) == ("access_denied", browser.state)
    assert "code" not in refused


def by_another_key(claims: dict[str, Any], company: SignIn) -> str:
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": company.authority.key.key_id})


def unsigned(claims: dict[str, Any], company: SignIn) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": company.authority.key.key_id})


def changed(**changes: object) -> Callable[[dict[str, Any], SignIn], str]:
    def sign(claims: dict[str, Any], company: SignIn) -> str:
        kept = {name: value for name, value in (claims | changes).items() if value is not None}
        key = company.authority.key
        return jwt.encode(kept, key.private_key, algorithm="RS256", headers={"kid": key.key_id})

    return sign


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(by_another_key, id="another key"),
        pytest.param(unsigned, id="no signature"),
        pytest.param(changed(aud="another-client"), id="another audience"),
        pytest.param(changed(iss="http://127.0.0.1:9"), id="another issuer"),
        pytest.param(changed(nonce="n-1"), id="the nonce of another sign-in"),
        pytest.param(changed(nonce=None), id="no nonce"),
        pytest.param(changed(exp=1), id="expired"),
        pytest.param(changed(exp=None), id="no end"),
        pytest.param(changed(sub=None), id="nobody"),
        pytest.param(changed(email=None), id="no address"),
        pytest.param(changed(email="ada"), id="no real address"),
        pytest.param(changed(exp="tomorrow"), id="an end that is no time"),
        pytest.param(changed(sub=7), id="a number for a person"),
        pytest.param(changed(nonce=["n-1"]), id="a list for the nonce"),
    ],
)
def test_an_answer_that_proves_nothing_signs_nobody_in(
    sign_in: SignIn,
    company: SignIn,
    walk: MakeWalk,
    monkeypatch: pytest.MonkeyPatch,
    forge: Callable[[dict[str, Any], SignIn], str],
) -> None:
    browser, before = walk(), sign_in.authority.users.all()
    address = company_answer(browser, company)
    with monkeypatch.context() as forging:
        forging.setattr(SigningKey, "sign", lambda _key, claims: forge(claims, company))
        refused = answer(bring(browser, address))
    assert (refused["error"], refused["state"]) == ("server_error", browser.state)
    assert "code" not in refused
    assert sign_in.authority.users.all() == before


def test_nobody_of_a_company_gets_a_token_that_changes_an_account(
    sign_in: SignIn, company: SignIn, walk: MakeWalk
) -> None:
    """Cognito lets local users alone in by the account client: the second factor of others is their company's."""
    browser = walk()
    assert signed_in(browser, company)
    view = walk(
        client_id=ACCOUNT_CLIENT, redirect_uri=f"{SITE}{ACCOUNT_PAGE}", scope=ACCOUNT_SCOPE, browser=browser.browser
    )
    assert answer(view.authorize(identity_provider="acme"))["error"] == "invalid_request"
    assert answer(view.authorize(idp_identifier=DOMAIN))["error"] == "invalid_request"
    assert view.authorize().headers["Location"].startswith("/login?"), "the browser's session is of a company's person"
    assert "acme" not in view.browser.get(f"{sign_in.authority_url}/login?{view.query()}").text


@pytest.mark.parametrize("mfa", [Mfa.REQUIRED])
def test_a_companys_person_signs_in_for_the_hour_even_if_a_second_factor_is_required(
    company: SignIn, walk: MakeWalk
) -> None:
    browser = walk()
    assert signed_in(browser, company)
    assert "code" in answer(browser.authorize())


def test_a_company_that_is_away_is_said_and_not_waited_for(company: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    address = company_answer(browser, company)
    company.__exit__(None, None, None)
    began = time.monotonic()
    assert answer(bring(browser, address))["error"] == "server_error"
    assert answer(walk().authorize(idp_identifier=DOMAIN))["error"] == "server_error"
    assert time.monotonic() - began < 10
