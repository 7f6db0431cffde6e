"""Users of a measurement: some sign in as the command does, by code and PKCE through the pages of the sign-in."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from html import unescape

import requests

from bench.upload_client import Figures, Step, Traffic
from local.platform import LocalPlatform
from video_upload.sign_in import sign_in

SIGN_INS_AT_ONCE = 4
"""Fewer than the ten loopback ports that the command may be called back on."""

TIMEOUT_SECONDS = 120.0
_TICK_SECONDS = 0.5
_CSRF_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


def sign_in_users(
    platform: LocalPlatform, count: int, through_pages: int, figures: Figures, on_tick: Callable[[int], None]
) -> list[str]:
    """Make accounts, sign each in and return the access tokens.

    through_pages: users who have a password and walk through the pages; the others are given their tokens, since the
    slow hash of each password costs a good part of a second. on_tick: gets the number of users signed in. Raises the
    error of the first failed sign-in.
    """
    executor = ThreadPoolExecutor(SIGN_INS_AT_ONCE)
    try:
        walkers = range(min(through_pages, count))
        signing_in = [executor.submit(_sign_in, platform, number, figures) for number in walkers]
        waiting: set[Future[str]] = set(signing_in)
        while waiting:
            done, waiting = wait(waiting, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            on_tick(len(walkers) - len(waiting))
    finally:
        executor.shutdown(cancel_futures=True)
    tokens = [future.result() for future in signing_in]
    for number in range(len(walkers), count):
        tokens.append(platform.sign_in.issue_tokens(_email(number)).access_token)
        on_tick(number + 1)
    return tokens


def _sign_in(platform: LocalPlatform, number: int, figures: Figures) -> str:
    email, password = _email(number), f"password-of-user-{number}"
    platform.sign_in.create_user(email, password)

    def show_url(url: str) -> None:
        # The command listens for the redirect only after this returns.
        threading.Thread(target=_walk_through_the_pages, args=(url, email, password), daemon=True).start()

    started = time.monotonic()
    access_token = sign_in(platform.site_url, show_url, timeout_seconds=TIMEOUT_SECONDS).access_token
    figures.took(Step.SIGN_IN, time.monotonic() - started, Traffic.LIGHT)
    return access_token


def _email(number: int) -> str:
    return f"user-{number}@example.com"


def _walk_through_the_pages(url: str, email: str, password: str) -> None:
    """Do what the person's browser does, up to the redirect to the command."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=TIMEOUT_SECONDS)
        csrf_token = _CSRF_FIELD.search(page.text)
        assert csrf_token, page.text
        form = {"email": email, "password": password, "csrf_token": unescape(csrf_token[1])}
        browser.post(page.url, data=form, timeout=TIMEOUT_SECONDS).raise_for_status()
