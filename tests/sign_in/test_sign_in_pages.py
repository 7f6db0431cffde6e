"""The pages: who may be sent where, and what a wrong password costs."""

from collections.abc import Callable

import pytest
import requests

from local.sign_in.server import SignIn
from tests.sign_in.browser_walk import SITE, Walk, answer
from tests.sign_in.clock import Clock

MakeWalk = Callable[..., Walk]
PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "machine"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": f"{SITE}?next=evil"},
        {"redirect_uri": SITE.rstrip("/")},
        {"redirect_uri": None},
        {"redirect_uri": "http://127.0.0.1:53682/callback"},
    ],
    ids=str,
)
def test_an_unknown_client_or_address_gets_a_page_and_never_a_redirect(
    walk: MakeWalk, changes: dict[str, str | None]
) -> None:
    browser = walk()
    for path in ("oauth2/authorize", "login", "signup"):
        reply = browser.browser.get(f"{browser.authority}/{path}?{browser.query(**changes)}", allow_redirects=False)
        assert reply.status_code == 400
        assert "Location" not in reply.headers
        assert "text/html" in reply.headers["Content-Type"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"scope": "openid video-upload/admin"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=str,
)
def test_a_known_client_hears_its_mistake_and_gets_its_state_back(
    walk: MakeWalk, changes: dict[str, str | None], error: str
) -> None:
    browser = walk()
    reply = browser.authorize(**changes)
    assert reply.headers["Location"].startswith(f"{SITE}?")
    assert answer(reply) | {"error": error, "state": browser.state} == answer(reply)


def test_a_repeated_parameter_is_refused(walk: MakeWalk) -> None:
    browser = walk()
    reply = browser.browser.get(
        f"{browser.authority}/oauth2/authorize?{browser.query()}&scope=openid", allow_redirects=False
    )
    assert answer(reply)["error"] == "invalid_request"


