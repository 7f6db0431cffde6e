"""Tokens: what they claim, who gets them, and what is refused."""

import base64
import hmac
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from local.sign_in.server import SignIn
from tests.sign_in.browser_walk import SITE, Walk, answer
from tests.sign_in.clock import Clock

MakeWalk = Callable[..., Walk]


def signed_in(sign_in: SignIn, walk: Walk) -> dict[str, Any]:
    reply = walk.exchange(walk.code(sign_in.demo_user.email, sign_in.demo_user.password))
    assert reply.status_code == 200, reply.text
    return reply.json()


def verified(sign_in: SignIn, token: str, audience: str | None = None) -> dict[str, Any]:
    """Verify a token as the API does: by the published keys alone."""
    keys = jwt.PyJWKSet.from_dict(requests.get(sign_in.jwks_url, timeout=10).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key.key, algorithms=["RS256"], issuer=sign_in.authority_url, audience=audience, leeway=5)


def user_info(sign_in: SignIn, token: str) -> requests.Response:
    return requests.get(
        f"{sign_in.authority_url}/oauth2/userInfo", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )


def test_the_walk_through_the_pages_ends_in_tokens_with_cognitos_claims(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    asked = browser.authorize()
    assert asked.headers["Location"].startswith("/login?")
    reply = browser.submit(sign_in.demo_user.email, sign_in.demo_user.password)
    assert reply.headers["Location"].startswith(f"{SITE}?code=")
    assert answer(reply)["state"] == browser.state
    tokens = browser.exchange(answer(reply)["code"]).json()

    access = verified(sign_in, tokens["access_token"])
    assert access["token_use"] == "access"
    assert access["client_id"] == "web"
    assert access["scope"] == "openid email video-upload/read video-upload/write"
    assert access["exp"] - access["iat"] == tokens["expires_in"] == 3600
    assert access["username"] == access["sub"]
    assert "aud" not in access
    assert "email" not in access

    identity = verified(sign_in, tokens["id_token"], audience="web")
    assert identity["token_use"] == "id"
    assert identity["email"] == sign_in.demo_user.email
    assert identity["nonce"] == "n-1"
    assert identity["cognito:username"] == identity["sub"] == access["sub"]
    assert user_info(sign_in, tokens["access_token"]).json()["email"] == sign_in.demo_user.email


def test_a_code_works_once_and_its_replay_ends_the_first_tokens(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    code = browser.code(sign_in.demo_user.email, sign_in.demo_user.password)
    first = browser.exchange(code).json()
    assert user_info(sign_in, first["access_token"]).status_code == 200

    replay = browser.exchange(code)
    assert (replay.status_code, replay.json()["error"]) == (400, "invalid_grant")
    assert browser.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert user_info(sign_in, first["access_token"]).status_code == 401


def test_a_code_is_too_old_after_sixty_seconds(sign_in: SignIn, walk: MakeWalk, clock: Clock) -> None:
    browser = walk()
    early, late = (browser.code(sign_in.demo_user.email, sign_in.demo_user.password) for _ in range(2))
    clock.now += 59
    assert browser.exchange(early).status_code == 200
    clock.now += 2
    assert browser.exchange(late).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": secrets.token_urlsafe(48)},
        {"code_verifier": ""},
        {"redirect_uri": "http://localhost:8000/"},
        {"client_id": "desktop"},
    ],
    ids=["another verifier", "no verifier", "another redirect", "another client"],
)
def test_a_stolen_code_is_worthless_and_the_attempt_spends_it(
    sign_in: SignIn, walk: MakeWalk, changes: dict[str, str]
) -> None:
    browser = walk()
    code = browser.code(sign_in.demo_user.email, sign_in.demo_user.password)
    stolen = browser.exchange(code, **changes)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    assert browser.exchange(code).json()["error"] == "invalid_grant"


