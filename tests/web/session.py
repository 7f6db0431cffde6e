"""A browser that is signed in already, for tests about something else."""

import json

from playwright.sync_api import Page, expect

from local.sign_in.server import SignIn


def open_signed_in(page: Page, site_url: str, sign_in: SignIn, email: str) -> None:
    """Open the page with a fresh session in this tab."""
    tokens = sign_in.issue_tokens(email)
    session = {
        "accessToken": tokens.access_token,
        "idToken": tokens.id_token,
        "refreshToken": tokens.refresh_token,
        "expiresAt": 4e9,
    }
    page.goto(site_url)
    page.evaluate('(session) => sessionStorage.setItem("session", session)', json.dumps(session))
    page.reload()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