def test_a_forged_state_comes_back_as_it_was_sent_and_never_as_markup(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk(state='"><script>alert(1)</script>&code=stolen')
    page = browser.browser.get(f"{browser.authority}/login?{browser.query()}")
    assert "<script" not in page.text
    carried = answer(browser.submit(sign_in.demo_user.email, sign_in.demo_user.password))
    assert carried["state"] == browser.state
    assert carried["code"] != "stolen"


def test_the_desktop_client_may_use_its_ten_ports_and_no_other(walk: MakeWalk) -> None:
    for port in range(53682, 53692):
        assert (
            walk(client_id="desktop", redirect_uri=f"http://127.0.0.1:{port}/callback").authorize().status_code == 302
        )
    for port in (53681, 53692):
        assert (
            walk(client_id="desktop", redirect_uri=f"http://127.0.0.1:{port}/callback").authorize().status_code == 400
        )


def test_a_native_app_is_called_back_at_its_claimed_link_and_nowhere_else(walk: MakeWalk) -> None:
    link = "https://app.example.com/signed-in"
    assert walk(client_id="native", redirect_uri=link).authorize().status_code == 302
    for other in (
        f"{link}/",
        "com.example.app:/signed-in",
        "https://app.example.com/",
        "http://127.0.0.1:53682/callback",
    ):
        assert walk(client_id="native", redirect_uri=other).authorize().status_code == 400


def test_a_wrong_password_and_an_unknown_address_look_the_same(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    token = browser.csrf_token()
    replies = [
        browser.submit(email, "not the password", csrf_token=token)
        for email in (sign_in.demo_user.email, "nope@example.com")
    ]
    assert {reply.status_code for reply in replies} == {400}
    texts = {
        reply.text.replace(email, "")
        for reply, email in zip(replies, (sign_in.demo_user.email, "nope@example.com"), strict=True)
    }
    assert len(texts) == 1
    assert "Wrong e-mail address or password." in replies[0].text


@pytest.mark.parametrize("email", ["ada@example.com", "unknown@example.com"])
def test_after_five_failures_even_the_right_password_has_to_wait(
    sign_in: SignIn, walk: MakeWalk, clock: Clock, email: str
) -> None:
    sign_in.create_user("ada@example.com", PASSWORD)
    browser = walk()
    token = browser.csrf_token()
    for _ in range(5):
        assert browser.submit(email, "guess", csrf_token=token).status_code == 400
    waiting = browser.submit(email, PASSWORD, csrf_token=token)
    assert (waiting.status_code, waiting.headers["Retry-After"]) == (429, "1")
    clock.now += 1
    assert browser.submit(email, "guess", csrf_token=token).status_code == 400
    assert browser.submit(email, PASSWORD, csrf_token=token).headers["Retry-After"] == "2"
    clock.now += 2
    assert browser.submit(email, PASSWORD, csrf_token=token).status_code == (302 if email.startswith("ada") else 400)


def test_a_form_from_elsewhere_is_refused(sign_in: SignIn, walk: MakeWalk) -> None:
    for forged in ("", "guess", walk().csrf_token()):
        reply = walk().submit(sign_in.demo_user.email, sign_in.demo_user.password, csrf_token=forged)
        assert reply.status_code == 400
        assert "Location" not in reply.headers


def test_a_signed_in_person_needs_no_form_until_signing_out(sign_in: SignIn, walk: MakeWalk, clock: Clock) -> None:
    browser = walk()
    browser.submit(sign_in.demo_user.email, sign_in.demo_user.password)
    assert "code" in answer(browser.authorize())
    assert "code" in answer(browser.authorize(prompt="none"))
    assert browser.authorize(prompt="login").headers["Location"].startswith("/login?")

    foreign = browser.browser.get(
        f"{sign_in.logout_url}?client_id=web&logout_uri=https://evil.example/", allow_redirects=False
    )
    assert foreign.status_code == 400
    assert "code" in answer(browser.authorize())
    out = browser.browser.get(f"{sign_in.logout_url}?client_id=web&logout_uri={SITE}", allow_redirects=False)
    assert out.headers["Location"] == SITE
    assert answer(browser.authorize(prompt="none"))["error"] == "login_required"

    browser.submit(sign_in.demo_user.email, sign_in.demo_user.password)
    clock.now += 3600
    assert answer(browser.authorize(prompt="none"))["error"] == "login_required"


def test_a_stranger_may_sign_up_and_is_signed_in(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    tokens = browser.exchange(answer(browser.submit("New@Example.com", PASSWORD, page="signup"))["code"])
    assert tokens.status_code == 200
    assert "code" in answer(walk().submit("new@example.com", PASSWORD))
    assert walk().submit("new@example.com", PASSWORD, page="signup").status_code == 409
    for email, password in (("short@example.com", "elevenchars"), ("no-address", PASSWORD)):
        assert walk().submit(email, password, page="signup").status_code == 400


def test_sign_up_can_be_closed() -> None:
    with SignIn(port=0, sign_up=False) as closed:
        browser = Walk(closed.authority_url)
        assert browser.browser.get(f"{closed.authority_url}/signup?{browser.query()}").status_code == 403
        assert "Create an account" not in browser.browser.get(f"{closed.authority_url}/login?{browser.query()}").text
        browser.browser.close()


def test_an_account_without_a_password_cannot_use_the_form(sign_in: SignIn, walk: MakeWalk) -> None:
    sign_in.issue_tokens("ada@example.com")
    assert walk().submit("ada@example.com", "").status_code == 400


def test_the_pages_may_not_be_framed_scripted_or_kept(sign_in: SignIn, walk: MakeWalk) -> None:
    browser = walk()
    page = browser.browser.get(f"{browser.authority}/login?{browser.query()}")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_foreign_host_name_that_leads_here_is_refused(sign_in: SignIn) -> None:
    reply = requests.get(sign_in.jwks_url, headers={"Host": "evil.example"}, timeout=10)
    assert reply.status_code == 421