def test_each_refresh_token_is_replaced_and_an_old_one_ends_them_all(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    first = signed_in(sign_in, browser)
    second = browser.refresh(first["refresh_token"]).json()
    assert verified(sign_in, second["access_token"])["sub"] == verified(sign_in, first["access_token"])["sub"]
    assert second["refresh_token"] != first["refresh_token"]

    assert browser.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert browser.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_guessed_refresh_token_of_a_known_family_harms_nobody(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    tokens = signed_in(sign_in, browser)
    family = verified(sign_in, tokens["access_token"])["origin_jti"]
    assert browser.refresh(f"{family}.guess").status_code == 400
    requests.post(
        f"{sign_in.authority_url}/oauth2/revoke", data={"token": f"{family}.guess", "client_id": "web"}, timeout=10
    )
    assert browser.refresh(tokens["refresh_token"], client_id="desktop").json()["error"] == "invalid_grant"
    assert browser.refresh(tokens["refresh_token"]).status_code == 200


def test_revoking_ends_refresh_and_access_tokens(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    tokens = signed_in(sign_in, browser)
    revoked = requests.post(
        f"{sign_in.authority_url}/oauth2/revoke",
        data={"token": tokens["refresh_token"], "client_id": "web"},
        timeout=10,
    )
    assert revoked.status_code == 200
    assert browser.refresh(tokens["refresh_token"]).status_code == 400
    assert user_info(sign_in, tokens["access_token"]).status_code == 401


def test_forged_tokens_are_refused(sign_in: SignIn, clock: Clock) -> None:
    genuine = sign_in.issue_tokens("ada@example.com")
    claims = jwt.decode(genuine.access_token, options={"verify_signature": False})
    header = jwt.get_unverified_header(genuine.access_token)
    with SignIn(port=0) as stranger:
        foreign = stranger.issue_tokens("ada@example.com").access_token
    forged = {
        "alg none": jwt.encode(claims, None, algorithm="none"),  # pyrefly: ignore[bad-argument-type]
        "hmac of the public key": hmac_signed(claims, header["kid"], sign_in.authority.key.public_pem()),
        "foreign key": foreign,
        "changed claims": with_claims(genuine.access_token, claims | {"sub": "someone-else"}),
        "id token": genuine.id_token or "",
        "nothing": "",
    }
    for name, token in forged.items():
        assert user_info(sign_in, token).status_code == 401, name
    assert user_info(sign_in, genuine.access_token).status_code == 200
    clock.now += 3601
    assert user_info(sign_in, genuine.access_token).status_code == 401


def hmac_signed(claims: dict[str, Any], key_id: str, secret: bytes) -> str:
    """The classic confusion: the published key as the secret of a symmetric algorithm."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": key_id}, claims)]
    signed = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    digest = hmac.digest(secret, signed, "sha256")
    return b".".join((signed, base64.urlsafe_b64encode(digest).rstrip(b"="))).decode()


def with_claims(token: str, claims: dict[str, Any]) -> str:
    header, _, signature = token.split(".")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{header}.{body}.{signature}"


def test_a_machine_gets_tokens_for_its_secret_alone(sign_in: SignIn) -> None:
    url = f"{sign_in.authority_url}/oauth2/token"
    secret = sign_in.machine_client.secret or ""
    form = {"grant_type": "client_credentials", "scope": "video-upload/read"}
    granted = requests.post(url, data=form, auth=("machine", secret), timeout=10)
    claims = verified(sign_in, granted.json()["access_token"])
    assert (claims["sub"], claims["client_id"], claims["scope"]) == ("machine", "machine", "video-upload/read")
    assert "refresh_token" not in granted.json()
    assert (
        requests.post(url, data=form | {"client_id": "machine", "client_secret": secret}, timeout=10).status_code == 200
    )

    for wrong in (
        requests.post(url, data=form, auth=("machine", "guess"), timeout=10),
        requests.post(url, data=form | {"client_id": "machine"}, timeout=10),
    ):
        assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    person = requests.post(url, data=form | {"client_id": "web"}, timeout=10)
    assert person.json()["error"] == "unauthorized_client"
    greedy = requests.post(url, data=form | {"scope": "openid"}, auth=("machine", secret), timeout=10)
    assert greedy.json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("header", "error"),
    [
        (f"Basic {base64.b64encode(b'machine:' + bytes([255])).decode()}", "invalid_client"),
        ("Basic ###", "invalid_client"),
        (f"Basic {base64.b64encode(b'machine:guess').decode()}", "invalid_request"),
    ],
)
def test_credentials_that_are_malformed_or_of_two_clients_are_refused(sign_in: SignIn, header: str, error: str) -> None:
    form = {"grant_type": "client_credentials", "client_id": "web"}
    url = f"{sign_in.authority_url}/oauth2/token"
    reply = requests.post(url, data=form, headers={"Authorization": header}, timeout=10)
    assert reply.json()["error"] == error


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password", "client_id": "web"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "client_id": "nobody"}, "invalid_client"),
        ({"grant_type": "authorization_code", "client_id": "web"}, "invalid_grant"),
        ({"grant_type": ["refresh_token", "refresh_token"], "client_id": "web"}, "invalid_request"),
        ({}, "invalid_client"),
    ],
)
def test_the_token_endpoint_answers_nonsense_with_the_standards_errors(
    sign_in: SignIn, form: dict[str, Any], error: str
) -> None:
    reply = requests.post(f"{sign_in.authority_url}/oauth2/token", data=form, timeout=10)
    assert reply.json()["error"] == error
    assert reply.headers["Cache-Control"] == "no-store"


def test_a_restart_keeps_keys_people_and_refresh_tokens_for_their_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "sign_in"
    with SignIn(port=0, data_dir=data_dir) as before:
        port = int(before.authority_url.rpartition(":")[2])
        demo = before.demo_user
        tokens = before.issue_tokens("ada@example.com")
        subject = verified(before, tokens.access_token)["sub"]
    assert {path.stat().st_mode & 0o777 for path in data_dir.iterdir()} == {0o600}
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert not any((tokens.refresh_token or "") in path.read_text() for path in data_dir.iterdir())

    with SignIn(port=port, data_dir=data_dir) as after:
        assert after.demo_user == demo
        assert verified(after, tokens.access_token)["sub"] == subject
        browser = Walk(after.authority_url)
        renewed = browser.refresh(tokens.refresh_token or "").json()
        assert verified(after, renewed["access_token"])["sub"] == subject
        assert "code" in answer(browser.submit(demo.email, demo.password))
        browser.browser.close()


def test_only_the_sites_own_scripts_may_read_the_token_endpoint(sign_in: SignIn) -> None:
    url = f"{sign_in.authority_url}/oauth2/token"
    for origin, allowed in (("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://127.0.0.1:9999", None)):
        preflight = requests.options(
            url, headers={"Origin": origin, "Access-Control-Request-Method": "POST"}, timeout=10
        )
        refused = requests.post(url, headers={"Origin": origin}, timeout=10)
        assert preflight.headers.get("Access-Control-Allow-Origin") == allowed
        assert refused.headers.get("Access-Control-Allow-Origin") == allowed

    sign_in.allow_redirects("web", ["http://127.0.0.1:9999/"])
    late = requests.get(
        f"{sign_in.authority_url}/.well-known/openid-configuration",
        headers={"Origin": "http://127.0.0.1:9999"},
        timeout=10,
    )
    assert late.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:9999"


def test_tokens_for_tests_carry_exactly_the_scopes_and_the_client_asked_for(sign_in: SignIn) -> None:
    reader = sign_in.issue_tokens("ada@example.com", scopes=["video-upload/read"], client_id="desktop")
    claims = verified(sign_in, reader.access_token)
    assert (claims["scope"], claims["client_id"], reader.id_token) == ("video-upload/read", "desktop", None)
    again = sign_in.issue_tokens("ADA@example.com")
    assert verified(sign_in, again.access_token)["sub"] == claims["sub"]
