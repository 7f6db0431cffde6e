"""A client and a browser without scripts: the code + PKCE walk through the pages, step by step."""

import base64
import hashlib
import re
import secrets
import subprocess
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests

SITE = "http://127.0.0.1:8000/"


@dataclass
class Walk:
    """One person's browser, on its way from one client's authorization request to tokens."""

    authority: str
    client_id: str = "web"
    redirect_uri: str = SITE
    scope: str = "openid email video-upload/read video-upload/write"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    browser: requests.Session = field(default_factory=requests.Session)

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def query(self, **changes: str | None) -> str:
        """The authorization request; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "nonce": "n-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        return urlencode({name: value for name, value in parameters.items() if value is not None})

    def authorize(self, **changes: str | None) -> requests.Response:
        return self.browser.get(f"{self.authority}/oauth2/authorize?{self.query(**changes)}", allow_redirects=False)

    def csrf_token(self, page: str = "login") -> str:
        form = self.browser.get(f"{self.authority}/{page}?{self.query()}")
        found = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert found, form.text
        return unescape(found[1])

    def submit(
        self, email: str, password: str, *, page: str = "login", csrf_token: str | None = None
    ) -> requests.Response:
        token = self.csrf_token(page) if csrf_token is None else csrf_token
        return self.browser.post(
            f"{self.authority}/{page}?{self.query()}",
            data={"email": email, "password": password, "csrf_token": token},
            allow_redirects=False,
        )

    def submit_code(self, code: str, *, page: str = "mfa") -> requests.Response:
        """Type the code of an authenticator app, after `submit` led to that page."""
        return self.browser.post(
            f"{self.authority}/{page}?{self.query()}",
            data={"code": code, "csrf_token": self.csrf_token(page)},
            allow_redirects=False,
        )

    def code(self, email: str, password: str) -> str:
        return answer(self.submit(email, password))["code"]

    def exchange(self, code: str, **changes: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        return requests.post(f"{self.authority}/oauth2/token", data=form | changes, timeout=10)

    def refresh(self, refresh_token: str, **changes: str) -> requests.Response:
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "refresh_token": refresh_token}
        return requests.post(f"{self.authority}/oauth2/token", data=form | changes, timeout=10)


def answer(response: requests.Response) -> dict[str, str]:
    """Return the parameters that a redirect carries back to the client."""
    assert response.status_code == 302, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["Location"]).query).items()}


def walk_through_login(
    command: "subprocess.Popen[str]",
    email: str,
    password: str,
    *,
    company: str | None = None,
    code: str | None = None,
) -> None:
    """Walk through the sign-in at the address that `video-upload login --no-browser` prints, as a person would.

    company: whose link on the page this person follows first. code: what this person's authenticator app shows.
    """
    assert command.stdout
    printed = ""
    while not (found := re.search(r"(http://\S+/oauth2/authorize\?\S+)\s", printed)):
        line = command.stdout.readline()
        assert line, f"no address in {printed!r}"
        printed += line
    browser = requests.Session()
    page = browser.get(found[1], timeout=10)
    if company:
        link = re.search(rf'href="([^"]+)">Sign in with {company}<', page.text)
        assert link, page.text
        page = browser.get(urljoin(page.url, unescape(link[1])), timeout=10)
    page = _sent(browser, page, {"email": email, "password": password})
    if code:
        assert "/mfa?" in page.url, "the password alone was enough"
        page = _sent(browser, page, {"code": code})
    assert "/callback?" in page.url, page.text


def _sent(browser: requests.Session, page: requests.Response, values: dict[str, str]) -> requests.Response:
    """The page behind a form that this person has filled in."""
    csrf_token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert csrf_token, page.text
    answer = browser.post(page.url, data={**values, "csrf_token": unescape(csrf_token[1])}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer
