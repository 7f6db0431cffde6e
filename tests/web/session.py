"""A browser that is signed in already, for tests about something else, and its session."""

import json

import jwt
from playwright.sync_api import Page, expect

from local.sign_in.server import SignIn


def open_signed_in(page: Page, site_url: str, sign_in: SignIn, email: str) -> None:
    """Open the page with a fresh session in this tab."""
    tokens = sign_in.issue_tokens(email)
    session = {
        "access_token": tokens.access_token,
        "id_token": tokens.id_token,
        "refresh_token": tokens.refresh_token,
        "token_type": "Bearer",
        "profile": jwt.decode(tokens.id_token or "", options={"verify_signature": False}),
        "expires_at": 4_000_000_000,
    }
    key = f"oidc.user:{sign_in.authority_url}:web"
    # Any document of the site may write the session; this one costs less than the page itself.
    page.goto(f"{site_url}/config.json")
    page.evaluate("([key, session]) => sessionStorage.setItem(key, session)", [key, json.dumps(session)])
    page.goto(site_url)
    expect(page.locator("#sign-out")).to_be_visible()


def session_of(page: Page) -> dict[str, str]:
    """Read the tokens that this tab holds."""
    return page.evaluate(
        """() => {
            const [key] = Object.keys(sessionStorage).filter((name) => name.startsWith("oidc.user:"));
            return JSON.parse(sessionStorage.getItem(key));
        }"""
    )


def revoke_session(page: Page, sign_in: SignIn) -> None:
    """End the session at the sign-in; the page learns of it when it renews its access token."""
    sign_in.authority.refresh_tokens.revoke_token(session_of(page)["refresh_token"], client_id="web")
